"""Whether a session that was lost is to be started again by itself, and what is said of its end."""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Callable, Sequence

from spark_kernel.errors import DriverLostError, SparkKernelError, SparkStoppedError
from spark_kernel.protocol.events import Problem, SessionState
from spark_kernel.redaction import redacted
from spark_kernel.spark.failures import RESTART_HINT

__all__ = ["Recovery", "describe_end"]

_MOST = 3
_WITHIN_S = 600.0
_TIMEOUT_S = 1.0
_POLL_S = 0.02
_HOWS = {
    6: "Java crashed",
    9: "it was killed, often for want of memory",
    11: "Java crashed",
    15: "it was terminated",
}
_TELLING = re.compile(r"OutOfMemoryError|\b(?:ERROR|FATAL)\b|Exception(?:: |$)")
_OUT_OF_MEMORY = "OutOfMemoryError"
_HEAP = re.compile(r"OutOfMemoryError: (?:Java heap|GC overhead|Requested array size)")
_TOLD_LENGTH = 300


class Recovery:
    """Remembers losses, so that what ends again and again is not started for ever.

    Parameters
    ----------
    is_enabled
        Whether to start again at all.
    is_ready
        Whether the session is still held for a living one.
    clock
        Gives seconds that only grow.

    Attributes
    ----------
    is_resting
        Whether the session was stopped because nobody used it.
    is_returning
        Whether the last start was to bring back a session that was lost.
    """

    def __init__(
        self,
        is_enabled: bool,
        is_ready: Callable[[], bool],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._is_enabled = is_enabled
        self._is_ready = is_ready
        self._clock = clock
        self._losses: deque[float] = deque(maxlen=_MOST)
        self._last_end: tuple[float, SparkKernelError] | None = None
        self.is_resting = False
        self.is_returning = False

    def comes_back(self, state: SessionState) -> bool:
        """Whether a session in this state is started again by the next use."""
        is_lost = self.is_behind(state)
        return (is_lost and self.is_allowed) or (state is SessionState.STOPPED and self.is_resting)

    def is_behind(self, state: SessionState) -> bool:
        """Whether what a session in this state needs is to be brought back after a loss."""
        return state is SessionState.LOST or (state is SessionState.FAILED and self.is_returning)

    @property
    def is_allowed(self) -> bool:
        """Whether the next use starts Spark again."""
        losses = list(self._losses)
        is_often = len(losses) == _MOST and self._clock() - losses[0] < _WITHIN_S
        return self._is_enabled and not is_often

    def forgive(self) -> None:
        """Begin to count anew: the user has looked after it."""
        self._losses.clear()
        self.is_returning = False

    def note_loss(self, message: str) -> Problem:
        """Note that a session was lost; gives what is told of it."""
        message = redacted(message)  # cells get it as an error, past the status
        error = DriverLostError(f"{message}.")
        self._losses.append(self._clock())
        self._last_end = self._losses[-1], error
        if self.is_allowed:
            error.hint = "the next cell that needs Spark starts it again"
        elif not self._is_enabled:
            error.hint = RESTART_HINT
        else:
            often = f"{_MOST} sessions were lost within {_WITHIN_S / 60:.0f} minutes"
            error.hint = f"{often}: look at the driver log, then {RESTART_HINT}"
        return Problem(type(error).__name__, message, error.hint)

    def note_failure(self, hint: str) -> str:
        """Note that a start has failed, which counts as a loss if it was to bring one back.

        Returns
        -------
        The hint of the failure, with what comes of it.
        """
        if not self.is_returning:
            return hint
        self._losses.append(self._clock())
        again = "the next cell that needs Spark tries again" if self.is_allowed else ""
        return "; ".join(filter(None, (hint, again)))

    def note_end(self) -> None:
        """Note that a session is ended on purpose."""
        error = SparkStoppedError("Spark was stopped or restarted while this cell used it.")
        self._last_end = (self._clock(), error)

    def end_behind(self, error: BaseException, since: float) -> SparkKernelError | None:
        """Give what is behind an error of PySpark's if the session ended meanwhile, else None.

        Waits a moment where the driver seems to be ending.

        Parameters
        ----------
        since
            When the code began, by the clock.
        """
        deadline = time.monotonic() + _TIMEOUT_S
        while self._is_ready() and _is_broken_off(error) and time.monotonic() < deadline:
            time.sleep(_POLL_S)
        end = self._last_end
        return end[1] if end is not None and end[0] >= since else None


def describe_end(exit_status: int, log_lines: Sequence[str]) -> str:
    """Say how a driver ended that nobody had asked to.

    Parameters
    ----------
    exit_status
        Negative for a signal.
    log_lines
        The end of its log.
    """
    if exit_status < 0:
        how = _HOWS.get(-exit_status)
        return f"The driver ended unexpectedly (signal {-exit_status}{f': {how}' if how else ''})"
    said = f"The driver ended unexpectedly (exit status {exit_status})"
    telling = [line for line in log_lines if _TELLING.search(line)]
    telling.sort(key=lambda line: _OUT_OF_MEMORY in line)  # what follows it, it has led to
    if telling:
        line = " ".join(telling[-1].split())
        said += f". Its log says: {line[:_TOLD_LENGTH]}"
        if _HEAP.search(line):
            said += ". Its memory was full: raise spark.driver.memory, or bring fewer rows to it"
    return said


def _is_broken_off(error: BaseException) -> bool:
    """Whether an error is what a call gets whose driver ends meanwhile."""
    if isinstance(error, (EOFError, OSError)):
        return True
    is_of_py4j = any(kind.__name__ == "Py4JError" for kind in type(error).__mro__)
    return is_of_py4j and not hasattr(error, "java_exception")
