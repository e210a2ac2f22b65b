"""Stands around what PySpark's Spark Connect client asks of a server: gives it to the cell that it
is for, and refuses what belongs to a session that has ended.

An exception may be raised in the midst of a request, other than with py4j: gRPC stays as it is.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from importlib import import_module
from typing import Any

import wrapt

from spark_kernel.errors import SparkJobCancelledError
from spark_kernel.spark.calls import Call, CallTracker
from spark_kernel.spark.connect import address
from spark_kernel.spark.connect.data_flow import note_request
from spark_kernel.spark.connect.operations import Operation, Operations
from spark_kernel.spark.connect.streaming import follow_waits, is_waiting
from spark_kernel.spark.ownership import JobOwner, current_owner
from spark_kernel.spark.stale_objects import refuse

__all__ = ["end_client", "follow_operations"]

_ENDED = "_spark_kernel_ended"


def end_client(client: Any, ended: str) -> None:
    """Let nothing be asked through a client any more.

    Parameters
    ----------
    ended
        When its session ended.
    """
    setattr(client, _ENDED, ended)


def follow_operations(calls: CallTracker) -> None:
    """Hook PySpark's client, now or as soon as it is imported."""
    wrapt.register_post_import_hook(_complete, "pyspark")
    wrapt.register_post_import_hook(
        partial(_hook_client, calls=calls), "pyspark.sql.connect.client.core"
    )
    follow_waits(calls)


def _complete(_: Any) -> None:
    """Import what a server needs together with PySpark, while nobody else can.

    Its functions would import it as they are called, in a circle with what a start imports.
    """
    if address.MODE in os.environ:
        with suppress(ImportError):  # the start says what is missing
            for name in address.MODULES:
                import_module(name)


def _hook_client(module: Any, calls: CallTracker) -> None:
    client_class = module.SparkConnectClient

    @wrapt.function_wrapper
    def ask(wrapped: Any, client: Any, args: Any, kwargs: Any) -> Any:
        __tracebackhide__ = True
        _note_asked(client)
        return wrapped(*args, **kwargs)

    @wrapt.function_wrapper
    def plan(wrapped: Any, client: Any, args: Any, kwargs: Any) -> Any:
        __tracebackhide__ = True
        owner = _note_asked(client)
        if owner is not None and owner.is_cancelled:
            raise calls.interruption(owner)
        request = wrapped(*args, **kwargs)
        if owner is not None:
            request.tags.append(owner.tag)
        return request

    @wrapt.function_wrapper
    def fetch(wrapped: Any, client: Any, args: Any, kwargs: Any) -> Any:
        owner, operations = current_owner(), calls.cell_jobs
        is_ours = isinstance(operations, Operations) and operations.client is client
        if owner is not None:
            note_request(client, args[0], owner.tag)
        results = wrapped(*args, **kwargs)
        if owner is None or not is_ours or not isinstance(operations, Operations):
            return results
        return _followed(results, args[0].operation_id, owner, operations, calls)

    @wrapt.function_wrapper
    def execute(wrapped: Any, client: Any, args: Any, kwargs: Any) -> Any:
        __tracebackhide__ = True
        owner = current_owner()
        if owner is None:
            return wrapped(*args, **kwargs)
        note_request(client, args[0], owner.tag)
        with _under_way(owner, None, calls):
            return wrapped(*args, **kwargs)

    @wrapt.function_wrapper
    def interrupt(wrapped: Any, client: Any, args: Any, kwargs: Any) -> Any:
        """Leave an operation to us that PySpark would interrupt, while the cell waits for that."""
        operations = calls.cell_jobs
        if is_waiting():
            return []
        if isinstance(operations, Operations) and operations.is_left_to_us(args[0]):
            return []
        return wrapped(*args, **kwargs)

    for name, wrapper in (
        ("_execute_plan_request_with_metadata", plan),
        ("_analyze_plan_request_with_metadata", ask),
        ("_config_request_with_metadata", ask),
        ("_execute_and_fetch_as_iterator", fetch),
        ("_execute", execute),
        ("interrupt_operation", interrupt),
    ):
        setattr(client_class, name, wrapper(vars(client_class)[name]))


def _note_asked(client: Any) -> JobOwner | None:
    """Give whose code asks a server for something; refuse it where the session has ended."""
    ended = getattr(client, _ENDED, "")
    if ended:
        refuse(ended)
    owner = current_owner()
    if owner is not None:
        owner.last_thread = threading.get_ident()
    return owner


def _followed(
    results: Iterator[Any],
    operation_id: str,
    owner: JobOwner,
    operations: Operations,
    calls: CallTracker,
) -> Iterator[Any]:
    """Hand on the results of an operation; it is under way only while they are awaited."""
    __tracebackhide__ = True
    operation = operations.begin(operation_id, owner)
    try:
        while True:
            with _under_way(owner, operation, calls):
                try:
                    result = next(results)
                except StopIteration:
                    break
            yield result
    except BaseException as error:
        operations.end(operation, error)
        raise
    operations.end(operation, None)


@contextmanager
def _under_way(owner: JobOwner, operation: Operation | None, calls: CallTracker) -> Iterator[None]:
    """Count a wait for the server among the owner's calls; say so where we have cancelled it."""
    __tracebackhide__ = True
    if not owner.is_watched:
        calls.watch(owner)
    thread = threading.get_ident()
    outer, owner.last_thread = owner.calls.get(thread), thread
    owner.calls[thread] = Call()
    try:
        yield
    except Exception as error:
        if owner.is_cancelled:
            raise calls.interruption(owner) from None
        if operation is not None and operation.cancelled:
            raise SparkJobCancelledError(
                f"Job {operation.number} was cancelled {operation.cancelled}."
            ) from error
        raise
    finally:
        if outer is None:
            owner.calls.pop(thread, None)
        else:
            owner.calls[thread] = outer
