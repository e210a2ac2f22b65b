"""Shows what a cell's Spark jobs do while it runs, and what they did once it is over.

A display is small whatever a cell starts: it is sent several times a second, and the last one
stays in the notebook.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from heapq import nsmallest
from typing import Any, TypeVar

from spark_kernel.display.jobs import (
    Attention,
    Bar,
    Row,
    counts_text,
    duration_text,
    hint_name,
    hint_text,
    job_rank,
    job_row,
    joined,
    more_text,
    one_line,
    plural,
    query_row,
    size_text,
    stage_rank,
    task_facts,
)
from spark_kernel.display.render import aligned, render
from spark_kernel.protocol.mimebundle import MimeBundle, bundle
from spark_kernel.protocol.progress import (
    PROGRESS_MIME,
    CellProgress,
    Hint,
    JobProgress,
    QueryProgress,
    RunState,
    StageProgress,
    progress_content,
)

__all__ = ["jobs_table", "progress_view"]

_BUNDLE_BYTES = 60_000
_ROWS = 40
"""Jobs, stages and queries to begin with: of usual names, this many fit into a bundle."""
_LIVE_STAGES = 12
"""Rows of stages of all running jobs together: more would push the notebook off the screen."""
_TEXT_LINES = 10
_TABLE_ROWS = 100
_DESCRIPTION, _NAME, _HINT, _URL = 160, 120, 200, 500
_STOP = ("%spark cancel ID", "%spark cancel all")

_Item = TypeVar("_Item")


def progress_view(progress: CellProgress) -> dict[str, Any]:
    """Show a cell's progress as JSON, HTML and text: at most 60,000 bytes together, as JSON.

    What does not fit is left out and counted: what runs or failed stays longest, then the newest.
    """
    rows, shown = _ROWS, progress
    while True:
        shown = _fitted(shown, rows)
        content = progress_content(shown)
        if len(shown.queries) < len(progress.queries):
            content["omitted"]["queries"] = len(progress.queries) - len(shown.queries)
        draw = _final_view if progress.is_final else _live_view
        view = {PROGRESS_MIME: content, **draw(shown, progress)}
        size = len(json.dumps(view))
        if rows == 0 or size <= _BUNDLE_BYTES:
            return view
        rows = min(rows - 1, rows * _BUNDLE_BYTES // size)


def jobs_table(
    jobs: Sequence[JobProgress], queries: Sequence[QueryProgress], owners: Mapping[int, str]
) -> MimeBundle:
    """Show what runs, for ``%spark jobs``.

    Parameters
    ----------
    owners
        The cell of each job, by the job's id; "" or nothing where it is not known.
    """
    if not jobs and not queries:
        return bundle("No Spark job is running.")
    job_rows = [
        (
            str(job.id),
            one_line(job.description, _DESCRIPTION),
            one_line(owners.get(job.id, ""), _NAME),
            counts_text(job.tasks),
            f"{job.tasks.active:,}",
            duration_text(job.duration_s, job.state.is_over),
        )
        for job in jobs[:_TABLE_ROWS]
    ]
    query_rows = [
        (query.id, query.name, query_row(query).facts)
        for query in map(_fitted_query, queries[:_TABLE_ROWS])
    ]
    more = more_text(len(jobs) - _TABLE_ROWS, "job") + more_text(
        len(queries) - _TABLE_ROWS, "query"
    )
    tables = [
        (heads, rows)
        for heads, rows in (
            (("Job", "What", "Cell", "Tasks", "Running", "Time"), job_rows),
            (("Query", "Name", "State"), query_rows),
        )
        if rows
    ]
    text = [*(aligned([heads, *rows]) + "\n" for heads, rows in tables), *more]
    text.append(f"`{_STOP[0]}` stops a job, `{_STOP[1]}` everything")
    return bundle("\n".join(text), render("jobs.html.j2", tables=tables, more=more, stop=_STOP))


def _final_view(shown: CellProgress, whole: CellProgress) -> MimeBundle:
    outcome = Row(_outcome(whole), joined((_jobs_text(whole), *_totals(whole))))
    hints = {hint for job in shown.jobs for stage in job.stages for hint, _ in stage.hints}
    html = render(
        "progress_final.html.j2",
        outcome=outcome,
        hints=", ".join(sorted(map(hint_name, hints))),
        rows=[
            *map(query_row, shown.queries),
            *(job_row(job, job.stages, job.omitted_stages) for job in shown.jobs),
        ],
        more=more_text(shown.omitted_jobs, "job") + _more_queries(shown, whole),
    )
    return bundle(_short(f"{outcome.mark} {outcome.title}", _findings(shown)), html)


def _live_view(shown: CellProgress, whole: CellProgress) -> MimeBundle:
    running = [job for job in shown.jobs if not job.state.is_over]
    done = [job for job in shown.jobs if job_rank(job)[0] is Attention.NONE]
    troubled = [job for job in shown.jobs if job_rank(job)[0] is Attention.TROUBLE]
    stages = max(2, _LIVE_STAGES // len(running)) if running else 2
    rows = [
        *map(query_row, shown.queries),
        *(_live_row(job, stages) for job in (*running, *troubled)),
    ]
    more_running = min(shown.omitted_jobs, max(0, shown.running - len(running)))
    more_over = shown.omitted_jobs - more_running
    more = more_text(more_running, "running job") + _more_queries(shown, whole)
    head = [part for part in (_jobs_text(whole), *_totals(whole)) if part]
    html = render(
        "progress.html.j2",
        head=head,
        bar=Bar.of("All tasks", shown.tasks) if shown.running or shown.finished else None,
        rows=rows,
        more=more,
        done=[job_row(job, ()) for job in done],
        done_title=plural(len(done) + more_over, "finished job"),
        done_more=more_text(more_over, "job"),
    )
    lines = [*_live_lines(rows), *(f"  {line}" for line in more)]
    return bundle(_short(joined(head), lines), html)


def _live_row(job: JobProgress, limit: int) -> Row:
    """Give a job with its stages, those that run first; of a job that is over only the troubled."""
    stages = sorted(job.stages, key=stage_rank)
    if job.state.is_over:
        stages = [stage for stage in stages if stage_rank(stage)[0] is not Attention.NONE]
    stages = stages[:limit]
    return job_row(job, stages, len(job.stages) + job.omitted_stages - len(stages))


def _live_lines(rows: Sequence[Row]) -> list[str]:
    lines: list[str] = []
    for row in rows:
        lines.append(f"  {row.text}")
        lines += [f"    ⚠ {hint}" for stage in row.rows for hint in stage.hints]
    return lines


def _findings(progress: CellProgress) -> list[str]:
    """Say of jobs that are over what somebody should know: failures, then hints."""
    found = [
        f"  Job {job.id} {job.state.value}: {one_line(job.description, _NAME)}"
        for job in progress.jobs
        if job.state in (RunState.FAILED, RunState.CANCELLED)
    ]
    found += [
        f"  ⚠ Stage {stage.id}, {hint_text(hint, sentence)}"
        for job in progress.jobs
        for stage in job.stages
        for hint, sentence in stage.hints
    ]
    return found


def _short(head: str, lines: Sequence[str]) -> str:
    more = more_text(len(lines) - _TEXT_LINES, "line")
    return "\n".join((f"Spark: {head}", *lines[:_TEXT_LINES], *(f"  {line}" for line in more)))


def _outcome(progress: CellProgress) -> RunState:
    """Say in one state how a cell ended."""
    failed, cancelled, unknown = _ends(progress)
    is_active = bool(progress.running) or any(query.is_active for query in progress.queries)
    states = (
        (failed, RunState.FAILED),
        (cancelled, RunState.CANCELLED),
        (unknown, RunState.UNKNOWN),
        (is_active, RunState.RUNNING),
    )
    return next((state for count, state in states if count), RunState.SUCCEEDED)


def _jobs_text(progress: CellProgress) -> str:
    """Count jobs by how they ended."""
    running, finished = progress.running, progress.finished
    failed, cancelled, unknown = _ends(progress)
    done = finished - failed - cancelled - unknown
    ends = [
        f"{count:,} {end}"
        for count, end in (
            (failed, "failed"),
            (cancelled, "cancelled"),
            (unknown, "with unknown outcome"),
        )
        if count
    ]
    if progress.is_final:
        first = [plural(running + finished, "job")]
        first += [f"{running:,} still running"] if running else []
    elif running:
        first = [f"{plural(running, 'job')} running", *([f"{done:,} done"] if done else [])]
    else:
        first = [plural(finished, "job") + ("" if ends else " done")]
    return ", ".join((*first, *ends)) if running or finished or not progress.queries else ""


def _ends(progress: CellProgress) -> tuple[int, int, int]:
    """Count the jobs that failed, that were cancelled, and of which nobody knows.

    The totals tell the first two as one; an omitted one is said to have failed.
    """
    states = [job.state for job in progress.jobs]
    cancelled = states.count(RunState.CANCELLED)
    return max(0, progress.failed - cancelled), cancelled, states.count(RunState.UNKNOWN)


def _totals(progress: CellProgress) -> list[str]:
    """Say what the jobs and queries of a cell did together; "" for what is not there."""
    queries, tasks = progress.queries, progress.tasks
    active = sum(query.is_active for query in queries)
    how_many = f", {active:,} active" if 0 < active < len(queries) else ""
    is_all = progress.is_final and tasks.completed >= tasks.total - tasks.skipped
    done = f"{tasks.completed:,}" if is_all and tasks.completed else counts_text(tasks)
    facts = [fact for fact in task_facts(tasks) if fact]
    return [
        plural(len(queries), "streaming query") + (how_many or (" active" if active else " ended"))
        if queries
        else "",
        ", ".join((f"{done} tasks", *facts)) if done else ", ".join(facts),
        duration_text(progress.elapsed_s, progress.is_final),
        f"{size_text(progress.input_bytes)} read" if progress.input_bytes else "",
        f"{size_text(progress.shuffle_bytes)} shuffled" if progress.shuffle_bytes else "",
    ]


def _more_queries(shown: CellProgress, whole: CellProgress) -> tuple[str, ...]:
    return more_text(len(whole.queries) - len(shown.queries), "query")


def _fitted(progress: CellProgress, rows: int) -> CellProgress:
    """Keep at most so many jobs, stages and queries, and shorten what people wrote."""
    queries = _kept(progress.queries, rows // 4, lambda query: (not query.is_active,))
    rows -= len(queries)
    jobs = _kept(progress.jobs, (rows + 1) // 2, job_rank)
    stages = _kept_stages(jobs, rows - len(jobs))
    return replace(
        progress,
        cell_id=one_line(progress.cell_id, _NAME),
        jobs=tuple(_fitted_job(job, kept) for job, kept in zip(jobs, stages, strict=True)),
        queries=tuple(_fitted_query(query) for query in queries),
        omitted_jobs=progress.omitted_jobs + len(progress.jobs) - len(jobs),
    )


def _kept(
    items: Sequence[_Item], limit: int, rank: Callable[[_Item], tuple[object, ...]]
) -> list[_Item]:
    """Keep the ones of the lowest rank, in their order."""
    if len(items) <= limit:
        return list(items)
    numbers = nsmallest(limit, range(len(items)), key=lambda number: rank(items[number]))
    return [items[number] for number in sorted(numbers)]


def _kept_stages(jobs: Sequence[JobProgress], limit: int) -> list[list[StageProgress]]:
    """Keep the stages most worth showing of all jobs together, by job."""
    stages = [(number, stage) for number, job in enumerate(jobs) for stage in job.stages]
    kept = _kept(stages, limit, lambda item: stage_rank(item[1]))
    return [[stage for owner, stage in kept if owner == number] for number in range(len(jobs))]


def _fitted_job(job: JobProgress, stages: Sequence[StageProgress]) -> JobProgress:
    return replace(
        job,
        description=one_line(job.description, _DESCRIPTION),
        url=_fitted_url(job.url),
        stages=tuple(_fitted_stage(stage) for stage in stages),
        omitted_stages=job.omitted_stages + len(job.stages) - len(stages),
    )


def _fitted_stage(stage: StageProgress) -> StageProgress:
    return replace(
        stage,
        name=one_line(stage.name, _NAME),
        url=_fitted_url(stage.url),
        hints=tuple((hint, one_line(text, _HINT)) for hint, text in stage.hints[: len(Hint)]),
    )


def _fitted_query(query: QueryProgress) -> QueryProgress:
    return replace(
        query,
        id=one_line(query.id, _NAME),
        name=one_line(query.name or "", _NAME),
        input_rows_per_s=_finite(query.input_rows_per_s),
        processed_rows_per_s=_finite(query.processed_rows_per_s),
    )


def _fitted_url(url: str) -> str:
    """Give a URL, or "": half of one leads nowhere."""
    return url if len(url) <= _URL and url.isprintable() else ""


def _finite(value: float | None) -> float | None:
    """Give a number that JSON has: Spark divides by the time of a batch, which may be 0."""
    return value if value is not None and math.isfinite(value) else None
