"""Waits for streaming queries on a server: an interrupt ends the wait, and not the query.

A server that is asked to interrupt such a wait stops the query itself; so the wait is cut into
short ones that belong to no cell, and nobody interrupts.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextvars import ContextVar
from functools import partial
from typing import Any

import wrapt

from spark_kernel.spark.calls import CallTracker
from spark_kernel.spark.ownership import current_owner, owned_by
from spark_kernel.spark.streaming import how_to_stop, is_timeout

__all__ = ["follow_waits", "is_waiting"]

_SLICE_S = 0.5
_waiting: ContextVar[bool] = ContextVar("spark_kernel_waiting", default=False)


def is_waiting() -> bool:
    """Whether the calling code waits for a query."""
    return _waiting.get()


def follow_waits(calls: CallTracker) -> None:
    """Hook PySpark's streaming on Spark Connect, now or as soon as it is imported."""
    wrapt.register_post_import_hook(
        partial(_hook, calls=calls), "pyspark.sql.connect.streaming.query"
    )


def _hook(module: Any, calls: CallTracker) -> None:
    @wrapt.function_wrapper
    def wait(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        __tracebackhide__ = True
        timeout_s = kwargs.get("timeout", args[0] if args else None)
        if timeout_s is not None and not is_timeout(timeout_s):
            return wrapped(*args, **kwargs)  # PySpark says what is wrong with it
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        token = _waiting.set(True)
        try:
            return _wait_in_slices(wrapped, deadline, calls)
        except KeyboardInterrupt as interrupt:
            interrupt.args = (how_to_stop(instance),)
            raise
        finally:
            _waiting.reset(token)

    for owner, name in (
        (module.StreamingQuery, "awaitTermination"),
        (module.StreamingQueryManager, "awaitAnyTermination"),
    ):
        setattr(owner, name, wait(getattr(owner, name)))


def _wait_in_slices(
    wait: Callable[[float], Any], deadline: float | None, calls: CallTracker
) -> bool | None:
    owner = current_owner()
    while True:
        if owner is not None and owner.is_cancelled:
            raise calls.interruption(owner)
        left = _SLICE_S if deadline is None else deadline - time.monotonic()
        with owned_by(None):
            is_over = wait(max(0.001, min(left, _SLICE_S)))
        if is_over:
            return None if deadline is None else True
        if deadline is not None and time.monotonic() >= deadline:
            return False
