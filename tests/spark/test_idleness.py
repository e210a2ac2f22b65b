"""When a session that nobody uses is stopped."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from spark_kernel.spark import idleness
from spark_kernel.spark.idleness import IdleWatch

PATIENCE_S = 20.0


class Watched:
    """A session that is in use or not, and what becomes of it."""

    def __init__(self) -> None:
        self.is_in_use = False
        self.looks = 0
        self.error: Exception | None = None
        self.is_stopped = threading.Event()
        self.has_looked = threading.Event()

    def look(self) -> bool:
        """Say whether it is in use."""
        self.looks += 1
        self.has_looked.set()
        if self.error is not None:
            raise self.error
        return self.is_in_use

    def see_looks(self, count: int) -> None:
        """Wait until it was looked so often."""
        for _ in range(count):
            self.has_looked.clear()
            assert self.has_looked.wait(PATIENCE_S)


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Iterator[Watched]:
    """Give a session, and look after it ten times as often."""
    monkeypatch.setattr(idleness, "_LEAST_PAUSE_S", 0.001)
    return Watched()


def start(watched: Watched, timeout_s: float) -> IdleWatch:
    """Watch a session."""
    watch = IdleWatch(timeout_s, watched.look, watched.is_stopped.set)
    watch.start()
    return watch


def test_session_that_nobody_uses_is_stopped(watched):
    watch = start(watched, 0.02)
    assert watched.is_stopped.wait(PATIENCE_S)
    watch.stop()


def test_session_in_use_is_kept_and_stopped_later(watched):
    watched.is_in_use = True
    watch = start(watched, 0.02)
    watched.see_looks(40)
    assert not watched.is_stopped.is_set()
    watched.is_in_use = False
    assert watched.is_stopped.wait(PATIENCE_S)
    watch.stop()


def test_session_of_which_nothing_is_known_is_kept(watched):
    watched.error = ConnectionError("no driver")
    watch = start(watched, 0.02)
    watched.see_looks(40)
    assert not watched.is_stopped.is_set()
    watch.stop()


def test_without_a_timeout_nobody_looks(watched):
    before = threading.active_count()
    watch = start(watched, 0)
    assert threading.active_count() == before
    assert watched.looks == 0
    watch.stop()
