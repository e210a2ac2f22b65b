"""The operations of one session on a Spark Connect server, by the cells that own them.

The server tells of an operation's stages while its results are awaited, through PySpark's progress
handlers. It tells no job numbers, so operations that have stages count as jobs, in their order.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from spark_kernel.errors import CancelRequestError
from spark_kernel.spark.connect.outcomes import OperationRecords, outcome_of
from spark_kernel.spark.ownership import JobOwner

__all__ = ["Operation", "Operations", "active_queries", "ask", "stop_query_of"]

_KEPT = 200
_TIMEOUT_S = 4.0
"""Less than a request to cancel something may take."""

_RUNNING, _SUCCEEDED, _FAILED, _CANCELLED = "RUNNING", "SUCCEEDED", "FAILED", "CANCELLED"


@dataclass(eq=False)
class Operation:
    """One operation, and what the server has said of it.

    Attributes
    ----------
    number
        Counts the operations of the session.
    stages
        As PySpark's progress handlers get them.
    inflight
        How many of its tasks run.
    cancelled
        Why it was cancelled, if it was.
    is_told
        Whether a sample has told of its end.
    """

    id: str
    number: int
    owner: JobOwner
    submitted: int
    status: str = _RUNNING
    completed: int | None = None
    stages: Sequence[Any] = ()
    inflight: int = 0
    cancelled: str = ""
    is_told: bool = False
    seen: dict[int, tuple[int, int | None]] = field(default_factory=dict)
    """When each stage was first heard of, and when it was done."""

    @property
    def is_running(self) -> bool:
        """Whether its end has not come yet."""
        return self.status == _RUNNING


class Operations:
    """Watches and cancels the operations of a session.

    Parameters
    ----------
    client
        PySpark's client of the session.
    facts
        What is known of the server, as ``CellJobs.resources`` has it.
    stop_query
        Stops a streaming query, by id or name; gives its id, or nothing.
    queries
        Gives the streaming queries that run, as ``CellJobs.running`` has them.
    """

    ui_url = ""

    def __init__(
        self,
        client: Any,
        facts: Mapping[str, Any],
        stop_query: Callable[[str], str],
        queries: Callable[[], list[dict[str, Any]]],
    ) -> None:
        self.client = client
        self._facts = dict(facts)
        self._stop_query = stop_query
        self._queries = queries
        self._numbers = itertools.count(1)
        self._known: dict[str, Operation] = {}
        self._records = OperationRecords()
        self._lock = threading.Lock()
        client.register_progress_handler(self._take_progress)

    # -- what happens ----------------------------------------------------------------------

    def begin(self, operation_id: str, owner: JobOwner) -> Operation:
        """Note that the code of an owner begins an operation."""
        operation = Operation(operation_id, next(self._numbers), owner, _now())
        with self._lock:
            self._known[operation_id] = operation
            self._records.keep(operation)
            if len(self._known) > _KEPT:
                self._forget_oldest()
        return operation

    def end(self, operation: Operation, error: BaseException | None) -> None:
        """Note that an operation is over."""
        operation.completed = _now()
        operation.inflight = 0
        if error is None:
            operation.status = _SUCCEEDED
        elif operation.cancelled or isinstance(error, (KeyboardInterrupt, GeneratorExit)):
            operation.status = _CANCELLED
        else:
            operation.status = _FAILED
        if not operation.stages:
            with self._lock:  # no job, so nobody will ask for it
                self._known.pop(operation.id, None)

    def is_left_to_us(self, operation_id: str) -> bool:
        """Whether an operation is cancelled by us, so that nobody needs to wait for that."""
        operation = self._known.get(operation_id)
        return operation is not None and operation.owner.is_cancelled

    def _forget_oldest(self) -> None:
        over = [one.id for one in self._known.values() if not one.is_running]
        for identifier in over[: _KEPT // 2]:
            del self._known[identifier]

    def _take_progress(
        self, stages: Any, inflight_tasks: int, operation_id: str | None, done: bool
    ) -> None:
        """Take what the server says; called in the thread that awaits the results."""
        operation = self._known.get(operation_id or "")
        if operation is None or done:
            return
        operation.stages = list(stages or ())
        operation.inflight = inflight_tasks
        now = _now()
        for stage in operation.stages:
            began, ended = operation.seen.get(stage.stage_id, (now, None))
            operation.seen[stage.stage_id] = (began, ended or (now if stage.done else None))

    # -- what is told ----------------------------------------------------------------------

    def settle(self, timeout_ms: int) -> None:
        """Nothing: what has happened is known."""

    def sample(
        self, first_new: int, running: Sequence[int], job_limit: int, stage_limit: int
    ) -> dict[str, Any]:
        """Give what has happened to the operations of cells, as ``CellJobs.sample`` does."""
        with self._lock:
            known = [one for one in self._known.values() if one.stages][-job_limit:]
            for one in known:
                one.is_told = not one.is_running
            for one in known:
                if one.is_told:
                    del self._known[one.id]
        return {
            "now": _now(),
            "next": first_new,
            "is_cut": False,
            "jobs": [_seen(one, stage_limit) for one in known],
            "queries": [],
            "executors": None,
        }

    def running(self, limit: int) -> dict[str, Any]:
        """Give all operations with stages that run, and the streaming queries."""
        with self._lock:
            known = [one for one in self._known.values() if one.is_running and one.stages]
        jobs = [_seen(one, 0) for one in known[-limit:]]
        return {"now": _now(), "jobs": jobs, "queries": self._queries()}

    def resources(self, executor_limit: int) -> dict[str, Any]:
        """Give what is known of the server, having asked whether it answers."""
        ask(self.client)
        return self._facts

    def task(self, stage: int, attempt: int, kind: str) -> dict[str, Any] | None:
        """Nothing: the server tells of no single tasks."""

    def record(self, tags: Sequence[str], limit: int) -> dict[str, Any]:
        """Give what the operations of some owners did, as ``CellJobs.record`` does."""
        with self._lock:
            return self._records.taken(tags, limit)

    def settings(self) -> dict[str, str] | None:
        """Give nothing: the session itself knows its settings."""
        return None

    # -- what is cancelled -----------------------------------------------------------------

    def failure(self, tags: Sequence[str]) -> dict[str, Any] | None:
        """Give nothing: a server does not tell which task has failed."""
        return None

    def cancel(self, tag: str, reason: str) -> bool:
        """Cancel all operations of an owner; whether there were any."""
        with self._lock:
            mine = [one for one in self._known.values() if one.owner.tag == tag and one.is_running]
        for one in mine:
            one.cancelled = one.cancelled or reason
        return bool(self._interrupt("tag", tag))

    def cancel_job(self, job: int, reason: str) -> bool:
        """Cancel one operation; whether it ran."""
        with self._lock:
            found = [one for one in self._known.values() if one.number == job and one.is_running]
        for one in found:
            one.cancelled = reason
            self._interrupt("operation", one.id)
        return bool(found)

    def cancel_stage(self, stage: int, reason: str) -> bool:
        """Refuse: a server cancels operations alone.

        Raises
        ------
        CancelRequestError
            Always.
        """
        raise CancelRequestError(
            "Spark Connect cannot cancel a single stage.",
            "`%spark jobs` lists the jobs; cancel the one that it belongs to",
        )

    def cancel_all(self, reason: str) -> str:
        """Cancel every operation of this session; gives their numbers, by commas."""
        with self._lock:
            found = [one for one in self._known.values() if one.is_running]
        for one in found:
            one.cancelled = reason
        self._interrupt("all")
        return ",".join(str(one.number) for one in found)

    def stop_query(self, query: str) -> str:
        """Stop a streaming query, by id or name; gives its id, or nothing."""
        return self._stop_query(query)

    def abandon(self, properties: Any, tag: str) -> None:
        """Nothing: an operation that was cancelled starts nothing more."""

    def _interrupt(self, kind: str, what: str | None = None) -> list[str]:
        """Interrupt operations; unlike PySpark's own, this does not try for minutes."""
        request = self.client._interrupt_request(kind, what)
        stub, metadata = self.client._stub, self.client._builder.metadata()
        return list(stub.Interrupt(request, metadata=metadata, timeout=_TIMEOUT_S).interrupted_ids)


