"""Notices which files the Python code of a cell opens by itself, beside Spark.

Python tells of every file, connection and process before it opens one, by audit events; libraries
that open files in C tell of none. The hook cannot be removed, and runs in whatever thread opens
something: while provenance mode is off it only finds that out.
"""

from __future__ import annotations

import logging
import os
import re
import sys
import sysconfig
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any
from weakref import WeakKeyDictionary

from spark_kernel.protocol.provenance import DataKind, Dataset, Fingerprint
from spark_kernel.spark.ownership import CellRun, current_owner

__all__ = ["PythonFiles", "is_own_file", "is_written"]

_log = logging.getLogger(__name__)
_FILES = 50
_FRAMES = 60
_PROCESSES = (
    "subprocess.Popen",
    "os.system",
    "os.exec",
    "os.fork",
    "os.forkpty",
    "os.posix_spawn",
    "os.spawn",
)
_EVENTS = frozenset({"open", "os.rename", "sqlite3.connect", "socket.connect", *_PROCESSES})
_SUFFIXES = (".py", ".pyc", ".pyi", ".so", ".pyd", ".pth", ".ipynb")
_NOT_ITS_OWN = frozenset({"pyspark", "py4j", "spark_kernel", "importlib", "zipimport", "linecache"})
"""Packages whose files are not the cell's, whoever calls them."""

_NOT_ITS_OWN_MODULES = frozenset(
    {"tokenize", "inspect", "IPython.core.history", "matplotlib.font_manager", "pkgutil"}
)
_TEMPORARY = re.compile(
    r"(ipykernel_\d+|spark-kernel\S*|spark-[0-9a-f]{8}-[0-9a-f-]+|blockmgr-\S+)/"
)
"""Folders that IPython, Spark and this kernel make for themselves."""

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_LOOPBACK = ("127.", "::1", "localhost", "::ffff:127.")


@dataclass
class _Opened:
    """What one cell has opened; of a file that it reads, as it was then."""

    read: dict[str, Fingerprint] = field(default_factory=dict)
    written: dict[str, None] = field(default_factory=dict)
    others: dict[str, None] = field(default_factory=dict)
    omitted: int = 0


class PythonFiles:
    """What Python code has opened, by the cell that it runs for.

    Attributes
    ----------
    namespace
        That of the notebook: above its code, nobody else's is looked at.
    """

    def __init__(self, namespace: Callable[[], dict[str, Any]]) -> None:
        self._namespace = namespace
        self._is_on = self._is_installed = False
        self._lock = threading.RLock()  # what is collected as garbage may open something too
        self._opened: WeakKeyDictionary[CellRun, _Opened] = WeakKeyDictionary()

    @property
    def is_on(self) -> bool:
        """Whether anybody wants to know."""
        return self._is_on

    @is_on.setter
    def is_on(self, is_on: bool) -> None:
        self._is_on = is_on
        if is_on and not self._is_installed:
            self._is_installed = True
            _temporary_folder()  # to find out opens files, which the hook must not
            _system_folders()
            sys.addaudithook(self._audit)

    def taken(self, run: CellRun) -> tuple[tuple[Dataset, ...], tuple[Dataset, ...]]:
        """Give what a cell has read and written, and forget it."""
        with self._lock:
            opened = self._opened.pop(run, None)
        if opened is None:
            return (), ()
        read = [_dataset(path, fingerprint) for path, fingerprint in opened.read.items()]
        read += [
            Dataset(DataKind.OTHER, what, "python", note="what came from it is not known")
            for what in opened.others
        ]
        if opened.omitted:
            read.append(Dataset(DataKind.OTHER, "…", note=f"and {opened.omitted} more files"))
        found = ((path, _fingerprint(path)) for path in opened.written)
        written = [_dataset(path, fingerprint) for path, fingerprint in found if fingerprint]
        return tuple(read), tuple(written)

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Take an event; what is raised here would fail the code that opens something."""
        if not self._is_on or event not in _EVENTS:
            return
        try:
            owner = current_owner()
            if owner is not None and owner.run is not None and _is_of_cell(event, arguments):
                frame = sys._getframe(1)
                if not _is_foreign(frame, self._namespace()):
                    with self._lock:
                        self._note(owner.run, event, arguments)
        except Exception:
            _log.debug("what was opened is not known", exc_info=True)

    def _note(self, run: CellRun, event: str, arguments: tuple[Any, ...]) -> None:
        opened = self._opened.setdefault(run, _Opened())
        if event == "open":
            path = _absolute(arguments[0])
            self._note_file(opened, path, is_written(arguments[1], arguments[2]))
        elif event == "os.rename":
            source, target = map(_absolute, arguments[:2])
            if source in opened.written:
                self._note_file(opened, target, True)
        elif event == "sqlite3.connect":
            self._note_file(opened, _absolute(arguments[0]), False)
        else:
            opened.others["network" if event == "socket.connect" else "process"] = None

    def _note_file(self, opened: _Opened, path: str, is_output: bool) -> None:
        known: dict[str, Any] = opened.written if is_output else opened.read
        if path in known or path in opened.written:
            return
        fingerprint = None if is_output else _fingerprint(path)
        if not is_output and fingerprint is None:  # there is none, so opening it fails
            return
        if len(known) >= _FILES:
            opened.omitted += 1
        else:
            known[path] = fingerprint


def is_written(mode: Any, flags: Any) -> bool:
    """Whether a file is opened to be written, by the arguments of the event."""
    if isinstance(mode, str):
        return any(letter in mode for letter in "wax+")
    return isinstance(flags, int) and bool(flags & _WRITING)


def is_own_file(path: str) -> bool:
    """Whether a file may be one of the notebook's data, and not of Python, Spark or the system."""
    if path.endswith(_SUFFIXES) or path.startswith(_system_folders()):
        return False
    temporary = _temporary_folder()
    return not (path.startswith(temporary) and _TEMPORARY.match(path, len(temporary)))


