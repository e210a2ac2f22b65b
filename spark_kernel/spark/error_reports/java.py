"""Reads Java's stack traces: the causes, and which task failed where."""

from __future__ import annotations

import re
from dataclasses import dataclass

from spark_kernel.protocol.error_report import FailedTask

__all__ = ["JavaCause", "failed_task", "read_causes"]

_CAUSE = re.compile(r"^Caused by: ", re.MULTILINE)
_FRAME = re.compile(
    r"^[ \t]*(?:at [\w.$/]+\(|at [\w.$/<>]+|\.\.\. \d+ (?:more|common))", re.MULTILINE
)
_HEAD = re.compile(r"(?::\s*)?([\w.$]+\.[\w$]+)(?:: ?(.*))?$", re.DOTALL)
_LOST = re.compile(
    r"Lost task (\d+)\.(\d+) in stage (\d+)\.(\d+) \(TID \d+\) \((\S+) executor ([^)\s]+)\)"
)
_TASK = re.compile(r"Task (\d+) in stage (\d+)\.(\d+) failed (\d+) times?")
_DRIVER_STACK = "\nDriver stacktrace:"


@dataclass(frozen=True)
class JavaCause:
    """One exception of a chain of Java's: its class, what it says, and its frames as text."""

    kind: str
    said: str
    frames: str

    @property
    def short_kind(self) -> str:
        """The class without its package."""
        return self.kind.rpartition(".")[2]

    @property
    def text(self) -> str:
        """All of it."""
        said = f"{self.kind}: {self.said}" if self.said else self.kind
        return f"{said}\n{self.frames}".rstrip()


def read_causes(stack: str) -> list[JavaCause]:
    """Give the exceptions of a stack trace, the root first."""
    causes = []
    for part in _CAUSE.split(stack):
        frames = _FRAME.search(part)
        said, rest = (part[: frames.start()], part[frames.start() :]) if frames else (part, "")
        head = _HEAD.match(said.split(_DRIVER_STACK)[0].strip())
        if head is not None:
            causes.append(JavaCause(head[1], (head[2] or "").rstrip(), rest.rstrip()))
    return causes[::-1]


def failed_task(text: str) -> FailedTask | None:
    """Find which task failed, for the last time."""
    lost, failed = _LOST.search(text), _TASK.search(text)
    tries = int(failed[4]) if failed else None
    if lost is not None:
        task, attempt, stage, stage_attempt = map(int, lost.groups()[:4])
        host, executor = lost[5], lost[6]
        return FailedTask(task, attempt, stage, stage_attempt, tries, host, executor)
    if failed is not None:
        return FailedTask(int(failed[1]), None, int(failed[2]), int(failed[3]), tries)
    return None
