"""Notices that a Spark application has ended while its driver lives on, as clusters end it.

A thread of its own, ``spark-application``, for each application: it waits in one call into the
driver, so that nothing is done while nothing happens.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from spark_kernel.spark.backend import Jobs
from spark_kernel.spark.cell_jobs import CellJobs
from spark_kernel.spark.ownership import disown
from spark_kernel.spark.pyspark_state import is_stopped_by_notebook

if TYPE_CHECKING:
    from spark_kernel.spark.session import KernelSession

__all__ = ["ApplicationWatch", "describe_ended_application"]

_log = logging.getLogger(__name__)
_REASON = re.compile(
    r"Application has been killed\. Reason: (?P<standalone>.+)"
    r"|(?P<yarn>YARN application has exited unexpectedly with state \w+)"
    r"|Diagnostics message: (?P<diagnostics>.+)"
)
_TOLD_LENGTH = 300


class ApplicationWatch:
    """Tells of the end of applications that nobody here has ended.

    Parameters
    ----------
    cell_jobs
        Gives our half in the driver of the present context, or None.
    session
        What is lost with the application.
    """

    def __init__(self, cell_jobs: Callable[[], Jobs | None], session: KernelSession) -> None:
        self._cell_jobs = cell_jobs
        self._session = session
        self._followed: CellJobs | None = None

    def follow(self) -> None:
        """Watch the present application; harmless where it is watched already."""
        jobs = self._cell_jobs()
        if not isinstance(jobs, CellJobs) or jobs is self._followed:
            return
        self._followed = jobs
        thread = threading.Thread(
            target=self._run, args=(jobs,), name="spark-application", daemon=True
        )
        disown(thread).start()

    def _run(self, jobs: CellJobs) -> None:
        try:
            jobs.java.awaitEnd()
        except Exception as error:  # the driver itself has ended, which its own thread tells
            _log.debug("the application is no longer watched: %s", error)
            return
        if self._cell_jobs() is jobs and not is_stopped_by_notebook():
            self._session.lose(describe_ended_application(self._session.driver.log_tail()))


def describe_ended_application(log_lines: Sequence[str]) -> str:
    """Say that the cluster ended the application, and why as far as the driver's log tells.

    Parameters
    ----------
    log_lines
        The end of the driver's log.
    """
    said = "The Spark application was ended by its cluster"
    found = [match for line in log_lines if (match := _REASON.search(line))]
    if not found:
        return said
    reason = " ".join(str(found[-1][found[-1].lastindex or 0]).split())
    return f"{said}: {reason[:_TOLD_LENGTH].rstrip('.')}"
