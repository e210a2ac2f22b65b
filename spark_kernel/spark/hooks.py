"""Joins PySpark's own entry points to the session that starts beside the kernel.

The notebook may build a session, ask for the active one or build a column at any time; each of
these waits for a start under way, and gets the kernel's driver. Everything else is PySpark's.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

import wrapt

from spark_kernel.errors import LateSettingWarning

if TYPE_CHECKING:
    from pyspark import SparkConf

    from spark_kernel.spark.session import KernelSession

__all__ = ["SessionGate", "install"]

_LAUNCH_ONLY = (
    "spark.driver.memory",
    "spark.driver.extraJavaOptions",
    "spark.driver.extraClassPath",
    "spark.driver.extraLibraryPath",
    "spark.jars.packages",
)
"""Settings that are read when the driver JVM is launched, and never again."""

_STACK_LEVEL = 4


class SessionGate(Protocol):
    """How a cell waits for Spark; the kernel shows the stages meanwhile."""

    def __call__(self, *, is_starting_allowed: bool) -> None:
        """Wait until no start is under way."""


def install(session: KernelSession, wait: SessionGate) -> None:
    """Hook PySpark, now or as soon as it is imported."""
    wrapt.register_post_import_hook(
        lambda module: _hook_context(module, session, wait), "pyspark.core.context"
    )
    wrapt.register_post_import_hook(
        lambda module: _hook_sessions(module, session, wait), "pyspark.sql.session"
    )
    wrapt.register_post_import_hook(
        lambda module: _hook_columns(module, session, wait), "pyspark.sql.utils"
    )


def _hook_context(module: Any, session: KernelSession, wait: SessionGate) -> None:
    context_class = module.SparkContext

    @wrapt.function_wrapper
    def ensure_initialized(wrapped: Any, _: Any, args: Any, kwargs: Any) -> Any:
        if not context_class._gateway and not kwargs.get("gateway"):
            conf = kwargs.get("conf")
            kwargs = {**kwargs, "gateway": session.gateway(conf)}
        return wrapped(*args, **kwargs)

    @wrapt.function_wrapper
    def initialize(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> None:
        if session.is_starter:
            wrapped(*args, **kwargs)
            return
        wait(is_starting_allowed=False)
        launched_with = dict(session.launch_settings)
        with session.notebook_start(instance):
            wrapped(*args, **kwargs)
        if launched_with:
            asked = {key: instance.getConf().get(key) for key in _LAUNCH_ONLY}
            _warn_late({k: v for k, v in asked.items() if v is not None}, launched_with.get)

    @wrapt.function_wrapper
    def stop(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        is_current = context_class._active_spark_context is instance
        result = wrapped(*args, **kwargs)
        if is_current:
            session.context_stopped()
        return result

    @wrapt.function_wrapper
    def get_or_create(wrapped: Any, _: Any, args: Any, kwargs: Any) -> Any:
        wait(is_starting_allowed=False)
        session.mark_used()
        existing = context_class._active_spark_context
        context = wrapped(*args, **kwargs)
        conf = kwargs.get("conf", args[0] if args else None)
        if existing is context and conf is not None and not session.is_starter:
            _warn_late(dict(conf.getAll()), context.getConf().get)
        return context

    context_class._ensure_initialized = ensure_initialized(
        context_class.__dict__["_ensure_initialized"]
    )
    context_class.getOrCreate = get_or_create(context_class.__dict__["getOrCreate"])
    context_class.__init__ = initialize(context_class.__init__)
    context_class.stop = stop(context_class.stop)


def _hook_sessions(module: Any, session: KernelSession, wait: SessionGate) -> None:
    session_class = module.SparkSession
    builder_class = session_class.Builder

    @wrapt.function_wrapper
    def build(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        if session.is_starter:
            return wrapped(*args, **kwargs)
        wait(is_starting_allowed=False)
        session.mark_used()
        existing = session_class._instantiatedSession
        built = wrapped(*args, **kwargs)
        session.bind_thread()
        if existing is built:
            _warn_late(dict(instance._options), _setting_reader(built))
        return built

    @wrapt.function_wrapper
    def ask(wrapped: Any, _: Any, args: Any, kwargs: Any) -> Any:
        wait(is_starting_allowed=True)
        session.mark_used()
        session.bind_thread()
        return wrapped(*args, **kwargs)

    @wrapt.function_wrapper
    def describe(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> str:
        return session.describe(instance) or str(wrapped(*args, **kwargs))

    builder_class.getOrCreate = build(builder_class.getOrCreate)
    builder_class.create = build(builder_class.create)
    session_class.getActiveSession = ask(session_class.__dict__["getActiveSession"])
    session_class.active = ask(session_class.__dict__["active"])
    session_class.__repr__ = describe(session_class.__repr__)


def _hook_columns(module: Any, session: KernelSession, wait: SessionGate) -> None:
    @wrapt.function_wrapper
    def active_context(wrapped: Any, _: Any, args: Any, kwargs: Any) -> Any:
        if not session.is_ready:
            wait(is_starting_allowed=True)
            session.mark_used()
        session.bind_thread()
        return wrapped(*args, **kwargs)

    module.get_active_spark_context = active_context(module.get_active_spark_context)


def _setting_reader(built: Any) -> Callable[[str], str | None]:
    """Read a setting as it is in force: of the session, else of its context."""
    conf: SparkConf = built.sparkContext.getConf()

    def read(key: str) -> str | None:
        value: str | None = built.conf.get(key, None)
        return value if value is not None else conf.get(key)

    return read


def _warn_late(asked: Mapping[str, Any], in_force: Callable[[str], Any]) -> None:
    """Name the settings that did not take effect, and how to set them in time."""
    late = []
    for key, value in asked.items():
        found = in_force(key)
        if str(found).lower() != str(value).lower():
            late.append(f"{key}={value} (in force: {'nothing' if found is None else found})")
    if late:
        warnings.warn(
            f"Spark already runs, so this came too late to count: {', '.join(late)}. To set it in "
            "time, put it into c.SparkKernel.conf in spark_kernel_config.py and run "
            "`%spark restart`"
            + ("." if any(k in _LAUNCH_ONLY for k in asked) else ", or call spark.stop() first."),
            LateSettingWarning,
            stacklevel=_STACK_LEVEL,
        )
