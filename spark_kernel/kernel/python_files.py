"""Notices which files the Python code of a cell opens by itself, beside Spark."""

from __future__ import annotations

from spark_kernel.protocol.provenance import Dataset
from spark_kernel.spark.ownership import CellRun

__all__ = ["PythonFiles"]


class PythonFiles:
    """What Python code has opened, by the cell that it runs for."""

    def __init__(self) -> None:
        self.is_on = False

    def taken(self, run: CellRun) -> tuple[tuple[Dataset, ...], tuple[Dataset, ...]]:
        """Give what a cell has read and written, and forget it."""
        return (), ()
