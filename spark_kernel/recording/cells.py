"""Puts the records of runs into the cells of a notebook, finds them again, and takes them out.

All writers of records, in whatever client, do what ``write_record`` does. A notebook is the JSON of
nbformat 4, as nbformat gives it or as it was read from a file; it may be anybody's, so nothing in
it is taken for granted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any

from spark_kernel.protocol.provenance import KEY, RECORD_MIME, SESSION, CellRecord, RunStatus
from spark_kernel.protocol.record_reading import record_of

__all__ = [
    "RunCell",
    "cell_record",
    "is_cleared",
    "mapping_of",
    "newest_record",
    "records",
    "reply_record",
    "session_of",
    "shown_records",
    "strip",
    "tags_of",
    "write_record",
]

RunCell = tuple[Mapping[str, Any], CellRecord]
"""A code cell, and the record of its latest run."""

_QUIET = {RECORD_MIME, "text/html", "text/plain"}
"""What a display that only carries a record consists of; a progress display has more."""


def write_record(cell: MutableMapping[str, Any], reply_metadata: Any) -> bool:
    """Put the record of a reply into its cell, in place of an earlier one.

    Without a record in the reply the earlier one goes too: the cell has run since.

    Parameters
    ----------
    reply_metadata
        The ``metadata`` of an ``execute_reply``, of any kernel; None where there is none.

    Returns
    -------
    bool
        Whether there was a record.
    """
    content = _ours(reply_metadata)
    metadata = cell.setdefault("metadata", {})
    if not isinstance(metadata, MutableMapping):
        return False
    if record_of(content) is None:
        metadata.pop(KEY, None)
        return False
    kept = {name: value for name, value in content.items() if name != SESSION}
    identifier = cell.get("id")
    if isinstance(identifier, str) and identifier:
        kept["cell_id"] = identifier  # most clients do not tell the kernel, which names its request
    metadata[KEY] = kept
    return True


def session_of(reply_metadata: Any) -> dict[str, Any]:
    """Give what a reply says for the notebook beside the record: empty outside provenance mode."""
    return dict(mapping_of(_ours(reply_metadata).get(SESSION)))


def reply_record(execute_reply: Any) -> CellRecord | None:
    """Give the record that a reply holds; None if there is none, or no reply."""
    return record_of(_ours(mapping_of(execute_reply).get("metadata")))


def cell_record(cell: Mapping[str, Any]) -> CellRecord | None:
    """Give the record of a cell's latest run; None if its outputs were cleared since."""
    newest = newest_record(cell)
    return None if newest is None or is_cleared(cell, newest) else newest


def newest_record(cell: Mapping[str, Any]) -> CellRecord | None:
    """Give the record of a cell's latest run, whatever has become of its outputs.

    That is the cell's own, or that of an output where it is newer: not every client knows what to
    do with the former.
    """
    newest = record_of(_ours(cell.get("metadata")))
    for record in shown_records(cell):
        if record is None or record.started is None:
            continue
        if newest is None or (newest.started is not None and record.started > newest.started):
            newest = record
    return newest


def shown_records(cell: Mapping[str, Any]) -> list[CellRecord | None]:
    """Give what each output of a cell holds: a record or None."""
    return [record_of(_ours(one.get("metadata"))) for one in _items(cell.get("outputs"))]


def is_cleared(cell: Mapping[str, Any], record: CellRecord) -> bool:
    """Whether the outputs of a run were cleared, which leaves the record where it is."""
    has_any = _items(cell.get("outputs")) or cell.get("execution_count") is not None
    return not has_any and record.status is not RunStatus.ABORTED


def records(notebook: Mapping[str, Any]) -> list[tuple[Mapping[str, Any], CellRecord | None]]:
    """Give the code cells of a notebook in order, each with its record or None."""
    return [(cell, cell_record(cell)) for cell in _code_cells(notebook)]


def tags_of(cell: Mapping[str, Any]) -> list[Any]:
    """Give the tags of a cell."""
    tags = mapping_of(cell.get("metadata")).get("tags")
    return tags if isinstance(tags, list) else []


def mapping_of(value: Any) -> Mapping[str, Any]:
    """Give what should be a mapping: an empty one if it is none."""
    return value if isinstance(value, Mapping) else {}


def strip(notebook: MutableMapping[str, Any]) -> int:
    """Remove every trace of records from a notebook.

    Returns
    -------
    int
        How many cells had any, plus one if the notebook itself had.
    """
    count = sum(map(_strip_cell, _items(notebook.get("cells"))))
    return count + _without_ours(notebook)


def _strip_cell(cell: MutableMapping[str, Any]) -> bool:
    has_trace = _without_ours(cell)
    outputs = cell.get("outputs")
    if isinstance(outputs, list):
        kept = [one for one in outputs if not _is_quiet_record(one)]
        has_trace |= len(kept) < len(outputs)
        outputs[:] = kept
        for output in _items(outputs):
            has_trace |= _without_ours(output)
    return has_trace


def _is_quiet_record(output: Any) -> bool:
    """Whether an output is nothing but the bearer of a record."""
    if not isinstance(output, Mapping) or not _ours(output.get("metadata")):
        return False
    data = output.get("data")
    is_display = output.get("output_type") == "display_data"
    return is_display and isinstance(data, Mapping) and data.keys() <= _QUIET


def _without_ours(owner: MutableMapping[str, Any]) -> bool:
    metadata = owner.get("metadata")
    if not isinstance(metadata, MutableMapping) or KEY not in metadata:
        return False
    del metadata[KEY]
    return True


def _ours(metadata: Any) -> Mapping[str, Any]:
    return mapping_of(mapping_of(metadata).get(KEY))


def _code_cells(notebook: Mapping[str, Any]) -> Iterator[MutableMapping[str, Any]]:
    return (one for one in _items(notebook.get("cells")) if one.get("cell_type") == "code")


def _items(content: Any) -> list[MutableMapping[str, Any]]:
    items = content if isinstance(content, list) else []
    return [item for item in items if isinstance(item, MutableMapping)]
