"""What is said of a lost session, and when it comes back by itself."""

from __future__ import annotations

import itertools

import pytest

from spark_kernel.protocol.events import SessionState
from spark_kernel.spark.recovery import Recovery, describe_end


class Clock:
    """A clock that a test moves."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_session_comes_back_twice_and_then_no_more_until_time_has_passed():
    clock = Clock()
    recovery = Recovery(True, lambda: False, clock)
    hints = [recovery.note_loss("The driver ended").hint for _ in range(3)]
    assert ["starts it again" in hint for hint in hints] == [True, True, False]
    assert "3 sessions were lost within 10 minutes" in hints[2]
    assert not recovery.is_allowed
    clock.now = 601.0
    assert recovery.is_allowed


def test_restart_by_hand_begins_to_count_anew():
    recovery = Recovery(True, lambda: False)
    for _ in range(3):
        recovery.note_loss("The driver ended")
    recovery.forgive()
    assert recovery.is_allowed


def test_start_that_fails_to_bring_a_session_back_is_tried_again_within_the_bound():
    recovery = Recovery(True, lambda: False)
    assert not recovery.comes_back(SessionState.FAILED)  # the first start of all
    assert recovery.note_failure("look") == "look"
    recovery.note_loss("The driver ended")
    recovery.is_returning = recovery.is_behind(SessionState.LOST)
    assert recovery.note_failure("look") == "look; the next cell that needs Spark tries again"
    assert recovery.comes_back(SessionState.FAILED)
    recovery.is_returning = recovery.is_behind(SessionState.FAILED)
    assert recovery.note_failure("look") == "look"
    assert not recovery.comes_back(SessionState.FAILED)
    recovery.forgive()
    assert not recovery.comes_back(SessionState.FAILED)


def test_session_that_is_to_stay_lost_says_how_it_comes_back():
    recovery = Recovery(False, lambda: False)
    assert recovery.note_loss("The driver ended").hint == "run `%spark restart`"
    assert not recovery.is_allowed


def test_secret_in_a_line_of_the_log_is_not_told_to_cells():
    recovery = Recovery(True, lambda: False, Clock())
    line = "ERROR no connection to jdbc:postgresql://h/db?user=a&password=opensesame"
    problem = recovery.note_loss(describe_end(1, [line]))
    assert "opensesame" not in problem.message
    error = recovery.end_behind(EOFError(), since=0.0)
    assert "password=***" in str(error)
    assert "opensesame" not in str(error)


def test_only_a_loss_during_the_code_explains_its_error():
    clock = Clock()
    recovery = Recovery(True, lambda: False, clock)
    error = ConnectionRefusedError()
    assert recovery.end_behind(error, since=0.0) is None
    clock.now = 5.0
    recovery.note_loss("The driver ended")
    assert str(recovery.end_behind(error, since=4.0)).startswith("The driver ended.")
    assert recovery.end_behind(error, since=6.0) is None


def test_error_of_a_driver_that_is_ending_waits_for_its_end():
    alive = itertools.chain([True, True], itertools.repeat(False))
    recovery = Recovery(True, lambda: next(alive))
    assert recovery.end_behind(EOFError(), since=0.0) is None
    assert next(alive) is False


@pytest.mark.parametrize(
    ("status", "lines", "told"),
    [
        (-9, [], "(signal 9: it was killed, often for want of memory)"),
        (-11, [], "(signal 11: Java crashed)"),
        (-12, [], "(signal 12)"),
        (3, ["INFO all is well"], "(exit status 3)"),
        (
            1,
            ["java.lang.OutOfMemoryError: Java heap space", "ERROR so it ends", "INFO bye"],
            "(exit status 1). Its log says: java.lang.OutOfMemoryError: Java heap space",
        ),
        (
            3,
            ["Terminating due to java.lang.OutOfMemoryError: GC overhead limit exceeded"],
            "limit exceeded. Its memory was full: raise spark.driver.memory",
        ),
        (1, ["26/01/01 ERROR  Disk: " + "x" * 900], "(exit status 1). Its log says: 26/01/01"),
    ],
)
def test_end_of_a_driver_is_described_as_far_as_it_is_known(status, lines, told):
    said = describe_end(status, lines)
    assert told in said
    assert len(said) < 400
