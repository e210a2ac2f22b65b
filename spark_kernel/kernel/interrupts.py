"""Interrupts: one signal ends every running cell, wherever it is, exactly once.

The signal handler runs on the main thread between two steps of whatever code is there. It raises
only where IPython catches what is raised, and never inside a call into the driver; where it cannot
raise, the thread ``spark-interrupt`` reminds it until it can, or the cell is done.
"""

from __future__ import annotations

import asyncio
import ctypes
import signal
import sys
import threading
import weakref
from collections.abc import Iterator
from concurrent.futures import wait
from contextlib import contextmanager
from types import FrameType
from typing import Any

from IPython.core.interactiveshell import InteractiveShell

from spark_kernel.kernel.interrupt_errors import (
    explained_interrupt,
    hide_interrupts,
    is_bare_interrupt,
    is_of_ours,
    plain_interrupt,
    raised_in_pyspark,
)
from spark_kernel.protocol.events import Cell
from spark_kernel.spark import stale_plans
from spark_kernel.spark.calls import CallTracker
from spark_kernel.spark.cancellation import Canceller, Interruption
from spark_kernel.spark.ownership import CellRun, JobOwner, current_task, owned_by

__all__ = ["Interrupts"]

_RUNNER = InteractiveShell.run_ast_nodes.__code__
"""Runs the statements of a cell, and catches whatever they raise."""

_RENEW_TIMEOUT_S = 1.0


class _RunningCell(CellRun):
    """A run of a cell, with what an interrupt of it needs.

    Attributes
    ----------
    pending
        The interrupt that its code has not been told of yet.
    is_told
        Whether its code was told of any.
    is_failing
        Whether its error is being shown: an interrupt ends that, and with it every question that
        the driver would be asked for it.
    """

    def __init__(self, cell: Cell, description: str) -> None:
        super().__init__(cell, description)
        self.lock = threading.Lock()
        self.loop: asyncio.AbstractEventLoop | None = None
        self.is_in_code = False
        self.stale: list[Any] = []
        self.cancelled_tasks: weakref.WeakSet[asyncio.Task[Any]] = weakref.WeakSet()
        self.pending: Interruption | None = None
        self.is_told = False
        self.is_failing = False

    def cancel_task(self) -> None:
        """Cancel what an awaiting cell waits for, once."""
        task = self.task
        if task is not None and self.loop is not None and task not in self.cancelled_tasks:
            self.cancelled_tasks.add(task)
            self.is_told = True
            self.loop.call_soon_threadsafe(lambda: task.cancel() if self.is_in_code else None)

    def deliver(self) -> None:
        """Note that the cell got its exception."""
        if self.pending is not None:
            self.pending.is_delivered = True
            self.pending = None
        self.is_told = True


