"""The status of the session: stages in order, times by a given clock, no impossible step."""

from __future__ import annotations

import itertools
import threading

import pytest

from spark_kernel.protocol.events import (
    Application,
    Cluster,
    Event,
    Link,
    Problem,
    SessionChanged,
    SessionState,
    SessionStatus,
    StageName,
)
from spark_kernel.spark.startup import StatusBoard

STARTING, READY, FAILED, LOST, RESTARTING, STOPPED = (
    SessionState.STARTING,
    SessionState.READY,
    SessionState.FAILED,
    SessionState.LOST,
    SessionState.RESTARTING,
    SessionState.STOPPED,
)
APPLICATION = Application("local-1", "notebook")
LOG = Link("driver-log", "Driver log", "file:///log")
UI = Link("spark-ui", "Spark UI", "http://localhost:4040")


class Stage:
    """A board with a clock that is set by hand, and everything that it has said."""

    def __init__(self) -> None:
        self.now = 1.0
        self.said: list[SessionStatus] = []
        self.board = StatusBoard(
            Cluster("local[*]", "local[*]"), {"python": "3.11"}, self._hear, lambda: self.now
        )

    def _hear(self, event: Event) -> None:
        assert isinstance(event, SessionChanged)
        self.said.append(event.status)

    def bring_to(self, state: SessionState) -> None:
        """Bring the board into a state, as a session would."""
        if state is RESTARTING:
            self.board.begin(RESTARTING, "again")
        elif state is not STOPPED:
            self.board.begin(STARTING, "off we go")
        if state in (READY, LOST):
            self.board.ready("up", APPLICATION, (UI,))
        if state in (FAILED, LOST):
            self.board.end(state, "over", Problem("E", "over"))
        assert self.board.status.state is state


@pytest.fixture
def stage() -> Stage:
    """Give a board one second after the start of the process."""
    return Stage()


def times(status: SessionStatus) -> list[tuple[str, float, float | None]]:
    return [(record.stage.value, record.started_s, record.duration_s) for record in status.stages]


def test_before_the_start_the_runtime_is_all_there_is(stage):
    status = stage.board.status
    assert (status.state, status.stage) == (STOPPED, StageName.RUNTIME_STARTED)
    assert times(status) == [("runtime_started", 0.0, 1.0)]
    assert stage.said == []


def test_stages_follow_each_other_with_their_times(stage):
    board = stage.board
    board.begin(STARTING, "Starting Spark")
    stage.now = 2.0
    board.enter(StageName.DRIVER_STARTING, "Preparing the driver")
    stage.now = 4.5
    board.enter(StageName.CLUSTER_ATTACHING, "Attaching")
    assert times(board.status) == [
        ("runtime_started", 0.0, 1.0),
        ("driver_starting", 2.0, 2.5),
        ("cluster_attaching", 4.5, None),
    ]
    stage.now = 6.0
    board.ready("Ready", APPLICATION, (UI, LOG))
    assert times(board.status)[2:] == [("cluster_attaching", 4.5, 1.5), ("spark_ready", 6.0, 0.0)]
    assert (board.status.state, board.status.stage) == (READY, StageName.SPARK_READY)
    assert board.status.elapsed_s == 6.0
    assert board.status.application == APPLICATION
    assert board.status.links == (UI, LOG)


def test_every_change_is_told_in_order_and_once(stage):
    board = stage.board
    board.begin(STARTING, "one")
    board.enter(StageName.DRIVER_STARTING, "two")
    board.say("three")
    board.say("three")
    board.ready("four", APPLICATION, ())
    board.end(STOPPED, "five")
    assert [status.message for status in stage.said] == ["one", "two", "three", "four", "five"]
    assert stage.said[-1] == board.status


def test_message_alone_leaves_the_stage_as_it_is(stage):
    stage.board.begin(STARTING, "one")
    stage.board.enter(StageName.CLUSTER_ATTACHING, "Attaching")
    stages = stage.board.status.stages
    stage.now = 3.0
    stage.board.say("Waiting for executors")
    assert stage.board.status.stages == stages
    assert stage.board.status.elapsed_s == 3.0


