"""Spark's functions for columns: those of classic Spark, or those of Spark Connect."""

from __future__ import annotations

from typing import Any

__all__ = ["functions_for"]


def functions_for(owner: Any) -> Any:
    """Give the functions that go with a session or a DataFrame.

    PySpark's own choice is one for the whole process, in which there may be both.
    """
    if type(owner).__module__.startswith("pyspark.sql.connect"):
        from pyspark.sql.connect import functions as connect_functions

        return connect_functions
    from pyspark.sql import functions

    return functions
