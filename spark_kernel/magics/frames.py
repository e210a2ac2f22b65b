"""Shows DataFrames, and what is like them: as a cell's last value, and in ``display(df, limit=N)``.

Everything runs in the thread of the cell, and so do the jobs.
"""

from __future__ import annotations

import builtins
import difflib
import logging
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol, TypeVar

from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from IPython.display import DisplayHandle
from IPython.display import display as plain_display

from spark_kernel.display.jobs import size_text
from spark_kernel.display.local_table import is_listed, list_table, pandas_table
from spark_kernel.display.table import most_rows, schema_view, table_view
from spark_kernel.errors import SparkKernelError
from spark_kernel.protocol.table import COLUMNS, Schema, Table
from spark_kernel.spark.preview import (
    PANDAS_ON_SPARK,
    SPARK_FRAMES,
    find_expensive_steps,
    is_frame,
    preview,
    reason_of,
    schema_of,
    spark_frame_of,
)

__all__ = ["Draw", "FrameDisplay", "PreviewSettings", "set_rows"]

_log = logging.getLogger(__name__)
_PANDAS = ("pandas", "DataFrame")
_PLAIN_OPTIONS = {"update", "source"}
"""What IPython hands on to the publisher, beside the options that it names."""

_HUGE_LIMIT = 10_000
_HINT = "display(df, limit=N) reads rows"

Bundle = tuple[dict[str, Any], dict[str, Any]]
_Read = TypeVar("_Read", Table, Table | None)
Draw = Callable[..., Mapping[str, Any]]
"""Draws a chart of a frame: ``draw(frame, kind, x, y, color, agg)`` gives its bundle."""


class PreviewSettings(Protocol):
    """What is configured.

    Attributes
    ----------
    preview
        ``rows``; ``cheap``, which reads no rows of a plan that sorts, joins or aggregates; or
        ``schema``.
    preview_rows
        How many rows; 0 is for the schema alone.
    preview_max_bytes
        What one table may take of the notebook.
    """

    preview: str
    preview_rows: int
    preview_max_bytes: int


class _Shown:
    """Something drawn already, for IPython to publish."""

    def __init__(self, data: Mapping[str, Any], metadata: dict[str, Any]) -> None:
        self._bundle = dict(data), metadata

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Bundle:
        return self._bundle


