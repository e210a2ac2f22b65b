"""Hides secrets in the lines of a driver's log, by what the session itself calls secret too."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping

from spark_kernel.redaction import holds_secret, redacted

__all__ = ["LogRedaction"]

_HIDDEN = "***"
_SHORTEST = 6
"""A shorter value is also a word: hiding it would hide the log."""

_VALUE = re.compile(r"([\w.-]{0,40}[\"']?\s{0,3}[=:]\s{0,3}[\"']?)[^\s\"',;&)\]}]+")


class LogRedaction:
    """What is hidden in the log of a driver with some settings.

    Parameters
    ----------
    conf
        Settings of Spark.
    secrets
        Keys of those that are secret whatever they are called.

    Raises
    ------
    re.error
        If ``spark.redaction.regex`` is one that only Java knows.
    """

    def __init__(self, conf: Mapping[str, str], secrets: Collection[str] = ()) -> None:
        regex = conf.get("spark.redaction.regex", "")
        self._own = re.compile(regex) if regex else None
        values = {
            value
            for key, value in conf.items()
            if len(value) >= _SHORTEST and (key in secrets or self._is_secret(key, value))
        }
        # The longest first: one may be the beginning of another.
        listed = "|".join(map(re.escape, sorted(values, key=len, reverse=True)))
        self._values = re.compile(listed) if listed else None

    def lines(self, lines: Iterable[str]) -> tuple[str, ...]:
        """Give lines as they can be shown."""
        return tuple(map(self._line, lines))

    def _line(self, line: str) -> str:
        if self._values is not None:
            line = self._values.sub(_HIDDEN, line)
        line = redacted(line)
        return self._without_own(line) if self._own is not None else line

    def _is_secret(self, key: str, value: str) -> bool:
        if key == "spark.redaction.regex":
            return False
        if holds_secret(key, ""):
            return True
        return self._own is not None and bool(self._own.search(key) or self._own.search(value))

    def _without_own(self, line: str) -> str:
        """Hide what the regex finds, or where that is the name of a value, the value."""
        assert self._own is not None
        kept, done = [], 0
        for found in self._own.finditer(line):
            if found.start() < done or found.end() == found.start():
                continue
            value = _VALUE.match(line, found.end())
            if value is None:
                kept += [line[done : found.start()], _HIDDEN]
                done = found.end()
            else:
                kept += [line[done : value.end(1)], _HIDDEN]
                done = value.end()
        return "".join([*kept, line[done:]])
