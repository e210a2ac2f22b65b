"""Finds what a kernel has left behind: processes and temporary folders.

Everything that a test starts inherits a mark in its environment and a temporary folder of its
own, so whatever else runs on this machine is never taken for ours. A process that is gone holds
no port, so there is nothing to look for beyond these two.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil

MARK = "MARK_OF_KERNEL_TESTS"
"""Name of the variable; not one of ours that begin with SPARK_KERNEL_, which are checked."""

_POLL_S = 0.05


def marked_processes(mark: str) -> list[psutil.Process]:
    """Give the living processes whose mark begins so."""
    return [process for process in psutil.process_iter() if _mark_of(process).startswith(mark)]


def _mark_of(process: psutil.Process) -> str:
    with suppress(psutil.Error, OSError):  # gone, a zombie, or another user's
        return process.environ().get(MARK, "")
    return ""


def find_processes(mark: str, word: str) -> list[psutil.Process]:
    """Give those of the marked processes that have a word in their command line."""
    found = []
    for process in marked_processes(mark):
        with suppress(psutil.Error):
            if any(word in part for part in process.cmdline()):
                found.append(process)
    return found


def leftovers(mark: str, folder: Path) -> list[str]:
    """Describe what is there of a kernel: its processes, and what is in its temporary folder."""
    return [*_describe(marked_processes(mark)), *(str(path) for path in sorted(folder.iterdir()))]


def _describe(processes: list[psutil.Process]) -> Iterator[str]:
    for process in processes:
        with suppress(psutil.Error):
            words = " ".join(process.cmdline())
            yield f"process {process.pid} ({process.status()}): {words[:100]} ... {words[-100:]}"


def wait_until(is_true: Callable[[], object], timeout_s: float) -> bool:
    """Look again and again until something is true, or the time is over."""
    deadline = time.monotonic() + timeout_s
    while not is_true():
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_S)
    return True


def assert_nothing_left(mark: str, folder: Path, timeout_s: float = 15.0) -> None:
    """Check that a kernel has left nothing; what is just ending may take until the timeout."""
    wait_until(lambda: not leftovers(mark, folder), timeout_s)
    left = leftovers(mark, folder)
    assert not left, "left behind:\n" + "\n".join(left)


def kill_all(mark: str) -> None:
    """Kill what a failed test has left, so that the tests after it find a quiet machine."""
    for process in marked_processes(mark):
        with suppress(psutil.Error):
            process.kill()