class FrameDisplay:
    """Shows frames in one notebook.

    Parameters
    ----------
    draw
        Draws charts; None where that cannot be done.
    """

    def __init__(self, settings: PreviewSettings, draw: Draw | None = None) -> None:
        self.settings = settings
        self._draw = draw
        self._end_behind: Callable[[BaseException, float], BaseException | None] | None = None

    def install(
        self,
        shell: InteractiveShell,
        show_stream: Callable[[Any], None],
        end_behind: Callable[[BaseException, float], BaseException | None],
    ) -> None:
        """Show frames in this shell from now on.

        Parameters
        ----------
        show_stream
            Shows a streaming DataFrame; raises NotImplementedError for any other.
        end_behind
            Gives the end of the session that is behind an error, if any, in code that began then.
        """

        def show_if_stream(frame: Any) -> None:
            try:
                show_stream(frame)
            except SparkKernelError:  # its session has ended; what is shown in its place says so
                raise NotImplementedError from None

        self._end_behind = end_behind
        formatter = shell.display_formatter
        assert formatter is not None
        streams = formatter.ipython_display_formatter
        streams.for_type_by_name(*SPARK_FRAMES[0], show_if_stream)
        bundles = formatter.mimebundle_formatter
        for module, name in SPARK_FRAMES + PANDAS_ON_SPARK:
            bundles.for_type_by_name(module, name, self._last_value)
        bundles.for_type(list, self._last_list)
        # Where IPython itself has put its own.
        builtins.display = self.display  # type: ignore[attr-defined]

    # -- what is asked for -----------------------------------------------------------------

    def show(
        self,
        frame: Any,
        *,
        limit: int | None = None,
        chart: str | None = None,
        x: str | None = None,
        y: str | None = None,
        color: str | None = None,
        agg: str | None = None,
    ) -> None:
        """Show a frame; raises what its action raises."""
        self.display(frame, limit=limit, chart=chart, x=x, y=y, color=color, agg=agg)

    def display(
        self,
        *objs: Any,
        limit: int | None = None,
        chart: str | None = None,
        x: str | None = None,
        y: str | None = None,
        color: str | None = None,
        agg: str | None = None,
        display_id: str | bool | None = None,
        clear: bool = False,
        raw: bool = False,
        **options: Any,
    ) -> DisplayHandle | None:
        """Display objects in the notebook, as IPython's ``display`` does.

        Parameters
        ----------
        limit
            How many rows of a DataFrame to show; 0 shows its schema.
        chart
            Draws a DataFrame as "bar", "line", "area", "scatter", "hist", "box" or "heatmap". A
            chart is of all rows: it goes without a limit.
        x, y, color, agg
            The columns of the chart, and how values are aggregated.
        options
            All of IPython's: include, exclude, metadata, transient, display_id, raw, clear.
        """
        drawn = {"chart": chart, "x": x, "y": y, "color": color, "agg": agg}
        asked = [name for name, value in {"limit": limit, **drawn}.items() if value is not None]
        if not asked and (raw or not any(map(is_frame, objs))):
            plain: DisplayHandle | None = plain_display(
                *objs, display_id=display_id, clear=clear, raw=raw, **options
            )
            return plain
        _check_options(options)
        is_drawn = asked not in ([], ["limit"])
        _check_use(objs, asked, limit, is_drawn=is_drawn)
        handle: DisplayHandle | None = None
        for obj in objs:
            shown = self._shown(obj, limit, drawn if is_drawn else {})
            handle = plain_display(shown, display_id=display_id, clear=clear, **options)
            if handle is not None:
                display_id = handle.display_id
            clear = False
        return handle

    def _shown(self, obj: Any, limit: int | None, drawn: dict[str, str | None]) -> Any:
        if not is_frame(obj):
            table = None if limit is None else self._local(obj, limit)
            return obj if table is None else _Shown(self._drawn(table), {})
        if drawn:
            return _Shown(self._chart(obj, drawn), {})
        # A server is asked only where the rows could not be read: each question is a round trip.
        if limit is None and hasattr(obj, "_jdf") and _is_stream(obj):
            return obj
        try:
            return _Shown(*self.bundle(obj, limit))
        except Exception:
            if not _is_stream(obj):
                raise
        if limit is None:
            return obj
        raise TypeError("limit is for DataFrames that are no streams; leave it out")

    def _chart(self, obj: Any, drawn: dict[str, str | None]) -> Mapping[str, Any]:
        if self._draw is None:
            raise NotImplementedError("charts are not available here")
        return self._draw(obj, drawn["chart"], drawn["x"], drawn["y"], drawn["color"], drawn["agg"])

    def bundle(self, frame: Any, limit: int | None = None) -> Bundle:
        """Give the bundle of a frame, and its metadata.

        Parameters
        ----------
        frame
            A DataFrame of Spark, or a frame or series of pandas on Spark.
        limit
            How many rows; by default as many as are configured.

        Raises
        ------
        Exception
            Whatever reading the rows raises.
        """
        most = self.settings.preview_rows if limit is None else limit
        frame = spark_frame_of(frame)
        reason = self._reason_not_to_read(frame, most, is_asked_for=limit is not None)
        if reason:
            return schema_view(schema_of(frame, reason)), {}
        columns = min(COLUMNS, len(frame.schema.fields))
        return self._drawn(self._within_reach(columns, most, lambda n: preview(frame, n))), {}

    def _local(self, obj: Any, limit: int) -> Table | None:
        """Give the table of what needs no Spark; None of what is no table."""

        def read(rows: int) -> Table | None:
            return list_table(obj, rows) if isinstance(obj, list) else pandas_table(obj, rows)

        if not _is_tabular(obj):
            return None
        columns = len(obj[0]) if isinstance(obj, list) else obj.shape[1]
        return self._within_reach(min(COLUMNS, columns), limit, read)

    def _reason_not_to_read(self, frame: Any, most: int, *, is_asked_for: bool) -> str:
        """Say why no rows are read; nothing where they are."""
        if most == 0 or (self.settings.preview == "schema" and not is_asked_for):
            return f"Schema alone; {_HINT}"
        if self.settings.preview != "cheap" or is_asked_for:
            return ""
        steps = find_expensive_steps(frame)
        if not steps:
            return ""
        needs = " and ".join([", ".join(steps[:-1]), steps[-1]] if len(steps) > 1 else steps)
        return f"Not read yet, for that takes {needs}; {_HINT}"

    def _within_reach(self, columns: int, limit: int, read: Callable[[int], _Read]) -> _Read:
        """Read so many rows, but not more than a table can show."""
        fitting = most_rows(columns, self.settings.preview_max_bytes)
        remark = ""
        if limit > _HUGE_LIMIT or limit > fitting:
            size = size_text(self.settings.preview_max_bytes)
            remark = f"no more fit into the {size} that a table may take of the notebook"
        if limit > _HUGE_LIMIT:
            # No warning of Python's: that comes once for a place in the code, and names ours.
            print(
                f"limit={limit:,} is more than a notebook takes well; at most "
                f"{min(limit, fitting):,} rows are read. Aggregate or sample in Spark, or write "
                "the rows to a file.",
                file=sys.stderr,
            )
        table = read(min(limit, fitting))
        if table is not None and table.has_more and remark and fitting < limit:
            return replace(table, remark=remark)
        return table

    def _drawn(self, table: Table) -> dict[str, Any]:
        return table_view(table, self.settings.preview_max_bytes)

    # -- last values -----------------------------------------------------------------------

    def _last_value(self, frame: Any) -> Bundle | None:
        """Show a frame that nobody asked to read: that it cannot be read is no error of the cell.

        Called by IPython, which shows the object in its own way on None.
        """
        began = time.monotonic()
        try:
            return self.bundle(frame)
        except Exception as error:
            _log.debug("no preview", exc_info=True)
            return self._failure(frame, error, began)

    def _failure(self, frame: Any, error: Exception, began: float) -> Bundle | None:
        try:
            if _is_stream(frame):
                return None
            behind = self._end_behind(error, began) if self._end_behind else None
        except SparkKernelError as ended:
            behind = ended
        reason = f"{reason_of(error)}\n`display(df)` shows the whole error."
        if behind is not None:
            reason = str(behind)
        try:
            schema = schema_of(spark_frame_of(frame), reason, is_failure=True)
        except Exception:  # the plan itself is wrong, which Connect tells only now
            schema = Schema((), reason, is_failure=True)
        return schema_view(schema), {}

    def _last_list(self, values: list[Any]) -> Bundle | None:
        """Show a list of rows as a table; the text stays Python's own."""
        try:
            if not self.settings.preview_rows or not is_listed(values):
                return None
            table = self._local(values, self.settings.preview_rows)
            if table is None:
                return None
            data = self._drawn(table)
        except Exception:
            _log.debug("no table of a list", exc_info=True)
            return None
        del data["text/plain"]
        return data, {}


