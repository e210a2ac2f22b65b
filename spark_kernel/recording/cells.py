"""Puts the records of runs into the cells of a notebook, finds them again, and takes them out.

All writers of records, in whatever client, do what ``write_record`` does. A notebook is the JSON of
nbformat 4, as nbformat gives it or as it was read from a file; it may be anybody's, so nothing in
it is taken for granted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any

from spark_kernel.protocol.provenance import KEY, SESSION, CellRecord, RunStatus
from spark_kernel.protocol.record_reading import record_of

__all__ = ["RecordedCell", "cell_record", "records", "session_of", "strip", "write_record"]

RecordedCell = tuple[Mapping[str, Any], CellRecord | None]
"""A code cell, and the record of the run that its outputs are of."""

_QUIET = {"text/html", "text/plain"}
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
    session = _ours(reply_metadata).get(SESSION)
    return dict(session) if isinstance(session, Mapping) else {}


def cell_record(cell: Mapping[str, Any]) -> CellRecord | None:
    """Give the record of the run that the outputs of a cell are of.

    That is the cell's own, or that of an output where it is newer: not every client knows what to
    do with the former. None if the outputs were cleared since, which leaves the former where it is.
    """
    outputs = _items(cell.get("outputs"))
    found = [record_of(_ours(one.get("metadata"))) for one in (cell, *outputs)]
    known = [record for record in found if record is not None]
    if not known:
        return None
    newest = max(known, key=_age)
    is_cleared = cell.get("execution_count") is None and not outputs
    return None if is_cleared and newest.status is not RunStatus.ABORTED else newest


def records(notebook: Mapping[str, Any]) -> list[RecordedCell]:
    """Give the code cells of a notebook in order, each with its record or None."""
    return [(cell, cell_record(cell)) for cell in _code_cells(notebook)]


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
    content = metadata.get(KEY) if isinstance(metadata, Mapping) else None
    return content if isinstance(content, Mapping) else {}


def _code_cells(notebook: Mapping[str, Any]) -> Iterator[MutableMapping[str, Any]]:
    return (one for one in _items(notebook.get("cells")) if one.get("cell_type") == "code")


def _items(content: Any) -> list[MutableMapping[str, Any]]:
    items = content if isinstance(content, list) else []
    return [item for item in items if isinstance(item, MutableMapping)]


def _age(record: CellRecord) -> float:
    return record.started.timestamp() if record.started else float("-inf")
