"""Measures this machine, and the kernel with its driver, through psutil."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress

import psutil

from spark_kernel.protocol.resources import Metric

__all__ = ["Meters", "process_clock"]

_LEAST_AGE_S = 0.5
"""A share of the processor that is taken over less says little."""

_PERCENT = 100.0


class Meters:
    """Reads the meters, at most twice a second; from one thread at a time.

    Parameters
    ----------
    driver_pid
        Gives the process of the driver, or None where there is none.
    """

    def __init__(self, driver_pid: Callable[[], int | None]) -> None:
        self._driver_pid = driver_pid
        self._kernel = psutil.Process()
        self._driver: psutil.Process | None = None
        self._read_at = float("-inf")
        self._is_primed = False
        self._metrics: dict[str, list[Metric]] = {}

    def read(self) -> dict[str, list[Metric]]:
        """Give the metrics of the ``system`` and of the ``kernel``."""
        now = time.monotonic()
        if now - self._read_at >= _LEAST_AGE_S:
            self._read_at = now
            self._metrics = {"system": self._system(), "kernel": self._of_kernel()}
            self._is_primed = True
        return self._metrics

    def _system(self) -> list[Metric]:
        memory = psutil.virtual_memory()
        share = psutil.cpu_percent(percpu=False) * self._cores
        return [
            self._cpu(share),
            Metric("memory", memory.total - memory.available, memory.total, "bytes"),
        ]

    def _of_kernel(self) -> list[Metric]:
        share, used = self._kernel.cpu_percent(), self._kernel.memory_info().rss
        driver = self._living_driver()
        with suppress(psutil.Error):  # it may end at any moment
            if driver is not None:
                used += driver.memory_info().rss
                share += driver.cpu_percent()
        return [self._cpu(share), Metric("memory", used, psutil.virtual_memory().total, "bytes")]

    def _cpu(self, share: float) -> Metric:
        # The first reading has nothing to compare with.
        value = round(share, 1) if self._is_primed else None
        return Metric("cpu", value, self._cores * _PERCENT, "percent")

    @property
    def _cores(self) -> int:
        return psutil.cpu_count() or 1

    def _living_driver(self) -> psutil.Process | None:
        pid = self._driver_pid()
        if pid is None:
            self._driver = None
        elif self._driver is None or self._driver.pid != pid:
            with suppress(psutil.Error):
                self._driver = psutil.Process(pid)
        return self._driver


def process_clock() -> Callable[[], float]:
    """Give a clock that counts the seconds since this process started."""
    started = psutil.Process().create_time()
    return lambda: time.time() - started
