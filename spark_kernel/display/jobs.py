"""Says what a job, a stage or a streaming query does: rows of a display, and the words in them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum

from spark_kernel.protocol.progress import (
    Hint,
    JobProgress,
    QueryProgress,
    RunState,
    StageProgress,
    TaskCounts,
)

__all__ = [
    "Attention",
    "Bar",
    "Row",
    "counts_text",
    "duration_text",
    "hint_name",
    "hint_text",
    "job_rank",
    "job_row",
    "joined",
    "more_text",
    "one_line",
    "plural",
    "query_row",
    "size_text",
    "stage_rank",
    "task_facts",
]

_SEPARATOR = " · "
_TEXT_WIDTH = 80
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
_MARKS = {
    RunState.PENDING: ("○", "quiet", "waiting"),
    RunState.RUNNING: ("…", "running", ""),
    RunState.SUCCEEDED: ("✓", "done", ""),
    RunState.FAILED: ("✗", "failed", "failed"),
    RunState.CANCELLED: ("⊘", "quiet", "cancelled"),
    RunState.SKIPPED: ("»", "quiet", "skipped"),
    RunState.UNKNOWN: ("?", "quiet", "outcome unknown"),
}
_JOINERS = "\u200c\u200d"


class Attention(IntEnum):
    """What somebody looks for first, in that order."""

    RUNNING = 0
    TROUBLE = 1
    NONE = 2


@dataclass(frozen=True)
class Bar:
    """How much of something is done.

    Attributes
    ----------
    label
        What a screen reader calls it.
    value, end
        Completed tasks, and how many there will be; an ``end`` of 0 is not known.
    segments
        (kind, percent of the width) from left to right; one of kind "unknown" where not even
        the number of tasks is known.
    """

    label: str
    value: int
    end: int
    segments: tuple[tuple[str, float], ...]

    @classmethod
    def of(cls, label: str, tasks: TaskCounts) -> Bar:
        """Draw tasks: attempts that failed are seen only while their partitions are not done."""
        end = _expected(tasks)
        whole = end + tasks.skipped
        if not whole:
            return cls(label, 0, 0, (("unknown", 100.0),))
        room = end
        segments = []
        for kind, count in (
            ("done", tasks.completed),
            ("active", tasks.active),
            ("bad", tasks.failed),
        ):
            shown = min(count, room)
            room -= shown
            if shown > 0:
                segments.append((kind, round(100 * shown / whole, 2)))
        if tasks.skipped:
            segments.append(("skip", round(100 * tasks.skipped / whole, 2)))
        return cls(label, tasks.completed, end, tuple(segments))


@dataclass(frozen=True)
class Row:
    """A job, a stage or a query, as it is read.

    Attributes
    ----------
    title, url
        Its name, and where it leads; "" where there is no page that a browser may open.
    facts
        All that is said beside the counts.
    rows, more
        The stages of a job, and how many are not shown.
    """

    state: RunState
    title: str
    what: str = ""
    url: str = ""
    bar: Bar | None = None
    counts: str = ""
    time: str = ""
    facts: str = ""
    hints: tuple[str, ...] = ()
    rows: tuple[Row, ...] = ()
    more: int = 0

    @property
    def mark(self) -> str:
        """One sign for the state."""
        return _MARKS[self.state][0]

    @property
    def kind(self) -> str:
        """The end of the class that colours the mark."""
        return _MARKS[self.state][1]

    @property
    def more_text(self) -> tuple[str, ...]:
        """What stands below the stages; empty where all are shown."""
        return more_text(self.more, "stage")

    @property
    def text(self) -> str:
        """The row without its stages, on one line that is not too long."""
        what = one_line(self.what, _TEXT_WIDTH)
        title = f"{self.title}: {what}" if what else self.title
        counts = f"{self.counts} tasks" if self.counts else ""
        return joined((title, counts, self.facts, self.time))


def job_row(job: JobProgress, stages: Sequence[StageProgress], more: int = 0) -> Row:
    """Describe a job with some of its stages, in the order given."""
    title = f"Job {job.id}"
    return Row(
        state=job.state,
        title=title,
        what=job.description,
        url=_web(job.url),
        bar=_bar(title, job.state, job.tasks),
        counts=counts_text(job.tasks),
        time=duration_text(job.duration_s, job.state.is_over),
        facts=joined(_task_facts(job.state, job.tasks)),
        rows=tuple(_stage_row(stage) for stage in stages),
        more=more,
    )


def query_row(query: QueryProgress) -> Row:
    """Describe a streaming query."""
    return Row(
        state=RunState.RUNNING if query.is_active else RunState.SUCCEEDED,
        title=f"Query {query.name or query.id}",
        facts=joined(
            (
                "active" if query.is_active else "ended",
                "" if query.batch_id is None else f"batch {query.batch_id:,}",
                _rate_text(query.input_rows_per_s, "in"),
                _rate_text(query.processed_rows_per_s, "processed"),
            )
        ),
    )


def job_rank(job: JobProgress) -> tuple[Attention, int]:
    """Order jobs by how much they are worth showing, the most first, then the newest."""
    if not job.state.is_over:
        return Attention.RUNNING, -job.id
    is_fine = job.state is RunState.SUCCEEDED
    return Attention.NONE if is_fine else Attention.TROUBLE, -job.id


def stage_rank(stage: StageProgress) -> tuple[Attention, int, int]:
    """Order stages as ``job_rank`` orders jobs."""
    attention = Attention.NONE
    if stage.state is RunState.RUNNING:
        attention = Attention.RUNNING
    elif stage.state is RunState.FAILED or stage.hints:
        attention = Attention.TROUBLE
    return attention, -stage.id, -stage.attempt


def counts_text(tasks: TaskCounts) -> str:
    """Say how many tasks are done, of how many; "" when nothing is known.

    Spark counts the skipped ones among the tasks of a job; they are never run.
    """
    expected = _expected(tasks)
    if tasks.total and expected:
        return f"{tasks.completed:,} / {expected:,}"
    return f"{tasks.completed:,}" if tasks.completed else ""


def task_facts(tasks: TaskCounts) -> tuple[str, str, str]:
    """Say what a bar tells in colours; "" for what is not there."""
    return (
        f"{tasks.active:,} running" if tasks.active else "",
        f"{tasks.failed:,} failed" if tasks.failed else "",
        f"{tasks.skipped:,} skipped" if tasks.skipped else "",
    )


def hint_name(hint: Hint) -> str:
    """Name a hint in a word or two."""
    return hint.value.replace("_", " ")


def hint_text(hint: Hint, sentence: str) -> str:
    """Say a hint's sentence, after its name where the sentence does not say it itself."""
    return f"{hint_name(hint)}: {sentence}" if hint in (Hint.SKEW, Hint.SPILL) else sentence


