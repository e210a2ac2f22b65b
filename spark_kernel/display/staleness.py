"""Shows which results of a notebook are out of date: ``spark-kernel stale``, ``%spark stale``."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import PurePath

from spark_kernel.display.jobs import one_line, plural
from spark_kernel.display.render import render
from spark_kernel.protocol.mimebundle import MimeBundle, bundle
from spark_kernel.protocol.staleness import CellVerdict, StalenessReport, Verdict

__all__ = ["STALE_MARKS", "stale_summary", "staleness_text", "staleness_view"]

STALE_MARKS = {
    Verdict.FRESH: ("✓", "+", "done"),
    Verdict.STALE: ("✗", "x", "failed"),
    Verdict.UNKNOWN: ("?", "?", "quiet"),
}
"""A sign, one for terminals that lack it, and the end of the class that colours it."""

_WIDTH = 100
_TITLE_WIDTH = 36
_WORD_WIDTH = 9
_HTML_TITLE_WIDTH = 80
_REASON_WIDTH = 300
_LISTED = 500


def staleness_text(
    report: StalenessReport,
    *,
    is_verbose: bool = False,
    is_plain: bool = False,
    paint: Callable[[Verdict, str], str] = lambda _, text: text,
) -> str:
    """Give a line for each cell with the main reason, and a summary.

    Parameters
    ----------
    is_verbose
        Whether all reasons and notes are told.
    is_plain
        Whether the terminal has ASCII only.
    paint
        Colours a text by its verdict.
    """
    cells = report.cells[:_LISTED]
    titles = [one_line(cell.title, _TITLE_WIDTH) for cell in cells]
    width = max(map(len, titles), default=0)
    number_width = max((len(f"[{cell.number}]") for cell in cells), default=0)
    lines: list[str] = []
    for cell, title in zip(cells, titles, strict=True):
        mark = STALE_MARKS[cell.verdict][is_plain]
        head = f" {f'[{cell.number}]':>{number_width}} {title:<{width}}  "
        word = cell.verdict.value
        indent = " " * (len(mark) + len(head) + _WORD_WIDTH)
        told = _wrapped(_main(cell), _WIDTH - len(indent))
        gap = " " * (_WORD_WIDTH - len(word)) if told[0] else ""
        lines.append(f"{paint(cell.verdict, mark)}{head}{paint(cell.verdict, word)}{gap}{told[0]}")
        lines += [f"{indent}{more}" for more in told[1:]]
        if is_verbose:
            lines += _more(cell)
    hidden = len(report.cells) - len(cells)
    lines += [f"and {plural(hidden, 'more cell')}"] if hidden else []
    return "\n".join([*lines, *([""] if lines else []), stale_summary(report)])


def staleness_view(report: StalenessReport) -> MimeBundle:
    """Show a table, with all reasons behind the main one."""
    rows = [
        (
            STALE_MARKS[cell.verdict][0],
            STALE_MARKS[cell.verdict][2],
            cell.number,
            one_line(cell.title, _HTML_TITLE_WIDTH),
            cell.verdict.value,
            _main(cell),
            [
                *(_said(reason.text) for reason in cell.reasons[1:]),
                *(_said(note) for note in cell.notes),
            ],
        )
        for cell in report.cells[:_LISTED]
    ]
    html = render(
        "staleness.html.j2",
        notebook=one_line(PurePath(report.notebook).name, _HTML_TITLE_WIDTH),
        rows=rows,
        hidden=len(report.cells) - len(rows),
        summary=stale_summary(report),
    )
    return bundle(staleness_text(report), html)


def stale_summary(report: StalenessReport) -> str:
    """Count the verdicts in a sentence."""
    if not report.cells:
        return "There is no code cell with a result."
    fresh, stale, unknown = (report.count(verdict) for verdict in Verdict)
    if fresh == len(report.cells):
        return "The cell is fresh." if fresh == 1 else f"All {fresh:,} cells are fresh."
    counts = [f"{fresh:,} fresh", f"{stale:,} stale", f"{unknown:,} unknown"]
    return f"{plural(len(report.cells), 'cell')}: {', '.join(counts)}."


def _main(cell: CellVerdict) -> str:
    if not cell.reasons:
        return ""
    more = len(cell.reasons) - 1
    return _said(cell.reasons[0].text) + (f" (and {plural(more, 'more reason')})" if more else "")


def _more(cell: CellVerdict) -> list[str]:
    told = [f"{reason.verdict.value}: {_said(reason.text)}" for reason in cell.reasons[1:]]
    told += [f"note: {_said(note)}" for note in cell.notes]
    return [
        line
        for text in told
        for line in textwrap.wrap(
            text, _WIDTH, initial_indent="      - ", subsequent_indent="        "
        )
    ]


def _said(text: str) -> str:
    return one_line(text, _REASON_WIDTH)


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, max(width, 30), break_on_hyphens=False) or [""]