@cache
def _temporary_folder() -> str:
    return tempfile.gettempdir() + os.sep


@cache
def _system_folders() -> tuple[str, ...]:
    home = Path.home()
    paths = {sys.prefix, sys.base_prefix, *sysconfig.get_paths().values()}
    paths |= {"/proc", "/dev", "/sys", "/etc", "/usr/share", "/usr/lib"}
    names = (".cache", ".config", ".ipython", ".jupyter", ".local", ".matplotlib")
    paths |= {str(home / name) for name in names}
    paths |= {os.environ.get(name, "") for name in ("IPYTHONDIR", "MPLCONFIGDIR")}
    # A system's own Python is in /usr, where nobody's data is; one in / hides nothing.
    return tuple(path.rstrip(os.sep) + os.sep for path in paths if path.strip(os.sep))


def _is_of_cell(event: str, arguments: tuple[Any, ...]) -> bool:
    """Whether an event may be one of the notebook's, by its arguments alone."""
    if event in ("open", "sqlite3.connect"):
        path = arguments[0]
        if not isinstance(path, str | bytes) or path in (":memory:", b":memory:"):
            return False
        return is_own_file(_absolute(path))
    if event == "socket.connect":
        address = arguments[1]
        return isinstance(address, tuple) and not str(address[0]).startswith(_LOOPBACK)
    return True


def _is_foreign(frame: FrameType | None, namespace: dict[str, Any]) -> bool:
    """Whether PySpark, an import or the like opens it, below the code of the notebook."""
    for _ in range(_FRAMES):
        if frame is None or frame.f_globals is namespace:
            return False
        name = str(frame.f_globals.get("__name__", ""))
        if name.partition(".")[0] in _NOT_ITS_OWN or name in _NOT_ITS_OWN_MODULES:
            # Our own thread wrappers stand above code that runs for a cell.
            return name != "spark_kernel.spark.ownership"
        frame = frame.f_back
    return False


def _absolute(path: Any) -> str:
    return os.path.abspath(os.fsdecode(path))  # noqa: PTH100  # without following links


def _fingerprint(path: str) -> Fingerprint | None:
    try:
        found = Path(path).stat()
    except OSError:
        return None
    modified = datetime.fromtimestamp(found.st_mtime_ns // 1_000_000 / 1000, timezone.utc)
    return Fingerprint(1, found.st_size, modified)


def _dataset(path: str, fingerprint: Fingerprint | None) -> Dataset:
    return Dataset(DataKind.FILE, Path(path).as_uri(), "python", fingerprint)
