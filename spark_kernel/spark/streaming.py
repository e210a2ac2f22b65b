"""Streaming queries: they belong to the cell that starts them, and outlive its interrupt."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import wrapt

from spark_kernel.errors import SparkJobCancelledError
from spark_kernel.spark import stale_plans
from spark_kernel.spark.calls import CallTracker
from spark_kernel.spark.cancellation import translate_cancellation
from spark_kernel.spark.cell_jobs import CellJobs
from spark_kernel.spark.ownership import current_owner, owned_by

__all__ = ["follow_queries", "how_to_stop", "is_timeout", "translate_errors"]

_SLICE_S = 0.1
_STALE = "What this DataFrame stands on was cancelled by an earlier interrupt; run the cell again."


def follow_queries(calls: CallTracker) -> None:
    """Hook PySpark's streaming, now or as soon as it is imported."""
    wrapt.register_post_import_hook(
        partial(_hook_writer, calls=calls), "pyspark.sql.streaming.readwriter"
    )
    wrapt.register_post_import_hook(_hook_waiting, "pyspark.sql.streaming.query")


def translate_errors(interruption: Callable[[], BaseException | None]) -> None:
    """Let a call that fails because we cancelled its job say just that.

    Parameters
    ----------
    interruption
        Gives what an interrupt raises in the calling thread; None if there was none.
    """

    def hook(module: Any) -> None:
        @wrapt.function_wrapper
        def convert(wrapped: Any, _: Any, args: Any, kwargs: Any) -> Any:
            cancelled = translate_cancellation(args[0]) if args else None
            if cancelled is not None:
                stale_plans.renew(stale_plans.find_frames(sys._getframe(1)))
                error = interruption() if isinstance(cancelled, KeyboardInterrupt) else cancelled
                raise error or SparkJobCancelledError(_STALE) from None
            return wrapped(*args, **kwargs)

        module.convert_exception = convert(module.convert_exception)

    wrapt.register_post_import_hook(hook, "pyspark.errors.exceptions.captured")


def _hook_writer(module: Any, calls: CallTracker) -> None:
    @wrapt.function_wrapper
    def start(wrapped: Any, _: Any, args: Any, kwargs: Any) -> Any:
        owner = current_owner()
        if owner is None:
            return wrapped(*args, **kwargs)
        # The thread of the query takes over the job tag of the one that starts it.
        with owned_by(owner.streams):
            query = wrapped(*args, **kwargs)
        if isinstance(calls.cell_jobs, CellJobs):
            calls.cell_jobs.java.track(query._jsq, owner.streams.tag)
        return query

    for name in ("start", "toTable"):
        setattr(module.DataStreamWriter, name, start(getattr(module.DataStreamWriter, name)))


def _hook_waiting(module: Any) -> None:
    query_class, manager_class = module.StreamingQuery, module.StreamingQueryManager

    @wrapt.function_wrapper
    def wait(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        timeout_s = kwargs.get("timeout", args[0] if args else None)
        if timeout_s is not None and not is_timeout(timeout_s):
            return wrapped(*args, **kwargs)  # PySpark says what is wrong with it
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        try:
            return _wait_in_slices(wrapped, deadline)
        except KeyboardInterrupt as interrupt:
            interrupt.args = (how_to_stop(instance),)
            raise

    query_class.awaitTermination = wait(query_class.awaitTermination)
    manager_class.awaitAnyTermination = wait(manager_class.awaitAnyTermination)


def _wait_in_slices(wait: Callable[[float], Any], deadline: float | None) -> bool | None:
    """Wait so that an interrupt need not break a call into the driver."""
    while True:
        left = _SLICE_S if deadline is None else deadline - time.monotonic()
        is_over = wait(max(0.001, min(left, _SLICE_S)))
        if is_over:
            return None if deadline is None else True
        if deadline is not None and time.monotonic() >= deadline:
            return False


def is_timeout(value: Any) -> bool:
    """Whether PySpark takes this for a number of seconds to wait."""
    return isinstance(value, (int, float)) and value > 0


def how_to_stop(waited_for: Any) -> str:
    """Say that a query goes on whose wait was interrupted, and how it is stopped."""
    query = getattr(waited_for, "id", None)
    which = f"the streaming query {query} goes" if query else "all streaming queries go"
    how = f"`%spark cancel {query}` or `.stop()`" if query else "`%spark cancel ID` or `.stop()`"
    return f"the wait was interrupted, and {which} on; {how} stops it"
