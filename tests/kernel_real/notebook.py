"""A notebook without a frontend: a kernel started by name, and a client that keeps what it hears.

Every wait ends: with what was waited for, or with an error that shows what the kernel said.
"""

from __future__ import annotations

import itertools
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import psutil
import zmq
from jupyter_client.manager import KernelManager

from kernel_real.leftovers import (
    MARK,
    assert_nothing_left,
    find_processes,
    kill_all,
    marked_processes,
    wait_until,
)

KERNEL = "pyspark_cluster"
CELL_TIMEOUT_S = 90.0
READY_TIMEOUT_S = 120.0
_INFO_TIMEOUT_S = 60.0
_SLICE_S = 0.25
_OTHERS = {"SPARK_KERNEL_JAVA_HOME", "SPARK_HOME"}

Message = dict[str, Any]


@dataclass(eq=False)
class Result:
    """What one cell led to.

    Attributes
    ----------
    messages
        Everything on iopub that belongs to the cell, in order.
    reply
        The content of ``execute_reply``, or None while it has not come.
    """

    code: str
    messages: list[Message] = field(default_factory=list)
    reply: dict[str, Any] | None = None
    message_id: str = ""

    @property
    def is_done(self) -> bool:
        """Whether the reply and the end of the outputs have come."""
        return self.reply is not None and self.is_idle

    @property
    def is_idle(self) -> bool:
        """Whether the kernel has said that the cell's outputs are over."""
        states = [content["execution_state"] for content in self.contents("status")]
        return "idle" in states

    def contents(self, *types: str) -> list[dict[str, Any]]:
        """Give the contents of the messages of some types, in order."""
        return [m["content"] for m in self.messages if m["header"]["msg_type"] in types]

    @property
    def status(self) -> str:
        """``ok``, ``error`` or ``aborted``."""
        assert self.reply is not None
        return str(self.reply["status"])

    @property
    def stdout(self) -> str:
        """What the cell printed."""
        return self._stream("stdout")

    @property
    def stderr(self) -> str:
        """What the cell printed to standard error."""
        return self._stream("stderr")

    def _stream(self, name: str) -> str:
        return "".join(c["text"] for c in self.contents("stream") if c["name"] == name)

    @property
    def data(self) -> dict[str, Any]:
        """The MIME bundle of the cell's last value; empty where it has none."""
        results = self.contents("execute_result")
        return dict(results[-1]["data"]) if results else {}

    @property
    def text(self) -> str:
        """The cell's last value as text."""
        return str(self.data.get("text/plain", ""))

    @property
    def displays(self) -> list[dict[str, Any]]:
        """The contents of all displays and of the updates to them, in order."""
        return self.contents("display_data", "update_display_data")

    @property
    def shown(self) -> str:
        """The text that a saved notebook keeps of the displays: the last state of each."""
        last: dict[str, str] = {}
        for number, content in enumerate(self.displays):
            display_id = content.get("transient", {}).get("display_id", str(number))
            last[display_id] = content["data"]["text/plain"]
        return "\n".join(last.values())

    @property
    def error(self) -> str:
        """Name and text of the cell's error; empty where it had none."""
        assert self.reply is not None
        return f"{self.reply['ename']}: {self.reply['evalue']}" if self.status == "error" else ""

    @property
    def traceback(self) -> list[str]:
        """The lines of the cell's traceback, as a frontend shows them."""
        assert self.reply is not None
        return "\n".join(self.reply.get("traceback", [])).splitlines()


