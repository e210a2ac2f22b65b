"""Reads the record of a cell back from its JSON.

That comes from a file that anybody may have written, so everything is checked: a record that makes
no sense is none, and a field that makes none is unknown.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime, timezone
from typing import Any

from spark_kernel.protocol.provenance import (
    CellRecord,
    DataKind,
    Dataset,
    Fingerprint,
    JobRecord,
    KernelRecord,
    LibraryRecord,
    RunStatus,
    SparkRecord,
    Totals,
)

__all__ = ["instant", "record_of"]

_LONGEST = 4096


def record_of(content: Any) -> CellRecord | None:
    """Read a record back, from whatever a document holds; None if it is none.

    A field of a later version is left out, and one that is missing or malformed is unknown.
    """
    if not isinstance(content, Mapping) or "source_sha256" not in content:
        return None
    try:
        status = RunStatus(content.get("status"))
    except ValueError:
        return None
    kernel, spark = content.get("kernel"), content.get("spark")
    error, omitted = content.get("error"), content.get("omitted")
    return CellRecord(
        execution_count=_integer(content.get("execution_count")),
        cell_id=_text(content.get("cell_id")),
        user=_text(content.get("user")),
        host=_text(content.get("host")),
        status=status,
        source_sha256=_text(content.get("source_sha256")),
        started=instant(content.get("started")),
        finished=instant(content.get("finished")),
        duration_s=_number(content.get("duration_s")),
        kernel=KernelRecord(**_texts(kernel, KernelRecord)),
        spark=SparkRecord(**_texts(spark, SparkRecord)) if isinstance(spark, Mapping) else None,
        jobs=tuple(filter(None, map(_job, _items(content.get("jobs"))))),
        omitted_jobs=_integer(omitted.get("jobs")) or 0 if isinstance(omitted, Mapping) else 0,
        totals=_totals(content.get("totals")),
        inputs=_datasets(content.get("inputs")),
        outputs=_datasets(content.get("outputs")),
        libraries=tuple(
            LibraryRecord(**_texts(item, LibraryRecord))
            for item in _items(content.get("libraries"))
            if item.get("name")
        ),
        config_sha256=_text(content.get("config_sha256")) or None,
        is_full=content.get("provenance") is True,
        error_name=_text(error.get("name")) if isinstance(error, Mapping) else "",
    )


def instant(text: Any) -> datetime | None:
    """Read a moment; None if it is none. One without a zone is taken for UTC."""
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)


def _datasets(content: Any) -> tuple[Dataset, ...] | None:
    if not isinstance(content, list):
        return None
    return tuple(_dataset(item) for item in _items(content))


def _dataset(content: Mapping[str, Any]) -> Dataset:
    try:
        kind = DataKind(content.get("kind"))
    except ValueError:
        kind = DataKind.OTHER
    return Dataset(
        kind,
        _text(content.get("name")),
        _text(content.get("format")),
        _fingerprint(content.get("fingerprint")),
        _text(content.get("location")),
        _text(content.get("note")),
    )


def _fingerprint(content: Any) -> Fingerprint | None:
    if not isinstance(content, Mapping):
        return None
    version = content.get("version")
    if isinstance(version, str | int):
        return Fingerprint(version=str(version))
    return Fingerprint(
        _integer(content.get("files")),
        _integer(content.get("bytes")),
        instant(content.get("modified")),
    )


def _job(content: Mapping[str, Any]) -> JobRecord | None:
    identifier = _integer(content.get("id"))
    if identifier is None:
        return None
    counts = {name: _integer(content.get(name)) for name in ("stages", "tasks", "failed_tasks")}
    return JobRecord(
        identifier,
        _text(content.get("state")),
        **counts,
        duration_s=_number(content.get("duration_s")),
    )


def _totals(content: Any) -> Totals:
    if not isinstance(content, Mapping):
        return Totals()
    read = {
        one.name: (_number if one.name.endswith("_s") else _integer)(content.get(one.name))
        for one in fields(Totals)
    }
    return Totals(**read)  # type: ignore[arg-type]  # each by its own reader


def _items(content: Any) -> list[Mapping[str, Any]]:
    items = content if isinstance(content, list) else []
    return [item for item in items if isinstance(item, Mapping)]


def _texts(content: Any, of: type) -> dict[str, Any]:
    if not isinstance(content, Mapping):
        return {}
    names = [one.name for one in fields(of)]
    return {name: content[name][:_LONGEST] for name in names if isinstance(content.get(name), str)}


def _text(value: Any) -> str:
    return value[:_LONGEST] if isinstance(value, str) else ""


def _integer(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _number(value: Any) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and math.isfinite(value) else None