def ask(client: Any, timeout_s: float = _TIMEOUT_S) -> None:
    """Ask the server for something small; unlike PySpark's own, this does not try for minutes.

    Raises
    ------
    grpc.RpcError
        If the server does not answer, or knows the session no more.
    """
    request = client._config_request_with_metadata()
    request.operation.get_option.keys.append("spark.app.id")
    client._stub.Config(request, metadata=client._builder.metadata(), timeout=timeout_s)


def _now() -> int:
    return int(time.time() * 1000)


def _seen(operation: Operation, stage_limit: int) -> dict[str, Any]:
    """Give an operation as a sample has a job."""
    stages = outcome_of(operation)
    shown = [stage for stage in stages if not stage.done][-stage_limit:] if stage_limit else []
    over = [stage for stage in stages if stage.done]
    shown = over[len(over) - max(0, stage_limit - len(shown)) :] + shown if stage_limit else []
    return {
        "id": operation.number,
        "owner": operation.owner.tag,
        "status": operation.status,
        "description": operation.owner.description,
        "name": "",
        "submitted": operation.submitted,
        "completed": operation.completed,
        "tasks": sum(stage.num_tasks for stage in stages),
        "done": sum(stage.num_completed_tasks for stage in stages),
        "active": operation.inflight,
        "failed": 0,
        "input_bytes": sum(stage.num_bytes_read for stage in stages),
        "shuffle_read_bytes": 0,
        "stages": [_seen_stage(operation, stage) for stage in shown],
        "omitted_stages": len(stages) - len(shown),
    }


