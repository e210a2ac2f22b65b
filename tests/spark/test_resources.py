"""The snapshot of what the application has: who asks for it, when, and how old it may be."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from spark_kernel.spark import resources
from spark_kernel.spark.resources import ResourceMonitor, read_resources
from spark_kernel.spark.settings_in_force import SettingInForce

PATIENCE_S = 20.0
FOUND: dict[str, Any] = {
    "user": "ada",
    "started": 1_000,
    "versions": {"scala": "2.13"},
    "metrics": {"executors": [2, None], "cores": [1, 4]},
    "executors": [
        {
            "id": "1",
            "host": "far",
            "is_active": True,
            "cores": 4,
            "active_tasks": 1,
            "failed_tasks": 0,
            "memory_used_bytes": 5,
            "memory_max_bytes": 10,
            "disk_used_bytes": 0,
            "logs": {"stdout": "http://u:secret@far:8042/log", "launcher": "x"},
        }
    ],
    "omitted": 3,
}


class Driver:
    """Our half in a driver, which can be made to hang."""

    def __init__(self) -> None:
        self.is_answering = threading.Event()
        self.is_answering.set()
        self.questions = 0
        self.error: Exception | None = None

    def resources(self, limit: int) -> dict[str, Any]:
        """Answer, once it does."""
        self.questions += 1
        assert self.is_answering.wait(PATIENCE_S)
        if self.error is not None:
            raise self.error
        return FOUND


class Monitored:
    """A monitor, and the driver that it asks."""

    def __init__(self) -> None:
        self.driver: Driver | None = Driver()
        self.settings: list[SettingInForce] = []
        self.monitor = ResourceMonitor(lambda: self.driver, self.read_settings)  # type: ignore[arg-type]  # as much of it

    def read_settings(self) -> list[SettingInForce]:
        """Answer with one setting more each time."""
        self.settings = [*self.settings, SettingInForce("spark.x", "1", "Spark")]
        return self.settings


@pytest.fixture
def monitored() -> Iterator[Monitored]:
    """Give a monitor that runs."""
    monitored = Monitored()
    monitored.monitor.start()
    yield monitored
    monitored.monitor.stop(PATIENCE_S)


def test_what_the_driver_says_is_read_in_full():
    found = read_resources(FOUND, 7.0)
    assert (found.taken, found.user, found.started) == (7.0, "ada", "1970-01-01T00:00:01.000Z")
    assert found.metrics == {"executors": (2, None), "cores": (1, 4)}
    assert found.omitted_executors == 3
    (executor,) = found.executors
    assert executor.logs == {"stdout": "http://u:***@far:8042/log", "stderr": None}


def test_nobody_asks_until_somebody_wants_to_know(monitored):
    assert monitored.monitor.latest is None
    assert monitored.monitor.refresh(PATIENCE_S)
    assert monitored.monitor.latest.user == "ada"
    assert monitored.driver.questions == 1


def test_snapshot_is_kept_fresh_while_it_is_wanted(monitored, monkeypatch):
    monkeypatch.setattr(resources, "_PERIOD_S", 0.001)
    monitored.monitor.want()
    wait_until(lambda: monitored.driver.questions > 3)


def test_what_nobody_wants_any_more_is_not_asked_for(monitored, monkeypatch):
    monkeypatch.setattr(resources, "_PERIOD_S", 0.001)
    monkeypatch.setattr(resources, "_LEASE_S", 0.0)
    monitored.monitor.want()
    assert monitored.monitor.refresh(PATIENCE_S)
    asked = monitored.driver.questions
    assert asked <= 2
    assert monitored.monitor.refresh(PATIENCE_S)
    assert monitored.driver.questions == asked + 1


def test_driver_that_hangs_leaves_the_last_answer_and_holds_nobody_up(monitored):
    assert monitored.monitor.refresh(PATIENCE_S)
    before = monitored.monitor.latest
    monitored.driver.is_answering.clear()
    assert not monitored.monitor.refresh(0.01)
    assert monitored.monitor.latest is before
    monitored.driver.is_answering.set()
    wait_until(lambda: monitored.monitor.latest is not before)


def test_answer_of_another_driver_is_never_given(monitored):
    assert monitored.monitor.refresh(PATIENCE_S)
    monitored.driver = Driver()
    assert monitored.monitor.latest is None
    monitored.driver = None
    assert monitored.monitor.latest is None
    assert monitored.monitor.refresh(PATIENCE_S)
    assert monitored.monitor.latest is None


def test_settings_are_asked_for_once_for_each_time_that_they_are_wanted(monitored):
    assert monitored.monitor.refresh(PATIENCE_S)
    assert monitored.monitor.latest_settings is None
    monitored.monitor.want(with_settings=True)
    assert monitored.monitor.refresh(PATIENCE_S)
    assert monitored.monitor.refresh(PATIENCE_S)
    assert len(monitored.monitor.latest_settings.settings) == 1
    monitored.driver = Driver()
    assert monitored.monitor.latest_settings is None


def test_driver_that_fails_is_asked_again_only_on_request(monitored, caplog):
    caplog.set_level("INFO", "spark_kernel")
    monitored.driver.error = ConnectionRefusedError("nobody there\nat all")
    monitored.monitor.want()
    wait_until(lambda: "nobody there" in caplog.text)
    assert "at all" not in caplog.text
    monitored.driver.error = None
    assert monitored.monitor.refresh(PATIENCE_S)
    assert monitored.monitor.latest is not None


def wait_until(is_so: Any) -> None:
    """Wait until something is so, and fail if it never is."""
    deadline = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < deadline, "it never came to be"
        threading.Event().wait(0.005)
