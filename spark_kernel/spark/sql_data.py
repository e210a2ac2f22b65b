"""Which data a statement of SQL names, by its text alone: for sessions whose plans are elsewhere.

Names stand as they are written; whether one is a table or a temporary view, the text cannot tell.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spark_kernel.protocol.provenance import DataKind, Dataset
from spark_kernel.spark.data_names import shown_uri

if TYPE_CHECKING:
    from sqlglot import exp

__all__ = ["ON_SERVER", "SqlData", "data_of_sql", "unknown"]

ON_SERVER = "on the server"
_LENGTH = 100_000
_HARMLESS = (
    *("SHOW", "EXPLAIN", "DESCRIBE", "DESC", "SET", "RESET", "USE", "REFRESH", "ANALYZE"),
    *("UNCACHE", "CLEAR", "LIST", "ADD", "COMMENT", "DECLARE"),
)
"""First words of statements that read and write no data that could be named."""

_FILES = ("avro", "binaryfile", "csv", "delta", "json", "orc", "parquet", "text", "xml")
_GENERATORS = ("range", "explode", "explode_outer", "inline", "posexplode", "stack", "sequence")
_SCHEMAS = ("DATABASE", "SCHEMA", "FUNCTION")


@dataclass(frozen=True)
class SqlData:
    """What a statement reads and writes, as far as its text tells."""

    inputs: tuple[Dataset, ...] = ()
    outputs: tuple[Dataset, ...] = ()


def unknown(what: str, note: str) -> Dataset:
    """Stand for something that cannot be named; ``what`` is "source" or "target"."""
    return Dataset(DataKind.OTHER, f"unknown {what}", note=note)


def data_of_sql(text: str) -> SqlData:
    """Read one statement; what is not understood is told as unknown, on both sides."""
    words = text.split(None, 1)
    if words and words[0].upper() in _HARMLESS:
        return SqlData()
    tree = _parsed(text) if len(text) <= _LENGTH else None
    if tree is None:
        note = "a statement that is not understood"
        return SqlData((unknown("source", note),), (unknown("target", note),))
    return _read(tree)


def _parsed(text: str) -> Any:
    """Parse; None where sqlglot knows the statement no better than by its first word."""
    import sqlglot  # half a second, and for this alone
    from sqlglot import exp

    try:
        with _quiet():
            trees = sqlglot.parse(text, read="spark")
    except Exception:
        return None
    is_one = len(trees) == 1 and isinstance(trees[0], exp.Expression)
    return trees[0] if is_one and isinstance(trees[0], _statements()) else None


def _statements() -> tuple[type, ...]:
    from sqlglot import exp

    changes = (exp.Create, exp.Insert, exp.Merge, exp.Update, exp.Delete, exp.Drop)
    others = (exp.TruncateTable, exp.Alter, exp.LoadData, exp.Cache, exp.Describe, exp.Use)
    return (exp.Query, exp.Values, *changes, *others)


def _read(tree: exp.Expression) -> SqlData:
    from sqlglot import exp

    inputs: list[Dataset] = []
    outputs: list[Dataset] = []
    if isinstance(tree, (exp.Describe, exp.Use)):
        return SqlData()
    kind = str(tree.args.get("kind") or "").upper()
    if kind in _SCHEMAS:
        return SqlData()
    targets = _targets(tree)
    for table in tree.find_all(exp.Table):
        if any(table is target for target in targets):
            outputs.append(_written(tree, table))
            if not isinstance(tree, (exp.Merge, exp.Update, exp.Delete)):
                continue
        if not table.db and _is_defined(table):
            continue
        inputs.extend(_named(table))
    inputs.extend(_files_of(tree))
    if not isinstance(tree, (exp.Query, exp.Values)) and not outputs:
        outputs.append(unknown("target", "a statement that is not understood"))
    return SqlData(tuple(dict.fromkeys(inputs)), tuple(dict.fromkeys(outputs)))


def _is_defined(table: exp.Table) -> bool:
    """Whether a name is that of a WITH around it, rather than of a table."""
    from sqlglot import exp

    name = table.name.lower()
    within: list[Any] = []
    node: Any = table
    while node is not None:
        clause = node.args.get("with_") or node.args.get("with")
        if isinstance(clause, exp.With) and not any(clause is one for one in within):
            names = [cte.alias.lower() for cte in clause.expressions]
            if name in names:
                return True
        elif isinstance(clause, exp.With):
            # One of its own definitions sees those before it, and itself if it is recursive.
            for cte in clause.expressions:
                is_own = any(cte is one for one in within)
                if is_own and not clause.args.get("recursive"):
                    break
                if cte.alias.lower() == name:
                    return True
                if is_own:
                    break
        within.append(node)
        node = node.parent
    return False


def _targets(tree: exp.Expression) -> list[Any]:
    """Find what a statement changes: the first table that it names, or several."""
    from sqlglot import exp

    if isinstance(tree, (exp.Query, exp.Values)):
        return []
    if isinstance(tree, (exp.Drop, exp.TruncateTable)):
        return list(tree.find_all(exp.Table))
    first = tree.this.find(exp.Table) if isinstance(tree.this, exp.Expression) else None
    return [first] if first is not None else []


def _written(tree: exp.Expression, table: exp.Table) -> Dataset:
    from sqlglot import exp

    name = _name(table)
    dropped = "dropped" if isinstance(tree, exp.Drop) else ""
    is_temporary = tree.find(exp.TemporaryProperty) or tree.find(exp.GlobalProperty)
    if isinstance(tree, exp.Cache) or (isinstance(tree, exp.Create) and is_temporary):
        prefix = "global_temp." if tree.find(exp.GlobalProperty) else ""
        return Dataset(DataKind.OTHER, f"{prefix}{name}", "view", note=dropped)
    found = _named(table)
    if found and found[0].kind is DataKind.FILE:
        return found[0]
    return Dataset(DataKind.TABLE, name, note=dropped or ON_SERVER)


def _named(table: exp.Table) -> list[Dataset]:
    from sqlglot import exp

    if not isinstance(table.this, exp.Identifier):
        function = str(getattr(table.this, "name", "")).lower()
        known = function in _GENERATORS or isinstance(table.this, exp.UDTF)
        return [] if known else [unknown("source", "a function or parameter in place of a table")]
    if table.name.startswith("_pyspark_"):
        return []  # a DataFrame in the statement, whose plan goes with it
    if table.db.lower() in _FILES and not table.catalog:
        return [Dataset(DataKind.FILE, shown_uri(table.name), table.db.lower(), note=ON_SERVER)]
    return [Dataset(DataKind.TABLE, _name(table), note=ON_SERVER)]


def _name(table: exp.Table) -> str:
    return ".".join(part.name for part in table.parts)


def _files_of(tree: exp.Expression) -> Iterator[Dataset]:
    """Find files that are read without a query: of LOAD DATA, or of a view or table of files."""
    from sqlglot import exp

    if isinstance(tree, exp.LoadData):
        place = tree.args["inpath"]
        yield Dataset(DataKind.FILE, shown_uri(place.name), note=ON_SERVER)
    elif isinstance(tree, exp.Create) and tree.expression is None:
        made = tree.find(exp.FileFormatProperty)
        if made is not None and str(tree.args.get("kind")).upper() == "VIEW":
            yield unknown("source", "a view that stands on options")


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep sqlglot from telling the notebook what it does not understand."""
    logger = logging.getLogger("sqlglot")

    def drop(record: logging.LogRecord) -> bool:
        return False

    logger.addFilter(drop)
    try:
        yield
    finally:
        logger.removeFilter(drop)
