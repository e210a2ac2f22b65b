"""The life of a session as far as it goes without Spark: failures, waits, stops."""

from __future__ import annotations

import os
import queue
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from fake_java import make_java

from spark_kernel.errors import ConfigurationError, SparkStartError, SparkStoppedError
from spark_kernel.protocol.events import Application, Event, SessionChanged, SessionState
from spark_kernel.spark import driver_factory
from spark_kernel.spark.connect import server
from spark_kernel.spark.run_folder import RunFolder
from spark_kernel.spark.session import KernelSession
from spark_kernel.spark.settings import SessionSettings, StartMode

pytestmark = pytest.mark.timeout(120)
PATIENCE_S = 30.0

JAVA = r"""
echo "$$" >> "$TRACE"
[ "$1" = -version ] && { read line < "$GATE"; echo 'openjdk version "17.0.9"' >&2; exit 0; }
eval "$FAILURE"
"""
"""Writes down its process id; ``-version`` waits until the test opens the gate."""


class Session(KernelSession):
    """A session whose events are kept."""

    def __init__(self, settings: SessionSettings) -> None:
        self.events: list[Event] = []
        super().__init__(settings, self.events.append, lambda: 1.0, {"python": "3"})

    @property
    def states(self) -> list[str]:
        """The states in the order in which they were told, each once."""
        told = [
            event.status.state.value for event in self.events if isinstance(event, SessionChanged)
        ]
        return [
            state for before, state in zip([None, *told], told, strict=False) if state != before
        ]

    def wait_for(self, state: SessionState) -> None:
        """Wait until the session is in a state."""
        wait_until(lambda: self.status.state is state)


def wait_until(is_so: Callable[[], bool]) -> None:
    """Wait until something is so, and fail if it never is."""
    deadline = time.monotonic() + PATIENCE_S
    pause = threading.Event()
    while not is_so():
        assert time.monotonic() < deadline, "it never came to be"
        pause.wait(0.005)


def processes(folder: Path) -> list[int]:
    """Give the processes of the fake Java that still run."""
    trace = folder / "trace"
    numbers = map(int, trace.read_text().split()) if trace.exists() else ()
    return [number for number in numbers if psutil.pid_exists(number)]


NewSession = Callable[..., Session]


