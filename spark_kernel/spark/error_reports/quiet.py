"""Keeps PySpark from printing what an error tells anyway, before it is shown.

With each error PySpark logs some kilobytes of JSON with Java's stack to standard error. It prints
a traceback of its own where a function cannot be pickled, and warns with the whole of an error of
``toPandas`` before it raises it.
"""

from __future__ import annotations

import logging
import warnings
from typing import Any

import wrapt

__all__ = ["keep_quiet"]

_ANNOUNCED = r"(?s)\s*\w+ attempted Arrow optimization .* can not continue"
_LOGGERS = ("DataFrameQueryContextLogger", "SQLQueryContextLogger")


def keep_quiet() -> None:
    """Hook PySpark's errors and pickling, now or as soon as they are imported."""
    warnings.filterwarnings("ignore", _ANNOUNCED, UserWarning)
    wrapt.register_post_import_hook(_hook_errors, "pyspark.errors.exceptions.base")
    wrapt.register_post_import_hook(_hook_pickling, "pyspark.util")


def _hook_errors(module: Any) -> None:
    @wrapt.function_wrapper
    def log_exception(wrapped: Any, _: Any, args: Any, kwargs: Any) -> Any:
        # Whoever has set up one of these loggers wants to have it.
        if any(name in logging.Logger.manager.loggerDict for name in _LOGGERS):
            return wrapped(*args, **kwargs)
        return None

    base = module.PySparkException
    base._log_exception = log_exception(base._log_exception)


def _hook_pickling(module: Any) -> None:
    # Each caller raises an error that says the same, and keeps this one as its context.
    module.print_exec = lambda stream: None