def test_failure_ends_the_stage_in_which_it_came(stage):
    stage.board.begin(STARTING, "one")
    stage.board.enter(StageName.DRIVER_STARTING, "two")
    stage.now = 3.0
    problem = Problem("JavaNotFoundError", "No usable Java", "install one")
    stage.board.end(FAILED, "No usable Java", problem, (LOG,))
    status = stage.board.status
    assert (status.state, status.stage) == (FAILED, StageName.DRIVER_STARTING)
    assert times(status)[-1] == ("driver_starting", 1.0, 2.0)
    assert (status.error, status.links) == (problem, (LOG,))


def test_lost_session_has_no_application_and_keeps_its_links(stage):
    stage.bring_to(READY)
    stage.board.end(LOST, "gone", Problem("DriverLost", "gone"))
    assert stage.board.status.application is None
    assert stage.board.status.links == (UI,)


def test_new_start_forgets_the_old_one(stage):
    stage.bring_to(FAILED)
    stage.now = 9.0
    stage.board.begin(RESTARTING, "again")
    status = stage.board.status
    assert times(status) == [("runtime_started", 0.0, 1.0)]
    assert (status.error, status.application, status.links) == (None, None, ())


def test_what_becomes_known_is_kept_and_not_told_by_itself(stage):
    stage.board.describe(versions={"spark": "4.3.0"}, links=(LOG,))
    stage.board.describe(cluster=Cluster("prod", "yarn"), versions={"java": "17"})
    status = stage.board.status
    assert status.versions == {"python": "3.11", "spark": "4.3.0", "java": "17"}
    assert (status.cluster.name, status.links) == ("prod", (LOG,))
    assert stage.said == []


# -- which state may follow which --------------------------------------------------------------

ALLOWED = {
    (STOPPED, STARTING),
    (STOPPED, RESTARTING),
    *((state, after) for state in (STARTING, RESTARTING) for after in (READY, FAILED, STOPPED)),
    *((READY, after) for after in (LOST, STOPPED, RESTARTING)),
    *((state, after) for state in (FAILED, LOST) for after in (STARTING, RESTARTING, STOPPED)),
}


def go(board: StatusBoard, state: SessionState) -> None:
    if state is READY:
        board.ready("up", APPLICATION, ())
    elif state.is_pending:
        board.begin(state, "off we go")
    else:
        board.end(state, "over")


@pytest.mark.parametrize(
    ("before", "after"),
    [pair for pair in itertools.product(SessionState, repeat=2) if pair[0] is not pair[1]],
    ids=lambda state: state.value,
)
def test_only_possible_steps_are_taken(stage, before, after):
    stage.bring_to(before)
    said = len(stage.said)
    if (before, after) in ALLOWED:
        go(stage.board, after)
        assert stage.board.status.state is after
    else:
        with pytest.raises(ValueError, match="does not go from"):
            go(stage.board, after)
        assert stage.board.status.state is before
        assert len(stage.said) == said, "what did not happen is not told"


@pytest.mark.parametrize("state", SessionState)
def test_pending_means_that_spark_is_on_its_way(state):
    assert state.is_pending == (state.value in ("starting", "restarting"))


def test_changes_from_many_threads_are_told_as_they_were_made(stage):
    stage.board.begin(STARTING, "off we go")
    barrier = threading.Barrier(4)

    def talk(name: int) -> None:
        barrier.wait()
        for number in range(200):
            stage.board.say(f"{name} {number}")

    threads = [threading.Thread(target=talk, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    messages = [status.message for status in stage.said[1:]]
    assert len(messages) == 800
    assert messages[-1] == stage.board.status.message
    for name in range(4):
        own = [message for message in messages if message.startswith(f"{name} ")]
        assert own == [f"{name} {number}" for number in range(200)]


def test_secret_in_a_message_or_a_problem_never_gets_out(stage):
    line = "jdbc:postgresql://h/db?user=a&password=opensesame"
    stage.board.begin(STARTING, line)
    stage.board.enter(StageName.DRIVER_STARTING, f"one {line}")
    stage.board.say(f"two {line}")
    stage.board.end(FAILED, f"three {line}", Problem("E", line, line))
    assert "opensesame" not in repr(stage.board.status)
    assert "password=***" in stage.board.status.error.message
    assert "opensesame" not in repr(stage.said)
