"""Runs one statement of SQL: binds its parameters, and says what came of it."""

from __future__ import annotations

import difflib
import logging
import re
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from spark_kernel.errors import SqlParameterError
from spark_kernel.protocol.sql import SqlPlace
from spark_kernel.spark.functions import functions_for
from spark_kernel.spark.sql_statements import Statement

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

__all__ = ["bound_values", "described", "explanation", "place_of", "run_statement"]

_log = logging.getLogger(__name__)
_LINE = re.compile(r"line (\d+),? pos (\d+)")
_OBJECTS = (
    "TABLE",
    "VIEW",
    "DATABASE",
    "SCHEMA",
    "NAMESPACE",
    "FUNCTION",
    "VARIABLE",
    "CATALOG",
    "INDEX",
)
_DONE = {
    "CREATE": "Created",
    "DROP": "Dropped",
    "ALTER": "Changed",
    "TRUNCATE": "Emptied",
    "CACHE": "Cached",
    "UNCACHE": "Uncached",
    "REFRESH": "Refreshed",
    "ANALYZE": "Analyzed",
    "DECLARE": "Declared",
    "USE": "Using",
    "INSERT": "Inserted into",
    "DELETE": "Deleted from",
    "UPDATE": "Updated",
    "MERGE": "Merged into",
}
_BETWEEN = frozenset(
    [
        "OR",
        "REPLACE",
        "GLOBAL",
        "TEMPORARY",
        "TEMP",
        "EXTERNAL",
        "LAZY",
        "INTO",
        "FROM",
        "IF",
        "NOT",
        "EXISTS",
        "OVERWRITE",
    ]
)
_MOST_NAME = 120


def run_statement(
    spark: SparkSession, statement: Statement, values: Mapping[str, Any]
) -> DataFrame:
    """Hand a statement to Spark: a command is carried out, a query is only analysed."""
    frame = spark.sql(statement.text, args=dict(values) or None)
    _ = frame.columns  # on Spark Connect the analysis waits for this
    return frame


def bound_values(
    spark: SparkSession, statement: Statement, variables: Mapping[str, Any]
) -> dict[str, Any]:
    """Give what Spark puts for the parameters of a statement: literals, never text.

    Raises
    ------
    SqlParameterError
        If a variable is missing, or Spark knows no literal for its value.
    """
    return {name: _literal(spark, name, variables) for name in statement.parameters}


def _literal(spark: SparkSession, name: str, variables: Mapping[str, Any]) -> Any:
    if name not in variables:
        known = [key for key in variables if isinstance(key, str) and key[:1] != "_"]
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean :{near[0]}?" if near else f"`{name} = ...` in a cell gives it a value"
        raise SqlParameterError(f"There is no variable {name!r} for the parameter :{name}.", hint)
    value = variables[name]
    try:
        return _as_literal(functions_for(spark), value)
    except Exception as error:
        _log.debug("no literal for %s", name, exc_info=True)
        kind = type(value).__name__
        raise SqlParameterError(
            f"The value of the parameter :{name} is of the type {kind}, "
            "for which Spark has no literal.",
            _hint_for(name, value),
        ) from (None if isinstance(error, AttributeError | TypeError) else error)


def _as_literal(functions: Any, value: Any) -> Any:
    if isinstance(value, Mapping):
        pairs = [_as_literal(functions, part) for pair in value.items() for part in pair]
        return functions.create_map(*pairs)
    if isinstance(value, tuple | list | set | frozenset | range):
        return functions.array(*[_as_literal(functions, part) for part in value])
    return functions.lit(value)


def _hint_for(name: str, value: Any) -> str:
    if hasattr(value, "createOrReplaceTempView"):
        return f"`{name}.createOrReplaceTempView({name!r})` makes it a table of that name"
    if hasattr(value, "tolist"):
        return f"give a plain value or a list, such as `{name}.tolist()`"
    return "numbers, text, bytes, booleans, dates, times, None, lists and dictionaries will do"


def described(statement: Statement, frame: DataFrame) -> str:
    """Say what a command has done, in a few words: ``Created table flights``."""
    words = [word.upper() for word in statement.words]
    verb = words[0] if words else ""
    if verb not in _DONE:
        return "Done"
    number, kind = 1, ""
    while number < len(words) and (words[number] in _BETWEEN or words[number] in _OBJECTS):
        kind = words[number].lower() if words[number] in _OBJECTS else kind
        number += 1
    name = _name_at(statement.words, number)
    if not name:
        return "Done"
    if "EXISTS" in words[:number] and verb in ("CREATE", "DROP"):
        return f"{kind.capitalize()} {name} is {'there' if verb == 'CREATE' else 'gone'}"
    said = _DONE[verb]
    if verb == "INSERT":
        said, kind = "Overwrote" if "OVERWRITE" in words[:number] else said, ""
        rows = _written_rows(frame)
        said = said if rows is None else f"{said.split()[0]} {rows:,} {_rows(rows)}"
        said = said if rows is None else f"{said} {'of' if 'Over' in said else 'into'}"
    return " ".join(part for part in (said, kind, name) if part)


def _rows(count: int) -> str:
    return "row" if count == 1 else "rows"


def _name_at(words: tuple[str, ...], number: int) -> str:
    """Give the name that begins at a word, with its dots."""
    name = "".join(words[number : number + 1])
    while number + 2 < len(words) and words[number + 1] == ".":
        name += "." + words[number + 2]
        number += 2
    return name if len(name) <= _MOST_NAME else name[:_MOST_NAME] + "…"


def _written_rows(frame: DataFrame) -> int | None:
    """Give how many rows a command wrote, where the driver can tell."""
    with suppress(Exception):  # on Spark Connect, and with sources that do not count
        plan = frame._jdf.queryExecution().executedPlan()
        metric = plan.commandPhysicalPlan().metrics().get("numOutputRows")
        return int(metric.get().value()) if metric.isDefined() else None
    return None


def explanation(statement: Statement, frame: DataFrame) -> str:
    """Give the text of an ``EXPLAIN``; empty for any other statement."""
    if not statement.words or statement.words[0].upper() != "EXPLAIN":
        return ""
    return "\n".join(str(row[0]) for row in frame.collect())


def place_of(error: BaseException, statement: Statement, number: int, of: int) -> SqlPlace:
    """Find the place in a statement that an error of Spark's tells of."""
    line, column, width = 0, 0, 1
    found = _span(error, statement.text)
    if found is not None:
        start, stop = found
        line = statement.text.count("\n", 0, start) + 1
        column = start - statement.text.rfind("\n", 0, start)
        width = max(1, stop - start + 1)
    else:
        said = _LINE.search(str(error))
        if said:
            line, column = int(said[1]), int(said[2]) + 1
    return SqlPlace(number, of, statement.text, line, column, statement.line, width)


def _span(error: BaseException, text: str) -> tuple[int, int] | None:
    """Give the first and the last character that Spark's context of an error names."""
    with suppress(Exception):  # of a driver that has ended, or of a plain error
        for context in error.getQueryContext():  # type: ignore[attr-defined]
            is_ours = context.contextType().name == "SQL" and not context.objectType()
            if is_ours and 0 <= context.startIndex() < len(text):
                return context.startIndex(), min(context.stopIndex(), len(text) - 1)
    return None