def set_rows(frames: FrameDisplay, arguments: list[str]) -> None:
    """Set how many rows a DataFrame shows from now on, and say it: ``%spark rows N``."""
    match arguments:
        case []:
            pass
        case [number] if number.isdecimal():
            frames.settings.preview_rows = int(number)
        case _:
            raise UsageError("%spark rows takes a number of rows, such as `%spark rows 20`")
    rows = frames.settings.preview_rows
    print(
        f"A DataFrame shows its first {rows:,} rows." if rows else "A DataFrame shows its schema."
    )


def _is_tabular(obj: object) -> bool:
    """Whether it has rows to show: a frame of any kind, or a list of rows."""
    is_pandas = (type(obj).__module__.split(".", 1)[0], type(obj).__name__) == _PANDAS
    return is_frame(obj) or is_pandas or (isinstance(obj, list) and is_listed(obj))


def _is_stream(obj: Any) -> bool:
    """Whether it is a stream; raises SparkKernelError where its session has ended."""
    try:
        return getattr(obj, "isStreaming", False) is True
    except SparkKernelError:
        raise
    except Exception:  # whatever asks for rows says it better
        return False


def _is_count(limit: object) -> bool:
    return isinstance(limit, int) and not isinstance(limit, bool) and limit >= 0


def _check_use(objs: Sequence[Any], asked: Sequence[str], limit: object, *, is_drawn: bool) -> None:
    """Refuse options that none of the objects can take, or that do not go together."""
    if is_drawn and limit is not None:
        raise TypeError(
            "display() takes limit for a table, and a chart is of all rows; "
            "display(df.limit(N), chart=...) draws some of them"
        )
    if limit is not None and not _is_count(limit):
        raise ValueError(f"limit is a number of rows, such as limit=20, and not {limit!r}")
    if any(map(is_frame if is_drawn else _is_tabular, objs)):
        return
    given = ", ".join(type(obj).__name__ for obj in objs) or "nothing"
    of, hint = "", ""
    if is_drawn and any(map(_is_tabular, objs)):
        of, hint = " of Spark", "; spark.createDataFrame(...) makes one"
    named = " and ".join(asked)
    raise TypeError(f"display() takes {named} for DataFrames{of}, and not for {given}{hint}")


def _check_options(options: Mapping[str, Any]) -> None:
    """Refuse what neither IPython nor we have an option for."""
    known = {"include", "exclude", "metadata", "transient", *_PLAIN_OPTIONS}
    ours = ("limit", "chart", "x", "y", "color", "agg", "display_id", "clear", "raw")
    for name in options:
        if name not in known:
            near = difflib.get_close_matches(name, [*ours, *known], n=1)
            hint = f"did you mean {near[0]}?" if near else f"it has {', '.join(ours)}"
            raise TypeError(f"display() has no option {name!r}; {hint}")
