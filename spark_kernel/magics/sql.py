"""The ``%%sql`` and ``%sql`` magics."""

from __future__ import annotations

import argparse
import keyword
import re
import time
from collections import ChainMap
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NoReturn, Protocol

from IPython.core.error import UsageError
from IPython.core.magic import (
    Magics,
    line_cell_magic,
    magics_class,
    needs_local_scope,
    no_var_expand,
)

from spark_kernel.errors import SparkKernelError
from spark_kernel.protocol.chart import AGGREGATES, AUTO, KINDS
from spark_kernel.protocol.sql import SQL_PLACE
from spark_kernel.spark import sql_runs
from spark_kernel.spark.session import KernelSession
from spark_kernel.spark.sql_statements import Statement, split_statements

__all__ = ["FrameShower", "SqlControls", "SqlMagics"]

_OPTION = re.compile(
    r"""\s*(?P<name>--[A-Za-z][\w-]*)(?:(?:=|\s+)(?P<value>"[^"]*"|'[^']*'|(?!--)\S+))?"""
)


class FrameShower(Protocol):
    """Shows DataFrames in the notebook."""

    def show(
        self,
        frame: Any,
        *,
        limit: int | None = None,
        chart: str | None = None,
        x: str | None = None,
        y: Any = None,
        color: str | None = None,
        agg: str | None = None,
    ) -> None:
        """Show the first rows of a frame, or a chart of it."""


