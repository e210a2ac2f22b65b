"""What a check found, and how it is shown: as one screen of text, or as JSON."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import Enum

import click

from spark_kernel.cli.terminal import can_show, shown

__all__ = ["Finding", "Status", "as_json", "as_text", "overall_status"]

_WIDTH = 100


class Status(str, Enum):
    """How it stands, best first."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


_MARKS = {
    Status.OK: ("✓", "ok", "green"),
    Status.WARNING: ("!", "!", "yellow"),
    Status.ERROR: ("✗", "X", "red"),
}


@dataclass(frozen=True)
class Finding:
    """The result of one check.

    Parameters
    ----------
    found
        What there is; may have several lines.
    advice
        What to do about it; empty where nothing has to be done.
    """

    name: str
    status: Status
    found: str
    advice: str = ""


def overall_status(findings: Sequence[Finding]) -> Status:
    """Give the worst status."""
    order = list(Status)
    return max((finding.status for finding in findings), key=order.index, default=Status.OK)


def as_json(findings: Sequence[Finding]) -> str:
    """Give the findings for a program."""
    content = {
        "status": overall_status(findings),
        "checks": [asdict(finding) for finding in findings],
    }
    return json.dumps(content, indent=2)


def as_text(findings: Sequence[Finding], encoding: str) -> str:
    """Give the findings for a person.

    Parameters
    ----------
    encoding
        That of the terminal: one that lacks the marks gets plain ones.
    """
    is_plain = not can_show("✓✗→", encoding)
    margin = max((len(finding.name) for finding in findings), default=0) + 2
    lines = [line for finding in findings for line in _lines_of(finding, margin, is_plain)]
    return shown("\n".join([*lines, "", _summary(findings)]), encoding)


def _lines_of(finding: Finding, margin: int, is_plain: bool) -> list[str]:
    mark, plain_mark, colour = _MARKS[finding.status]
    shown_mark = f"{plain_mark:<2}" if is_plain else mark
    indent = " " * (len(shown_mark) + 1 + margin)
    arrow = "-> " if is_plain else "→ "
    texts = [*finding.found.splitlines(), *([arrow + finding.advice] if finding.advice else [])]
    lines = [line for text in texts for line in _wrap(text, _WIDTH - len(indent))]
    head = f"{click.style(shown_mark, fg=colour)} {finding.name:<{margin}}"
    return [head + "".join(lines[:1]), *(indent + line for line in lines[1:])]


def _wrap(text: str, width: int) -> list[str]:
    # Paths and commands stay whole, so that they can be copied.
    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)


def _summary(findings: Sequence[Finding]) -> str:
    errors, warnings = (
        sum(finding.status is status for finding in findings)
        for status in (Status.ERROR, Status.WARNING)
    )
    if errors:
        return f"{errors} of {len(findings)} checks failed: the kernel will not work as it should."
    if warnings:
        return f"The kernel will work; {warnings} of {len(findings)} checks gave a warning."
    return "All is well."
