"""The driver's log: a file of the user's own, bounded while it grows and in number."""

from __future__ import annotations

import os
import shutil
from datetime import datetime
from pathlib import Path

import psutil

__all__ = ["DriverLog"]

_KEPT_LOGS = 20
_TAIL_BYTES = 64 * 1024


class DriverLog:
    """Standard error of one driver JVM.

    The JVM writes to the file itself, so that nothing is lost when the kernel dies. It is
    rotated by copying and truncating: the JVM holds the file open in append mode.

    Parameters
    ----------
    folder
        Where logs are kept; made if it is missing, for the user alone.
    max_bytes
        Size at which the log is rotated.
    """

    def __init__(self, folder: Path, max_bytes: int) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._max_bytes = max_bytes
        self.path = folder / f"driver-{datetime.now():%Y%m%d-%H%M%S-%f}-{os.getpid()}.log"
        os.close(self.open())
        _prune(folder)

    @property
    def older_path(self) -> Path:
        """The part before the last rotation."""
        return self.path.with_suffix(".log.1")

    @property
    def crash_path(self) -> Path:
        """Where Java's own report goes should it crash."""
        return self.path.with_suffix(".crash")

    def open(self) -> int:
        """Open it for a process that writes to it; gives the file descriptor."""
        return os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def note(self, text: str) -> None:
        """Write a line of the kernel's own."""
        self.write(f"[spark-kernel] {text}\n")

    def write(self, text: str) -> None:
        """Write text as it is."""
        descriptor = self.open()
        try:
            os.write(descriptor, text.encode())
        finally:
            os.close(descriptor)

    def rotate_if_large(self) -> None:
        """Move the text to the older part once there is too much of it."""
        try:
            if self.path.stat().st_size > self._max_bytes:
                descriptor = os.open(self.older_path, os.O_WRONLY | os.O_CREAT, 0o600)
                os.close(descriptor)
                shutil.copyfile(self.path, self.older_path)
                os.truncate(self.path, 0)
        except FileNotFoundError:
            pass  # the user removed the log

    def tail(self, lines: int) -> list[str]:
        """Give the last lines, at most 64 KiB of them."""
        try:
            with self.path.open("rb") as file:
                file.seek(0, os.SEEK_END)
                file.seek(max(0, file.tell() - _TAIL_BYTES))
                text = file.read().decode("utf-8", errors="replace")
        except FileNotFoundError:
            return []
        return text.splitlines()[-lines:]


def _prune(folder: Path) -> None:
    """Delete all but the newest logs, and those of drivers that may still write."""
    logs = sorted(folder.glob("driver-*.log"), key=lambda path: path.name, reverse=True)
    newest = {_kernel_of(path): path for path in reversed(logs)}
    for path in logs[_KEPT_LOGS:]:
        kernel = _kernel_of(path)
        if newest[kernel] is not path or not psutil.pid_exists(kernel):
            for suffix in (".log", ".log.1", ".crash"):
                path.with_suffix(suffix).unlink(missing_ok=True)


def _kernel_of(path: Path) -> int:
    """Give the process id of the kernel whose driver wrote a log, or one that nobody has."""
    pid = path.stem.rpartition("-")[2]
    return int(pid) if pid.isdecimal() else -1
