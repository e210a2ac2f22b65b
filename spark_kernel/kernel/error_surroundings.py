"""What is known beside an error: links, the names that there are, the task that failed.

Nothing here waits for a driver that may be dead: links come from what is known already, and names
are asked for only when Spark has just answered that it has not one.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from spark_kernel.protocol.driver_log import LogPosition
from spark_kernel.protocol.error_content import ErrorMoment
from spark_kernel.protocol.error_report import FailedTask
from spark_kernel.protocol.events import Link
from spark_kernel.spark.calls import CallTracker
from spark_kernel.spark.error_reports.surroundings import Surroundings
from spark_kernel.spark.error_reports.user_code import Notebook
from spark_kernel.spark.ownership import current_owner
from spark_kernel.spark.resources import ResourceMonitor
from spark_kernel.spark.session import KernelSession

__all__ = ["ErrorSurroundings"]

_log = logging.getLogger(__name__)
_RELS = ("driver-log", "application-master", "history-server")
_NAMES = 2_000
_SETTLE_MS = 200
"""How long Spark's own listeners may take to hear of a failure."""


@dataclass(frozen=True)
class ErrorSurroundings:
    """Looks around when an error is shown.

    Parameters
    ----------
    session
        The session of the notebook.
    resources
        Knows the executors and where their logs are.
    calls
        Has what knows the jobs of cells.
    log_end
        Gives where the driver's log ends.
    """

    session: KernelSession
    resources: ResourceMonitor
    calls: CallTracker
    log_end: Callable[[], LogPosition | None]

    def around(self, notebook: Notebook) -> Surroundings:
        """Give what can be known beside an error of a notebook."""
        return Surroundings(notebook, self._links, self._names, self._task)

    def moment(self) -> ErrorMoment | None:
        """Give when and where an error is shown."""
        owner, application = current_owner(), self.session.status.application
        now = datetime.now(timezone.utc)
        cell_id = owner.cell.cell_id if owner is not None else ""
        return ErrorMoment(cell_id, now, application.id if application else None, self.log_end())

    def _links(self, task: FailedTask | None) -> Sequence[Link]:
        links = list(self.session.status.links)
        ui = next((link.url for link in links if link.rel == "spark-ui"), "")
        found = []
        if task is not None and ui:
            page = f"{ui.rstrip('/')}/stages/stage/?id={task.stage}&attempt={task.stage_attempt}"
            found.append(Link("spark-ui", f"Stage {task.stage}", page))
        elif ui:
            found.append(Link("spark-ui", "Spark UI", ui))
        latest = self.resources.latest
        for executor in latest.executors if latest is not None else ():
            url = executor.logs.get("stderr")
            if task is not None and executor.id == task.executor and url:
                found.append(Link("executor-log", f"Log of executor {executor.id}", url))
        return [*found, *(link for link in links if link.rel in _RELS)]

    def _task(self, said: str) -> FailedTask | None:
        """Give the task that ended a job of this cell, if it is for what an error says."""
        owner, jobs = current_owner(), self.calls.cell_jobs
        if owner is None or jobs is None:
            return None
        try:
            jobs.settle(_SETTLE_MS)
            found = jobs.failure([owner.tag, owner.streams.tag])
        except (Exception, KeyboardInterrupt) as error:  # a driver that hangs is interrupted
            _log.info("the failed task was not asked for: %s", type(error).__name__)
            return None
        if found is None or "task" not in found or said not in found["reason"]:
            return None
        stage = found["stage"], found["stage_attempt"]
        tries = found["attempt"] + 1
        host, executor = found["host"], found["executor"]
        return FailedTask(found["task"], found["attempt"], *stage, tries, host, executor)

    def _names(self, condition: str) -> Sequence[str]:
        """Give the views and tables that Spark has in memory, where one was not found."""
        if condition != "TABLE_OR_VIEW_NOT_FOUND" or self.session.driver.is_remote:
            return ()
        try:
            return _tables(self.session.driver.existing()["spark"])
        except (Exception, KeyboardInterrupt) as error:  # no hint is better than another error
            _log.info("tables were not asked for: %s", type(error).__name__)
            return ()


def _tables(session: Any) -> list[str]:
    catalog = session._jsparkSession.sessionState().catalog()
    if session.conf.get("spark.sql.catalogImplementation", "in-memory") == "in-memory":
        found = catalog.listTables(catalog.getCurrentDatabase())
    else:  # a metastore may take its time
        found = catalog.listLocalTempViews("*")
    names = str(found.take(_NAMES).mkString("\n")).replace("`", "")
    return [name.rpartition(".")[2] for name in names.splitlines()]
