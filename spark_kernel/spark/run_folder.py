"""One temporary folder for each driver: its temporary files, arguments and connection.

The folder is locked for as long as the kernel or the driver lives, so that one that was left by
a power cut or a double kill -9 can be told from one in use, also between containers.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path

__all__ = ["KeptFolder", "RunFolder", "remove_orphans"]

_PREFIX = "spark-kernel-"
_LOCK = "lock"
_REMOVER = ("/bin/sh", "-c", 'trap "" INT HUP TERM; read -r _; rm -rf -- "$0"')


class RunFolder:
    """A private temporary folder; ``remove`` may be called twice.

    Attributes
    ----------
    lock_descriptor
        The file descriptor that holds the lock; the driver inherits it.
    """

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix=_PREFIX))
        self.lock_descriptor = os.open(self.path / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(self.lock_descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self._is_removed = False

    @property
    def connection_file(self) -> Path:
        """Where the driver writes its port and secret."""
        return self.path / "connection"

    def remove(self) -> None:
        """Delete the folder with all that is in it."""
        if not self._is_removed:
            self._is_removed = True
            _remove(self.path)
            os.close(self.lock_descriptor)


class KeptFolder(RunFolder):
    """A folder for as long as the kernel lives, however many drivers that has.

    No driver can be asked to delete it: it may end by itself, and the next one needs the folder.
    A process waits for the end of the kernel, which closes a pipe, and costs nothing meanwhile.
    """

    def __init__(self) -> None:
        super().__init__()
        self._remover = subprocess.Popen(
            [*_REMOVER, str(self.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def remove(self) -> None:
        """Delete the folder with all that is in it."""
        super().remove()
        if self._remover.stdin is not None:
            self._remover.stdin.close()
        self._remover.wait()


def remove_orphans() -> int:
    """Delete folders whose kernel and driver are both gone; gives their number."""
    removed = 0
    for folder in Path(tempfile.gettempdir()).glob(_PREFIX + "*"):
        try:
            if folder.stat().st_uid != os.getuid():
                continue
            descriptor = os.open(folder / _LOCK, os.O_RDWR)
        except OSError:
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _remove(folder)
            removed += not folder.exists()
        except OSError:
            pass  # in use
        finally:
            os.close(descriptor)
    return removed


def _remove(folder: Path) -> None:
    """Delete a folder, its lock last: without it, the rest would not be known for an orphan."""
    for entry in folder.glob("*"):
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry, ignore_errors=True)
        elif entry.name != _LOCK:
            with suppress(OSError):
                entry.unlink()
    shutil.rmtree(folder, ignore_errors=True)