@pytest.fixture
def new_session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[NewSession]:
    """Make sessions whose driver is a script; at the end nothing of them is left."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for name in ("SPARK_HOME", "SPARK_CONF_DIR", "PYSPARK_SUBMIT_ARGS", "SPARK_REMOTE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PYSPARK_PYTHON", "")
    monkeypatch.setenv("TRACE", str(tmp_path / "trace"))
    monkeypatch.setenv("GATE", str(tmp_path / "gate"))
    java = make_java(tmp_path / "java", script=JAVA)
    made: list[Session] = []

    def make(failure: str = "echo 'Invalid maximum heap size: -Xmx1x' >&2; exit 1", **more: object):
        monkeypatch.setenv("FAILURE", failure)
        settings = {"java_home": str(java), "log_folder": tmp_path / "logs", **more}
        made.append(Session(SessionSettings(cache_folder=tmp_path / "cache", **settings)))
        return made[-1]

    yield make
    for session in made:
        session.close()
    wait_until(lambda: "spark-start" not in [thread.name for thread in threading.enumerate()])
    assert list(tmp_path.glob("spark-kernel-*")) == []
    assert processes(tmp_path) == []


# -- before and without a start ----------------------------------------------------------------


def test_new_session_is_stopped_and_says_so(new_session):
    session = new_session(master="yarn", cluster_name="prod")
    assert session.status.state is SessionState.STOPPED
    assert (session.status.cluster.name, session.status.cluster.master) == ("prod", "yarn")
    assert not session.driver.is_running
    assert session.driver.log_tail(10) == []
    assert session.driver.launch_settings == {}
    assert session.archive_wanted_for is None
    assert session.events == []


@pytest.mark.parametrize(
    ("mode", "when_allowed"),
    [(StartMode.EAGER, True), (StartMode.LAZY, True), (StartMode.OFF, False)],
)
def test_start_is_expected_where_one_is_still_to_come(new_session, mode, when_allowed):
    session = new_session(start_mode=mode)
    assert session.is_start_expected(True) == when_allowed
    assert not session.is_start_expected(False)


def test_session_that_nothing_starts_is_refused_with_the_way_to_start_it(new_session):
    session = new_session(start_mode=StartMode.OFF)
    with pytest.raises(SparkStoppedError) as caught:
        session.require()
    assert "%spark restart" in caught.value.hint
    assert session.events == []


def test_first_use_starts_a_lazy_session(new_session):
    session = new_session(start_mode=StartMode.LAZY)
    with pytest.raises(SparkStartError):
        session.require()
    assert session.states == ["starting", "failed"]


def test_refusal_is_a_failure_with_its_reason(new_session):
    session = new_session()
    session.refuse(ConfigurationError("There is no setting c.SparkKernel.mastr.", "master?"))
    assert session.states == ["starting", "failed"]
    assert session.status.error is not None
    assert session.status.error.name == "ConfigurationError"
    with pytest.raises(SparkStartError, match="mastr"):
        session.require()


def test_stop_and_close_without_a_start_are_harmless(new_session):
    session = new_session()
    session.stop()
    session.close()
    session.close()
    assert session.events == []


def test_closed_session_does_not_start(new_session):
    session = new_session()
    session.close()
    session.start()
    assert session.events == []


# -- a start that fails ------------------------------------------------------------------------


def test_failed_start_tells_reason_hint_and_log(new_session):
    session = new_session()
    session.start()
    session.wait_for(SessionState.FAILED)
    status = session.status
    assert status.error is not None
    assert "-Xmx1x" in status.error.message
    assert "spark.driver.memory" in status.error.hint
    assert [link.rel for link in status.links] == ["driver-log"]
    assert any("-Xmx1x" in line for line in session.driver.log_tail(10))
    assert not session.driver.is_running


def test_failed_start_is_told_to_whoever_needs_spark(new_session):
    session = new_session()
    session.start()
    with pytest.raises(SparkStartError, match="-Xmx1x") as caught:
        session.require()
    assert "spark.driver.memory" in caught.value.hint


def test_missing_java_is_told_by_its_name(new_session, tmp_path):
    session = new_session(java_home=str(tmp_path / "nowhere"))
    session.start()
    session.wait_for(SessionState.FAILED)
    assert session.status.error is not None
    assert session.status.error.name == "JavaNotFoundError"


def test_unreachable_master_is_told_before_a_driver_runs(new_session, tmp_path):
    session = new_session(master="spark://127.0.0.1:1")
    session.start()
    session.wait_for(SessionState.FAILED)
    assert session.status.error is not None
    assert session.status.error.name == "ClusterUnreachableError"
    assert not (tmp_path / "trace").exists()


def test_restart_after_a_failure_tries_again(new_session, monkeypatch):
    session = new_session()
    session.start()
    session.settle()
    monkeypatch.setenv("FAILURE", "echo 'Unrecognized option: --fancy' >&2; exit 1")
    session.restart()
    session.settle()
    assert session.states == ["starting", "failed", "restarting", "failed"]
    assert session.generation == 2
    assert session.status.error is not None
    assert "--fancy" in session.status.error.message


def test_address_that_cannot_be_read_fails_the_start_in_order(new_session, monkeypatch):
    monkeypatch.setenv("SPARK_REMOTE", "sc://host:port/;token=opensesame")
    session = new_session()
    assert session.status.cluster.master == "sc://host:port"
    session.start()
    session.wait_for(SessionState.FAILED)
    assert session.status.error is not None
    assert session.status.error.name == "ConfigurationError"
    monkeypatch.delenv("SPARK_REMOTE")
    session.restart(SessionSettings(master="sc://host:port"))
    session.wait_for(SessionState.FAILED)
    assert session.states == ["starting", "failed", "restarting", "failed"]


def test_lost_session_is_tried_again_when_its_start_fails_but_not_for_ever(new_session):
    session = new_session()
    session.generation = 1
    session._board.begin(SessionState.STARTING, "Starting Spark")
    session._board.ready("Spark is ready", Application("app-1", "test"), ())
    session.lose("The driver ended")
    hints = []
    for _ in range(3):
        with pytest.raises(SparkStartError, match="-Xmx1x") as caught:
            session.require()
        hints.append(caught.value.hint)
    assert ["tries again" in hint for hint in hints] == [True, False, False]
    assert session.generation == 3
    assert session.states[2:] == ["lost", "restarting", "failed", "starting", "failed"]


def test_second_start_while_one_is_under_way_is_harmless(new_session):
    session = new_session("exec sleep 600")
    session.start()
    session.start()
    assert session.generation == 1


# -- a start that takes its time ---------------------------------------------------------------


def test_wait_with_a_limit_ends_and_leaves_the_start_going(new_session):
    session = new_session("exec sleep 600")
    session.start()
    assert not session.settle(timeout_s=0.05)
    assert session.status.state is SessionState.STARTING


def test_stop_ends_the_start_and_every_wait_for_it(new_session, tmp_path):
    session = new_session("exec sleep 600")
    session.start()
    wait_until(lambda: bool(processes(tmp_path)))
    errors: queue.SimpleQueue[Exception] = queue.SimpleQueue()

    def need_spark() -> None:
        try:
            session.require()
        except SparkStoppedError as error:
            errors.put(error)

    waiter = threading.Thread(target=need_spark)
    waiter.start()
    session.stop()
    assert "%spark restart" in str(errors.get(timeout=PATIENCE_S))
    waiter.join()
    assert session.states == ["starting", "stopped"]
    assert processes(tmp_path) == []


def test_stop_before_the_driver_is_launched_lets_none_be_launched(new_session, tmp_path):
    session = new_session("exec sleep 600")
    os.mkfifo(tmp_path / "gate")
    (tmp_path / "java" / "release").unlink()  # so that the version of Java is asked for
    session.start()
    wait_until(lambda: bool(processes(tmp_path)))
    stopper = threading.Thread(target=session.stop)
    stopper.start()
    wait_until(session._is_cancelled.is_set)
    (tmp_path / "gate").write_text("go\n")
    stopper.join(PATIENCE_S)
    wait_until(lambda: "spark-start" not in [thread.name for thread in threading.enumerate()])
    assert session.status.state is SessionState.STOPPED
    assert not session.driver.is_running
    assert processes(tmp_path) == []


def test_restart_while_starting_begins_anew(new_session, tmp_path):
    session = new_session("exec sleep 600")
    session.start()
    wait_until(lambda: bool(processes(tmp_path)))
    (first,) = processes(tmp_path)
    session.restart()
    wait_until(lambda: bool(processes(tmp_path)))
    assert session.states == ["starting", "stopped", "restarting"]
    assert not psutil.pid_exists(first)


@pytest.mark.parametrize("command", ["stop", "restart", "close"])
def test_session_that_a_server_makes_as_its_start_ends_is_given_back(
    new_session, monkeypatch, command
):
    is_asked, is_answered = threading.Event(), threading.Event()
    given_back: list[Any] = []

    def ask(client: Any, timeout_s: float) -> None:
        if is_answered.is_set():
            raise ConnectionError("gone")  # to the start that comes after
        is_asked.set()
        is_answered.wait(PATIENCE_S)

    monkeypatch.setattr(server, "ask", ask)
    monkeypatch.setattr(server, "give_back", lambda client, _: given_back.append(client))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        session = new_session(master=f"sc://127.0.0.1:{listener.getsockname()[1]}")
        session.start()
        assert is_asked.wait(PATIENCE_S)
        ending = threading.Thread(target=getattr(session, command))
        ending.start()
        wait_until(session._is_cancelled.is_set)
        assert given_back == []
        is_answered.set()
        ending.join(PATIENCE_S)
        wait_until(lambda: len(given_back) == (2 if command == "restart" else 1))
        session.close()
        wait_until(lambda: "spark-start" not in [one.name for one in threading.enumerate()])
    assert not session.driver.is_running
    assert "ready" not in session.states
    for client in given_back:
        client.close()


@pytest.mark.parametrize("is_launched", [True, False])
def test_close_ends_a_start_for_good(new_session, tmp_path, is_launched):
    session = new_session("exec sleep 600")
    session.start()
    if is_launched:
        wait_until(lambda: bool(processes(tmp_path)))
    session.close()
    session.close()
    wait_until(lambda: "spark-start" not in [thread.name for thread in threading.enumerate()])
    assert not session.driver.is_running
    assert processes(tmp_path) == []


def test_close_waits_for_the_launch_that_is_under_way(new_session, tmp_path, monkeypatch):
    is_entered, is_released = threading.Event(), threading.Event()

    def slow_folder() -> RunFolder:
        folder = RunFolder()
        is_entered.set()
        is_released.wait(PATIENCE_S)
        return folder

    monkeypatch.setattr(driver_factory, "RunFolder", slow_folder)
    session = new_session("exec sleep 600")
    session.start()
    assert is_entered.wait(PATIENCE_S)
    closer = threading.Thread(target=session.close)
    closer.start()
    wait_until(session._is_cancelled.is_set)
    closer.join(0.2)  # long enough for a close that waits for nothing
    assert closer.is_alive()
    is_released.set()
    closer.join(PATIENCE_S)
    # What is left now stays when the process ends.
    assert list(tmp_path.glob("**/spark-kernel-*")) == []
    assert processes(tmp_path) == []