class SqlControls(Protocol):
    """What the magics need of the kernel."""

    spark_session: KernelSession

    @property
    def frames(self) -> FrameShower:
        """What shows DataFrames."""

    def require_spark(self) -> Any:
        """Give the session, waiting for it."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"%%sql: {message}; `%%sql?` tells what there is")


def _option_parser() -> _Parser:
    parser = _Parser(prog="%%sql", add_help=False, allow_abbrev=False)
    parser.add_argument("--as", dest="name", type=_identifier, metavar="NAME")
    parser.add_argument("--limit", type=_count, metavar="N")
    parser.add_argument("--chart", choices=(*KINDS, AUTO))
    parser.add_argument("--x", metavar="COLUMN")
    parser.add_argument("--y", metavar="COLUMN", action="append")
    parser.add_argument("--color", metavar="COLUMN")
    parser.add_argument("--agg", choices=(*AGGREGATES, "mean"))
    return parser


def _identifier(text: str) -> str:
    if not text.isidentifier() or keyword.iskeyword(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no name of a variable")
    return text


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of rows")
    return int(text)


_CHART_OPTIONS = ("x", "y", "color", "agg")


@magics_class
class SqlMagics(Magics):
    """SQL in the notebook.

    Parameters
    ----------
    controls
        The kernel, as far as magics may use it.
    """

    shell: Any

    def __init__(self, shell: Any, controls: SqlControls) -> None:
        super().__init__(shell)
        self._controls = controls

    @no_var_expand
    @needs_local_scope
    @line_cell_magic
    def sql(self, line: str, cell: str | None = None, local_ns: Any = None) -> Any:
        """Run SQL, and show the last result.

        Usage::

            %%sql [--as NAME] [--limit N] [--chart KIND] [--x COLUMN] [--y COLUMN]
                  [--color COLUMN] [--agg FUNCTION]
            CREATE TEMPORARY VIEW delays AS SELECT * FROM flights WHERE dep_delay > :least;
            SELECT origin, count(*) AS flights FROM delays GROUP BY origin

            %sql SELECT * FROM flights
            frame = %sql SELECT * FROM flights WHERE origin = :airport

        ``:name`` stands for a variable of the notebook, whose value Spark binds; it is never
        pasted into the text. ``frame.createOrReplaceTempView('name')`` gives a DataFrame a name.
        The last result is shown, and kept in ``_`` and under the name of ``--as``; ``%sql``
        without other options gives it. Of several statements each is told with its time, and the
        first that fails ends the cell. Queries before the last are checked, and not run.

        ``--limit`` is how many rows are shown. ``--chart`` is one of bar, line, area, scatter,
        hist, box, heatmap and auto; ``--y`` may be given more than once; ``--agg`` is one of
        count, sum, avg, min, max and median.
        """
        variables = ChainMap(local_ns or {}, self.shell.user_ns)
        options, rest = _parse_options(line)
        if cell is None:
            return self._run_line(options, rest, variables)
        if rest:
            raise UsageError(f"%%sql: {rest.split()[0]!r} is no option; SQL stands below the line")
        self._run(options, cell, variables, above=1)
        return None

    def _run_line(
        self, options: argparse.Namespace, text: str, variables: Mapping[str, Any]
    ) -> Any:
        is_shown = options.limit is not None or options.chart is not None
        frame = self._run(options, text, variables, is_shown=is_shown)
        return None if is_shown else frame

    def _run(
        self,
        options: argparse.Namespace,
        text: str,
        variables: Mapping[str, Any],
        *,
        is_shown: bool = True,
        above: int = 0,
    ) -> Any:
        """Run statements, above which some lines of the cell stand; gives the last result."""
        statements = split_statements(text)
        if not statements:
            raise UsageError("%%sql: there is no statement, only comments or nothing at all")
        spark = self._session()
        values = [sql_runs.bound_values(spark, one, variables) for one in statements]
        of, frame = len(statements), None
        for number, statement in enumerate(statements, 1):
            began = time.monotonic()
            is_last = number == of
            try:
                frame = sql_runs.run_statement(spark, statement, values[number - 1])
                said = self._finish(options, statement, frame, is_last and is_shown, is_last)
            except Exception as error:
                if not isinstance(error, SparkKernelError):
                    place = sql_runs.place_of(error, statement, number, of)
                    setattr(error, SQL_PLACE, replace(place, cell_line=place.cell_line + above))
                raise
            if of > 1 or said not in ("", "Query"):
                head = f"{number} · " if of > 1 else ""
                print(f"{head}{said or 'Rows'} · {_seconds(time.monotonic() - began)}")
        if options.name:
            self.shell.user_ns[options.name] = frame
        if frame is None or not frame.columns or _is_explain(statements[-1]):
            return None
        if is_shown:
            # As if it were the value of the cell, which would show it once more.
            self.shell.displayhook.update_user_ns(frame)
        return frame

    def _finish(
        self,
        options: argparse.Namespace,
        statement: Statement,
        frame: Any,
        is_shown: bool,
        is_last: bool,
    ) -> str:
        """Show what a statement has led to, where it is the last; gives what to say of it."""
        if not frame.columns:
            return sql_runs.described(statement, frame)
        text = sql_runs.explanation(statement, frame) if is_last else ""
        if text:
            print(text)
            return ""
        if not statement.is_query and not is_last:
            return "Done"
        if not is_last:
            return "Query, not run: only the last result is shown"
        if is_shown:
            chart = {name: getattr(options, name) for name in _CHART_OPTIONS}
            if chart["y"] is not None and len(chart["y"]) == 1:
                chart["y"] = chart["y"][0]
            self._controls.frames.show(frame, limit=options.limit, chart=options.chart, **chart)
        return "Query" if statement.is_query else ""

    def _session(self) -> Any:
        """Give the session that the notebook calls ``spark``, or else the kernel's."""
        self._controls.spark_session.check()
        spark = self._controls.require_spark()
        named = self.shell.user_ns.get("spark")
        # A stand-in for a session is not of PySpark's class before someone uses it.
        is_session = type(named).__name__ == "SparkSession" and type(named).__module__ in (
            "pyspark.sql.session",
            "pyspark.sql.connect.session",
        )
        return named if is_session else spark


def _is_explain(statement: Statement) -> bool:
    return bool(statement.words) and statement.words[0].upper() == "EXPLAIN"


def _parse_options(line: str) -> tuple[argparse.Namespace, str]:
    """Read the options at the beginning of a line; gives the rest of it too."""
    words, end = [], 0
    while found := _OPTION.match(line, end):
        value = found["value"]
        words.append(found["name"])
        if value is not None:
            value = value[1:-1] if value[0] in "'\"" and value[0] == value[-1] else value
            words[-1] += f"={value}"
        end = found.end()
    options = _option_parser().parse_args(words)
    if options.chart is None and any(getattr(options, name) for name in _CHART_OPTIONS):
        options.chart = "auto"
    if options.chart is not None and options.limit is not None:
        raise UsageError("%%sql: --limit is for a table, and a chart is of all rows; leave one out")
    return options, line[end:].strip()


def _seconds(duration_s: float) -> str:
    return f"{duration_s:.2f} s" if duration_s < 10 else f"{duration_s:.0f} s"
