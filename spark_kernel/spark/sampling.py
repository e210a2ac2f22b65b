"""Watches the jobs of cells: samples Spark's status store while there is something to see.

One thread, ``spark-progress``, asleep while no cell is in a call into the driver and none of their
jobs runs. One sample is one call, for all cells together, whatever the number of their tasks.
"""

from __future__ import annotations

import logging
import threading
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from spark_kernel.protocol.events import Cell
from spark_kernel.protocol.progress import CellProgress, ProgressSampled
from spark_kernel.spark.backend import Jobs
from spark_kernel.spark.ownership import JobOwner, disown
from spark_kernel.spark.progress import JobBook

__all__ = ["Sampler"]

_log = logging.getLogger(__name__)
_WORTH_JOB_S = 0.5
_WORTH_CELL_S = 1.5
_SLOW_PAUSE_S = 1.0
_PAUSE_GROWTH = 1.3
_LARGEST_SHARE = 0.1
"""Of the time, at most this much is spent asking the driver."""

_LONGEST_PAUSE_S = 5.0
"""A driver that hung for a while is not left alone for ten times as long."""

_IDLE_SAMPLES = 2
_FAILED_SAMPLES = 3
_JOB_LIMIT = 100
_STAGE_LIMIT = 20
_SETTLE_MS = 500
_FINISH_TIMEOUT_S = 1.5
_LAST_LOOKS = 3
_LAST_LOOK_S = 0.03
_SHORT_ID = 8


@dataclass(eq=False)
class _Watched:
    """A cell with all that it has started."""

    cell: Cell
    book: JobBook
    owners: list[JobOwner] = field(default_factory=list)
    idle_samples: int = 0
    is_active: bool = True
    is_shown: bool = False
    is_over: bool = False
    shown: CellProgress | None = None

    @property
    def has_calls(self) -> bool:
        return any(owner.calls for owner in self.owners)


