"""Shows what ran in a notebook as text: ``spark-kernel history``."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from datetime import datetime, timezone

from spark_kernel.display.jobs import duration_text, joined, one_line, plural, size_text
from spark_kernel.display.lineage import dataset_title
from spark_kernel.display.staleness import STALE_MARKS
from spark_kernel.protocol.history import HistoryCell, NotebookHistory
from spark_kernel.protocol.provenance import CellRecord, Dataset, RunStatus

__all__ = ["STATUS_MARKS", "history_text", "history_where", "history_who", "instant_label"]

STATUS_MARKS = {
    RunStatus.OK: ("✓", "+", "done"),
    RunStatus.ERROR: ("✗", "x", "failed"),
    RunStatus.INTERRUPTED: ("⊘", "!", "quiet"),
    RunStatus.ABORTED: ("»", "-", "quiet"),
}
"""A sign, one for terminals that lack it, and the end of the class that colours it."""

_WIDTH = 100
_HEADS = ("", "", "Started", "Took", "Jobs", "Read", "Written", "Data", "Result", "Cell")
_RIGHT = {1, 3, 4, 5, 6}
_MOST_DATASETS = 20
_LONGEST_FACT = 600
_LEAST_TITLE = 16
_NONE = "-"


def history_text(
    history: NotebookHistory, *, is_verbose: bool = False, is_plain: bool = False
) -> str:
    """Give a line for each cell, with totals around them.

    Parameters
    ----------
    is_verbose
        Whether data, libraries and who ran it are told below each cell.
    is_plain
        Whether the terminal has ASCII only.
    """
    has_days = _has_days(history)
    rows = [_row(cell, has_days, is_plain) for cell in history.cells]
    widths = [max(map(len, column)) for column in zip(_HEADS, *rows, strict=True)][:-1]
    room = max(_WIDTH - sum(widths) - 2 * len(widths), _LEAST_TITLE)
    lines = [*_head(history), "", _line(_HEADS, widths, room)]
    for cell, row in zip(history.cells, rows, strict=True):
        lines.append(_line(row, widths, room))
        if is_verbose and cell.record is not None:
            lines += _details(cell, cell.record)
    text = "\n".join([*lines, "", *_totals(history)])
    return _plain(text) if is_plain else text


def history_who(history: NotebookHistory) -> str:
    """Say who ran it, and where."""
    who = history.different(lambda one: f"{one.user} on {one.host}" if one.user else one.host)
    return ", ".join(one_line(text, 60) for text in who[:3])


def history_where(history: NotebookHistory) -> str:
    """Say on which cluster and Spark it ran."""
    clusters = history.different(lambda one: one.spark and (one.spark.cluster or one.spark.master))
    versions = history.different(lambda one: one.spark and one.spark.version)
    told = ", ".join(one_line(text, 30) for text in versions[:3])
    spark = f"Spark {told}" if told else ""
    return joined((", ".join(one_line(text, 60) for text in clusters[:3]), spark))


def instant_label(moment: datetime | None, *, has_day: bool = True) -> str:
    """Write a moment of UTC; "-" where there is none."""
    if moment is None:
        return _NONE
    moment = moment.astimezone(timezone.utc)
    return f"{moment:%Y-%m-%d %H:%M:%S}" if has_day else f"{moment:%H:%M:%S}"


def _head(history: NotebookHistory) -> list[str]:
    ran = sum(1 for _ in history.records)
    when = f"{instant_label(history.started)} to "
    when += f"{instant_label(history.finished, has_day=_has_days(history))} UTC"
    what = f"{ran:,} of {plural(len(history.cells), 'cell')} ran"
    return [
        *textwrap.wrap(one_line(history.notebook, 300), _WIDTH),
        joined((what, when)),
        *textwrap.wrap(joined((history_who(history), history_where(history))), _WIDTH),
    ]


def _row(cell: HistoryCell, has_days: bool, is_plain: bool) -> tuple[str, ...]:
    verdict, record = cell.verdict, cell.record
    result = verdict.verdict.value if verdict is not None else ""
    number = f"[{cell.number}]"
    if record is None:
        return ("", number, *[_NONE] * 6, result, cell.title)
    totals = record.totals
    return (
        STATUS_MARKS[record.status][is_plain],
        number,
        instant_label(record.started, has_day=has_days),
        duration_text(record.duration_s) or _NONE,
        f"{len(record.jobs) + record.omitted_jobs:,}" if record.jobs else _NONE,
        size_text(totals.input_bytes) if totals.input_bytes else _NONE,
        size_text(totals.output_bytes) if totals.output_bytes else _NONE,
        _data(record),
        result,
        cell.title,
    )


def _data(record: CellRecord) -> str:
    """Count inputs and outputs; "?" where they were not looked for."""
    if record.inputs is None and record.outputs is None:
        return "?"
    read, written = len(record.inputs or ()), len(record.outputs or ())
    said = [f"{read} in" if read else "", f"{written} out" if written else ""]
    return ", ".join(filter(None, said)) or _NONE


def _line(row: tuple[str, ...], widths: list[int], room: int) -> str:
    cells = [
        text.rjust(width) if number in _RIGHT else text.ljust(width)
        for number, (text, width) in enumerate(zip(row, widths, strict=False))
    ]
    return "  ".join([*cells, one_line(row[-1], room)]).rstrip()


def _details(cell: HistoryCell, record: CellRecord) -> Iterator[str]:
    """Tell what does not fit on the line of a cell."""
    who = f"{record.user} on {record.host}" if record.user else record.host
    kernel = joined((f"run [{record.execution_count}]", f"kernel {record.kernel.session[:8]}"))
    facts = [joined((record.status.value, record.error_name, who, kernel))]
    facts += [f"reads {text}" for text in _datasets(record.inputs)]
    facts += [f"writes {text}" for text in _datasets(record.outputs)]
    totals = record.totals
    sizes = (
        (totals.shuffle_read_bytes, "shuffle read"),
        (totals.shuffle_write_bytes, "shuffle written"),
        (totals.spill_bytes, "spilled"),
    )
    failed = sum(job.failed_tasks or 0 for job in record.jobs)
    work = joined(
        (
            plural(failed, "failed task") if failed else "",
            *(f"{size_text(size)} {what}" for size, what in sizes if size),
            f"executors {duration_text(totals.executor_run_s)}" if totals.executor_run_s else "",
        )
    )
    facts += [work] if work else []
    if cell.verdict is not None:
        mark = STALE_MARKS[cell.verdict.verdict][1]
        facts += [f"{mark} {one_line(reason.text, 300)}" for reason in cell.verdict.reasons[:3]]
    for fact in facts:
        yield from textwrap.wrap(
            one_line(fact, _LONGEST_FACT),
            _WIDTH,
            initial_indent="        ",
            subsequent_indent="          ",
            break_long_words=False,  # a path stays whole, so that it can be copied
            break_on_hyphens=False,
        )


def _datasets(datasets: tuple[Dataset, ...] | None) -> list[str]:
    found = [one_line(dataset_title(one), 300) for one in (datasets or ())]
    hidden = len(found) - _MOST_DATASETS
    return [*found[:_MOST_DATASETS], *([f"and {hidden} more"] if hidden > 0 else [])]


def _totals(history: NotebookHistory) -> list[str]:
    failed = sum(one.status is not RunStatus.OK for one in history.records)
    return [
        joined(
            (
                f"{plural(failed, 'cell')} did not end well" if failed else "",
                plural(history.jobs, "job"),
                f"{size_text(history.total('input_bytes'))} read",
                f"{size_text(history.total('output_bytes'))} written",
                f"busy for {duration_text(history.busy_s)}",
            )
        )
    ]


def _has_days(history: NotebookHistory) -> bool:
    started, finished = history.started, history.finished
    return bool(started and finished and started.date() != finished.date())


def _plain(text: str) -> str:
    return text.replace("·", "-").replace("…", "...")