class Notebook:
    """A kernel and its client.

    Parameters
    ----------
    folder
        Where the kernel works; its temporary folder and the log of its standard error are here.
    mark
        What tells the kernel's processes from all others.
    arguments
        More of the kernel's command line.

    Attributes
    ----------
    statuses
        The contents of all ``spark_status`` messages so far.
    banners
        The contents of all ``banner_update`` messages so far.
    unparented
        All messages on iopub with an empty parent header.
    seen_states
        What the kernel has said of itself: busy and idle, whatever it was about.
    """

    def __init__(
        self,
        folder: Path,
        mark: str,
        environ: Mapping[str, str] | None = None,
        arguments: Sequence[str] = (),
        kernel: str = KERNEL,
    ) -> None:
        self.folder = folder
        self.mark = mark
        self.temporary = folder / "tmp"
        self.temporary.mkdir(parents=True)
        self.statuses: list[dict[str, Any]] = []
        self.banners: list[dict[str, Any]] = []
        self.unparented: list[Message] = []
        self.seen_states: list[str] = []
        self._cells: dict[str, Result] = {}
        self._replies: dict[str, Message] = {}
        self._environ = {
            **os.environ,
            MARK: mark,
            "TMPDIR": str(self.temporary),
            **(environ or {}),
        }
        self._arguments = list(arguments)
        self.manager = KernelManager(kernel_name=kernel)
        self._said = self.log_path.open("ab")
        self.manager.start_kernel(
            env=self._environ,
            extra_arguments=self._arguments,
            cwd=str(folder),
            stdout=self._said,
            stderr=self._said,
        )
        self.client = self.manager.client()
        self.client.start_channels()
        self.info = self._first_kernel_info()

    # -- what runs -------------------------------------------------------------------------

    @property
    def log_path(self) -> Path:
        """Where the kernel's own standard output and error go."""
        return self.folder / "kernel.log"

    @property
    def kernel_log(self) -> str:
        """What the kernel process itself has printed."""
        return self.log_path.read_text(errors="replace")

    @property
    def process(self) -> psutil.Process:
        """The kernel process."""
        return psutil.Process(self.manager.provisioner.pid)  # type: ignore[union-attr]

    @property
    def processes(self) -> list[psutil.Process]:
        """The kernel with everything that it has started."""
        return marked_processes(self.mark)

    def find_processes(self, word: str) -> list[psutil.Process]:
        """Give those of its processes that have a word in their command line."""
        return find_processes(self.mark, word)

    @property
    def driver(self) -> psutil.Process:
        """The driver JVM; waits for it to be launched."""
        assert wait_until(lambda: self.find_processes("SparkSubmit"), 60), self._story()
        return self.find_processes("SparkSubmit")[0]

    @property
    def driver_log(self) -> Path:
        """The driver's log, as the links name it."""
        urls = [link["url"] for link in self.status["links"] if link["rel"] == "driver-log"]
        assert urls, self._story()
        return Path(unquote(urlsplit(urls[0]).path))

    # -- what it says ----------------------------------------------------------------------

    @property
    def status(self) -> dict[str, Any]:
        """The content of the latest ``spark_status``; waits for the first."""
        self.receive()
        self.wait_for(lambda: self.statuses, _INFO_TIMEOUT_S, "a spark_status")
        return self.statuses[-1]

    @property
    def state(self) -> str:
        """The state of the latest ``spark_status``; empty before the first."""
        self.receive()
        return str(self.statuses[-1]["state"]) if self.statuses else ""

    def kernel_info(self) -> dict[str, Any]:
        """Ask for ``kernel_info``."""
        return self.ask(self.client.kernel_info())

    def _first_kernel_info(self) -> dict[str, Any]:
        """Ask until the answer is heard on iopub too: its subscription takes a moment."""
        deadline = time.monotonic() + _INFO_TIMEOUT_S
        while time.monotonic() < deadline:
            request = Result("kernel_info")
            message_id = self.client.kernel_info()
            self._cells[message_id] = request
            with suppress(TimeoutError):
                self.wait_for(lambda: request.is_done, 0.5, "kernel_info_reply")  # noqa: B023
                return dict(self._replies[message_id]["content"])
        raise TimeoutError(f"the kernel did not answer\n{self._story()}")

    def ask(self, message_id: str, timeout_s: float = 30.0) -> dict[str, Any]:
        """Wait for the reply to a request of the client; gives its content."""
        self.wait_for(lambda: message_id in self._replies, timeout_s, "a reply")
        return dict(self._replies[message_id]["content"])

    def wait_for_state(self, *states: str, timeout_s: float = READY_TIMEOUT_S) -> dict[str, Any]:
        """Wait until the latest ``spark_status`` is of one of these states."""
        self.wait_for(lambda: self.state in states, timeout_s, f"the state {' or '.join(states)}")
        return self.status

    def wait_for_stage(self, stage: str, timeout_s: float = 60.0) -> None:
        """Wait until a start under way has reached a stage."""
        self.wait_for(
            lambda: self.state in ("starting", "restarting") and self.status["stage"] == stage,
            timeout_s,
            f"the stage {stage}",
        )

    # -- what it is asked to do ------------------------------------------------------------

    def run(self, code: str, timeout_s: float = CELL_TIMEOUT_S) -> Result:
        """Run a cell to its end."""
        return self.finish(self.submit(code), timeout_s)

    def value(self, code: str, timeout_s: float = CELL_TIMEOUT_S) -> str:
        """Run a cell that must succeed; gives its last value as text."""
        result = self.run(code, timeout_s)
        assert result.status == "ok", f"{result.error}\n{self._story()}"
        return result.text

    def metadata_of(self, result: Result) -> dict[str, Any]:
        """Give the metadata of the reply to a cell."""
        return dict(self._replies[result.message_id]["metadata"])

    def submit(
        self, code: str, subshell: str = "", cell_id: str = "", **request_content: bool
    ) -> Result:
        """Ask for a cell to be run, and do not wait."""
        content = {"code": code, "silent": False, "store_history": True, "user_expressions": {}}
        content |= {"allow_stdin": False, "stop_on_error": False, **request_content}
        request = self.client.session.msg("execute_request", content)
        if cell_id:
            request["metadata"]["cellId"] = cell_id
        if subshell:
            request["header"]["subshell_id"] = subshell
        result = Result(code, message_id=request["header"]["msg_id"])
        self._cells[result.message_id] = result
        self.client.shell_channel.send(request)
        return result

    def control(self, kind: str, content: dict[str, Any]) -> dict[str, Any]:
        """Ask for something on the control channel; gives the content of the reply."""
        request = self.client.session.msg(kind, content)
        self.client.control_channel.send(request)
        return self.ask(request["header"]["msg_id"])

    def new_subshell(self) -> str:
        """Make a subshell, which runs cells beside the main ones; gives its id."""
        return str(self.control("create_subshell_request", {})["subshell_id"])

    def finish(self, result: Result, timeout_s: float = CELL_TIMEOUT_S) -> Result:
        """Wait for the end of a cell."""
        self.wait_for(lambda: result.is_done, timeout_s, f"the end of the cell {result.code!r}")
        return result

    def interrupt(self) -> None:
        """Interrupt as the kernelspec asks clients to: by a message."""
        self.manager.interrupt_kernel()

    def interrupt_by_signal(self) -> None:
        """Interrupt as a terminal does: SIGINT for the kernel's whole process group."""
        os.killpg(os.getpgid(self.process.pid), signal.SIGINT)

    # -- listening -------------------------------------------------------------------------

    def wait_for(self, is_true: Callable[[], object], timeout_s: float, what: str) -> None:
        """Listen until something is true.

        Raises
        ------
        TimeoutError
            With what the kernel has said, if the time is over before.
        """
        deadline = time.monotonic() + timeout_s
        while not is_true():
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"{what} did not come in {timeout_s:.0f} s\n{self._story()}")
            self.receive(min(left, _SLICE_S))

    def listen(self, seconds: float) -> None:
        """Listen for a while, to see that something does not come."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.receive(_SLICE_S)

    def receive(self, timeout_s: float = 0) -> None:
        """Take every message that is there, having waited for the first."""
        channels = (
            self.client.iopub_channel,
            self.client.shell_channel,
            self.client.control_channel,
        )
        poller = zmq.Poller()
        for channel in channels:
            poller.register(channel.socket, zmq.POLLIN)
        wait_ms = int(timeout_s * 1000)
        while True:
            arrived = dict(poller.poll(wait_ms))
            if not arrived:
                return
            for channel in channels:
                if channel.socket in arrived:
                    self._take(channel.get_msg(timeout=0))
            wait_ms = 0

    def _take(self, message: Message) -> None:
        kind = message["header"]["msg_type"]
        parent = message["parent_header"].get("msg_id", "")
        if kind.endswith("_reply"):
            self._replies[parent] = message
            if parent in self._cells:
                self._cells[parent].reply = message["content"]
            return
        if kind == "status":
            self.seen_states.append(message["content"]["execution_state"])
        if not parent:
            self.unparented.append(message)
        if kind == "spark_status":
            self.statuses.append(message["content"])
        elif kind == "banner_update":
            self.banners.append(message["content"])
        elif parent in self._cells:
            self._cells[parent].messages.append(message)

    def _story(self) -> str:
        """Tell what happened, for a test that failed."""
        states = [f"{s['state']}/{s['stage']}: {s['message']}" for s in self.statuses[-8:]]
        return "\n".join(["-- states", *states, "-- kernel log", self.kernel_log[-3000:]])

    # -- the end ---------------------------------------------------------------------------

    @property
    def is_alive(self) -> bool:
        """Whether the kernel process runs."""
        return bool(self.manager.is_alive())

    def restart(self) -> None:
        """Restart the kernel as a client does."""
        self.statuses.clear()
        self.banners.clear()
        self.manager.restart_kernel(env=self._environ)
        self.info = self._first_kernel_info()

    def shut_down(self) -> None:
        """End the kernel as a client does, and let go of it."""
        if self.is_alive:
            self.manager.shutdown_kernel()
        self.let_go()

    def let_go(self) -> None:
        """Close what the client holds; may be called twice."""
        if self._said.closed:
            return
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)  # reaps a kernel that was killed
        self.manager.cleanup_resources()
        self.manager.context.term()
        self._said.close()

    def assert_nothing_left(self, timeout_s: float = 15.0) -> None:
        """Check that kernel, driver, workers and temporary folders are gone."""
        assert_nothing_left(self.mark, self.temporary, timeout_s)


def fast_start(folder: Path) -> dict[str, str]:
    """Give the environment of a kernel that uses the archives of a folder."""
    return {"SPARK_KERNEL_FAST_START": "1", "SPARK_KERNEL_CACHE_FOLDER": str(folder)}


class NotebookMaker:
    """Starts notebooks, each with a folder and a mark of its own.

    Parameters
    ----------
    folder
        Where the notebooks' folders are made.
    mark
        The mark of the whole session, with which all others begin.
    archives
        A cache folder with an archive for the Java that is found without being told of one.
    """

    def __init__(self, folder: Path, mark: str, archives: Path) -> None:
        self.folder = folder
        self.mark = mark
        self._archives = archives
        self._numbers = itertools.count(1)

    def next_place(self) -> tuple[Path, str]:
        """Give a new folder and the mark that belongs to it."""
        number = next(self._numbers)
        folder = self.folder / f"notebook-{number}"
        folder.mkdir()
        return folder, f"{self.mark}/{number}/"

    @contextmanager
    def __call__(
        self,
        environ: Mapping[str, str] | None = None,
        arguments: Sequence[str] = (),
        *,
        kernel: str = KERNEL,
        files: Mapping[str, str] | None = None,
    ) -> Iterator[Notebook]:
        """Start a notebook; shuts it down in the end, and checks that nothing is left.

        Parameters
        ----------
        files
            Texts of files to put into its working folder, by name.
        """
        folder, mark = self.next_place()
        for name, text in (files or {}).items():
            (folder / name).write_text(text)
        try:
            given = environ or {}
            # Another Java or Spark has no archive, and the kernel would make one in the end.
            own = {} if _OTHERS & set(given) else fast_start(self._archives)
            notebook = Notebook(folder, mark, {**own, **given}, arguments, kernel)
            try:
                yield notebook
            finally:
                notebook.shut_down()
            notebook.assert_nothing_left()
        finally:
            kill_all(mark)
