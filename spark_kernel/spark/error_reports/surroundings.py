"""What is known beside an error, as those tell it who know the session and the notebook."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from spark_kernel.protocol.error_report import FailedTask
from spark_kernel.protocol.events import Link
from spark_kernel.spark.error_reports.user_code import Notebook

__all__ = ["Surroundings"]


@dataclass(frozen=True)
class Surroundings:
    """What is known beside the error itself.

    Parameters
    ----------
    links_of
        Gives links for what failed: the task if it is known.
    known_names
        Gives names that would have been right, for a condition; must be quick.
    task_of
        Gives the task that ended a job of the running cell, if what is given was the reason.
    """

    notebook: Notebook
    links_of: Callable[[FailedTask | None], Sequence[Link]] = lambda task: ()
    known_names: Callable[[str], Sequence[str]] = lambda condition: ()
    task_of: Callable[[str], FailedTask | None] = lambda said: None
