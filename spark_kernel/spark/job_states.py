"""How far jobs and stages are, by what Spark says of them."""

from __future__ import annotations

import re
from collections.abc import Iterable

from spark_kernel.protocol.progress import RunState

__all__ = ["job_state", "state_of"]

_CANCELLED = re.compile(r"(\[SPARK_JOB_CANCELLED\] )?Job \d+ cancelled\b")
_STATES = {
    "RUNNING": RunState.RUNNING,
    "SUCCEEDED": RunState.SUCCEEDED,
    "FAILED": RunState.FAILED,
    "ACTIVE": RunState.RUNNING,
    "COMPLETE": RunState.SUCCEEDED,
    "PENDING": RunState.PENDING,
    "SKIPPED": RunState.SKIPPED,
    "CANCELLED": RunState.CANCELLED,
}


def state_of(status: str) -> RunState:
    """Give the state of a job or a stage with a status of Spark's."""
    return _STATES.get(status, RunState.UNKNOWN)


def job_state(status: str, reasons: Iterable[str]) -> RunState:
    """Give the state of a job: Spark calls one that was cancelled a failed one.

    Parameters
    ----------
    reasons
        Why its stages have failed.
    """
    state = state_of(status)
    is_cancelled = state is RunState.FAILED and any(map(_CANCELLED.match, reasons))
    return RunState.CANCELLED if is_cancelled else state
