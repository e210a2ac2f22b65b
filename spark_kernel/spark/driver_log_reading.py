"""Reads the logs of drivers in bounded parts, wherever they were moved to meanwhile.

Never talks to a driver: a log is a file, and stays one when its driver hangs or is dead.
"""

from __future__ import annotations

import os
import re
import zlib
from datetime import datetime
from pathlib import Path

import psutil

from spark_kernel.protocol.driver_log import LOG_NAME, LogPart, LogPosition

__all__ = ["LogFolder"]

_MOST_LINES = 5_000
_LONGEST_LINE = 4_000
_CHECKED_BYTES = 64
_COLOUR = re.compile(r"\x1b\[[\d;]{0,20}m")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_LISTED = 20


class LogFolder:
    """The logs of the drivers of one kernel.

    Parameters
    ----------
    pid, since
        The kernel's process, and when it began, as local time: pids come again.
    """

    def __init__(self, folder: Path, pid: int | None = None, since: datetime | None = None) -> None:
        self._folder = folder
        self._pid = os.getpid() if pid is None else pid
        self._since = since or datetime.fromtimestamp(psutil.Process().create_time())

    def names(self) -> list[str]:
        """Give the logs of this kernel's drivers, the newest first."""
        found = []
        for path in self._folder.glob(f"driver-*-{self._pid}.log"):
            named = LOG_NAME.fullmatch(path.name)
            if named and datetime.strptime(named[1], "%Y%m%d-%H%M%S-%f") >= self._since:
                found.append(path.name)
        return sorted(found, reverse=True)[:_LISTED]

    def has(self, name: str) -> bool:
        """Whether there is a log of this name, of whichever of the user's kernels."""
        return LOG_NAME.fullmatch(name) is not None and (self._folder / name).is_file()

    def end(self, name: str) -> LogPosition:
        """Give the place where a log ends at this moment."""
        text = _LogText(self._folder / name)
        return text.position(text.size)

    def tail(self, name: str, limit: int, *, is_over: bool = False) -> LogPart:
        """Give the last lines: at most ``limit`` bytes.

        Parameters
        ----------
        is_over
            Whether nothing is written any more, so that a line without an end is one.
        """
        text = _LogText(self._folder / name)
        return text.part(max(0, text.size - limit), text.size, is_over=is_over)

    def after(self, position: LogPosition, limit: int, *, is_over: bool = False) -> LogPart | None:
        """Give what has come since: its last lines, where it is more than ``limit`` bytes."""
        text = _LogText(self._folder / position.log)
        begin = text.place(position)
        if begin is None:
            return None
        first = max(begin, text.size - limit)
        return text.part(first, text.size, is_over=is_over, since=begin)

    def around(self, position: LogPosition, limit: int) -> LogPart | None:
        """Give the lines before and after a place."""
        text = _LogText(self._folder / position.log)
        place = text.place(position)
        if place is None:
            return None
        first = max(0, min(place - limit // 2, text.size - limit))
        return text.part(first, min(first + limit, text.size), is_over=True, marked=place)


class _LogText:
    """What there is of a log: the part before its last rotation, and what was written since.

    While a part is being moved, lines of it can be seen twice; a log is not worth a lock that a
    driver's thread would have to wait for.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._older = path.with_suffix(".log.1")
        self._older_size = _size(self._older)
        self.size = self._older_size + _size(path)

    def place(self, position: LogPosition) -> int | None:
        """Find a position again; None where the log was removed or cut."""
        for base in (self._older_size, 0):
            place = base + position.offset
            if place <= self.size and self._check(place, base) == position.check:
                return place
        return None

    def position(self, place: int) -> LogPosition:
        base = self._older_size if place >= self._older_size else 0
        return LogPosition(self._path.name, place - base, self._check(place, base))

    def part(
        self,
        first: int,
        end: int,
        *,
        is_over: bool,
        since: int = 0,
        marked: int | None = None,
    ) -> LogPart:
        """Give the whole lines between two places, or the beginning of one that is too long."""
        data = self._read(first, end)
        end = first + len(data)
        if first > 0 and self._read(first - 1, first) != b"\n":
            cut = data.find(b"\n") + 1
            first, data = first + cut, data[cut:]
        last = data.rfind(b"\n") + 1
        is_whole = is_over and end == self.size
        if last or not data:
            kept = data if is_whole else data[:last]
        else:  # one line: unfinished, or longer than all that is given
            kept = data if is_whole or first > since or end < self.size else b""
        end = first + len(kept)
        lines = kept.split(b"\n")
        if lines[-1] == b"":
            lines.pop()
        if len(lines) > _MOST_LINES:
            first += sum(len(line) + 1 for line in lines[:-_MOST_LINES])
            lines = lines[-_MOST_LINES:]
        number = None
        if marked is not None:
            number = min(self._read(first, marked).count(b"\n"), len(lines))
        before, after = max(0, first - since), self.size - end
        shown = tuple(map(_shown, lines))
        return LogPart(shown, self.position(end), True, number, before, after)

    def _check(self, place: int, base: int) -> int:
        return zlib.crc32(self._read(max(base, place - _CHECKED_BYTES), place))

    def _read(self, first: int, end: int) -> bytes:
        found = b""
        if first < self._older_size:
            found = _read(self._older, first, min(end, self._older_size))
        if end > self._older_size:
            base = self._older_size
            found += _read(self._path, max(first, base) - base, end - base)
        return found


def _shown(line: bytes) -> str:
    text = line.decode("utf-8", errors="replace").rstrip("\r")
    if len(text) > _LONGEST_LINE:
        text = f"{text[:_LONGEST_LINE]}… ({len(text):,} characters)"
    return _CONTROL.sub(" ", _COLOUR.sub("", text)).expandtabs(4)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _read(path: Path, first: int, end: int) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(first)
            return file.read(max(0, end - first))
    except FileNotFoundError:
        return b""
