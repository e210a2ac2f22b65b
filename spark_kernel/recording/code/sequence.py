"""Reads the cells of a notebook one after the other, each with what those above have bound."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from spark_kernel.protocol.provenance import CellRecord, DataKind, Dataset
from spark_kernel.recording.code.cell import (
    FRAME_BINDING,
    Binding,
    BindingKind,
    CellCode,
    view_name,
)
from spark_kernel.recording.code.reading import read_code

__all__ = ["VIEW_FORMAT", "data_places", "read_cells"]

VIEW_FORMAT = "view"
_MOST_CARRIED = 1_000


def read_cells(cells: Sequence[tuple[str, CellRecord | None]]) -> list[CellCode]:
    """Read the sources of all code cells, in the order of the notebook.

    What a cell does by calling functions of the cells above counts as its own doing, and so do the
    views and data that its record says it has read and written.
    """
    known: dict[str, Binding] = {}
    touches: dict[str, frozenset[str]] = {}
    mutates: dict[str, frozenset[str]] = {}
    written = {place for _, record in cells for place in _places(_outputs(record))}
    codes = []
    for source, record in cells:
        code = read_code(source, known)
        names = _carried(code.uses, known)
        code = replace(
            code,
            touches=code.touches.union(*(touches.get(name, ()) for name in names)),
            mutates=code.mutates.union(*(mutates.get(name, ()) for name in names)),
        )
        code = replace(code, touches=code.touches | _held(code, {**known, **code.binds}))
        touches.update(code.late_touches)
        mutates.update(code.late_mutates)
        known.update(code.binds)
        codes.append(_with_data(code, record, written))
    return codes


def _carried(names: Iterable[str], known: Mapping[str, Binding]) -> set[str]:
    """Give names with all that their values may call."""
    found: set[str] = set()
    pending = list(names)
    while pending and len(found) < _MOST_CARRIED:
        name = pending.pop()
        if name not in found:
            found.add(name)
            binding = known.get(name)
            pending += [*binding.late, *binding.held] if binding else []
    return found


def _held(code: CellCode, known: Mapping[str, Binding]) -> set[str]:
    """Give what may be changed through another name, or through what holds it."""
    found: set[str] = set()
    pending = [*code.touches, *code.mutates]
    while pending and len(found) < _MOST_CARRIED:
        binding = known.get(pending.pop())
        held = binding.held - found if binding and not binding.kind.is_fixed else frozenset()
        found |= held
        pending += held
    return found


def _with_data(code: CellCode, record: CellRecord | None, written: set[str]) -> CellCode:
    """Add what the record of a cell tells to what its code does."""
    if record is None:
        return code
    uses, binds = dict(code.uses), dict(code.binds)
    outputs = _outputs(record)
    for dataset in outputs:
        if _is_view(dataset):
            binds.setdefault(view_name(dataset.name), FRAME_BINDING)
    for dataset in record.inputs or ():
        if _is_view(dataset):
            name = view_name(dataset.name)
            if name not in code.binds:
                uses[name] = True
    for place in _places(record.inputs or ()):
        for other in written:
            if _overlap(place, other):
                uses.setdefault(f"data {other}", False)
    for place in _places(outputs):
        binds.setdefault(f"data {place}", Binding(BindingKind.OTHER, is_certain=False))
    return replace(code, uses=uses, binds=binds)


def data_places(dataset: Dataset) -> tuple[str, ...]:
    """Give where data is, so that two that overlap begin alike; empty where that means nothing."""
    if dataset.kind is DataKind.OTHER:
        return ()
    found = []
    for name in filter(None, (dataset.location, dataset.name)):
        plain = name.replace("file:///", "file:/")
        for sign in "*?[{":
            if sign in plain and dataset.kind is DataKind.FILE:
                plain = plain.partition(sign)[0].rpartition("/")[0]
        found.append(plain.rstrip("/"))
    return tuple(found)


def _outputs(record: CellRecord | None) -> tuple[Dataset, ...]:
    return (record.outputs or ()) if record is not None else ()


def _places(datasets: Iterable[Dataset]) -> list[str]:
    return [place for dataset in datasets for place in data_places(dataset)]


def _overlap(one: str, other: str) -> bool:
    return one == other or one.startswith(f"{other}/") or other.startswith(f"{one}/")


def _is_view(dataset: Dataset) -> bool:
    return dataset.kind is DataKind.OTHER and dataset.format == VIEW_FORMAT
