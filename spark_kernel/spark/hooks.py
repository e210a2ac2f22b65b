"""Joins PySpark's own entry points to the session that starts beside the kernel.

The notebook may build a session, ask for the active one or build a column at any time; each of
these waits for a start under way, and gets the kernel's driver. Everything else is PySpark's.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import wrapt

from spark_kernel.protocol.events import SessionState
from spark_kernel.spark import pyspark_state
from spark_kernel.spark.late_settings import (
    warn_late_for_context,
    warn_late_for_driver,
    warn_late_for_session,
)

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from spark_kernel.spark.session import KernelSession

__all__ = ["SessionGate", "install"]


class SessionGate(Protocol):
    """How a cell waits for Spark; the kernel shows the stages meanwhile."""

    def __call__(self, *, is_starting_allowed: bool) -> None:
        """Wait until no start is under way."""


def install(
    session: KernelSession, wait: SessionGate, ending: Callable[[], None] = lambda: None
) -> None:
    """Hook PySpark, now or as soon as it is imported.

    Parameters
    ----------
    ending
        Called when the notebook is about to stop its context.
    """
    for hook, module in (
        (partial(_hook_context, ending=ending), "pyspark.core.context"),
        (_hook_sessions, "pyspark.sql.session"),
        (_hook_remote_sessions, "pyspark.sql.connect.session"),
        (_hook_columns, "pyspark.sql.utils"),
    ):
        wrapt.register_post_import_hook(partial(hook, session=session, wait=wait), module)


def _hook_context(
    module: Any, session: KernelSession, wait: SessionGate, ending: Callable[[], None]
) -> None:
    context_class = module.SparkContext

    @wrapt.function_wrapper
    def ensure_initialized(wrapped: Any, _: Any, args: Any, kwargs: Any) -> Any:
        __tracebackhide__ = True
        if not context_class._gateway and not kwargs.get("gateway"):
            kwargs = {**kwargs, "gateway": session.gateway(kwargs.get("conf"))}
        return wrapped(*args, **kwargs)

    @wrapt.function_wrapper
    def initialize(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> None:
        __tracebackhide__ = True
        if session.is_starter:
            wrapped(*args, **kwargs)
            return
        wait(is_starting_allowed=False)
        launched_with = dict(session.driver.launch_settings)
        with session.notebook_start(instance), _kept_interrupt_handler():
            wrapped(*args, **kwargs)
        if launched_with and kwargs.get("conf") is not None:
            warn_late_for_driver(kwargs["conf"], launched_with)

    @wrapt.function_wrapper
    def stop(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        __tracebackhide__ = True
        is_current = context_class._active_spark_context is instance
        if is_current:
            ending()
        pyspark_state.stopped_by_notebook(instance)
        result = wrapped(*args, **kwargs)
        if is_current:
            session.context_stopped()
        return result

    @wrapt.function_wrapper
    def get_or_create(wrapped: Any, _: Any, args: Any, kwargs: Any) -> Any:
        __tracebackhide__ = True
        if session.is_starter:
            return wrapped(*args, **kwargs)
        wait(is_starting_allowed=False)
        session.mark_used()
        existing = context_class._active_spark_context
        context = wrapped(*args, **kwargs)
        conf = kwargs.get("conf", args[0] if args else None)
        if existing is context and conf is not None:
            warn_late_for_context(conf, context)
        return context

    methods = vars(context_class)
    context_class._ensure_initialized = ensure_initialized(methods["_ensure_initialized"])
    context_class.getOrCreate = get_or_create(methods["getOrCreate"])
    context_class.__init__ = initialize(methods["__init__"])
    context_class.stop = stop(methods["stop"])


@contextmanager
def _kept_interrupt_handler() -> Iterator[None]:
    """Keep PySpark from replacing the handler of SIGINT; its own calls the driver from there."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handler = signal.getsignal(signal.SIGINT)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)


