"""Turns measurements into the table of ``RESULTS.md``."""

from __future__ import annotations

import platform
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

import psutil

__all__ = ["Figure", "machine_line", "table"]


@dataclass(frozen=True)
class Figure:
    """One line: ours against the baseline.

    Parameters
    ----------
    target
        The most that the ratio may be, or our median where ``is_absolute``.
    unit
        ``s``, ``ms`` or ``%``: what the values, given in seconds or shares, are shown in.
    """

    title: str
    ours: Sequence[float]
    baseline: Sequence[float]
    target: float
    unit: str = "s"
    is_absolute: bool = False

    @property
    def ratio(self) -> float:
        """Our median over that of the baseline."""
        return statistics.median(self.ours) / statistics.median(self.baseline)

    def row(self) -> str:
        """Give the line of the table."""
        compared = statistics.median(self.ours) if self.is_absolute else self.ratio
        target = f"≤ {self._shown(self.target) if self.is_absolute else f'{self.target:g}'}"
        verdict = "met" if compared <= self.target else "**missed**"
        ratio = "-" if self.is_absolute else f"{self.ratio:.2f}"
        cells = (self.title, self._spread(self.ours), self._spread(self.baseline), ratio, target)
        return f"| {' | '.join(cells)} | {verdict} |"

    def _spread(self, values: Sequence[float]) -> str:
        median, low, high = statistics.median(values), min(values), max(values)
        return f"{self._shown(median)} ({self._shown(low)} to {self._shown(high)})"

    def _shown(self, value: float) -> str:
        match self.unit:
            case "ms":
                return f"{value * 1000:.1f} ms"
            case "%":
                return f"{value * 100:.2f} %"
            case _:
                return f"{value:.2f} s"


def table(figures: Sequence[Figure]) -> str:
    """Give the table, with medians and the smallest and largest value."""
    head = "| figure | ours | plain ipykernel | ratio | target | |"
    rule = "| --- | --- | --- | --- | --- | --- |"
    return "\n".join([head, rule, *(figure.row() for figure in figures)])


def machine_line() -> str:
    """Say what was measured on, as far as it matters."""
    memory_gib = psutil.virtual_memory().total / 2**30
    return (
        f"{psutil.cpu_count()} cores, {memory_gib:.0f} GiB, {platform.system()}, "
        f"Python {platform.python_version()}"
    )
