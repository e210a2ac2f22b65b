"""Cancels what cells have started, and sees an interrupt through to its end.

Two threads, both asleep until there is something to do: ``spark-cancel`` talks to the driver, and
``spark-interrupt``, which never does, so that no driver can hold it up.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from spark_kernel.errors import SparkJobCancelledError, SparkStoppedError
from spark_kernel.spark.backend import Jobs
from spark_kernel.spark.calls import Call, CallTracker
from spark_kernel.spark.ownership import CellRun, JobOwner, disown

__all__ = ["Canceller", "Interruption", "translate_cancellation"]

_log = logging.getLogger(__name__)
_INTERRUPTED = "by an interrupt of its cell"
_REQUESTED = "on request from its notebook"
_PACE_S = 0.02
_REPEAT_S = 0.2
_IDLE_GRACE_S = 0.05
"""For a call without a job: long planning, or a wait for something else."""

_GRACE_S = 1.0
_GIVE_UP_S = 60.0
_CAUSES = 8


@dataclass(eq=False)
class Interruption:
    """An interrupt of one run of a cell that has not been seen through yet.

    Attributes
    ----------
    ended
        The owner whose jobs are cancelled.
    is_delivered
        Whether the exception was raised in the cell.
    """

    run: CellRun
    ended: JobOwner
    started: float = field(default_factory=time.monotonic)
    asked_at: float = 0.0
    is_delivered: bool = False
    had_jobs: bool | None = None


class Canceller:
    """Cancels jobs; one for each kernel.

    Parameters
    ----------
    remind
        Called now and then with an interrupted run until its exception is raised.
    is_running
        Whether a run has not ended yet.
    """

    def __init__(
        self,
        calls: CallTracker,
        remind: Callable[[Interruption], None],
        is_running: Callable[[CellRun], bool],
    ) -> None:
        self._calls = calls
        self._remind = remind
        self._is_running = is_running
        self._interruptions: queue.SimpleQueue[Interruption | None] = queue.SimpleQueue()
        self._requests: queue.SimpleQueue[tuple[Future[Any], Callable[[Jobs], Any]] | None]
        self._requests = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=self._see_through, name="spark-interrupt", daemon=True),
            threading.Thread(target=self._serve, name="spark-cancel", daemon=True),
        ]

    def start(self) -> None:
        """Be ready for interrupts and requests."""
        for thread in self._threads:
            disown(thread).start()

    def stop(self, timeout_s: float = 0.5) -> None:
        """End; may be called twice. A thread that a dead driver holds up is left behind."""
        self._interruptions.put(None)
        self._requests.put(None)
        for thread in self._threads:
            if thread.is_alive():
                thread.join(timeout_s)

    def interrupt(self, interruption: Interruption) -> None:
        """See an interrupt through; may be called from a signal handler."""
        self._interruptions.put(interruption)

    def ask(self, question: Callable[[Jobs], Any]) -> Future[Any]:
        """Ask the driver for something, from a thread that may wait for it.

        Raises
        ------
        SparkStoppedError
            Through the future, if there is no driver to ask.
        """
        future: Future[Any] = Future()
        self._requests.put((future, question))
        return future

    def cancel_owner(self, owner: JobOwner) -> Future[Any]:
        """Cancel all jobs of an owner; gives whether there were any."""
        return self.ask(lambda jobs: jobs.cancel(owner.tag, _INTERRUPTED))

    def cancel_job(self, job: int) -> Future[Any]:
        """Cancel one job; gives whether it ran."""
        return self.ask(lambda jobs: jobs.cancel_job(job, _REQUESTED))

    def cancel_stage(self, stage: int) -> Future[Any]:
        """Cancel one stage, and with it the jobs that need it; gives whether it ran."""
        return self.ask(lambda jobs: jobs.cancel_stage(stage, _REQUESTED))

    def cancel_all(self) -> Future[Any]:
        """Cancel every job of the application; gives their ids, by commas."""
        return self.ask(lambda jobs: jobs.cancel_all(_REQUESTED))

    def stop_query(self, query: str) -> Future[Any]:
        """Stop a streaming query, by id or name; gives its id, or nothing."""
        return self.ask(lambda jobs: jobs.stop_query(query))

    # -- spark-cancel ----------------------------------------------------------------------

    def _serve(self) -> None:
        while (item := self._requests.get()) is not None:
            future, question = item
            try:
                jobs = self._calls.cell_jobs
                if jobs is None:
                    raise SparkStoppedError("Spark is not running, so none of its jobs is.")
                future.set_result(question(jobs))
                self._calls.is_hung = False
            except Exception as error:
                future.set_exception(error)

    # -- spark-interrupt -------------------------------------------------------------------

    def _see_through(self) -> None:
        pending: list[Interruption] = []
        while True:
            try:
                item = self._interruptions.get(timeout=_PACE_S if pending else None)
            except queue.Empty:
                pass
            else:
                if item is None:
                    return
                pending.append(item)
            try:
                pending = [one for one in pending if not self._advance(one)]
            except Exception:
                _log.exception("an interrupt could not be seen through")
                pending = []

    def _advance(self, interruption: Interruption) -> bool:
        """Do what is to be done now; whether that was all."""
        now = time.monotonic()
        age = now - interruption.started
        calls = list(interruption.ended.calls.items())
        is_first = interruption.asked_at == 0.0
        # A call that had not begun its job when it was cancelled begins it only now.
        if is_first or (calls and now - interruption.asked_at > _REPEAT_S):
            interruption.asked_at = now
            self.cancel_owner(interruption.ended).add_done_callback(
                lambda future: self._note(interruption, future)
            )
        grace = _IDLE_GRACE_S if interruption.had_jobs is False else _GRACE_S
        if age > grace and now - interruption.asked_at > _PACE_S:
            self._calls.is_hung = interruption.had_jobs is None
            for _, call in calls:
                self._give_up(call, interruption.ended)
        is_told = interruption.is_delivered or not self._is_running(interruption.run)
        if not is_told and interruption.run.thread not in dict(calls):
            self._remind(interruption)
        return (is_told and not calls) or age > _GIVE_UP_S

    def _give_up(self, call: Call, owner: JobOwner) -> None:
        if call.properties is not None:
            self.ask(lambda jobs: jobs.abandon(call.properties, owner.tag))
        call.give_up()

    def _note(self, interruption: Interruption, future: Future[Any]) -> None:
        if future.exception() is None:
            # The last answer counts: once the job is over, a large result may be on its way.
            interruption.had_jobs = bool(future.result())
        else:
            _log.info("jobs were not cancelled: %s", future.exception())
            interruption.had_jobs = bool(interruption.had_jobs)


def translate_cancellation(error: Any) -> BaseException | None:
    """Give what a failed call is to raise if its job was cancelled by us, else None.

    Parameters
    ----------
    error
        The exception in the driver.
    """
    for _ in range(_CAUSES):
        if error is None:
            return None
        text = str(error.getMessage())
        if _INTERRUPTED in text:
            return KeyboardInterrupt()
        if _REQUESTED in text:
            return SparkJobCancelledError(text.split(_REQUESTED)[0] + _REQUESTED)
        error = error.getCause()
    return None
