"""Tells our half in the driver what plans and jobs do not: what a reader gives, RDDs, streams.

Installed when data is first followed; without ``DataFlows`` on the context the hooks do nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import Any

import wrapt

from spark_kernel.spark.ownership import current_owner

__all__ = ["FLOWS", "install_data_hooks"]

FLOWS = "_spark_kernel_data_flows"
"""Where a context keeps its ``DataFlows``."""

_log = logging.getLogger(__name__)
_INSTALLED = "_spark_kernel_data_hooks"
_SAVED = {
    "saveAsTextFile": "text",
    "saveAsPickleFile": "pickle",
    "saveAsSequenceFile": "sequence",
    "saveAsHadoopFile": "",
    "saveAsNewAPIHadoopFile": "",
}


def install_data_hooks(context: Any) -> None:
    """Hook PySpark, now or as soon as it is imported; harmless when called again."""
    context_class = type(context)
    if _INSTALLED in vars(context_class):
        return
    setattr(context_class, _INSTALLED, True)
    for hook, module in (
        (_hook_readers, "pyspark.sql.readwriter"),
        (_hook_sessions, "pyspark.sql.session"),
        (_hook_frames, "pyspark.sql.classic.dataframe"),
        (_hook_rdds, "pyspark.core.rdd"),
        (_hook_streams, "pyspark.sql.streaming.readwriter"),
    ):
        install = partial(_install, hook=hook, context_class=context_class)
        wrapt.register_post_import_hook(install, module)


def _install(module: Any, hook: Callable[[Any, Any], None], context_class: Any) -> None:
    """Hook a module; an import must not fail because PySpark has changed."""
    try:
        hook(module, context_class)
    except Exception:
        _log.warning("what %s reads is not followed", module.__name__, exc_info=True)


def _note(context_class: Any, tell: Callable[[Any], object]) -> None:
    """Tell the driver something; that it fails is no matter of the cell's."""
    context = context_class._active_spark_context
    flows = None if context is None else vars(context).get(FLOWS)
    if flows is not None:
        try:
            tell(flows.java)
        except Exception as error:
            _log.info("what is read or written is not known: %s", type(error).__name__)


def _hook_readers(module: Any, context_class: Any) -> None:
    reader_class = module.DataFrameReader
    reader_class._df = _read(context_class)(vars(reader_class)["_df"])


def _hook_sessions(module: Any, context_class: Any) -> None:
    session_class = module.SparkSession
    for name in ("sql", "table"):
        method = getattr(session_class, name)
        setattr(session_class, name, _read(context_class)(method))


def _read(context_class: Any) -> Any:
    """Make the wrapper of what gives a DataFrame of something outside."""

    @wrapt.function_wrapper
    def read(wrapped: Any, _: Any, args: Any, kwargs: Any) -> Any:
        __tracebackhide__ = True
        frame = wrapped(*args, **kwargs)
        owner = current_owner()
        if owner is not None and hasattr(frame, "_jdf"):
            _note(context_class, lambda java: java.noteRead(frame._jdf, owner.tag))
        return frame

    return read


def _hook_frames(module: Any, context_class: Any) -> None:
    frame_class = module.DataFrame
    stock = vars(frame_class)["rdd"]  # a property, or one that keeps what it gives

    def rdd(frame: Any) -> Any:
        __tracebackhide__ = True
        is_kept = "rdd" in vars(frame)
        made = stock.__get__(frame, type(frame))
        if not is_kept:
            _note(context_class, lambda java: java.noteRdd(frame._jdf, made.id()))
        return made

    @wrapt.function_wrapper
    def checkpoint(wrapped: Any, frame: Any, args: Any, kwargs: Any) -> Any:
        __tracebackhide__ = True
        made = wrapped(*args, **kwargs)
        _note(context_class, lambda java: java.noteCheckpoint(frame._jdf, made._jdf))
        return made

    frame_class.rdd = property(rdd, doc=stock.__doc__)
    for name in ("checkpoint", "localCheckpoint"):
        setattr(frame_class, name, checkpoint(vars(frame_class)[name]))


def _hook_rdds(module: Any, context_class: Any) -> None:
    @wrapt.function_wrapper
    def save(wrapped: Any, _: Any, args: Any, kwargs: Any) -> Any:
        __tracebackhide__ = True
        owner = current_owner()
        path = kwargs.get("path", args[0] if args else None)
        if owner is not None and isinstance(path, str):
            kind = _SAVED[wrapped.__name__]
            _note(context_class, lambda java: java.noteOutput(path, kind, owner.tag))
        return wrapped(*args, **kwargs)

    for name in _SAVED:
        setattr(module.RDD, name, save(vars(module.RDD)[name]))


def _hook_streams(module: Any, context_class: Any) -> None:
    @wrapt.function_wrapper
    def start(wrapped: Any, _: Any, args: Any, kwargs: Any) -> Any:
        __tracebackhide__ = True
        query = wrapped(*args, **kwargs)
        owner = current_owner()
        if owner is not None and hasattr(query, "_jsq"):
            _note(context_class, lambda java: java.noteStream(query._jsq, owner.tag))
        return query

    for name in ("start", "toTable"):
        setattr(module.DataStreamWriter, name, start(getattr(module.DataStreamWriter, name)))
