"""What ``spark-kernel run`` shows while a notebook runs: one line for each cell."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, TextIO

import click

from spark_kernel.display.jobs import duration_text, one_line, plural
from spark_kernel.protocol.provenance import CellRecord, RunStatus

__all__ = ["CellProgress", "first_line"]

_TICK_S = 1.0
_SHORTEST = 20
_LONGEST = 120
_REST = 34
"""What follows the source: state, duration, jobs."""

_STATES = {
    RunStatus.OK: ("ok", "green"),
    RunStatus.ERROR: ("failed", "red"),
    RunStatus.INTERRUPTED: ("interrupted", "yellow"),
    RunStatus.ABORTED: ("not run", "yellow"),
}


class CellProgress:
    """Shows cells as they run: on a terminal in place, elsewhere a line when one is done.

    On a terminal a thread, ``run-progress``, renews the line of the running cell until ``stop()``.

    Parameters
    ----------
    total
        How many cells there are to run.
    stream
        Where to write.
    clock
        Tells seconds.
    """

    def __init__(
        self, total: int, stream: TextIO, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._total = total
        self._stream = stream
        self._clock = clock
        self._is_terminal = stream.isatty()
        self._lock = threading.RLock()  # a handler of a signal may say something at any point
        self._stopped = threading.Event()
        self._number = 0
        self._source = ""
        self._began = 0.0
        self._is_running = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to renew the line of the running cell, on a terminal."""
        if self._is_terminal:
            self._thread = threading.Thread(target=self._tick, name="run-progress", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Leave the terminal as it is; can be called twice."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        with self._lock:
            if self._is_terminal and self._is_running:
                self._write("\n")
            self._is_running = False

    @property
    def running_s(self) -> float:
        """For how long the running cell has run."""
        return self._clock() - self._began if self._is_running else 0.0

    @property
    def number(self) -> int:
        """The latest cell that was begun, from 1 on."""
        return self._number

    @property
    def total(self) -> int:
        """How many cells there are."""
        return self._total

    def cell_started(self, source: str) -> None:
        """Show that a cell runs."""
        with self._lock:
            self._number += 1
            self._source = source
            self._began = self._clock()
            self._is_running = True
            if self._is_terminal:
                self._draw("running", None, self.running_s)

    def cell_finished(self, reply: Mapping[str, Any], record: CellRecord | None) -> None:
        """Show how a cell ended; there is no record of a cell of another kernel."""
        with self._lock:
            elapsed = self.running_s
            self._is_running = False
            status = record.status if record else RunStatus(reply.get("status", "ok"))
            state, colour = _STATES[status]
            self._draw(state, colour, elapsed, _jobs_text(record))
            self._write("\n")

    def say(self, text: str) -> None:
        """Show a line above that of the running cell."""
        with self._lock:
            self._write(f"\r\x1b[K{text}\n" if self._is_terminal else f"{text}\n")

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()

    def _tick(self) -> None:
        while not self._stopped.wait(_TICK_S):
            with self._lock:
                if self._is_running:
                    self._draw("running", None, self.running_s)

    def _draw(self, state: str, colour: str | None, elapsed_s: float, jobs: str = "") -> None:
        digits = len(str(self._total))
        start = f"[{self._number:>{digits}}/{self._total}] "
        end = f"{duration_text(elapsed_s, is_over=colour is not None):>8}{jobs}"
        width = min(shutil.get_terminal_size((100, 24)).columns, _LONGEST)
        room = max(width - len(start) - _REST, _SHORTEST)
        shown = f"{state:<11}"
        if self._is_terminal and colour:
            shown = click.style(shown, fg=colour)
        line = f"{start}{first_line(self._source, room):<{room}}  {shown} {end}"
        self._write(f"\r{line}\x1b[K" if self._is_terminal else line)


def first_line(source: str, longest: int) -> str:
    """Give the first line of a source with anything on it, cut to a length."""
    lines = (line for line in source.splitlines() if line.strip())
    return one_line(next(lines, ""), longest)


def _jobs_text(record: CellRecord | None) -> str:
    count = len(record.jobs) + record.omitted_jobs if record else 0
    return f"  {plural(count, 'job')}" if count else ""
