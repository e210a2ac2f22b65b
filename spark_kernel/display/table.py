"""Draws the first rows of a table: HTML that sorts and pages by itself, data, and text.

All of it together stays within some bytes, for it is kept in the saved notebook.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from spark_kernel.display.cells import NUMBERS, cell_texts, sort_code
from spark_kernel.display.jobs import plural, size_text
from spark_kernel.display.render import aligned, render
from spark_kernel.display.table_resource import table_resource
from spark_kernel.display.table_text import table_text
from spark_kernel.protocol.mimebundle import HTML, TEXT
from spark_kernel.protocol.table import DATA_RESOURCE, Schema, Table

__all__ = ["MAX_BYTES", "most_rows", "schema_view", "table_view"]

MAX_BYTES = 512 * 1024

_HTML_SHARE, _DATA_SHARE, _TEXT_SHARE = 0.6, 0.3, 0.05
_CELL_WIDTH = 400
_LEAST_CELL_WIDTH = 40
_ROWS_TO_FIT = 20
_TAG_BYTES = len("<td>")
_NULL_BYTES = len("<i>NULL</i>")
_ESCAPES = {"&": 4, "<": 3, ">": 3, '"': 4, "'": 4}
"""How many bytes an escape has beyond the character itself."""

_MOST_A_CHARACTER_TAKES = 5
_SCHEMA_LINES = 60
_CELL, _ROW, _NULL = _MARKS = "\x1f", "\x1e", "\x1d"
_UNMARKED = {ord(mark): "\ufffd" for mark in _MARKS}


@dataclass(frozen=True)
class _Head:
    """What stands above one column."""

    name: str
    type: str
    code: str


def table_view(table: Table, max_bytes: int = MAX_BYTES) -> dict[str, Any]:
    """Draw a table.

    Parameters
    ----------
    max_bytes
        The bytes that all forms of it may take together, not counting what every table has.
    """
    text, rows, columns = table_text(table, int(max_bytes * _TEXT_SHARE))
    notes = _notes(table, rows, columns, max_bytes)
    foot = f"[{'; '.join(notes)}]"
    data: dict[str, Any] = {TEXT: f"{text}\n{foot}" if text else foot}
    data[HTML] = _html(table, int(max_bytes * _HTML_SHARE), max_bytes)
    if table.columns:
        data[DATA_RESOURCE] = table_resource(table, int(max_bytes * _DATA_SHARE))
    return data


def most_rows(columns: int, max_bytes: int) -> int:
    """Give the rows beyond which no table can fit, whatever is in it: they need not be read."""
    return max(1, int(max_bytes * _HTML_SHARE) // ((columns + 1) * _TAG_BYTES + columns))


def _notes(table: Table, rows: int, columns: int, max_bytes: int) -> list[str]:
    """Say what is shown, what is not, and how to see more."""
    said = plural(table.row_count, "row")
    if table.has_more:
        said = f"first {said}"
    if table.columns and rows < table.row_count:
        said = f"{rows:,} of the {said}"
    hidden = len(table.columns) - columns + table.omitted_columns
    notes = [said]
    if not table.columns:
        notes.append("no columns")
    elif hidden:
        notes.append(f"{columns:,} of {plural(columns + hidden, 'column')}")
    if table.remark:
        notes.append(table.remark)
    if table.has_more and table.can_read_more and not table.remark:
        notes.append("more with display(df, limit=N)")
    return notes


# -- HTML --------------------------------------------------------------------------------------


def _html(table: Table, budget: int, max_bytes: int) -> str:
    width = _cell_width(len(table.columns), budget)
    texts = [cell_texts(column, width) for column in table.columns]
    fitting = _fitting(texts, table.row_count, budget)
    rows = [row[:fitting] for row in texts] if fitting < table.row_count else texts
    notes = _notes(table, fitting if table.columns else 0, len(table.columns), max_bytes)
    if table.columns and fitting < table.row_count:
        notes.append(f"a table takes at most {size_text(max_bytes)} of the notebook")
    return render(
        "table.html.j2",
        noun=table.noun,
        heads=[_Head(c.name, c.type, sort_code(c)) for c in table.columns],
        numbers=[n for n, c in enumerate(table.columns, 1) if c.kind in NUMBERS],
        body=_body(rows),
        marks={"cell": _CELL, "row": _ROW, "null": _NULL},
        said=" · ".join(notes),
    )


def _body(columns: Sequence[Sequence[str | None]]) -> str:
    """Give all cells as one text with marks between them, which the template makes tags of.

    Escaping and writing each cell by itself would take as long as the job that read them.
    """
    marked = []
    for column in columns:
        texts = [_NULL if text is None else text for text in column]
        if any(mark in "".join(filter(None, column)) for mark in _MARKS):
            texts = [_NULL if text is None else text.translate(_UNMARKED) for text in column]
        marked.append(texts)
    return "".join(_ROW + _CELL.join(row) for row in zip(*marked, strict=True))


def _cell_width(columns: int, budget: int) -> int:
    """Give the characters of a cell, so that some rows fit whatever is in them."""
    fitting = budget // max(1, columns * _ROWS_TO_FIT)
    return max(_LEAST_CELL_WIDTH, min(_CELL_WIDTH, fitting))


def _fitting(columns: Sequence[Sequence[str | None]], rows: int, budget: int) -> int:
    """Give how many rows fit into so many bytes."""
    tags = rows * (len(columns) + 1) * _TAG_BYTES
    letters = sum(sum(map(len, filter(None, column))) for column in columns)
    nulls = sum(column.count(None) for column in columns) * _NULL_BYTES
    if tags + nulls + letters * _MOST_A_CHARACTER_TAKES <= budget:
        return rows
    size = 0
    for number, row in enumerate(zip(*columns, strict=True)):
        size += _row_bytes(row)
        if size > budget:
            return number
    return rows


def _row_bytes(row: Iterable[str | None]) -> int:
    cells = list(row)
    text = "".join(filter(None, cells))
    size = len(text) if text.isascii() else len(text.encode("utf-8", "replace"))
    size += sum(text.count(letter) * more for letter, more in _ESCAPES.items())
    return size + (len(cells) + 1) * _TAG_BYTES + cells.count(None) * _NULL_BYTES


# -- without rows ------------------------------------------------------------------------------


def schema_view(schema: Schema) -> dict[str, Any]:
    """Show names and types, and why there are no rows."""
    names = [(name, type_) for name, type_ in schema.columns]
    hidden = schema.omitted_columns
    more = [f"{hidden:,} more columns"] if hidden else []
    lines = aligned(names[:_SCHEMA_LINES]) if names else "no columns"
    unseen = len(names) - _SCHEMA_LINES + hidden
    text = [schema.reason, lines]
    if unseen > 0:
        text.append(f"[{unseen:,} more columns]")
    html = render("table_schema.html.j2", schema=schema, names=names, more=more)
    return {TEXT: "\n".join(filter(None, text)), HTML: html}
