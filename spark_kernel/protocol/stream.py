"""What a display of a streaming DataFrame shows, as values."""

from __future__ import annotations

from dataclasses import dataclass

from spark_kernel.protocol.events import Cell

__all__ = ["StreamShown", "StreamView"]


@dataclass(frozen=True)
class StreamView:
    """The latest rows of a stream.

    Attributes
    ----------
    query_id
        What ``%spark cancel`` takes.
    columns
        Name and type of each shown column; ``omitted_columns`` counts the others.
    rows
        The latest rows as text, the newest last.
    batch_id
        The batch that they came with, or None before the first.
    is_whole
        Whether each batch brings the whole result, in place of what is new in it.
    error
        Why the query failed, or empty.
    """

    query_id: str
    columns: tuple[tuple[str, str], ...]
    rows: tuple[tuple[str, ...], ...] = ()
    omitted_columns: int = 0
    batch_id: int | None = None
    input_rows_per_s: float | None = None
    processed_rows_per_s: float | None = None
    is_whole: bool = False
    is_active: bool = True
    error: str = ""


@dataclass(frozen=True)
class StreamShown:
    """A stream has brought something, or has ended."""

    cell: Cell
    view: StreamView
