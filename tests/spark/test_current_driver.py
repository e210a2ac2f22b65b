"""A driver that ends while it starts: harmed by its archive, or simply stopped."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

import pytest

from spark_kernel.spark.current_driver import CurrentDriver
from spark_kernel.spark.settings import SessionSettings


class Start:
    """A start whose driver ends before the context is there."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Any, *, is_stopped: bool) -> None:
        self.discarded: list[str] = []
        self.tries = 0
        self._is_cancelled = threading.Event()
        self._is_stopped = is_stopped
        board: Any = SimpleNamespace(
            status=SimpleNamespace(cluster=SimpleNamespace(master="local[*]"))
        )
        settings = SessionSettings(cache_folder=tmp_path)
        self.driver = CurrentDriver(settings, board, Any, self._is_cancelled, None)
        started = SimpleNamespace(archive="made before", driver=SimpleNamespace(is_alive=False))
        monkeypatch.setattr(self.driver, "ensure", lambda given: started)
        monkeypatch.setattr(self.driver, "discard", lambda: None)
        monkeypatch.setattr(self.driver, "_attach", self._attach)
        self.driver.archives = SimpleNamespace(discard=self.discarded.append)

    def _attach(self, started: Any) -> None:
        self.tries += 1
        if self._is_stopped:
            self._is_cancelled.set()
        raise ConnectionRefusedError


@pytest.mark.parametrize(
    ("is_stopped", "discarded", "tries"), [(True, [], 1), (False, ["made before"], 2)]
)
def test_archive_goes_only_where_nobody_has_stopped_the_start(
    monkeypatch, tmp_path, is_stopped, discarded, tries
):
    start = Start(monkeypatch, tmp_path, is_stopped=is_stopped)
    with pytest.raises(ConnectionRefusedError):
        start.driver.open()
    assert (start.discarded, start.tries) == (discarded, tries)
