"""``spark_cancel_request``: cancels a cell, a job, a stage, a query or everything, on control.

The magic ``%spark cancel`` asks for the same things here.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import Any

from spark_kernel.errors import CancelRequestError, SparkStoppedError
from spark_kernel.kernel.interrupts import Interrupts
from spark_kernel.protocol.messages import refusal
from spark_kernel.protocol.progress import JobProgress, QueryProgress
from spark_kernel.spark.progress import read_running
from spark_kernel.spark.sampling import Sampler

__all__ = ["SCOPES", "CancelDesk"]

SCOPES = ("cell", "job", "stage", "query", "all")
_TIMEOUT_S = 5.0
_LISTED_JOBS = 200


class CancelDesk:
    """Carries out requests to cancel something; called from any thread but the main one's handler.

    Parameters
    ----------
    sampler
        Knows the cells that are done and have left jobs behind.
    """

    def __init__(self, interrupts: Interrupts, sampler: Sampler) -> None:
        self._interrupts = interrupts
        self._canceller = interrupts.canceller
        self._sampler = sampler

    def cancel(self, scope: str, identifier: Any = None) -> list[Any]:
        """Cancel something and wait until the driver has taken note.

        Returns
        -------
        The ids of what was cancelled; empty where there was nothing to cancel.

        Raises
        ------
        CancelRequestError
            If the request makes no sense, or the driver does not answer.
        """
        if scope == "cell":
            return self._cancel_cells(identifier)
        if scope == "all":
            ids = str(self._answer(self._canceller.cancel_all()))
            return [int(job) for job in ids.split(",") if job]
        if scope == "job":
            job = _number(scope, identifier)
            return [job] if self._answer(self._canceller.cancel_job(job)) else []
        if scope == "stage":
            stage = _number(scope, identifier)
            return [stage] if self._answer(self._canceller.cancel_stage(stage)) else []
        if scope == "query":
            if not identifier or not isinstance(identifier, str):
                raise CancelRequestError("A query is named by its id or its name.")
            query = self._answer(self._canceller.stop_query(identifier))
            return [str(query)] if query else []
        raise CancelRequestError(
            f"There is no scope {scope!r} to cancel.", f"it is one of {', '.join(SCOPES)}"
        )

    def running_jobs(self) -> tuple[list[JobProgress], list[QueryProgress], dict[int, str]]:
        """Give the jobs and queries that run, and whose cells the jobs are."""
        cell_of = self._sampler.cell_of
        question = self._canceller.ask(
            lambda jobs: read_running(jobs.running(_LISTED_JOBS), jobs.ui_url, cell_of)
        )
        try:
            found: tuple[list[JobProgress], list[QueryProgress], dict[int, str]]
            found = self._answer(question)
        except SparkStoppedError:
            return [], [], {}
        return found

    def reply(self, content: Mapping[str, Any]) -> dict[str, Any]:
        """Make the content of a ``spark_cancel_reply``."""
        try:
            cancelled = self.cancel(str(content.get("scope", "")), content.get("id"))
        except Exception as error:
            return refusal(error)
        return {"status": "ok", "cancelled": cancelled}

    def _cancel_cells(self, identifier: Any) -> list[Any]:
        running = self._interrupts.cells()
        wanted = [cell.cell_id for cell in running] if identifier is None else [str(identifier)]
        cancelled: list[Any] = []
        for name in wanted:
            running_id = self._interrupts.interrupt_cell(name)
            owners = [] if running_id else self._sampler.owners_of(name)
            for owner in owners:  # jobs that have outlived their cell
                owner.is_cancelled = True
                self._answer(self._canceller.cancel_owner(owner))
            cancelled += [running_id] if running_id else [o.cell.cell_id for o in owners[:1]]
        return cancelled

    def _answer(self, future: Future[Any]) -> Any:
        try:
            return future.result(_TIMEOUT_S)
        except FutureTimeoutError as error:
            raise CancelRequestError(
                f"The driver did not answer within {_TIMEOUT_S:.0f} s.",
                "run `%spark restart` if it does not come back",
            ) from error


def _number(scope: str, identifier: Any) -> int:
    try:
        if isinstance(identifier, bool):
            raise ValueError
        return int(identifier)
    except (TypeError, ValueError) as error:
        raise CancelRequestError(
            f"A {scope} is named by its number, not {identifier!r}."
        ) from error
