"""The record of one run of a cell: who, when, for how long, on which data; and its JSON.

The names are those of ``docs/protocol.md``. ``record_reading.py`` reads the JSON back.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timezone
from enum import Enum
from typing import Any

__all__ = [
    "KEY",
    "RECORD_MIME",
    "SESSION",
    "CellRecord",
    "DataKind",
    "Dataset",
    "Fingerprint",
    "JobRecord",
    "KernelRecord",
    "LibraryRecord",
    "RunStatus",
    "SparkRecord",
    "Totals",
    "instant_text",
    "record_content",
]

KEY = "spark_kernel"
"""Under which all that is ours stands in the dictionaries of others."""

SESSION = "session"
"""What a reply holds beside its record, for the notebook and not for the cell."""

RECORD_MIME = "application/vnd.spark-kernel.record.v1+json"
"""Of a display that only carries a record: says so to clients that draw the record themselves."""

VERSION = "1.0"


class RunStatus(str, Enum):
    """How the run of a cell ended; the names are those of the protocol."""

    OK = "ok"
    ERROR = "error"
    ABORTED = "aborted"
    """It never began: a cell before it failed."""
    INTERRUPTED = "interrupted"


class DataKind(str, Enum):
    """What kind of thing was read or written; the names are those of the protocol."""

    FILE = "file"
    TABLE = "table"
    JDBC = "jdbc"
    OTHER = "other"


@dataclass(frozen=True)
class Fingerprint:
    """What tells one state of some data from another: of files, or of a format with versions.

    Attributes
    ----------
    files, bytes
        Number and size of all files below the place, without hidden ones (``_``, ``.``).
    modified
        Newest modification of any of them.
    version
        As the format counts: a number or a snapshot id.
    """

    files: int | None = None
    bytes: int | None = None
    modified: datetime | None = None
    version: str | None = None


@dataclass(frozen=True)
class Dataset:
    """Something that a cell read or wrote.

    Attributes
    ----------
    name
        Of a file its URI as Spark names it, or the pattern that was given; of a table its full
        name; of JDBC the URL without secrets, with the table.
    format
        ``parquet``, ``csv``, ``delta``, ``view`` (a temporary view), ``python`` (a file that Python
        code opened by itself), ...; empty if it is not known.
    fingerprint
        As of the run; None where it cannot be known, or would have taken too long.
    location
        Where the files of a table are, as a URI; empty where there are none, or for files.
    note
        Why there is no fingerprint, or it is less than one might expect; else empty.
    """

    kind: DataKind
    name: str
    format: str = ""
    fingerprint: Fingerprint | None = None
    location: str = ""
    note: str = ""


@dataclass(frozen=True)
class JobRecord:
    """One Spark job; counts of tasks are of partitions, durations in seconds.

    Attributes
    ----------
    state
        As in the progress of a cell: "succeeded", "failed", "cancelled", "running", "unknown".
    stages
        How many of its stages ran; None where that is not known.
    """

    id: int
    state: str
    stages: int | None = None
    tasks: int | None = None
    failed_tasks: int | None = None
    duration_s: float | None = None


@dataclass(frozen=True)
class Totals:
    """Of all jobs of a cell together; None where that cannot be known."""

    input_bytes: int | None = None
    input_records: int | None = None
    output_bytes: int | None = None
    output_records: int | None = None
    shuffle_read_bytes: int | None = None
    shuffle_write_bytes: int | None = None
    spill_bytes: int | None = None
    executor_run_s: float | None = None
    executor_cpu_s: float | None = None
    jvm_gc_s: float | None = None


@dataclass(frozen=True)
class LibraryRecord:
    """A library that a result may depend on; the version is empty where it has none."""

    name: str
    version: str = ""


@dataclass(frozen=True)
class KernelRecord:
    """The kernel; ``session`` is another with each of its processes."""

    name: str = ""
    version: str = ""
    session: str = ""


@dataclass(frozen=True)
class SparkRecord:
    """The session of Spark that a cell ran on; without secrets."""

    version: str | None = None
    master: str | None = None
    cluster: str | None = None
    application_id: str | None = None
    application_attempt: str | None = None


@dataclass(frozen=True)
class CellRecord:
    """One run of a cell.

    Attributes
    ----------
    cell_id
        The notebook's id of the cell where the client tells it, else that of its request.
    started, finished, duration_s
        None for a cell that was aborted: it had no run.
    source_sha256
        Of the source as the client sent it, in UTF-8, in hexadecimal digits.
    spark
        None if there was no session when the cell ended.
    jobs
        At most some hundred; ``omitted_jobs`` counts the rest, which ``totals`` include.
    inputs, outputs
        None where they were not looked for, as without provenance mode, or cannot be known.
    libraries
        Those that the notebook's code uses, and those that were added to Spark.
    config_sha256
        Of the settings of Spark that a notebook or its configuration may set; equal settings
        have equal sums, also in another session.
    is_full
        Whether the kernel was in provenance mode: only then it belongs into a document.
    error_name
        What the cell raised, by the name of its class; no text, which may hold anything.
    """

    execution_count: int | None
    cell_id: str
    user: str
    host: str
    status: RunStatus
    source_sha256: str
    started: datetime | None = None
    finished: datetime | None = None
    duration_s: float | None = None
    kernel: KernelRecord = field(default_factory=KernelRecord)
    spark: SparkRecord | None = None
    jobs: tuple[JobRecord, ...] = ()
    omitted_jobs: int = 0
    totals: Totals = field(default_factory=Totals)
    inputs: tuple[Dataset, ...] | None = None
    outputs: tuple[Dataset, ...] | None = None
    libraries: tuple[LibraryRecord, ...] = ()
    config_sha256: str | None = None
    is_full: bool = False
    error_name: str = ""


def record_content(record: CellRecord) -> dict[str, Any]:
    """Make the JSON of a record; its fields in the order of the protocol."""
    return {
        "version": VERSION,
        "execution_count": record.execution_count,
        "cell_id": record.cell_id,
        "user": record.user,
        "host": record.host,
        "started": instant_text(record.started),
        "finished": instant_text(record.finished),
        "duration_s": _rounded(record.duration_s),
        "status": record.status.value,
        "source_sha256": record.source_sha256,
        "kernel": dict(vars(record.kernel)),  # asdict takes ten times as long, for every cell
        "spark": dict(vars(record.spark)) if record.spark else None,
        "jobs": [{**vars(job), "duration_s": _rounded(job.duration_s)} for job in record.jobs],
        "omitted": {"jobs": record.omitted_jobs},
        "totals": {name: _rounded(value) for name, value in vars(record.totals).items()},
        "inputs": _datasets_content(record.inputs),
        "outputs": _datasets_content(record.outputs),
        "libraries": [dict(vars(library)) for library in record.libraries],
        "config_sha256": record.config_sha256,
        "provenance": record.is_full,
        "error": {"name": record.error_name} if record.error_name else None,
    }


def instant_text(moment: datetime | None) -> str | None:
    """Write a moment in ISO 8601, UTC, to the millisecond."""
    if moment is None:
        return None
    text = moment.astimezone(timezone.utc).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def _datasets_content(datasets: tuple[Dataset, ...] | None) -> list[dict[str, Any]] | None:
    return None if datasets is None else [_dataset_content(dataset) for dataset in datasets]


def _dataset_content(dataset: Dataset) -> dict[str, Any]:
    content: dict[str, Any] = {
        "kind": dataset.kind.value,
        "name": dataset.name,
        "format": dataset.format,
        "fingerprint": _fingerprint_content(dataset.fingerprint),
    }
    extra = {"location": dataset.location, "note": dataset.note}
    return content | {name: text for name, text in extra.items() if text}


def _fingerprint_content(fingerprint: Fingerprint | None) -> dict[str, Any] | None:
    if fingerprint is None:
        return None
    if fingerprint.version is not None:
        return {"version": fingerprint.version}
    return {
        "files": fingerprint.files,
        "bytes": fingerprint.bytes,
        "modified": instant_text(fingerprint.modified),
    }


def _rounded(value: Any) -> Any:
    return round(value, 3) if isinstance(value, float) else value
