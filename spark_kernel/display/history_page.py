"""Draws what ran in a notebook as one page: a timeline, what reads and writes what, and details.

The page needs nothing but itself: no script, no font and no picture from elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath

from spark_kernel.display.history import (
    STATUS_MARKS,
    history_where,
    history_who,
    instant_label,
)
from spark_kernel.display.jobs import duration_text, joined, one_line, plural, size_text
from spark_kernel.display.lineage import dataset_title, lineage_of
from spark_kernel.display.render import render
from spark_kernel.display.staleness import STALE_MARKS, stale_summary
from spark_kernel.display.timeline import Timeline
from spark_kernel.protocol.history import HistoryCell, NotebookHistory
from spark_kernel.protocol.provenance import CellRecord, RunStatus
from spark_kernel.protocol.staleness import CellVerdict, StalenessReport

__all__ = ["history_page"]

_MOST_CELLS = 1_000
_TITLE = 90
_MOST_LIBRARIES = 100


@dataclass(frozen=True)
class _JobBar:
    """A job in the bar of its cell; places are percents of that bar."""

    left: float
    width: float
    title: str
    kind: str


@dataclass(frozen=True)
class _Row:
    """One cell of the timeline; places are percents of the line."""

    number: int
    title: str
    status: str
    mark: str
    left: float | None
    width: float
    time: str
    hover: str
    jobs: tuple[_JobBar, ...]
    verdict: str
    verdict_mark: str
    reasons: tuple[str, ...]
    facts: tuple[str, ...]
    reads: tuple[str, ...]
    writes: tuple[str, ...]


def history_page(history: NotebookHistory) -> str:
    """Give the HTML of the page."""
    cells = history.cells[:_MOST_CELLS]
    spans = [
        (cell.record.started, cell.record.finished)
        for cell in cells
        if cell.record is not None and cell.record.started and cell.record.finished
    ]
    timeline = Timeline(spans)
    verdicts = tuple(cell.verdict for cell in cells if cell.verdict is not None)
    return render(
        "history.html.j2",
        name=one_line(PurePath(history.notebook).name, _TITLE) or "notebook",
        when=_when(history),
        who=history_who(history),
        where=history_where(history),
        figures=_figures(history, verdicts),
        ticks=timeline.ticks(),
        gaps=timeline.gaps,
        rows=[_row(cell, timeline) for cell in cells],
        hidden=len(history.cells) - len(cells),
        lineage=lineage_of(cells),
        libraries=_libraries(history),
        settings=[(one_line(k, 120), one_line(v, 300)) for k, v in history.settings.items()],
        kernels=_kernels(history),
    )


def _when(history: NotebookHistory) -> str:
    return f"{instant_label(history.started)} to {instant_label(history.finished)} UTC"


def _figures(
    history: NotebookHistory, verdicts: tuple[CellVerdict, ...]
) -> list[tuple[str, str, str]]:
    """Give the totals: a figure, what it is of, and more in small print."""
    records = list(history.records)
    failed = sum(one.status is RunStatus.ERROR for one in records)
    tasks = sum(job.tasks or 0 for one in records for job in one.jobs)
    wall = (
        (history.finished - history.started).total_seconds()
        if history.started and history.finished
        else None
    )
    spill = history.total("spill_bytes")
    shuffled = history.total("shuffle_read_bytes")
    return [
        (f"{len(records):,}", "cells ran", f"{failed:,} failed" if failed else "none failed"),
        (duration_text(history.busy_s), "busy", f"of {duration_text(wall)}" if wall else ""),
        (f"{history.jobs:,}", "jobs", plural(tasks, "task") if tasks else ""),
        (size_text(history.total("input_bytes")), "read", ""),
        (size_text(history.total("output_bytes")), "written", ""),
        (size_text(shuffled), "shuffled", f"{size_text(spill)} spilled" if spill else ""),
        (
            f"{sum(one.verdict.value == 'fresh' for one in verdicts):,}",
            "fresh results",
            stale_summary(StalenessReport("", verdicts)).partition(": ")[2].rstrip("."),
        ),
    ]


def _row(cell: HistoryCell, timeline: Timeline) -> _Row:
    record, verdict = cell.record, cell.verdict
    left, width = None, 0.0
    if record is not None and record.started and record.finished:
        left, width = timeline.place(record.started, record.finished)
    time = duration_text(record.duration_s) if record is not None else ""
    title = one_line(cell.title, _TITLE)
    status = record.status if record is not None else None
    said = verdict.verdict.value if verdict is not None else ""
    return _Row(
        cell.number,
        title,
        status.value if status is not None else "none",
        STATUS_MARKS[status][0] if status is not None else "○",
        left,
        width,
        time,
        joined((f"[{cell.number}] {title}", *_facts(record)))
        if record is not None
        else "never ran",
        _job_bars(record) if record is not None else (),
        said,
        STALE_MARKS[verdict.verdict][0] if verdict is not None else "",
        tuple(one_line(one.text, 300) for one in verdict.reasons) if verdict is not None else (),
        _facts(record) if record is not None else (),
        _titles(record.inputs) if record is not None else (),
        _titles(record.outputs) if record is not None else (),
    )


def _facts(record: CellRecord) -> tuple[str, ...]:
    totals = record.totals
    jobs = len(record.jobs) + record.omitted_jobs
    facts = (
        record.status.value,
        one_line(record.error_name, 60),
        f"{instant_label(record.started)} UTC" if record.started else "",
        duration_text(record.duration_s),
        plural(jobs, "job") if jobs else "",
        f"{size_text(totals.input_bytes)} read" if totals.input_bytes else "",
        f"{size_text(totals.output_bytes)} written" if totals.output_bytes else "",
        f"{size_text(totals.spill_bytes)} spilled" if totals.spill_bytes else "",
        f"by {one_line(record.user, 40)}" if record.user else "",
    )
    return tuple(fact for fact in facts if fact)


def _job_bars(record: CellRecord) -> tuple[_JobBar, ...]:
    """Draw the jobs of a cell one behind the other: how long they took is known, not when."""
    whole = record.duration_s or 0.0
    known = [job for job in record.jobs if job.duration_s]
    total = sum(job.duration_s or 0.0 for job in known)
    if not whole or not total:
        return ()
    scale = 100.0 / max(whole, total)
    bars, left = [], 0.0
    for job in known:
        width = (job.duration_s or 0.0) * scale
        tasks = f"{job.tasks:,} tasks" if job.tasks is not None else ""
        title = joined((f"Job {job.id}", job.state, tasks, duration_text(job.duration_s)))
        kind = "failed" if job.state == "failed" else "job"
        bars.append(_JobBar(round(left, 2), round(width, 2), one_line(title, 200), kind))
        left += width
    return tuple(bars)


def _titles(datasets: object) -> tuple[str, ...]:
    from spark_kernel.protocol.provenance import Dataset

    found = datasets if isinstance(datasets, tuple) else ()
    return tuple(one_line(dataset_title(one), 300) for one in found if isinstance(one, Dataset))


def _libraries(history: NotebookHistory) -> list[tuple[str, str]]:
    found = {
        (one_line(one.name, 120), one_line(one.version, 60))
        for record in history.records
        for one in record.libraries
    }
    return sorted(found)[:_MOST_LIBRARIES]


def _kernels(history: NotebookHistory) -> list[str]:
    def told(record: CellRecord) -> str:
        spark = record.spark
        application = (
            f"application {spark.application_id}" if spark and spark.application_id else ""
        )
        master = spark.master if spark and spark.master else ""
        kernel = joined(
            (f"{record.kernel.name} {record.kernel.version}".strip(), master, application)
        )
        return one_line(kernel, 200)

    return history.different(told)[:10]
