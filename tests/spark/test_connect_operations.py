"""Operations on a Spark Connect server, as the book of a cell takes them; the server is played."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from spark_kernel.errors import CancelRequestError
from spark_kernel.protocol.events import Cell
from spark_kernel.protocol.progress import RunState
from spark_kernel.spark.connect.operations import Operations
from spark_kernel.spark.ownership import JobOwner
from spark_kernel.spark.progress import JobBook, read_running


@dataclass
class Stage:
    """As PySpark's progress handlers get it."""

    stage_id: int
    num_tasks: int
    num_completed_tasks: int = 0
    num_bytes_read: int = 0
    done: bool = False


class Client:
    """Takes the handler of progress."""

    def register_progress_handler(self, handler: Any) -> None:
        """Keep it for the test."""
        self.tell = handler


class Played:
    """An operation of a cell, whose server says what the test wants."""

    def __init__(self) -> None:
        self.client = Client()
        self.queries: list[dict[str, Any]] = []
        self.operations = Operations(self.client, {}, lambda name: "", lambda: self.queries)
        self.owner = JobOwner(Cell({"header": {"msg_id": "1"}}), "In [1]: run()")
        self.operation = self.operations.begin("an-id", self.owner)

    def say(self, *stages: Stage, inflight: int = 0) -> None:
        """Let the server tell of the stages."""
        self.client.tell(stages, inflight, "an-id", False)

    def job(self) -> Any:
        """Give what a cell's book makes of a sample; None where there is no job."""
        sample = self.operations.sample(0, [], 100, 20)
        book = JobBook("1")
        for seen in sample["jobs"]:
            book.take_job(1, seen, sample["now"], "", None)
        jobs = book.progress(is_final=True).jobs
        return jobs[0] if jobs else None


@pytest.fixture
def played() -> Played:
    """Give an operation that has just begun."""
    return Played()


def test_operation_without_stages_is_no_job(played):
    assert played.job() is None
    played.operations.end(played.operation, None)
    assert played.job() is None


def test_stages_are_told_as_they_go_on(played):
    played.say(Stage(7, 8, 8, 100, done=True), Stage(8, 4, 1), inflight=2)
    job = played.job()
    assert (job.state, job.description) == (RunState.RUNNING, "In [1]: run()")
    assert (job.tasks.total, job.tasks.completed, job.tasks.active) == (12, 9, 2)
    assert [(stage.id, stage.state) for stage in job.stages] == [
        (7, RunState.SUCCEEDED),
        (8, RunState.RUNNING),
    ]
    assert job.stages[0].shuffle_read_bytes is None


def test_success_means_that_all_was_done_that_was_not_skipped(played):
    played.say(Stage(1, 8, 8, done=True), Stage(2, 8), Stage(3, 1, 1, done=True), Stage(4, 5, 2))
    played.operations.end(played.operation, None)
    job = played.job()
    assert job.state is RunState.SUCCEEDED
    assert (job.tasks.total, job.tasks.completed) == (14, 14)
    states = [stage.state for stage in job.stages]
    assert states == [RunState.SUCCEEDED, RunState.SKIPPED, RunState.SUCCEEDED, RunState.SUCCEEDED]


@pytest.mark.parametrize(
    ("error", "reason", "state"),
    [
        (ValueError(), "", RunState.FAILED),
        (KeyboardInterrupt(), "", RunState.CANCELLED),
        (ValueError(), "on request", RunState.CANCELLED),
    ],
)
def test_end_with_an_error_leaves_the_stages_as_they_were(played, error, reason, state):
    played.say(Stage(1, 8, 3), inflight=2)
    played.operation.cancelled = reason
    played.operations.end(played.operation, error)
    job = played.job()
    assert job.state is state
    assert (job.tasks.total, job.tasks.completed, job.tasks.active) == (8, 3, 0)


def test_what_has_ended_is_told_once_and_forgotten(played):
    played.say(Stage(1, 8, 3))
    assert played.operations.running(10)["jobs"][0]["id"] == 1
    played.operations.end(played.operation, None)
    assert played.job() is not None
    assert played.job() is None
    assert played.operations.running(10)["jobs"] == []


def test_what_nobody_asks_for_stays_within_a_bound(played):
    for number in range(2_000):
        operation = played.operations.begin(str(number), played.owner)
        played.client.tell([Stage(number, 1)], 0, str(number), False)
        played.operations.end(operation, None)
    assert len(played.operations.sample(0, [], 10_000, 1)["jobs"]) <= 200


def test_single_stage_cannot_be_cancelled(played):
    with pytest.raises(CancelRequestError, match="cannot cancel a single stage"):
        played.operations.cancel_stage(1, "")


def test_streaming_queries_are_among_what_runs(played):
    assert played.operations.running(10)["queries"] == []
    played.queries.append({"id": "a", "name": "ticks", "is_active": True})
    _, queries, _ = read_running(played.operations.running(10), "", lambda tag: "")
    assert [(query.id, query.name) for query in queries] == [("a", "ticks")]
