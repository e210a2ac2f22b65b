"""Shows a streaming DataFrame: runs a query of its own and keeps its latest rows.

The rows come in the thread in which the driver calls back; a thread, ``spark-stream``, for each
preview waits for the end of its query.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from spark_kernel.protocol.events import Cell
from spark_kernel.protocol.stream import StreamShown, StreamView
from spark_kernel.spark.ownership import JobOwner, disown, owned_by

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, Row

__all__ = ["StreamPreviews"]

_ROWS = 20
_COLUMNS = 20
_VALUE_LENGTH = 200
_MODES = ("append", "complete", "update")
_FIRST_BATCH_TIMEOUT_S = 15.0
_SLICE_S = 0.1
_END_POLL_S = 1.0


class StreamPreviews:
    """The previews that a notebook has open; running a cell again ends those of its last run.

    Parameters
    ----------
    emit
        Takes a ``StreamShown`` for each change; must not block.
    """

    def __init__(self, emit: Callable[[StreamShown], None]) -> None:
        self._emit = emit
        self._open: list[_Preview] = []

    def show(self, frame: DataFrame, cell: Cell) -> None:
        """Show a streaming DataFrame in a cell, and wait a little for its first rows.

        Raises
        ------
        AnalysisException
            If Spark cannot run the query in any output mode.
        KeyboardInterrupt
            If the cell is interrupted meanwhile; the query is stopped.
        """
        for preview in list(self._open):
            if preview.cell.cell_id == cell.cell_id and preview.cell.id != cell.id:
                preview.stop()
        self._open = [preview for preview in self._open if preview.is_active]
        preview = _Preview(frame, cell, self._emit)
        try:
            self._open.append(preview)
            preview.begin()
        except KeyboardInterrupt:
            preview.stop()
            raise


class _Preview:
    def __init__(self, frame: DataFrame, cell: Cell, emit: Callable[[StreamShown], None]) -> None:
        self.cell = cell
        self._emit = emit
        self._has_rows = threading.Event()
        self._failure = ""
        fields = frame.schema.fields
        columns = tuple((field.name, field.dataType.simpleString()) for field in fields)
        self._rows: deque[tuple[str, ...]] = deque(maxlen=_ROWS)
        self._query = self._start(frame)
        self._view = StreamView(
            query_id=str(self._query.id),
            columns=columns[:_COLUMNS],
            omitted_columns=max(0, len(columns) - _COLUMNS),
            is_whole=self._is_whole,
        )

    def begin(self) -> None:
        """Show it, and wait a little for its first rows."""
        self._emit(StreamShown(self.cell, self._view))
        disown(threading.Thread(target=self._wait, name="spark-stream", daemon=True)).start()
        waited_s = 0.0
        while waited_s < _FIRST_BATCH_TIMEOUT_S and not self._has_rows.wait(_SLICE_S):
            waited_s += _SLICE_S

    @property
    def is_active(self) -> bool:
        return self._view.is_active

    def _start(self, frame: DataFrame) -> Any:
        """Start the query in the first output mode that it can be run in."""
        from pyspark.errors import AnalysisException

        # An owner that nobody watches: the preview itself tells of the query.
        owner = JobOwner(self.cell, "a stream that is displayed")
        owner.streams.is_watched = True
        for mode in _MODES:
            self._is_whole = mode == "complete"
            try:
                with owned_by(owner):
                    writer = frame.writeStream.outputMode(mode).foreachBatch(self._take)
                    return writer.start()
            except AnalysisException:
                if mode == _MODES[-1]:
                    raise
        return None

    def stop(self) -> None:
        """End the query; harmless where it has ended or its driver has."""
        with suppress(Exception):
            self._query.stop()

    def _take(self, batch: DataFrame, batch_id: int) -> None:
        """Take a batch; called by the driver, which would print what is raised here."""
        try:
            rows = [self._texts(row) for row in batch.tail(_ROWS)]
            if self._is_whole:
                self._rows.clear()
            self._rows.extend(rows)
            self._view = replace(self._view, batch_id=batch_id, rows=tuple(self._rows))
            self._tell_rates()
            if self._rows:
                self._has_rows.set()
        except Exception as error:
            if self._query.isActive:  # otherwise it was stopped in the middle of a batch
                self._failure = _first_line(error)

    def _texts(self, row: Row) -> tuple[str, ...]:
        texts = (str(value) for value in row[:_COLUMNS])
        return tuple(t if len(t) <= _VALUE_LENGTH else t[:_VALUE_LENGTH] + "…" for t in texts)

    def _tell_rates(self) -> None:
        last = self._query.lastProgress
        if last is not None:
            self._view = replace(
                self._view,
                input_rows_per_s=last["inputRowsPerSecond"],
                processed_rows_per_s=last["processedRowsPerSecond"],
            )
        self._emit(StreamShown(self.cell, self._view))

    def _wait(self) -> None:
        try:
            while not self._query.awaitTermination(_END_POLL_S) and not self._failure:
                pass
        except Exception as error:  # of the query, or the driver has gone
            self._failure = _first_line(error)
        if self._failure:
            self.stop()
        self._view = replace(self._view, is_active=False, error=self._failure)
        self._has_rows.set()
        self._emit(StreamShown(self.cell, self._view))


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n", 1)[0][:500]