def duration_text(seconds: float | None, is_over: bool = True) -> str:
    """Say a time; tenths of what still runs would only flicker."""
    if seconds is None or not math.isfinite(seconds):
        return ""
    seconds = max(seconds, 0.0)
    if seconds < (59.95 if is_over else 1.0):
        return f"{seconds:.1f} s"
    whole = round(seconds) if is_over else int(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, left = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {left} s"
    return f"{minutes // 60:,} h {minutes % 60:02d} min"


def size_text(size_bytes: int) -> str:
    """Say a size in the units of Spark's own pages."""
    size, unit = float(size_bytes), 0
    while size >= 1023.95 and unit < len(_UNITS) - 1:
        size, unit = size / 1024, unit + 1
    return f"{size:,.{0 if size >= 99.95 or not unit else 1}f} {_UNITS[unit]}"


def plural(count: int, noun: str) -> str:
    """Count things."""
    if count == 1:
        return f"1 {noun}"
    return f"{count:,} {noun[:-1]}ies" if noun.endswith("y") else f"{count:,} {noun}s"


def joined(parts: Iterable[str]) -> str:
    """Join what is there."""
    return _SEPARATOR.join(part for part in parts if part)


def one_line(text: str, limit: int) -> str:
    """Make text of anyone's making fit a line: no line breaks, no control or lone characters.

    Parameters
    ----------
    limit
        The most characters to give; what is cut ends with "…".
    """
    # Twice the limit is read, so that white space at the start costs little of what follows.
    seen = text[: 2 * limit]
    kept = "".join(c if c.isprintable() or c in _JOINERS else " " for c in seen)
    line = " ".join(kept.split())
    if len(line) <= limit and len(text) <= len(seen):
        return line
    return line[: limit - 1].rstrip() + "…"


def more_text(count: int, noun: str) -> tuple[str, ...]:
    """Say how many more there are, where there are."""
    return (f"and {plural(count, f'more {noun}')}",) if count > 0 else ()


def _stage_row(stage: StageProgress) -> Row:
    title = f"Stage {stage.id}"
    sizes = (
        (stage.input_bytes, "read"),
        (stage.shuffle_read_bytes, "shuffle read"),
        (stage.shuffle_write_bytes, "shuffle written"),
        (stage.spill_bytes, "spilled"),
    )
    return Row(
        state=stage.state,
        title=title,
        what=stage.name,
        url=_web(stage.url),
        bar=_bar(title, stage.state, stage.tasks),
        counts=counts_text(stage.tasks),
        time=duration_text(stage.duration_s, stage.state.is_over),
        facts=joined(
            (
                # Spark counts from 0; people do not.
                f"attempt {stage.attempt + 1}" if stage.attempt else "",
                *_task_facts(stage.state, stage.tasks),
                *(f"{size_text(size)} {what}" for size, what in sizes if size),
            )
        ),
        hints=tuple(hint_text(hint, sentence) for hint, sentence in stage.hints),
    )


def _task_facts(state: RunState, tasks: TaskCounts) -> tuple[str, ...]:
    """Say how something ended, and what the bar beside it tells in colours."""
    running, _, skipped = task_facts(tasks)
    failed = plural(tasks.failed, "failed task") if tasks.failed else ""
    word = "" if state is RunState.SKIPPED and skipped else _MARKS[state][2]
    return word, running, failed, skipped


def _bar(label: str, state: RunState, tasks: TaskCounts) -> Bar | None:
    """Draw a bar; none for what ended and had no tasks."""
    return None if state.is_over and not tasks.total else Bar.of(label, tasks)


def _expected(tasks: TaskCounts) -> int:
    """Give how many tasks will have run; 0 is not known."""
    if not tasks.total:
        return 0
    return max(tasks.total - tasks.skipped, tasks.completed)


def _rate_text(rows_per_s: float | None, what: str) -> str:
    if rows_per_s is None:
        return ""
    return f"{rows_per_s:,.{1 if 0 < rows_per_s < 10 else 0}f} rows/s {what}"


def _web(url: str) -> str:
    """Give a URL that a browser may follow, else ""."""
    return url if url.startswith(("http://", "https://")) else ""
