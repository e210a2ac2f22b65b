"""PySpark's own singletons: read, set for a thread, and cleared after a dead driver."""

from __future__ import annotations

import gc
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from spark_kernel.spark.stale_objects import EndedContext, end_client

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

__all__ = [
    "active_context",
    "current_session",
    "existing_session",
    "forget",
    "is_context_stopped",
    "is_stopped_by_notebook",
    "passing_session",
    "quieten",
    "set_active_session",
    "stopped_by_notebook",
]

_log = logging.getLogger(__name__)
_STOPPED = "_spark_kernel_is_stopped_by_notebook"


def active_context() -> Any:
    """Give PySpark's context, or None; nothing is imported or made."""
    context_class = _imported("pyspark.core.context", "SparkContext")
    return context_class._active_spark_context if context_class else None


def is_context_stopped() -> bool:
    """Whether Spark has stopped the context by itself; asks the driver."""
    context = active_context()
    return context is not None and bool(context._jsc.sc().isStopped())


def stopped_by_notebook(context: Any) -> None:
    """Note that the notebook itself stops this context, before it does."""
    setattr(context, _STOPPED, True)


def is_stopped_by_notebook() -> bool:
    """Whether there is no context, or one that the notebook is stopping itself."""
    context = active_context()
    return context is None or hasattr(context, _STOPPED)


def existing_session() -> Any:
    """Give PySpark's session, or None; nothing is imported or made."""
    session_class = _imported("pyspark.sql.session", "SparkSession")
    return session_class._instantiatedSession if session_class else None


def current_session() -> SparkSession:
    """Give PySpark's session, made on the spot where the notebook made only a context."""
    from pyspark.sql import SparkSession

    return SparkSession._instantiatedSession or SparkSession.builder.getOrCreate()


@contextmanager
def passing_session() -> Iterator[None]:
    """Let PySpark forget a session made meanwhile: the notebook is about to make its own."""
    from pyspark.sql import SparkSession

    before = SparkSession._instantiatedSession, SparkSession._activeSession
    try:
        yield
    finally:
        SparkSession._instantiatedSession, SparkSession._activeSession = before


def set_active_session(*, has_libraries: bool = False) -> None:
    """Make PySpark's session the active one of the calling thread, in the JVM too.

    Parameters
    ----------
    has_libraries
        Whether jars were added, whose classes this thread is to find.
    """
    from pyspark.sql import SparkSession

    session = SparkSession._instantiatedSession
    if session is not None and session._sc._jsc is not None and session._jvm is not None:
        session._jvm.org.apache.spark.sql.classic.SparkSession.setActiveSession(
            session._jsparkSession
        )
        if has_libraries:
            loader = session._jsparkSession.sharedState().jarClassLoader()
            session._jvm.java.lang.Thread.currentThread().setContextClassLoader(loader)


def quieten(context: Any) -> None:
    """Let the end of a driver not print a trace into whatever cell runs then.

    It comes from the server that takes the updates of accumulators, which finds its client gone.
    """
    context._accumulatorServer.handle_error = lambda request, address: _log.debug(
        "the driver has closed its connection for accumulators"
    )


def forget() -> None:
    """Make PySpark forget its driver, so that the next session gets a new one.

    What old DataFrames hold is refused from now on; old Python UDFs are made to work again.
    """
    context_class = _imported("pyspark.core.context", "SparkContext")
    if context_class is None:
        return
    context = context_class._active_spark_context
    if context is not None:
        context._jsc = None  # stop() would ask a dead JVM otherwise
        context.stop()
    gateway = context_class._gateway
    context_class._gateway = None
    context_class._jvm = None
    if gateway is not None:
        ended = end_client(gateway._gateway_client)
        if context is not None:
            context._jsc = EndedContext(ended)
        with suppress(Exception):  # the other end is gone
            gateway.shutdown()
    _forget_sessions()
    _forget_compiled_functions()


def _forget_sessions() -> None:
    session_class = _imported("pyspark.sql.session", "SparkSession")
    if session_class is not None:
        session_class._instantiatedSession = None
        session_class._activeSession = None
    sql_class = _imported("pyspark.sql.context", "SQLContext")
    if sql_class is not None:
        sql_class._instantiatedContext = None


def _forget_compiled_functions() -> None:
    """Drop what each Python UDF remembers of the JVM, or it would fail from now on."""
    function_class = _imported("pyspark.sql.udf", "UserDefinedFunction")
    if function_class is not None:
        for candidate in gc.get_objects():
            if type(candidate) is function_class:
                candidate._judf_placeholder = None


def _imported(module: str, name: str) -> Any:
    """Give a class of PySpark's, or None while it is not imported, or another thread is at it."""
    return getattr(sys.modules.get(module), name, None)
