"""A kernel under test: runs cells and keeps what it sends, unread until one asks for it."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import psutil
import zmq
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager

from benchmarks.cases import Case
from benchmarks.driver import WHERE, Driver

__all__ = ["Kernel", "Sent"]

_TIMEOUT_S = 180.0
_ENDING_S = 10.0
_QUIET_SHARE = 0.3
_QUIET_SLICE_S = 0.2


@dataclass(frozen=True)
class Sent:
    """One message on iopub, as it came."""

    arrived: float
    frames: list[bytes]

    @property
    def size(self) -> int:
        """All its bytes on the wire."""
        return sum(map(len, self.frames))


class Kernel:
    """One kernel with Spark up, and its client.

    Attributes
    ----------
    driver
        Our own look into its driver.
    java
        The driver's process.
    """

    def __init__(self, case: Case) -> None:
        self.case = case
        self.manager = KernelManager(kernel_name=case.kernel)
        if case.kernel_folder is not None:
            folders = KernelSpecManager(kernel_dirs=[str(case.kernel_folder)])
            self.manager.kernel_spec_manager = folders
        with Path(os.devnull).open("w") as nowhere:
            environ = {**os.environ, **case.environ}
            self.manager.start_kernel(env=environ, stdout=nowhere, stderr=nowhere)
        try:
            self._client: Any = self.manager.client()
            self._client.session.digest_history_size = 0  # else a message can be read but once
            self._client.start_channels(stdin=False, hb=False)
            self._client.wait_for_ready(timeout=_TIMEOUT_S)
            if case.comm_target:
                self._send("comm_open", comm_id="benchmarks", target_name=case.comm_target, data={})
            self.run(case.prelude or "spark.version")
            self.driver = Driver.at(self.run(WHERE))
            self.refind_java()
        except BaseException:
            self.manager.shutdown_kernel(now=True)
            raise

    def __enter__(self) -> Kernel:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """End the kernel with its driver, by force if need be."""
        with suppress(Exception):
            self.driver.close()
        self._client.stop_channels()
        self.manager.shutdown_kernel()
        try:
            self.java.wait(_ENDING_S)
        except psutil.TimeoutExpired:
            self.java.kill()

    def reborn(self) -> Kernel:
        """End this kernel, and give a new one of its kind."""
        self.close()
        return Kernel(self.case)

    def refind_java(self) -> None:
        """Look for the driver's process anew, as each session has one of its own."""
        children = self.process.children(recursive=True)
        self.java = next(child for child in children if child.name() == "java")

    @cached_property
    def process(self) -> psutil.Process:
        """The kernel's own process."""
        provisioner: Any = self.manager.provisioner
        return psutil.Process(int(provisioner.pid))

    # -- cells -----------------------------------------------------------------------------

    def run(self, code: str, timeout_s: float = _TIMEOUT_S) -> str:
        """Run a cell that must succeed; gives its last value as text."""
        request = self.submit(code)
        reply = self.reply(request, timeout_s)
        if reply is None or reply["status"] != "ok":
            raise RuntimeError(f"{code!r} failed in {self.case.name}: {reply}")
        value = ""
        for message in map(self.read, self.sent(until_idle_of=request)):
            if message["msg_type"] == "execute_result":
                value = message["content"]["data"]["text/plain"]
        return value

    def submit(self, code: str, subshell: str = "") -> str:
        """Ask for a cell to be run; gives the id of the request."""
        content = {"silent": False, "store_history": True, "user_expressions": {}}
        content |= {"allow_stdin": False, "stop_on_error": False}
        return self._send("execute_request", subshell, code=code, **content)

    def reply(self, request: str, timeout_s: float) -> dict[str, Any] | None:
        """Wait for the reply to a request; gives its content, or None when the time is over."""
        message = self._reply(request, timeout_s)
        return None if message is None else dict(message["content"])

    def reply_metadata(self, request: str, timeout_s: float = _TIMEOUT_S) -> dict[str, Any]:
        """Wait for the reply to a request, and for the end of its outputs; gives its metadata."""
        message = self._reply(request, timeout_s)
        self.sent(until_idle_of=request)
        return {} if message is None else dict(message["metadata"])

    def _reply(self, request: str, timeout_s: float) -> dict[str, Any] | None:
        deadline = time.perf_counter() + timeout_s
        socket = self._client.shell_channel.socket
        while socket.poll(max(0.0, deadline - time.perf_counter()) * 1000):
            message = self.read(Sent(time.time(), socket.recv_multipart()))
            if message["parent_header"].get("msg_id") == request:
                return message
        return None

    def sent(self, until_idle_of: str = "", timeout_s: float = 30.0) -> list[Sent]:
        """Take what came on iopub: all that is there, or all until a cell is done."""
        found: list[Sent] = []
        deadline = time.perf_counter() + timeout_s
        socket = self._client.iopub_channel.socket
        while True:
            wait_s = max(0.0, deadline - time.perf_counter()) if until_idle_of else 0.0
            if not socket.poll(wait_s * 1000):
                return found
            found.append(Sent(time.time(), socket.recv_multipart()))
            if until_idle_of and b'"idle"' in found[-1].frames[-1]:
                message = self.read(found[-1])
                if message["parent_header"].get("msg_id") == until_idle_of:
                    return found

    def record(self, code: str, linger_s: float, backlog_s: float) -> list[Sent]:
        """Run a cell that must succeed; gives what came on iopub for it, and after it.

        Parameters
        ----------
        linger_s
            How long nothing may come after the reply until that was all.
        backlog_s
            How long after the reply to listen at the most.
        """
        found: list[Sent] = []
        request, deadline = self.submit(code), float("inf")
        shell, iopub = self._client.shell_channel.socket, self._client.iopub_channel.socket
        poller = zmq.Poller()
        poller.register(shell, zmq.POLLIN)
        poller.register(iopub, zmq.POLLIN)
        while time.perf_counter() < deadline:
            is_over = deadline < float("inf")
            ready = dict(poller.poll(round((linger_s if is_over else _TIMEOUT_S) * 1000)))
            if not ready:
                break
            if iopub in ready:
                found.append(Sent(time.time(), iopub.recv_multipart()))
            if shell in ready and (reply := self.reply(request, 0)) is not None:
                deadline = time.perf_counter() + backlog_s
                if reply["status"] != "ok":
                    raise RuntimeError(f"{code!r} failed in {self.case.name}: {reply}")
        return found

    def read(self, sent: Sent) -> dict[str, Any]:
        """Give a message as it was meant."""
        session = self._client.session
        return dict(session.deserialize(session.feed_identities(sent.frames)[1]))

    def new_subshell(self) -> str:
        """Make a subshell; gives its id."""
        channel = self._client.control_channel
        channel.send(self._client.session.msg("create_subshell_request", {}))
        return str(channel.get_msg(timeout=_TIMEOUT_S)["content"]["subshell_id"])

    def ask_on_control(self, kind: str) -> float:
        """Ask for something on the control channel; gives the seconds to the reply."""
        channel = self._client.control_channel
        request = self._client.session.msg(kind, {})
        started = time.perf_counter()
        channel.send(request)
        while True:
            reply = channel.get_msg(timeout=_TIMEOUT_S)
            if reply["parent_header"]["msg_id"] == request["header"]["msg_id"]:
                return time.perf_counter() - started

    def interrupt(self) -> None:
        """Interrupt as clients do: by a message or by SIGINT, as the kernelspec says."""
        self.manager.interrupt_kernel()

    def is_quiet(self) -> bool:
        """Whether the driver does next to nothing, for the moment that it takes to see."""
        return self.java.cpu_percent(_QUIET_SLICE_S) / 100 <= _QUIET_SHARE

    def wait_until_quiet(self, timeout_s: float) -> None:
        """Wait until the driver does next to nothing."""
        deadline = time.perf_counter() + timeout_s
        while not self.is_quiet() and time.perf_counter() < deadline:
            pass

    def _send(self, kind: str, subshell: str = "", /, **content: Any) -> str:
        message = self._client.session.msg(kind, content)
        if subshell:
            message["header"]["subshell_id"] = subshell
        self._client.shell_channel.send(message)
        return str(message["header"]["msg_id"])
