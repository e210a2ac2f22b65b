"""Renews the plans of DataFrames whose jobs were cancelled.

A DataFrame keeps its physical plan, and with adaptive execution the plan keeps the failure of a
cancelled stage: without this, running the same cell again would fail at once, without a job.
"""

from __future__ import annotations

import logging
from types import FrameType
from typing import Any

__all__ = ["find_frames", "renew"]

_log = logging.getLogger(__name__)
_MODULE = "pyspark.sql.classic.dataframe"


def find_frames(frame: FrameType | None) -> list[Any]:
    """Give the DataFrames in whose methods the code is; cheap enough for a signal handler."""
    found: list[Any] = []
    while frame is not None:
        if frame.f_globals.get("__name__", "").startswith("pyspark."):
            candidate = frame.f_locals.get("self")
            if type(candidate).__module__ == _MODULE and not any(candidate is one for one in found):
                found.append(candidate)
        frame = frame.f_back
    return found


def renew(frames: list[Any]) -> None:
    """Give each DataFrame a plan of its own again, from the query that it stands for."""
    for frame in frames:
        try:
            java = frame._jdf
            dataset = frame._sc._jvm.org.apache.spark.sql.classic.Dataset
            frame._jdf = dataset.ofRows(java.sparkSession(), java.queryExecution().analyzed())
            frame._lazy_rdd = None
        except Exception as error:  # it may need to be made anew, as in plain PySpark
            _log.info("the plan of a DataFrame was not renewed: %s", error)
