"""The driver JVM as a process: started, listened to, watched and ended.

One thread, ``spark-driver``, reads what user code prints in the JVM, keeps the log within its
bound and notices the end of the process.
"""

from __future__ import annotations

import codecs
import os
import re
import select
import shutil
import signal
import struct
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from spark_kernel.errors import DriverStartError
from spark_kernel.spark.driver_log import DriverLog
from spark_kernel.spark.launch import LaunchCommand
from spark_kernel.spark.ownership import disown
from spark_kernel.spark.run_folder import RunFolder

__all__ = ["Connection", "Driver"]

_CONNECTION_POLL_S = 0.01
_WATCH_INTERVAL_S = 5.0
_READ_BYTES = 64 * 1024
_LAST_WORDS = re.compile(r"^(?:Terminating|Aborting) due to java\.lang\.OutOfMemoryError.*", re.M)
"""What Java says to standard output, and not to its log, when it is told to end without memory."""

_LAST_WORDS_LENGTH = 300


@dataclass(frozen=True)
class Connection:
    """How to reach the driver's gateway on loopback."""

    port: int
    secret: str


class Driver:
    """A running driver JVM.

    Parameters
    ----------
    folder
        The run folder; it is removed with the driver.
    on_output
        Called with what user code printed to the JVM's standard output.
    on_exit
        Called with the exit status when the process ends without being asked to.
    """

    def __init__(
        self,
        command: LaunchCommand,
        folder: RunFolder,
        log: DriverLog,
        on_output: Callable[[str], None],
        on_exit: Callable[[int], None],
    ) -> None:
        self.log = log
        self.is_direct = command.is_direct
        self._folder = folder
        self._on_output = on_output
        self._last_output = ""
        self._on_exit = on_exit
        self._is_connected = False
        self._is_stopping = threading.Event()
        self._output_lock = threading.Lock()
        self._decode = codecs.getincrementaldecoder("utf-8")(errors="replace").decode
        self.process = self._launch(command)
        self._thread = threading.Thread(target=self._watch, name="spark-driver", daemon=True)
        disown(self._thread).start()

    def _launch(self, command: LaunchCommand) -> subprocess.Popen[bytes]:
        log_descriptor = self.log.open()
        try:
            return subprocess.Popen(
                command.argv,
                env={
                    **command.environ,
                    "_PYSPARK_DRIVER_CONN_INFO_PATH": str(self._folder.connection_file),
                },
                # The driver ends by itself when this pipe closes, however the kernel ends.
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log_descriptor,
                pass_fds=(self._folder.lock_descriptor,),
                # A session of its own: clients interrupt the kernel's whole process group.
                start_new_session=True,
            )
        except OSError as error:
            self._folder.remove()
            raise DriverStartError(
                f"{command.argv[0]} could not be started: {error.strerror}.",
                "run `spark-kernel doctor`",
            ) from error
        finally:
            os.close(log_descriptor)

    @property
    def run_folder(self) -> Path:
        """The driver's temporary folder."""
        return self._folder.path

    @property
    def is_alive(self) -> bool:
        """Whether the process runs."""
        return self.process.poll() is None

    def wait_for_connection(self, timeout_s: float) -> Connection | None:
        """Wait until the driver says how to reach it; None if it ended before.

        Raises
        ------
        DriverStartError
            If it did neither in time.
        """
        deadline = time.monotonic() + timeout_s
        path = self._folder.connection_file
        while time.monotonic() < deadline:
            if path.is_file():  # it appears by renaming, so it is whole
                self._is_connected = True
                return _read_connection(path)
            if not self.is_alive:
                return None
            self._is_stopping.wait(_CONNECTION_POLL_S)
        raise DriverStartError(
            f"The driver did not answer within {timeout_s:.0f} s.",
            f"look at its log, {self.log.path}",
            log_path=str(self.log.path),
        )

    def drain_output(self) -> None:
        """Hand on what the driver has printed so far."""
        with self._output_lock:
            while self._read_output(timeout_s=0):
                pass

    def stop(self, timeout_s: float) -> None:
        """End the process, by force once the time is over; may be called twice."""
        self._is_stopping.set()
        if self.process.stdin is not None:
            with suppress(OSError):  # already broken: the process is gone
                self.process.stdin.close()
        if not self._is_connected:
            # It does not listen to its standard input yet, and has nothing to clean up.
            self._signal_tree(signal.SIGTERM)
        try:
            self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.log.note(f"the driver did not end within {timeout_s:.0f} s and was killed")
            self._signal_tree(signal.SIGKILL)
            self.process.wait()
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout=1.0)
        for report in self._folder.path.glob("hs_err_pid*"):
            shutil.move(report, self.log.crash_path)
        self._folder.remove()

    def _signal_tree(self, number: signal.Signals) -> None:
        """Signal the process and what it has started: spark-submit is a script, not the JVM."""
        try:
            children = psutil.Process(self.process.pid).children(recursive=True)
        except psutil.Error:
            children = []
        self.process.send_signal(number)
        for child in children:
            with suppress(psutil.Error):
                child.send_signal(number)

    def _watch(self) -> None:
        while self.is_alive:
            with self._output_lock:
                is_open = self._read_output(timeout_s=0) is not None
            if is_open:
                self._wait_for_output()
            else:
                # Standard output is closed: the process ends, or has closed it on purpose.
                self._is_stopping.wait(_CONNECTION_POLL_S)
                with suppress(subprocess.TimeoutExpired):
                    self.process.wait(_WATCH_INTERVAL_S)
            self.log.rotate_if_large()
        self.drain_output()
        last_words = _LAST_WORDS.search(self._last_output)
        if last_words:
            self.log.write(f"{last_words[0]}\n")
        with self._output_lock:
            assert self.process.stdout is not None
            self.process.stdout.close()
        if not self._is_stopping.is_set():
            self._on_exit(self.process.returncode)

    def _wait_for_output(self) -> None:
        assert self.process.stdout is not None
        select.select([self.process.stdout], [], [], _WATCH_INTERVAL_S)

    def _read_output(self, timeout_s: float) -> bool | None:
        """Read once; whether there was any, or None at the end of the stream."""
        stream = self.process.stdout
        assert stream is not None
        if stream.closed:
            return None
        if not select.select([stream], [], [], timeout_s)[0]:
            return False
        data = os.read(stream.fileno(), _READ_BYTES)
        if not data:
            return None
        text = self._decode(data)
        self._last_output = (self._last_output + text)[-_LAST_WORDS_LENGTH:]
        # Before anyone can print from a notebook, it is the JVM that says why it cannot start.
        if text:  # not where a character is still to come in full
            (self._on_output if self._is_connected else self.log.write)(text)
        return True


def _read_connection(path: Path) -> Connection:
    """Read what PySpark's gateway server wrote: port, length of the secret, secret."""
    data = path.read_bytes()
    port, length = struct.unpack_from(">ii", data)
    return Connection(port, data[8 : 8 + length].decode("utf-8"))
