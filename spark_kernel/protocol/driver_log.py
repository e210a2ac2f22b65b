"""A part of a driver's log, and where in the log it ends; the contract is ``docs/protocol.md``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from spark_kernel.protocol.messages import VERSION

__all__ = ["LOG_NAME", "LogPart", "LogPosition", "log_content", "read_position"]

LOG_NAME = re.compile(r"driver-(\d{8}-\d{6}-\d{6})-(\d{1,9})\.log")
"""What a log of ours is called: when its driver began, and the process of its kernel."""

_LARGEST = 1 << 53


@dataclass(frozen=True)
class LogPosition:
    """A place between two lines of a log.

    Parameters
    ----------
    offset
        In bytes, in the part of the log that is written at the time.
    check
        A sum of the bytes before it: it tells whether they are still there, or where they are now.
    """

    log: str
    offset: int
    check: int


@dataclass(frozen=True)
class LogPart:
    """Some lines of a log.

    Parameters
    ----------
    position
        Where they end.
    is_continued
        Whether the place that was asked for was found.
    marked
        Which of the lines is the first behind that place; None where nobody asked.
    bytes_before, bytes_after
        How much is left out between that place, or the beginning, and the lines; and after them.
    """

    lines: tuple[str, ...]
    position: LogPosition
    is_continued: bool
    marked: int | None = None
    bytes_before: int = 0
    bytes_after: int = 0


def read_position(content: Any) -> LogPosition | None:
    """Read a position from a request; None where it is none."""
    if not isinstance(content, Mapping):
        return None
    log, numbers = content.get("log"), [content.get("offset"), content.get("check")]
    if not isinstance(log, str) or not LOG_NAME.fullmatch(log):
        return None
    for number in numbers:
        if type(number) is not int or not 0 <= number < _LARGEST:
            return None
    return LogPosition(log, *numbers)  # type: ignore[arg-type]  # integers, as was seen


def log_content(
    part: LogPart | None, reason: str, logs: Sequence[str], is_running: bool
) -> dict[str, Any]:
    """Make the content of a ``spark_log_reply``.

    Parameters
    ----------
    reason
        Why there is no part.
    logs
        The logs of this kernel's drivers, the newest first.
    is_running
        Whether the driver of the newest runs.
    """
    log = part.position.log if part else ""
    is_current = bool(part) and log in logs[:1]
    return {
        "status": "ok",
        "version": VERSION,
        "log": _named(log, is_current, is_current and is_running) if part else None,
        "reason": reason,
        "lines": list(part.lines) if part else [],
        "position": asdict(part.position) if part else None,
        "is_continued": part.is_continued if part else False,
        "marked": part.marked if part else None,
        "omitted": {
            "bytes_before": part.bytes_before if part else 0,
            "bytes_after": part.bytes_after if part else 0,
        },
        "logs": [_named(name, i == 0, i == 0 and is_running) for i, name in enumerate(logs)],
    }


def _named(log: str, is_current: bool, is_running: bool) -> dict[str, Any]:
    found = LOG_NAME.fullmatch(log)
    day, time = found[1].split("-")[:2] if found else ("", "")
    started = f"{day[:4]}-{day[4:6]}-{day[6:]}T{time[:2]}:{time[2:4]}:{time[4:]}"
    return {"id": log, "started": started, "is_current": is_current, "is_running": is_running}