class Sampler:
    """Turns what Spark knows of the jobs of cells into ``ProgressSampled`` events.

    Parameters
    ----------
    cell_jobs
        Gives our half in the driver of the present context, or None.
    emit
        Takes the events; must not block.
    interval_s
        Seconds between two samples while jobs run.
    name_place
        Names the places in the notebook's code that are named in a stage's name.

    Attributes
    ----------
    is_enabled
        Whether cells are watched from now on.
    """

    def __init__(
        self,
        cell_jobs: Callable[[], Jobs | None],
        emit: Callable[[ProgressSampled], None],
        is_enabled: bool = True,
        interval_s: float = 0.35,
        name_place: Callable[[str], str] = str,
    ) -> None:
        self.is_enabled = is_enabled
        self.interval_s = interval_s
        self._cell_jobs = cell_jobs
        self._emit = emit
        self._name_place = name_place
        self._lock = threading.Lock()
        self._watched: dict[str, _Watched] = {}
        self._of_tag: dict[str, _Watched] = {}
        self._over: weakref.WeakValueDictionary[str, Cell] = weakref.WeakValueDictionary()
        self._wake = threading.Event()
        self._hurry = threading.Event()
        self._finishing: list[tuple[_Watched, threading.Event]] = []
        self._is_stopped = False
        self._context: Jobs | None = None
        self._context_number = 0
        self._first_new = 0
        self._failures = 0
        self._thread = threading.Thread(target=self._run, name="spark-progress", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        disown(self._thread).start()

    def stop(self, timeout_s: float = 0.5) -> None:
        """End; may be called twice. A driver that hangs does not hold it up."""
        self._is_stopped = True
        self._wake.set()
        self._hurry.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def watch(self, owner: JobOwner) -> None:
        """Look at an owner, who may start a job now; called in the path of its first call."""
        owner.is_watched = True
        if not self.is_enabled:
            return
        with self._lock:
            watched = self._watched.get(owner.cell.id)
            if watched is None:
                watched = _Watched(owner.cell, JobBook(owner.cell.cell_id, self._name_place))
                watched.is_over = owner.cell.id in self._over
                self._watched[owner.cell.id] = watched
            if owner not in watched.owners:
                watched.owners.append(owner)
                self._of_tag[owner.tag] = watched
            watched.idle_samples = 0
            watched.is_active = True
        self._wake.set()

    def owners_of(self, cell_id: str) -> list[JobOwner]:
        """Give the owners of a cell that may have jobs, by either of its ids."""
        return [
            owner
            for watched in list(self._watched.values())
            if watched.cell.is_meant_by(cell_id) and watched.book.has_running
            for owner in watched.owners
        ]

    def cell_of(self, tag: str) -> str:
        """Give the beginning of the notebook's id of an owner's cell; empty if it is not known."""
        watched = self._of_tag.get(tag)
        if watched is None or watched.cell.cell_id == watched.cell.id:
            return ""
        return watched.cell.cell_id[:_SHORT_ID]

    def finish(self, cell: Cell) -> None:
        """Note that a cell is done; what it shows is brought up to date before this returns."""
        with self._lock:
            self._over[cell.id] = cell  # for as long as something of it is left
            watched = self._watched.get(cell.id)
        if watched is None:
            return
        watched.is_over = True
        if not watched.is_shown or not self._thread.is_alive():
            self._forget_if_over(watched)
            return
        done = threading.Event()
        self._finishing.append((watched, done))
        self._wake.set()
        self._hurry.set()
        done.wait(_FINISH_TIMEOUT_S)

    # -- the thread ------------------------------------------------------------------------

    def _run(self) -> None:
        while True:
            self._wake.wait()
            self._wake.clear()
            pause = self.interval_s
            while not self._is_stopped and self._is_needed():
                self._hurry.wait(pause)
                self._hurry.clear()
                began = time.monotonic()
                self._look()
                cost = time.monotonic() - began
                is_running = any(w.book.longest_running_s for w in self._watched.values())
                slower = min(pause * _PAUSE_GROWTH, _SLOW_PAUSE_S)
                rest = min(cost / _LARGEST_SHARE, _LONGEST_PAUSE_S)
                pause = max(self.interval_s if is_running else slower, rest)
            if self._is_stopped:
                return

    def _is_needed(self) -> bool:
        return bool(self._finishing) or any(w.is_active for w in list(self._watched.values()))

    def _look(self) -> None:
        finishing, self._finishing = self._finishing, []
        try:
            self._sample(settle=bool(finishing))
            for _ in range(_LAST_LOOKS):
                # Spark tells of the end of a job after it has told whoever waited for it.
                if not any(w.book.has_running and not w.has_calls for w, _ in finishing):
                    break
                time.sleep(_LAST_LOOK_S)
                self._sample(settle=True)
            self._failures = 0
        except Exception as error:
            self._failures += 1
            _log.debug("no sample: %s", error)
            if self._failures >= _FAILED_SAMPLES or finishing:
                self._end_context()
        try:
            for watched in list(self._watched.values()):
                self._judge(watched)
        except Exception:
            _log.exception("the progress of a cell could not be told")
        for _, done in finishing:
            done.set()

    def _sample(self, settle: bool) -> None:
        jobs = self._cell_jobs()
        if jobs is not self._context:
            self._end_context()
            self._context, self._first_new = jobs, 0
            self._context_number += 1
        if jobs is None:
            return
        if settle:
            jobs.settle(_SETTLE_MS)
        is_cut = True
        while is_cut and not self._is_stopped:
            running = self._running()
            sample = jobs.sample(self._first_new, running, _JOB_LIMIT, _STAGE_LIMIT)
            self._first_new, is_cut = sample["next"], sample["is_cut"]
            self._take(sample, jobs)

    def _running(self) -> list[int]:
        books = [watched.book for watched in self._watched.values()]
        ids = [job for book in books for job in book.running(self._context_number)]
        return sorted(ids)[-_JOB_LIMIT:]

    def _take(self, sample: dict[str, Any], jobs: Jobs) -> None:
        now = sample["now"]

        def look(stage: int, attempt: int, kind: str) -> dict[str, Any] | None:
            try:
                return jobs.task(stage, attempt, kind)
            except Exception as error:  # a hint less, and nothing worse
                _log.debug("no task of stage %s: %s", stage, error)
                return None

        for seen in sample["jobs"]:
            for watched in self._meant_by(seen):
                watched.book.take_job(self._context_number, seen, now, jobs.ui_url, look)
        for seen in sample["queries"]:
            for watched in self._meant_by(seen):
                watched.book.take_query(seen)
        for watched in self._watched.values():
            watched.book.note_waiting(sample["executors"], now)

    def _meant_by(self, seen: dict[str, Any]) -> list[_Watched]:
        """Give the cells that a job may belong to; one that Spark has forgotten has no owner."""
        if "owner" not in seen:
            return list(self._watched.values())
        watched = self._of_tag.get(seen["owner"])
        # The jobs of a streaming query are its batches: the query tells what there is to know.
        is_batch = "run_id" not in seen and watched is not None and _is_of_stream(watched, seen)
        return [] if watched is None or is_batch else [watched]

    def _end_context(self) -> None:
        for watched in list(self._watched.values()):
            watched.book.context_ended(self._context_number)

    def _judge(self, watched: _Watched) -> None:
        """Tell what is new of a cell, and stop watching one whose jobs are over."""
        book = watched.book
        is_idle = not book.has_running and not watched.has_calls
        if is_idle and not watched.is_over:
            is_idle = not any(owner.is_in_pyspark for owner in watched.owners)
        watched.idle_samples = watched.idle_samples + 1 if is_idle else 0
        is_final = watched.is_over and is_idle and (watched.is_shown or self._is_settled(watched))
        if not watched.is_shown:
            watched.is_shown = _is_worth_showing(book)
        if watched.is_shown:
            progress = book.progress(is_final)
            if watched.shown is None or is_final or progress != watched.shown:
                watched.shown = progress
                self._emit(ProgressSampled(watched.cell, progress))
        if self._is_settled(watched) or is_final:
            self._rest(watched)

    def _is_settled(self, watched: _Watched) -> bool:
        return watched.idle_samples >= _IDLE_SAMPLES

    def _rest(self, watched: _Watched) -> None:
        with self._lock:
            watched.is_active = False
            for owner in watched.owners:
                owner.is_watched = False
            self._forget_if_over_locked(watched)
        for owner in watched.owners:
            if owner.calls:  # one that began in this moment
                self.watch(owner)

    def _forget_if_over(self, watched: _Watched) -> None:
        with self._lock:
            self._forget_if_over_locked(watched)

    def _forget_if_over_locked(self, watched: _Watched) -> None:
        if watched.is_over and not watched.is_active:
            self._watched.pop(watched.cell.id, None)
            for owner in watched.owners:
                self._of_tag.pop(owner.tag, None)


def _is_worth_showing(book: JobBook) -> bool:
    """Whether a job is long enough, or jobs go on for long enough, that one wants to see them."""
    is_long = book.longest_running_s >= _WORTH_JOB_S
    return is_long or book.has_active_queries or book.elapsed_s >= _WORTH_CELL_S


def _is_of_stream(watched: _Watched, seen: dict[str, Any]) -> bool:
    return any(o.tag == seen["owner"] and o.run is None for o in watched.owners)
