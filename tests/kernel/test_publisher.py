"""What is sent, in which order and to whom; and a thread that sleeps and ends as it should."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from spark_kernel.kernel import publisher as publisher_module
from spark_kernel.kernel.publisher import Publisher
from spark_kernel.protocol.events import (
    Cell,
    CellResumed,
    CellWaiting,
    Cluster,
    DriverPrinted,
    SessionChanged,
    SessionState,
    SessionStatus,
    StageName,
    StageRecord,
)

pytestmark = pytest.mark.timeout(60)
PATIENCE_S = 20.0
STARTING = SessionStatus(
    state=SessionState.STARTING,
    stage=StageName.RUNTIME_STARTED,
    message="Starting Spark",
    elapsed_s=1.0,
    cluster=Cluster("local[*]", "local[*]"),
    stages=(StageRecord(StageName.RUNTIME_STARTED, 0.0, 0.4),),
)
READY = replace(STARTING, state=SessionState.READY, message="Spark 4.3.0 ready")
FAILED = replace(STARTING, state=SessionState.FAILED, message="No Java")
ONE = Cell({"header": {"msg_id": "one"}})
TWO = Cell({"header": {"msg_id": "two"}})


@dataclass(frozen=True)
class Message:
    """A message as it was sent."""

    type: str
    content: Mapping[str, Any]
    parent: Mapping[str, Any]

    @property
    def text(self) -> str:
        """The text of a display."""
        return str(self.content["data"]["text/plain"])

    @property
    def display_id(self) -> str:
        """Which display it begins or updates."""
        return str(self.content["transient"]["display_id"])


@dataclass
class Desk:
    """A publisher with everything that it sent."""

    sent: list[Message] = field(default_factory=list)
    running: Cell | None = None
    fails: Callable[[str], bool] = lambda kind: False
    senders: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.publisher = Publisher(self._send, self.banner, lambda: self.running)

    def banner(self, status: SessionStatus) -> str:
        """Make a banner that depends on the state alone."""
        return f"banner: {status.state.value}"

    def _send(self, kind: str, content: Mapping[str, Any], parent: Mapping[str, Any]) -> None:
        self.senders.add(threading.current_thread().name)
        if self.fails(kind):
            raise RuntimeError(kind)
        self.sent.append(Message(kind, json.loads(json.dumps(content)), parent))

    def say(self, *events: Any) -> list[Message]:
        """Emit events; gives what was sent for them."""
        before = len(self.sent)
        for event in events:
            self.publisher.emit(event)
        self.publisher.flush(PATIENCE_S)
        return self.sent[before:]

    def shown(self) -> list[Message]:
        """Give every display and update."""
        return [message for message in self.sent if message.type.endswith("display_data")]


@pytest.fixture
def desk() -> Iterator[Desk]:
    """Give a publisher that runs; at the end its thread is gone."""
    made = Desk()
    made.publisher.start()
    yield made
    made.publisher.stop(PATIENCE_S)
    assert "spark-publisher" not in [thread.name for thread in threading.enumerate()]


def wait_until(is_so: Callable[[], bool]) -> None:
    """Wait until something is so, and fail if it never is."""
    deadline = time.monotonic() + PATIENCE_S
    pause = threading.Event()
    while not is_so():
        assert time.monotonic() < deadline, "it never came to be"
        pause.wait(0.005)


def types(messages: list[Message]) -> list[str]:
    return [message.type for message in messages]


# -- status and banner -------------------------------------------------------------------------


def test_status_and_banner_belong_to_no_cell(desk):
    status, banner = desk.say(SessionChanged(STARTING))
    assert (status.type, banner.type) == ("spark_status", "banner_update")
    assert status.parent == banner.parent == {}
    assert status.content["state"] == "starting"
    assert banner.content["banner"] == "banner: starting"


def test_banner_is_sent_when_it_changes_and_no_more(desk):
    again = replace(STARTING, message="Preparing the driver")
    sent = desk.say(*map(SessionChanged, (STARTING, again, READY, READY)))
    assert types(sent) == [
        *("spark_status", "banner_update", "spark_status"),
        *("spark_status", "banner_update", "spark_status"),
    ]


def test_events_are_told_in_the_order_in_which_they_came(desk):
    statuses = [replace(STARTING, message=str(number)) for number in range(100)]
    sent = [m for m in desk.say(*map(SessionChanged, statuses)) if m.type == "spark_status"]
    assert [message.content["message"] for message in sent] == [str(n) for n in range(100)]


def test_one_thread_alone_sends_whoever_emits(desk):
    desk.running = ONE
    barrier = threading.Barrier(4)

    def talk(name: int) -> None:
        barrier.wait()
        for number in range(100):
            desk.publisher.emit(DriverPrinted(f"{name} {number}"))

    threads = [threading.Thread(target=talk, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    desk.publisher.flush(PATIENCE_S)
    assert desk.senders == {"spark-publisher"}
    texts = [message.content["text"] for message in desk.sent]
    assert len(texts) == 400
    for name in range(4):
        own = [text for text in texts if text.startswith(f"{name} ")]
        assert own == [f"{name} {number}" for number in range(100)]


# -- a cell that waits -------------------------------------------------------------------------


def test_wait_is_one_display_that_is_updated_in_place(desk):
    desk.say(SessionChanged(STARTING), CellWaiting(ONE))
    desk.say(SessionChanged(replace(STARTING, message="Preparing the driver")))
    desk.say(SessionChanged(READY), CellResumed(ONE))
    first, *updates = desk.shown()
    assert first.type == "display_data"
    assert updates
    assert set(types(updates)) == {"update_display_data"}
    assert all(message.text.startswith("Waiting for Spark") for message in [first, *updates[:-1]])
    assert {message.display_id for message in desk.shown()} == {first.display_id}
    assert first.display_id
    assert all(message.parent == ONE.parent for message in desk.shown())
    assert all(set(m.content["data"]) == {"text/plain", "text/html"} for m in desk.shown())


@pytest.mark.parametrize(
    ("status", "said"),
    [(READY, "✓ Spark 4.3.0 ready"), (FAILED, "✗ No Java"), (STARTING, "No longer waiting")],
    ids=["ready", "failed", "interrupted"],
)
def test_last_update_says_how_it_ended(desk, status, said):
    desk.say(SessionChanged(STARTING), CellWaiting(ONE), SessionChanged(status), CellResumed(ONE))
    last = desk.shown()[-1].text
    assert said in last
    assert "\n" not in last


def test_cell_that_went_on_is_updated_no_more(desk):
    desk.say(SessionChanged(STARTING), CellWaiting(ONE), CellResumed(ONE))
    sent = desk.say(SessionChanged(READY), SessionChanged(FAILED), CellResumed(ONE))
    assert set(types(sent)) == {"spark_status", "banner_update"}


def test_two_cells_have_each_their_own_display(desk):
    desk.say(SessionChanged(STARTING), CellWaiting(ONE), CellWaiting(TWO))
    by_cell = {message.parent["header"]["msg_id"]: message.display_id for message in desk.shown()}
    assert set(by_cell) == {"one", "two"}
    assert by_cell["one"] != by_cell["two"]
    (resumed,) = desk.say(CellResumed(ONE))
    assert resumed.display_id == by_cell["one"]
    updates = [m for m in desk.say(SessionChanged(READY)) if m.type == "update_display_data"]
    assert [message.display_id for message in updates] == [by_cell["two"]]


def test_cell_that_waits_twice_gets_a_display_each_time(desk):
    desk.say(SessionChanged(STARTING), CellWaiting(ONE), CellResumed(ONE))
    desk.say(CellWaiting(ONE), CellResumed(ONE))
    begun = [message.display_id for message in desk.shown() if message.type == "display_data"]
    assert len(set(begun)) == len(begun) == 2


def test_wait_before_anything_is_known_is_shown_once_it_is(desk):
    assert desk.say(CellWaiting(ONE)) == []
    assert "display_data" in types(desk.say(SessionChanged(STARTING)))


def test_waiting_cell_is_told_how_long_without_any_event(desk, monkeypatch):
    monkeypatch.setattr(publisher_module, "_REFRESH_S", 0.01)
    desk.say(SessionChanged(STARTING), CellWaiting(ONE))
    wait_until(lambda: len(desk.shown()) > 5)
    assert all(message.text.startswith("Waiting for Spark") for message in desk.shown())
    assert types(desk.sent).count("spark_status") == 1, "that is repeated more rarely"
    desk.say(SessionChanged(READY), CellResumed(ONE))
    assert "waited" in desk.shown()[-1].text


def test_status_is_repeated_while_spark_is_on_its_way(desk, monkeypatch):
    monkeypatch.setattr(publisher_module, "_REFRESH_S", 0.01)
    monkeypatch.setattr(publisher_module, "_REPEAT_STATUS_S", 0.01)
    desk.say(SessionChanged(STARTING))
    wait_until(lambda: types(desk.sent).count("spark_status") > 5)
    assert types(desk.sent).count("banner_update") == 1


# -- what the driver prints --------------------------------------------------------------------


def test_output_of_the_driver_goes_to_the_running_cell(desk):
    desk.running = ONE
    (message,) = desk.say(DriverPrinted("hello\n"))
    assert (message.type, message.parent) == ("stream", ONE.parent)
    assert message.content == {"name": "stdout", "text": "hello\n"}


def test_output_of_the_driver_goes_nowhere_when_no_cell_runs(desk):
    assert desk.say(DriverPrinted("hello\n")) == []


# -- when sending fails ------------------------------------------------------------------------


def test_message_that_cannot_be_sent_does_not_end_the_thread(desk, caplog):
    desk.fails = lambda kind: kind == "spark_status"
    desk.say(SessionChanged(STARTING))
    desk.fails = lambda kind: False
    assert "spark_status" in types(desk.say(SessionChanged(READY)))
    assert "could not be sent" in caplog.text


def test_display_that_could_not_be_begun_is_begun_later(desk):
    desk.fails = lambda kind: kind == "display_data"
    desk.say(SessionChanged(STARTING), CellWaiting(ONE))
    desk.fails = lambda kind: False
    desk.say(SessionChanged(READY), CellResumed(ONE))
    assert types(desk.shown()) == ["display_data", "update_display_data"]


def test_banner_that_could_not_be_sent_is_sent_later(desk):
    desk.fails = lambda kind: kind == "banner_update"
    desk.say(SessionChanged(STARTING))
    desk.fails = lambda kind: False
    assert "banner_update" in types(desk.say(SessionChanged(STARTING)))


def test_banner_that_cannot_be_made_does_not_end_the_thread(desk, monkeypatch):
    monkeypatch.setattr(desk.publisher, "_banner", lambda status: 1 / 0)
    assert types(desk.say(SessionChanged(STARTING))) == ["spark_status"]
    assert types(desk.say(SessionChanged(READY))) == ["spark_status"]


def test_failures_do_not_make_it_busy_for_ever(desk):
    desk.fails = lambda kind: True
    desk.say(SessionChanged(STARTING), CellWaiting(ONE))
    wait_until(lambda: not desk.publisher.is_busy)


# -- the thread --------------------------------------------------------------------------------


def test_flush_waits_for_what_was_emitted_before(desk):
    gate = threading.Event()
    desk.fails = lambda kind: not gate.wait(PATIENCE_S)
    desk.publisher.emit(SessionChanged(STARTING))
    desk.publisher.flush(0.01)
    assert desk.publisher.is_busy
    assert desk.sent == []
    gate.set()
    desk.publisher.flush(PATIENCE_S)
    assert types(desk.sent) == ["spark_status", "banner_update"]
    assert not desk.publisher.is_busy


@pytest.mark.parametrize("state", SessionState)
def test_thread_sleeps_for_good_unless_spark_is_on_its_way(desk, state):
    desk.say(SessionChanged(replace(STARTING, state=state)))
    assert (desk.publisher._pause() is None) == (not state.is_pending)


def test_thread_sleeps_for_good_once_no_cell_waits(desk):
    assert desk.publisher._pause() is None
    desk.say(SessionChanged(READY), CellWaiting(ONE))
    assert desk.publisher._pause() is not None
    desk.say(CellResumed(ONE))
    assert desk.publisher._pause() is None


def test_stop_sends_what_there_is(desk):
    desk.running = ONE
    for number in range(100):
        desk.publisher.emit(DriverPrinted(str(number)))
    desk.publisher.stop(PATIENCE_S)
    assert len(desk.sent) == 100


def test_stop_twice_is_harmless(desk):
    desk.publisher.stop(PATIENCE_S)
    desk.publisher.stop(PATIENCE_S)


def test_stop_without_a_start_is_harmless():
    Desk().publisher.stop(PATIENCE_S)


def test_events_after_the_end_are_taken_in_silence(desk):
    desk.publisher.stop(PATIENCE_S)
    desk.publisher.emit(SessionChanged(READY))
    assert desk.sent == []


def test_nobody_waits_for_a_publisher_that_has_ended(desk):
    desk.publisher.stop(PATIENCE_S)
    desk.publisher.emit(SessionChanged(READY))
    waiter = threading.Thread(target=desk.publisher.flush, args=(3600.0,), daemon=True)
    waiter.start()
    waiter.join(PATIENCE_S)
    assert not waiter.is_alive()
