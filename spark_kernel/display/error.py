"""Shows an error of Spark's: a few lines in place of a traceback, and everything below, folded."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from spark_kernel.display.render import render
from spark_kernel.display.session import is_web, shown_link
from spark_kernel.protocol.error_report import CodePlace, ErrorReport, ErrorSection
from spark_kernel.protocol.mimebundle import MimeBundle, bundle

__all__ = ["error_details", "error_lines", "error_text"]

_RED, _GREEN, _QUIET, _BOLD, _END = "\x1b[31m", "\x1b[32m", "\x1b[2m", "\x1b[1m", "\x1b[39;22m"
_ARROW = "---->"
_LINES = 12
_MESSAGE_LINES = 4
_LINE_LENGTH = 400
_PLACES = 3
_DETAILS_LIMIT = 64_000


def error_lines(report: ErrorReport) -> list[str]:
    """Give the lines that stand for the traceback, with colours as IPython uses them."""
    below = [*report.statement, *_place_lines(report.places[:_PLACES])]
    if report.facts:
        below.append(f"{_QUIET}{_short(report.facts)}{_END}")
    if report.hint:
        below.append(f"{_BOLD}Hint:{_END} {report.hint}")
    room = max(1, min(_MESSAGE_LINES, _LINES - len(below)))
    return [*_message_lines(report, room), *below]


def error_details(reports: Sequence[ErrorReport]) -> MimeBundle:
    """Make the fold that stands below the error: what it holds is one line as text."""
    sections, count = [], 0
    for number, report in enumerate(reports, 1):
        for section in report.sections:
            title = f"{number}: {section.title}" if len(reports) > 1 else section.title
            sections.append(ErrorSection(title, section.text))
    totals = accumulate(len(section.text) for section in sections)
    kept = [one for one, total in zip(sections, totals, strict=True) if total <= _DETAILS_LIMIT]
    count = len(sections) - len(kept)
    links = list(dict.fromkeys(link for report in reports for link in report.links))
    rows = [(link.text, shown_link(link), is_web(link.url)) for link in links]
    told = _contents(sections, bool(links))
    text = f"`%spark error` shows the whole: {told}"
    return bundle(
        text, render("error.html.j2", told=told, sections=kept, links=rows, omitted=count)
    )


def error_text(reports: Sequence[ErrorReport]) -> str:
    """Give all that is known as plain text, for ``%spark error``."""
    parts = []
    for report in reports:
        parts.append("\n".join(_message_lines(report, 100, is_coloured=False)))
        parts.append("\n".join([*report.statement, *_place_lines(report.places, "", "", "")]))
        parts.append(report.facts)
        parts.append(f"Hint: {report.hint}" if report.hint else "")
        for section in report.sections:
            head = f"{section.title}\n{'-' * len(section.title)}"
            parts.append(f"{head}\n{section.text}")
        parts += ["\n".join(f"{link.text}: {shown_link(link)}" for link in report.links)]
    return "\n\n".join(part for part in parts if part)


def _message_lines(report: ErrorReport, room: int, *, is_coloured: bool = True) -> list[str]:
    red, end = (_RED, _END) if is_coloured else ("", "")
    head = f"{red}{report.name}{end}: " + (f"[{report.condition}] " if report.condition else "")
    first, *rest = report.message or ("",)
    if len(rest) + 1 > room:
        rest = [*rest[: room - 1]]
        if rest:
            rest[-1] = f"{_short(rest[-1])} …"
        else:
            first = f"{_short(first)} …"
    return [head + _short(first), *map(_short, rest)]


def _place_lines(
    places: Sequence[CodePlace], green: str = _GREEN, quiet: str = _QUIET, end: str = _END
) -> list[str]:
    lines = []
    for number, place in enumerate(places):
        role = place.role or (f"in {place.function}" if place.function else "")
        told = f", {role}" if role else ""
        lines.append(f"{green}{place.where}{end}, line {green}{place.line}{end}{told}")
        if place.source:
            mark = _ARROW if number == 0 else " " * len(_ARROW)
            lines.append(f"{green}{mark} {place.line}{end} {place.source}")
    return lines


def _contents(sections: Sequence[ErrorSection], has_links: bool) -> str:
    """Say what there is below an error."""
    names: dict[str, int] = {}
    for section in sections:
        title = section.title.split(": ", 1)[-1] if section.title[0].isdigit() else section.title
        name = "JVM cause" if title.startswith("JVM cause") else title
        names[name] = names.get(name, 0) + 1
    told = [
        name if number == 1 and name != "JVM cause" else f"{number} {name}{'s' * (number > 1)}"
        for name, number in names.items()
    ]
    return ", ".join([*told, "links"] if has_links else told)


def _short(line: str) -> str:
    return line if len(line) <= _LINE_LENGTH else f"{line[:_LINE_LENGTH]} …"
