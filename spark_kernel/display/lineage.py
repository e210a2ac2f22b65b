"""Draws which cell reads and writes which data: what is read, the cells, what is written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from spark_kernel.display.jobs import one_line
from spark_kernel.protocol.history import HistoryCell
from spark_kernel.protocol.provenance import Dataset
from spark_kernel.redaction import redacted

__all__ = ["Lineage", "dataset_title", "lineage_of"]

_ROW = 30
_TOP = 28
_WIDTHS = (330, 250, 330)
_GAP = 85
_MOST_CELLS = 60
_MOST_DATASETS = 60
_LETTER = 6.9
"""How wide a letter is at most, on the average."""


@dataclass(frozen=True)
class Node:
    """A box, with its whole text for those who point at it."""

    x: int
    y: int
    width: int
    text: str
    title: str
    kind: str


@dataclass(frozen=True)
class Edge:
    """A line from one box to another."""

    path: str
    title: str


@dataclass(frozen=True)
class Lineage:
    """A drawing.

    Attributes
    ----------
    hidden
        How many cells and datasets are left out.
    """

    width: int
    height: int
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    heads: tuple[tuple[int, str], ...]
    hidden: int


def lineage_of(cells: Iterable[HistoryCell]) -> Lineage | None:
    """Draw the cells that read or write something; None if none does."""
    told = [
        cell
        for cell in cells
        if cell.record is not None and (cell.record.inputs or cell.record.outputs)
    ]
    shown = told[:_MOST_CELLS]
    reads = _datasets(cell.record.inputs or () for cell in shown if cell.record)
    writes = _datasets(cell.record.outputs or () for cell in shown if cell.record)
    if not shown:
        return None
    hidden = len(told) - len(shown)
    hidden += sum(max(0, len(found) - _MOST_DATASETS) for found in (reads, writes))
    reads, writes = reads[:_MOST_DATASETS], writes[:_MOST_DATASETS]
    x = (0, _WIDTHS[0] + _GAP, _WIDTHS[0] + _WIDTHS[1] + 2 * _GAP)
    tallest = max(len(reads), len(shown), len(writes))
    both = set(reads) & set(writes)
    columns = [_ys(len(column), tallest) for column in (reads, shown, writes)]
    nodes = [
        *(
            _data_node(x[0], y, _WIDTHS[0], one, one in both)
            for one, y in zip(reads, columns[0], strict=True)
        ),
        *(_cell_node(x[1], y, cell) for cell, y in zip(shown, columns[1], strict=True)),
        *(
            _data_node(x[2], y, _WIDTHS[2], one, one in both)
            for one, y in zip(writes, columns[2], strict=True)
        ),
    ]
    read_y = dict(zip(reads, columns[0], strict=True))
    write_y = dict(zip(writes, columns[2], strict=True))
    edges: list[Edge] = []
    for cell, y in zip(shown, columns[1], strict=True):
        if cell.record is None:
            continue
        label = f"[{cell.number}]"
        edges += [
            _edge(_WIDTHS[0], read_y[key], x[1], y, f"{label} reads")
            for key in _keys(cell.record.inputs)
            if key in read_y
        ]
        edges += [
            _edge(x[1] + _WIDTHS[1], y, x[2], write_y[key], f"{label} writes")
            for key in _keys(cell.record.outputs)
            if key in write_y
        ]
    heads = ((x[0], "Read"), (x[1], "Cells"), (x[2], "Written"))
    height = _TOP + tallest * _ROW
    return Lineage(sum(_WIDTHS) + 2 * _GAP, height, tuple(nodes), tuple(edges), heads, hidden)


def dataset_title(dataset: Dataset) -> str:
    """Name data with what it is."""
    what = dataset.format or dataset.kind.value
    return f"{redacted(dataset.name)} ({what})" if dataset.name else what


def _keys(datasets: Sequence[Dataset] | None) -> list[tuple[str, str]]:
    return list(dict.fromkeys((one.name, dataset_title(one)) for one in datasets or ()))


def _datasets(groups: Iterable[Sequence[Dataset]]) -> list[tuple[str, str]]:
    return list(dict.fromkeys(key for group in groups for key in _keys(group)))


def _ys(count: int, tallest: int) -> list[int]:
    """Give the places of a column, in the middle of the tallest."""
    begin = _TOP + (tallest - count) * _ROW // 2
    return [begin + number * _ROW for number in range(count)]


def _data_node(x: int, y: int, width: int, key: tuple[str, str], is_both: bool) -> Node:
    title = one_line(key[1], 300)
    letters = int((width - 16) / _LETTER)
    # The end of a path tells more than its beginning.
    text = title if len(title) <= letters else f"…{title[1 - letters :]}"
    return Node(x, y, width, text, title, "both" if is_both else "data")


def _cell_node(x: int, y: int, cell: HistoryCell) -> Node:
    title = one_line(f"[{cell.number}] {cell.title}", 300)
    return Node(x, y, _WIDTHS[1], one_line(title, int((_WIDTHS[1] - 16) / _LETTER)), title, "cell")


def _edge(x1: int, y1: int, x2: int, y2: int, title: str) -> Edge:
    middle, half = (x1 + x2) // 2, (_ROW - 8) // 2
    path = f"M{x1},{y1 + half} C{middle},{y1 + half} {middle},{y2 + half} {x2},{y2 + half}"
    return Edge(path, title)