def _seen_stage(operation: Operation, stage: Any) -> dict[str, Any]:
    began, ended = operation.seen.get(stage.stage_id, (None, None))
    if stage.done:
        status = "COMPLETE"
    elif not operation.is_running:
        status = "SKIPPED" if operation.status == _SUCCEEDED else operation.status
    else:
        status = "ACTIVE" if stage.num_completed_tasks or operation.inflight else "PENDING"
    return {
        "id": stage.stage_id,
        "attempt": 0,
        "name": f"stage {stage.stage_id}",
        "status": status,
        "reason": "",
        "submitted": began,
        "launched": None,
        "completed": ended or operation.completed,
        "tasks": stage.num_tasks,
        "done": stage.num_completed_tasks,
        "ended": 0,
        "active": 0,
        "failed": 0,
        "run_ms": 0,
        "input_bytes": stage.num_bytes_read,
        "shuffle_read_bytes": None,
        "shuffle_write_bytes": None,
        "spill_bytes": None,
    }


def stop_query_of(session: Any, name: str) -> str:
    """Stop a streaming query of a session's, by id or name; gives its id, or nothing."""
    for query in session.streams.active:
        if name in (query.id, query.name):
            with suppress(Exception):  # it has ended by itself
                query.stop()
            return str(query.id)
    return ""


def active_queries(client: Any) -> list[dict[str, Any]]:
    """Ask for the streaming queries that run; unlike PySpark's own, this is no try for minutes.

    Raises
    ------
    grpc.RpcError
        If the server does not answer, or knows the session no more.
    """
    request = client._execute_plan_request_with_metadata()
    request.plan.command.streaming_query_manager_command.active = True
    stub, metadata = client._stub, client._builder.metadata()
    found: list[Any] = []
    for response in stub.ExecutePlan(request, metadata=metadata, timeout=_TIMEOUT_S):
        found += response.streaming_query_manager_command_result.active.active_queries
    return [{"id": query.id.id, "name": query.name, "is_active": True} for query in found]
