"""A table as text: columns side by side, as wide as a terminal."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from spark_kernel.display.cells import NULL, NUMBERS, cell_texts
from spark_kernel.protocol.table import Table, TableColumn

__all__ = ["table_text"]

_WIDTH = 110
_COLUMN_WIDTH = 40
_ROWS = 500
_GAP = "  "
_CONTROLS = {number: f"\\x{number:02x}" for number in (*range(32), *range(127, 160))}
_CONTROLS |= {ord("\n"): "\\n", ord("\r"): "\\r", ord("\t"): "\\t"}


def table_text(table: Table, max_bytes: int) -> tuple[str, int, int]:
    """Set a table as text.

    Returns
    -------
    The text, and how many of its rows and columns it shows.
    """
    blocks: list[list[str]] = []
    taken = -len(_GAP)
    rows = min(table.row_count, _ROWS)
    for column in table.columns:
        block = _block(column, rows)
        taken += len(_GAP) + _width(block[0])
        if blocks and taken > _WIDTH:
            break
        blocks.append(block)
    lines = [_GAP.join(parts).rstrip() for parts in zip(*blocks, strict=True)]
    shown = _fitting(lines, max_bytes)
    return "\n".join(lines[:shown]), max(0, shown - 3), len(blocks)


def _fitting(lines: Sequence[str], max_bytes: int) -> int:
    size = 0
    for number, line in enumerate(lines):
        size += len(line.encode("utf-8", "replace")) + 1
        if size > max_bytes:
            return number
    return len(lines)


def _block(column: TableColumn, rows: int) -> list[str]:
    """Give the lines of one column: name, type, rule, values."""
    part = TableColumn(column.name, column.type, column.kind, column.values[:rows])
    texts = [NULL if text is None else _clean(text) for text in cell_texts(part, _COLUMN_WIDTH)]
    heads = [_clean(column.name), _clean(column.type)]
    values = [_cut(text) for text in texts]
    most = max(map(_width, values), default=0)
    # A long type must not make a narrow column wide.
    heads = [_cut(heads[0]), _cut(heads[1], max(most, min(_width(heads[0]), _COLUMN_WIDTH), 12))]
    width = max(most, *map(_width, heads))
    is_number = column.kind in NUMBERS
    lines = [*heads, "-" * width, *values]
    return [_padded(line, width, is_right=is_number) for line in lines]


def _clean(text: str) -> str:
    """Show control characters as Python writes them: one row is one line."""
    return text if text.isprintable() else text.translate(_CONTROLS)


def _cut(text: str, width: int = _COLUMN_WIDTH) -> str:
    if _width(text) <= width:
        return text
    while _width(text) >= width:
        text = text[: width - 1] if len(text) >= width else text[:-1]
    return text + "…"


def _padded(text: str, width: int, *, is_right: bool) -> str:
    gap = " " * (width - _width(text))
    return gap + text if is_right else text + gap


def _width(text: str) -> int:
    """Give the columns of a terminal that a text takes."""
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in text)
    return len(text) + wide - sum(map(bool, map(unicodedata.combining, text)))
