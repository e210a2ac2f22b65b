"""Sums up the records of a notebook: what its own metadata says of its latest run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any

from spark_kernel.protocol.provenance import (
    VERSION,
    CellRecord,
    LibraryRecord,
    RunStatus,
    Totals,
    instant_text,
)
from spark_kernel.recording.cells import RunCell, records, tags_of
from spark_kernel.redaction import holds_secret, redacted

__all__ = ["latest_run", "summary_content"]

_MOST_SETTINGS = 300
_LONGEST_VALUE = 500
_EXPECTED = "raises-exception"
"""Of a cell that is meant to fail, as nbclient and JupyterLab have it."""


def latest_run(notebook: Mapping[str, Any]) -> list[RunCell]:
    """Give the cells that ran in the kernel process that ran last; others are of earlier runs."""
    cells = [(cell, record) for cell, record in records(notebook) if record is not None]
    ran = [record for _, record in cells if record.started is not None]
    if not ran:
        return []
    session = _latest(ran).kernel.session
    return [(cell, record) for cell, record in cells if record.kernel.session == session]


def _latest(ran: Iterable[CellRecord]) -> CellRecord:
    return max(ran, key=lambda record: instant_text(record.started) or "")


def summary_content(
    run: Sequence[RunCell],
    settings: Mapping[str, Any],
    *,
    is_failed: bool = False,
    run_id: str = "",
) -> dict[str, Any]:
    """Make the summary of a run, as JSON; ``docs/protocol.md`` names its fields.

    Parameters
    ----------
    run
        Its cells with their records, at least one.
    settings
        Of Spark, as the kernel told them; what looks like a secret is left out once more.
    is_failed
        Whether it ended with an error that no record tells, such as the death of the kernel.
    run_id
        A UUID under which the run may be known elsewhere.
    """
    ran = [record for _, record in run]
    latest = _latest(ran)
    started = min((record.started for record in ran if record.started), default=None)
    finished = max((record.finished for record in ran if record.finished), default=None)
    sparks = [record.spark for record in ran if record.spark]
    sums = [record.config_sha256 for record in ran if record.config_sha256]
    return {
        "version": VERSION,
        "run_id": run_id,
        "started": instant_text(started),
        "finished": instant_text(finished),
        "duration_s": round((finished - started).total_seconds(), 3)
        if started and finished
        else None,
        "status": (RunStatus.ERROR if is_failed else _status(run)).value,
        "user": latest.user,
        "host": latest.host,
        "cluster": sparks[-1].cluster if sparks else None,
        "kernel": asdict(latest.kernel),
        "spark": asdict(sparks[-1]) if sparks else None,
        "libraries": [asdict(library) for library in _libraries(ran)],
        "settings": _shown(settings),
        "config_sha256": sums[-1] if sums else None,
        "cells": _counts(ran),
        "totals": _totals(ran),
        "jobs": sum(len(record.jobs) + record.omitted_jobs for record in ran),
    }


def _status(run: Iterable[RunCell]) -> RunStatus:
    """Give the worst that happened to a cell that was not meant to fail."""
    seen = {
        record.status
        for cell, record in run
        if not (_EXPECTED in tags_of(cell) and record.status is RunStatus.ERROR)
    }
    worst_first = (RunStatus.ERROR, RunStatus.INTERRUPTED, RunStatus.ABORTED)
    return next((status for status in worst_first if status in seen), RunStatus.OK)


def _counts(records: Iterable[CellRecord]) -> dict[str, int]:
    counts = Counter(record.status for record in records)
    order = (RunStatus.OK, RunStatus.ERROR, RunStatus.INTERRUPTED, RunStatus.ABORTED)
    return {status.value: counts[status] for status in order}


def _libraries(records: Iterable[CellRecord]) -> list[LibraryRecord]:
    found = {library.name: library for record in records for library in record.libraries}
    return [found[name] for name in sorted(found)]


def _totals(records: Sequence[CellRecord]) -> dict[str, Any]:
    return {one.name: _sum(records, one.name) for one in fields(Totals)}


def _sum(records: Iterable[CellRecord], name: str) -> float | None:
    values = [getattr(record.totals, name) for record in records]
    known = [value for value in values if value is not None]
    total = sum(known)
    if not known:
        return None
    return round(total, 3) if isinstance(total, float) else total


def _shown(settings: Mapping[str, Any]) -> dict[str, str]:
    texts = {str(key): str(value) for key, value in list(settings.items())[:_MOST_SETTINGS]}
    return {
        key: "***" if holds_secret(key, value) else redacted(value)[:_LONGEST_VALUE]
        for key, value in sorted(texts.items())
    }