def _hook_sessions(module: Any, session: KernelSession, wait: SessionGate) -> None:
    session_class = module.SparkSession
    builder_class = session_class.Builder

    @wrapt.function_wrapper
    def build(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        __tracebackhide__ = True
        if session.is_starter:
            return wrapped(*args, **kwargs)
        wait(is_starting_allowed=False)
        session.mark_used()
        if session.driver.is_remote and "spark.remote" not in instance._options:
            if session.status.state is SessionState.STOPPED:
                session.restart()  # after spark.stop(), as in a script
            wait(is_starting_allowed=True)
            return session.driver.build(session.require(), wrapped.__name__, instance._options)
        existing = session_class._instantiatedSession
        built = wrapped(*args, **kwargs)
        session.bind_thread()
        if existing is built:
            warn_late_for_session(instance._options, built)
        return built

    @wrapt.function_wrapper
    def describe(_: Any, instance: Any, __: Any, ___: Any) -> str:
        return _text_of(instance, session)

    ask = _asking(session, wait)

    methods = vars(session_class)
    builder_class.getOrCreate = build(vars(builder_class)["getOrCreate"])
    if "create" in vars(builder_class):
        builder_class.create = build(vars(builder_class)["create"])
    session_class.getActiveSession = ask(methods["getActiveSession"])
    session_class.active = ask(methods["active"])
    session_class.__repr__ = describe(session_class.__repr__)


def _asking(session: KernelSession, wait: SessionGate) -> Any:
    """Make the wrapper of what gives the active session."""

    @wrapt.function_wrapper
    def ask(wrapped: Any, _: Any, args: Any, kwargs: Any) -> Any:
        __tracebackhide__ = True
        if not session.is_starter:
            if not session.is_ready:
                wait(is_starting_allowed=True)
            session.mark_used()
            session.bind_thread()
        return wrapped(*args, **kwargs)

    return ask


def _text_of(spark: SparkSession, session: KernelSession) -> str:
    """Describe a session in one line, asking the driver for nothing."""
    context = spark._sc
    parts = [f"app={context.appName!r}", f"master={context.master!r}"]
    status = session.status
    is_current = context is pyspark_state.active_context()
    if is_current and status.application:
        parts.insert(1, f"id={status.application.id}")
        parts += [f"ui={link.url}" for link in status.links if link.rel == "spark-ui"]
    elif not is_current:
        parts.append("stopped")
    return f"<SparkSession {' '.join(parts)}>"


def _hook_remote_sessions(module: Any, session: KernelSession, wait: SessionGate) -> None:
    session_class = module.SparkSession

    @wrapt.function_wrapper
    def describe(_: Any, instance: Any, __: Any, ___: Any) -> str:
        return _text_of_remote(instance, session)

    @wrapt.function_wrapper
    def stop(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        __tracebackhide__ = True
        is_current = instance is session.driver.existing()["spark"]
        result = wrapped(*args, **kwargs)
        if is_current:
            session.context_stopped()
        return result

    ask = _asking(session, wait)
    for name in ("active", "getActiveSession"):
        setattr(session_class, name, ask(vars(session_class)[name]))
    session_class.__repr__ = describe(session_class.__repr__)
    session_class.stop = stop(session_class.stop)


def _text_of_remote(spark: Any, session: KernelSession) -> str:
    """Describe a session on a server in one line, asking it for nothing."""
    status = session.status
    if spark is not session.driver.existing()["spark"] or status.application is None:
        return f"<SparkSession {'stopped' if spark.is_stopped else 'of its own'}>"
    return f"<SparkSession remote={status.cluster.master!r} id={status.application.id}>"


def _hook_columns(module: Any, session: KernelSession, wait: SessionGate) -> None:
    @wrapt.function_wrapper
    def active_context(wrapped: Any, _: Any, args: Any, kwargs: Any) -> Any:
        __tracebackhide__ = True
        if not session.is_starter:
            if not session.is_ready:
                wait(is_starting_allowed=True)
            session.mark_used()
            session.bind_thread()
        return wrapped(*args, **kwargs)

    module.get_active_spark_context = active_context(module.get_active_spark_context)
