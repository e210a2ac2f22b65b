"""Reads the traceback of a Python worker, which comes as text inside another error."""

from __future__ import annotations

import re
from dataclasses import dataclass

from spark_kernel.spark.error_reports.user_code import is_library

__all__ = ["WorkerError", "WorkerFrame", "read_worker"]

_HEAD = "Traceback (most recent call last):"
_FRAME = re.compile(r'^  File "(?P<file>[^"\n]+)", line (?P<line>\d+)(?:, in (?P<name>[^\n]+))?$')
_END = re.compile(r"\n[ \t]*(?:SQLSTATE: \w{5}|at [\w.$/]+\(|=== Streaming Query ===)")


@dataclass(frozen=True)
class WorkerFrame:
    """One frame, as its worker has told it."""

    file: str
    line: int
    function: str
    source: str


@dataclass(frozen=True)
class WorkerError:
    """What went wrong in a worker.

    Parameters
    ----------
    said
        The last lines: the class of the exception and its message.
    frames
        The user's, the innermost last.
    text
        All of it.
    """

    said: str
    frames: tuple[WorkerFrame, ...]
    text: str

    @property
    def kind(self) -> str:
        """The class of the exception."""
        return self.said.split(":", 1)[0].strip()


def read_worker(text: str) -> WorkerError | None:
    """Find the traceback of a worker in what an error says; None where there is none."""
    start = text.find(_HEAD)
    if start < 0:
        return None
    end = _END.search(text, start)
    whole = text[start : end.start() if end else len(text)].rstrip()
    # Of exceptions that led to each other, the last is the one that got out.
    lines = whole[whole.rfind(f"\n{_HEAD}") + 1 :].splitlines()[1:]
    frames, position = [], 0
    while position < len(lines) and (not lines[position] or lines[position][0] == " "):
        found = _FRAME.match(lines[position])
        if found is not None:
            following = lines[position + 1] if position + 1 < len(lines) else ""
            source = following.strip() if following.startswith("    ") else ""
            frames.append(
                WorkerFrame(found["file"], int(found["line"]), found["name"] or "", source)
            )
        position += 1
    said = "\n".join(lines[position:]).strip()
    return WorkerError(said, tuple(f for f in frames if not is_library(f.file)), whole)
