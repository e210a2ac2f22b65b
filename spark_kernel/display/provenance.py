"""Shows the record of a cell: one quiet line below its outputs, and ``%spark provenance``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timezone
from typing import Any

from spark_kernel.display.jobs import duration_text, joined, one_line, plural, size_text
from spark_kernel.display.render import aligned, render
from spark_kernel.protocol.mimebundle import bundle
from spark_kernel.protocol.provenance import (
    RECORD_MIME,
    VERSION,
    CellRecord,
    Dataset,
    RunStatus,
)

__all__ = ["record_line", "record_text", "record_view"]

_NAME = 60
_DATASETS = 10
_LIBRARIES = 20


def record_view(record: CellRecord) -> dict[str, Any]:
    """Show that a cell was recorded, in one line that stays in the notebook."""
    line = record_line(record)
    shown = bundle(line, render("record.html.j2", line=line))
    return {**shown, RECORD_MIME: {"version": VERSION}}


def record_line(record: CellRecord) -> str:
    """Say in one line who ran a cell, when, for how long, and what that took."""
    jobs = len(record.jobs) + record.omitted_jobs
    status = "failed" if record.status is RunStatus.ERROR else record.status.value
    finished = record.finished.astimezone(timezone.utc) if record.finished else None
    return joined(
        (
            "" if record.status is RunStatus.OK else status,
            duration_text(record.duration_s),
            plural(jobs, "job") if jobs else "",
            _data_text("read", record.totals.input_bytes, record.inputs, "input"),
            _data_text("wrote", record.totals.output_bytes, record.outputs, "output"),
            one_line(record.user, _NAME),
            f"{finished:%H:%M} UTC" if finished else "",
        )
    )


def _data_text(verb: str, size: int | None, datasets: Sequence[Dataset] | None, noun: str) -> str:
    """Say how much was read or written, and of or to how many things."""
    how_much = f"{verb} {size_text(size)}" if size else ""
    how_many = plural(len(datasets), noun) if datasets else ""
    return ", ".join(filter(None, (how_much, how_many)))


def record_text(record: CellRecord) -> str:
    """Say in a few lines what a record holds."""
    spark = record.spark
    rows = [
        ("Cell", joined((record_line(record), record.host))),
        ("Source", f"sha256 {record.source_sha256[:12]}…"),
        ("Spark", joined((spark.version or "", spark.cluster or "", spark.application_id or "")))
        if spark
        else ("Spark", "no session"),
        *_dataset_rows("Inputs", record.inputs),
        *_dataset_rows("Outputs", record.outputs),
        ("Libraries", _libraries(record)),
    ]
    return aligned([row for row in rows if row[1]])


def _dataset_rows(title: str, datasets: Sequence[Dataset] | None) -> list[tuple[str, str]]:
    if datasets is None:
        return [(title, "not known")]
    shown = [
        (title if number == 0 else "", one_line(joined((one.name, one.format)), 2 * _NAME))
        for number, one in enumerate(datasets[:_DATASETS])
    ]
    more = len(datasets) - _DATASETS
    return [*shown, ("", f"… {more} more")] if more > 0 else shown


def _libraries(record: CellRecord) -> str:
    names = [one_line(f"{one.name} {one.version}".strip(), _NAME) for one in record.libraries]
    more = [f"… {len(names) - _LIBRARIES} more"] if len(names) > _LIBRARIES else []
    return ", ".join(names[:_LIBRARIES] + more)
