"""Places moments along a line on which long idle times are short."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timezone
from itertools import pairwise

from spark_kernel.display.jobs import duration_text

__all__ = ["Gap", "Tick", "Timeline"]

_LONGEST_GAP = 0.08
"""How much of the busy time an idle time takes at most."""

_LEAST_TICK = 9.0


@dataclass(frozen=True)
class Gap:
    """An idle time; places are percents of the line."""

    left: float
    width: float
    text: str
    is_shortened: bool


@dataclass(frozen=True)
class Tick:
    """A moment that is named."""

    left: float
    text: str


@dataclass(frozen=True)
class _Part:
    start: float
    end: float
    left: float
    width: float


class Timeline:
    """A line from the first to the last of some times.

    Parameters
    ----------
    spans
        Beginnings and ends, in any order.
    """

    def __init__(self, spans: Iterable[tuple[datetime, datetime]]) -> None:
        busy = _merged(spans)
        total = sum(end - start for start, end in busy)
        longest = max(total * _LONGEST_GAP, 0.001)
        self.gaps: list[Gap] = []
        self._parts: list[_Part] = []
        lengths = [end - start for start, end in busy]
        idle = [after[0] - before[1] for before, after in pairwise(busy)]
        shown = [min(length, longest) for length in idle]
        scale = 100.0 / (sum(lengths) + sum(shown) or 1.0)
        left = 0.0
        for number, (start, end) in enumerate(busy):
            width = (end - start) * scale
            self._parts.append(_Part(start, end, left, width))
            left += width
            if number < len(idle):
                self._add_gap(end, idle[number], shown[number], left, scale)
                left += shown[number] * scale

    def _add_gap(self, end: float, idle: float, shown: float, left: float, scale: float) -> None:
        self._parts.append(_Part(end, end + idle, left, shown * scale))
        is_shortened = shown < idle
        text = f"{duration_text(idle)} idle"
        self.gaps.append(Gap(round(left, 3), round(shown * scale, 3), text, is_shortened))

    def place(self, start: datetime, end: datetime) -> tuple[float, float]:
        """Give where a time begins and how wide it is, in percents."""
        left = self._position(start.timestamp())
        return round(left, 3), round(max(self._position(end.timestamp()) - left, 0.0), 3)

    def ticks(self) -> list[Tick]:
        """Name the beginning, the moments behind idle times, and the end, where there is room."""
        if not self._parts:
            return []
        named = [self._parts[0], *self._parts[2::2]]
        ticks: list[Tick] = []
        has_days = self._parts[-1].end - self._parts[0].start > 86_400
        for part in named:
            if not ticks or part.left - ticks[-1].left >= _LEAST_TICK:
                ticks.append(Tick(round(part.left, 3), _moment(part.start, has_days)))
        return [tick for tick in ticks if tick.left <= 100.0 - _LEAST_TICK]

    def _position(self, moment: float) -> float:
        for part in self._parts:
            if moment <= part.end:
                share = (moment - part.start) / (part.end - part.start or 1.0)
                return part.left + min(max(share, 0.0), 1.0) * part.width
        return 100.0


def _merged(spans: Iterable[tuple[datetime, datetime]]) -> list[tuple[float, float]]:
    """Join times that overlap, in their order."""
    found: list[tuple[float, float]] = []
    for start, end in sorted((start.timestamp(), end.timestamp()) for start, end in spans):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, max(start, end)))
    return found


def _moment(seconds: float, has_days: bool) -> str:
    moment = datetime.fromtimestamp(seconds, timezone.utc)
    return f"{moment:%m-%d %H:%M}" if has_days else f"{moment:%H:%M:%S}"
