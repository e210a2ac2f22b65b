"""Warns of settings that were given to a running Spark, where they cannot take effect."""

from __future__ import annotations

import functools
import logging
import sys
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from spark_kernel.errors import LateSettingWarning

if TYPE_CHECKING:
    from pyspark import SparkConf, SparkContext
    from pyspark.sql import SparkSession

__all__ = ["warn_late_for_context", "warn_late_for_driver", "warn_late_for_session"]

_log = logging.getLogger(__name__)
_LAUNCH_ONLY = (
    "spark.driver.memory",
    "spark.driver.extraJavaOptions",
    "spark.driver.extraClassPath",
    "spark.driver.extraLibraryPath",
    "spark.jars.packages",
)
"""Settings that are read when the driver JVM is launched, and never again."""

_UNREGISTERED = ("spark.app.name", "spark.master")
"""Settings of the context that Spark keeps outside its register of settings."""

_STOP_HELPS = ", or call spark.stop() before making the session"
Check = TypeVar("Check", bound=Callable[..., None])


def _harmless(check: Check) -> Check:
    """Let a check that fails leave the user's cell alone."""

    @functools.wraps(check)
    def guarded(*args: Any) -> None:
        try:
            check(*args)
        except LateSettingWarning:
            raise  # the user turned warnings into errors
        except Exception:
            _log.exception("settings could not be checked")

    return guarded  # type: ignore[return-value]


@_harmless
def warn_late_for_session(options: Mapping[str, Any], session: SparkSession) -> None:
    """Warn of a builder's options that its existing session did not take.

    Spark stores any key in the session; it takes effect there only if it is a setting of SQL
    that may change at run time. Keys that Spark does not know are the user's own.
    """
    conf = session.sparkContext.getConf()
    jvm: Any = session.sparkContext._jvm
    find_entry = jvm.org.apache.spark.internal.config.ConfigEntry.findEntry
    late = {}
    for key, value in options.items():
        if session.conf.isModifiable(key) or _is_same(conf.get(key), value):
            continue
        if key in _UNREGISTERED or find_entry(key) is not None:
            late[key] = (value, conf.get(key))
    _warn(late, _STOP_HELPS)


@_harmless
def warn_late_for_context(asked: SparkConf, context: SparkContext) -> None:
    """Warn of a configuration that an existing context did not take."""
    from pyspark import SparkConf

    defaults, in_force = SparkConf(), context.getConf()
    late = {
        key: (value, in_force.get(key))
        for key, value in asked.getAll()
        if not _is_same(defaults.get(key), value) and not _is_same(in_force.get(key), value)
    }
    _warn(late, _STOP_HELPS)


@_harmless
def warn_late_for_driver(asked: SparkConf, launched_with: Mapping[str, str]) -> None:
    """Warn of settings of the driver's JVM that came after its launch."""
    late = {}
    for key in _LAUNCH_ONLY:
        value = asked.get(key)
        if value is not None and not _is_same(launched_with.get(key), value):
            late[key] = (value, launched_with.get(key))
    _warn(late, "")


def _is_same(in_force: str | None, asked: Any) -> bool:
    # PySpark writes True as "true", users as "True".
    return in_force is not None and in_force.lower() == str(asked).lower()


def _warn(late: Mapping[str, tuple[Any, str | None]], alternative: str) -> None:
    if not late:
        return
    named = ", ".join(
        f"{key}={value} ({'not set' if old is None else f'{old} is in force'})"
        for key, (value, old) in late.items()
    )
    if any(key in _LAUNCH_ONLY for key in late):
        alternative = ""
    warnings.warn(
        f"Spark already runs, so this came too late to count: {named}. To set it in time, put it "
        "into c.SparkKernel.conf in spark_kernel_config.py and restart the kernel"
        + alternative
        + ".",
        LateSettingWarning,
        stacklevel=_distance_to_user(),
    )


def _distance_to_user() -> int:
    """Count the frames from ``_warn`` to the user's own line."""
    import pyspark

    ours = (str(Path(__file__).parents[1]), str(Path(pyspark.__file__).parent), "<frozen")
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(ours):
        level, frame = level + 1, frame.f_back
    return level