class Interrupts:
    """Knows which cells run, and interrupts them.

    Parameters
    ----------
    shell
        IPython's, which knows the notebook's code.
    calls
        Knows which thread is in a call into the driver.
    """

    def __init__(self, shell: InteractiveShell, calls: CallTracker) -> None:
        self._shell = shell
        self._calls = calls
        self._main = threading.main_thread().ident or 0
        self._runs: dict[int, _RunningCell] = {}
        self._is_reminder = False
        self.canceller = Canceller(calls, self._remind, self._is_running)

    def start(self) -> None:
        """Take interrupts from now on, also while the main thread is idle: a subshell may run."""
        self.canceller.start()
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, self.handle)
        threading.excepthook = hide_interrupts(threading.excepthook)

    def stop(self) -> None:
        """End the threads; may be called twice."""
        self.canceller.stop()

    # -- cells -----------------------------------------------------------------------------

    @contextmanager
    def running(self, cell: Cell, description: str) -> Iterator[CellRun]:
        """Let a cell run: what its code starts is the cell's, and an interrupt ends it."""
        run = _RunningCell(cell, description)
        self._runs[run.thread] = run
        try:
            with owned_by(run):
                yield run
        finally:
            self._renew(run.stale)
            # A reminder that comes now must find nothing to raise in.
            self._runs.pop(run.thread, None)

    def cells(self) -> list[Cell]:
        """Give the cells that run now, the latest last."""
        return [run.cell for run in list(self._runs.values())]

    def cell_of_thread(self) -> Cell | None:
        """Give the cell that the calling thread runs, or None."""
        run = self._runs.get(threading.get_ident())
        return None if run is None else run.cell

    @contextmanager
    def code_running(self, is_async: bool) -> Iterator[None]:
        """Mark where code of the notebook runs, and whether it may be suspended."""
        run = self._runs.get(threading.get_ident())
        if run is None:
            yield
            return
        if is_async:
            run.task, run.loop = asyncio.current_task(), asyncio.get_running_loop()
        run.is_in_code = True
        try:
            yield
        finally:
            with run.lock:
                run.is_in_code = False
            if is_async and run.is_told:
                run.deliver()
            if run.thread != self._main:  # one that came too late must not end anything else
                ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(run.thread), None)

    @contextmanager
    def failing(self) -> Iterator[None]:
        """Mark where the error of the calling thread's cell is shown: nothing needs to end it."""
        run = self._runs.get(threading.get_ident())
        if run is None:
            yield
            return
        if run.pending is not None:
            run.deliver()
        run.is_failing = True
        try:
            yield
        finally:
            run.is_failing = False
            if run.owner.is_cancelled:
                run.renew()

    def interruption_of(self, error: BaseException | None) -> KeyboardInterrupt | None:
        """Give the interrupt that hides behind what a cell has raised, if any.

        An interrupted await ends with a CancelledError, a subshell gets a bare exception, and
        PySpark's own cleaning up may fail when it is interrupted.
        """
        run = self._runs.get(threading.get_ident())
        if run is None or not run.is_told or error is None:
            return None
        if is_bare_interrupt(error) or isinstance(error, asyncio.CancelledError):
            return explained_interrupt(self._shell, error.__traceback__)
        if not raised_in_pyspark(error.__traceback__):
            return None
        masked: BaseException | None = error
        while masked is not None and not is_of_ours(masked):
            masked = masked.__context__
        return masked if isinstance(masked, KeyboardInterrupt) and masked is not error else None

    # -- the signal ------------------------------------------------------------------------

    def handle(self, number: int, frame: FrameType | None) -> None:
        """Handle SIGINT, on the main thread."""
        is_reminder, self._is_reminder = self._is_reminder, False
        for run in list(self._runs.values()):
            if run.pending is None and not is_reminder:
                self._begin(run)
        main = self._runs.get(self._main)
        if main is not None and main.pending is not None:
            self._raise_in_main(main, frame)

    def interrupt_cell(self, name: str) -> str:
        """Interrupt one running cell, from any thread; gives its id, or nothing."""
        for run in list(self._runs.values()):
            if run.cell.is_meant_by(name):
                if run.pending is None:
                    self._begin(run)
                return run.cell.cell_id
        return ""

    def _begin(self, run: _RunningCell) -> None:
        run.pending = Interruption(run, run.owner)
        run.renew(is_cancelled=run.is_failing)
        self.canceller.interrupt(run.pending)

    def _raise_in_main(self, run: _RunningCell, frame: FrameType | None) -> None:
        if self._calls.is_inside:
            return  # the call fails by itself, and raises then
        is_in_user_code = _runs_in(frame, self._shell.user_global_ns)
        is_ending = run.task is not None and run.task in run.cancelled_tasks
        if _is_below(frame, _RUNNER):
            if is_in_user_code or not is_ending:
                raise self._delivered(run)
            return
        if run.task is not None:
            run.cancel_task()
            other = current_task()
            if other is not None and is_in_user_code and other not in run.cancelled_tasks:
                # A task of the notebook's: only this error leaves the event loop alive.
                run.cancelled_tasks.add(other)
                raise asyncio.CancelledError

    # -- spark-interrupt -------------------------------------------------------------------

    def _is_running(self, run: CellRun) -> bool:
        return self._runs.get(run.thread) is run

    def _remind(self, interruption: Interruption) -> None:
        run = interruption.run
        assert isinstance(run, _RunningCell)
        if run.thread == self._main:
            self._is_reminder = True
            signal.pthread_kill(self._main, signal.SIGINT)
            return
        with run.lock:
            if run.task is not None:
                run.cancel_task()
            elif run.is_in_code and not run.owner.calls:
                run.deliver()
                ctypes.pythonapi.PyThreadState_SetAsyncExc(
                    ctypes.c_ulong(run.thread), ctypes.py_object(KeyboardInterrupt)
                )

    def _renew(self, frames: list[Any]) -> None:
        """Let DataFrames be used again whose jobs were cancelled; a dead driver delays no one."""
        if frames:
            done = self.canceller.ask(lambda jobs: stale_plans.renew(frames))
            wait([done], _RENEW_TIMEOUT_S)

    # -- what is raised --------------------------------------------------------------------

    def interruption(self, owner: JobOwner) -> BaseException:
        """Give what a call into the driver raises once its owner was cancelled."""
        run = owner.run
        self._renew(stale_plans.find_frames(sys._getframe(1)))
        if _is_in_task(sys._getframe(1)):
            return asyncio.CancelledError()
        if isinstance(run, _RunningCell) and run.thread == threading.get_ident():
            run.deliver()
        return explained_interrupt(self._shell)

    def error(self) -> BaseException | None:
        """Give what a call raises that failed because of an interrupt some time ago.

        None if it was not this cell that was interrupted.
        """
        run = self._runs.get(threading.get_ident())
        if run is not None and not run.is_told:
            return None
        if _is_in_task(sys._getframe(1)):
            return asyncio.CancelledError()
        return explained_interrupt(self._shell)

    def _delivered(self, run: _RunningCell) -> KeyboardInterrupt:
        ended = None if run.pending is None else run.pending.ended
        run.deliver()
        run.stale += stale_plans.find_frames(sys._getframe(1))
        if ended is not None and ended.is_watched:
            return explained_interrupt(self._shell)
        return plain_interrupt(self._shell, globals())


def _is_in_task(frame: FrameType | None) -> bool:
    """Whether the event loop would end with a KeyboardInterrupt that is raised here."""
    return asyncio._get_running_loop() is not None and not _is_below(frame, _RUNNER)


def _frames(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def _is_below(frame: FrameType | None, code: Any) -> bool:
    return any(one.f_code is code for one in _frames(frame))


def _runs_in(frame: FrameType | None, namespace: dict[str, Any]) -> bool:
    return any(one.f_globals is namespace for one in _frames(frame))
