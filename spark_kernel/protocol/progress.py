"""What a cell's Spark jobs and queries have done so far, as values, and the message that tells it.

Counts of tasks are of partitions: one that was tried twice, or speculatively, counts once.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from enum import Enum
from typing import Any

from spark_kernel.protocol.events import Cell

__all__ = [
    "PROGRESS_MIME",
    "CellProgress",
    "Hint",
    "JobProgress",
    "ProgressSampled",
    "QueryProgress",
    "RunState",
    "StageProgress",
    "TaskCounts",
    "progress_content",
]

PROGRESS_MIME = "application/vnd.spark-kernel.progress.v1+json"
_VERSION = "1.0"


class RunState(str, Enum):
    """How far a job or a stage is."""

    PENDING = "pending"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"
    """Its driver, or its context, ended before it did."""

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen."""
        return self not in (RunState.PENDING, RunState.RUNNING)


class Hint(str, Enum):
    """Where Spark's users lose hours; the names are those of the protocol."""

    SKEW = "skew"
    SPILL = "spill"
    FAILED_TASKS = "failed_tasks"
    NO_EXECUTORS = "no_executors"


@dataclass(frozen=True)
class TaskCounts:
    """Tasks of a job or a stage; a ``total`` of 0 is not known."""

    total: int = 0
    completed: int = 0
    active: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other: TaskCounts) -> TaskCounts:
        return TaskCounts(
            self.total + other.total,
            self.completed + other.completed,
            self.active + other.active,
            self.failed + other.failed,
            self.skipped + other.skipped,
        )


@dataclass(frozen=True)
class StageProgress:
    """One attempt of a stage.

    Attributes
    ----------
    shuffle_read_bytes, shuffle_write_bytes, spill_bytes
        None where that is not told.
    hints
        What may be wrong, each with a sentence that says what was seen.
    """

    id: int
    attempt: int
    name: str
    state: RunState
    tasks: TaskCounts
    url: str = ""
    duration_s: float | None = None
    input_bytes: int = 0
    shuffle_read_bytes: int | None = 0
    shuffle_write_bytes: int | None = 0
    spill_bytes: int | None = 0
    hints: tuple[tuple[Hint, str], ...] = ()


@dataclass(frozen=True)
class JobProgress:
    """One job.

    Attributes
    ----------
    submitted
        When, in milliseconds since the epoch, by the driver's clock.
    stages
        The ones worth showing; ``omitted_stages`` counts the rest.
    """

    id: int
    description: str
    state: RunState
    tasks: TaskCounts
    url: str = ""
    submitted: int | None = None
    duration_s: float | None = None
    stages: tuple[StageProgress, ...] = ()
    omitted_stages: int = 0


@dataclass(frozen=True)
class QueryProgress:
    """A streaming query."""

    id: str
    name: str
    batch_id: int | None = None
    input_rows_per_s: float | None = None
    processed_rows_per_s: float | None = None
    is_active: bool = True


@dataclass(frozen=True)
class CellProgress:
    """All that a cell has started.

    Attributes
    ----------
    cell_id
        The notebook's id of the cell, or that of its execute request.
    elapsed_s
        Since its first job was submitted.
    jobs
        The ones worth showing, by id.
    finished, running
        How many jobs of the cell are over, and how many are not, shown or omitted.
    failed
        How many of the finished ones failed or were cancelled.
    tasks
        Of all jobs together.
    input_bytes, shuffle_bytes
        Read from storage, and read from shuffles, by all stages seen.
    """

    cell_id: str
    elapsed_s: float
    is_final: bool = False
    jobs: tuple[JobProgress, ...] = ()
    queries: tuple[QueryProgress, ...] = ()
    omitted_jobs: int = 0
    running: int = 0
    finished: int = 0
    failed: int = 0
    tasks: TaskCounts = field(default_factory=TaskCounts)
    input_bytes: int = 0
    shuffle_bytes: int = 0

    @property
    def omitted_stages(self) -> int:
        """How many stages of the shown jobs are left out."""
        return sum(job.omitted_stages for job in self.jobs)


@dataclass(frozen=True)
class ProgressSampled:
    """The jobs of a cell have gone on."""

    cell: Cell
    progress: CellProgress


def progress_content(progress: CellProgress) -> dict[str, Any]:
    """Make the value of the progress MIME type."""
    return {
        "version": _VERSION,
        "cell_id": progress.cell_id,
        "is_final": progress.is_final,
        "elapsed_s": round(progress.elapsed_s, 3),
        "jobs": [_job_content(job) for job in progress.jobs],
        "queries": [asdict(query) for query in progress.queries],
        "omitted": {"jobs": progress.omitted_jobs, "stages": progress.omitted_stages},
        "totals": {
            "running": progress.running,
            "finished": progress.finished,
            "failed": progress.failed,
            "tasks": asdict(progress.tasks),
            "input_bytes": progress.input_bytes,
            "shuffle_read_bytes": progress.shuffle_bytes,
        },
    }


def _job_content(job: JobProgress) -> dict[str, Any]:
    return {
        "id": job.id,
        "description": job.description,
        "state": job.state.value,
        "url": job.url,
        "submitted": job.submitted,
        "duration_s": _rounded(job.duration_s),
        "tasks": asdict(job.tasks),
        "stages": [_stage_content(stage) for stage in job.stages],
    }


def _stage_content(stage: StageProgress) -> dict[str, Any]:
    return {
        "id": stage.id,
        "attempt": stage.attempt,
        "name": stage.name,
        "state": stage.state.value,
        "url": stage.url,
        "duration_s": _rounded(stage.duration_s),
        "tasks": asdict(stage.tasks),
        "input_bytes": stage.input_bytes,
        "shuffle_read_bytes": stage.shuffle_read_bytes,
        "shuffle_write_bytes": stage.shuffle_write_bytes,
        "spill_bytes": stage.spill_bytes,
        "hints": [hint.value for hint, _ in stage.hints],
        "hint_texts": [text for _, text in stage.hints],
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
