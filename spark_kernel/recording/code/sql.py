"""What a text of SQL tells: the tables and views that it reads and makes, and its parameters."""

from __future__ import annotations

import contextlib
import functools
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from spark_kernel.recording.code.cell import view_name

__all__ = ["SqlCode", "read_sql"]

_OUTSIDE = {
    "rand": "rand()",
    "randn": "randn()",
    "random": "random()",
    "randstr": "randstr()",
    "uniform": "uniform()",
    "shuffle": "shuffle()",
    "uuid": "uuid()",
    "now": "now()",
    "curdate": "curdate()",
    "currentdate": "current_date",
    "current_date": "current_date",
    "currenttimestamp": "current_timestamp",
    "current_timestamp": "current_timestamp",
    "currenttime": "current_time",
    "current_time": "current_time",
    "localtimestamp": "localtimestamp",
    "localtime": "localtime",
    "currentuser": "current_user()",
    "sessionuser": "session_user()",
}
_SEEDED = {"rand", "randn", "random", "shuffle"}
"""Functions that take a seed; the last one as its second argument."""


@dataclass(frozen=True)
class SqlCode:
    """What SQL tells; names are as ``view_name`` gives them, but for parameters.

    Attributes
    ----------
    changes_session
        Whether it may change settings, functions or the current database.
    is_readable
        Whether all of it could be read.
    """

    parameters: frozenset[str] = frozenset()
    reads: frozenset[str] = frozenset()
    makes: frozenset[str] = frozenset()
    changes: frozenset[str] = frozenset()
    outside: tuple[str, ...] = ()
    changes_session: bool = False
    is_readable: bool = True


@functools.lru_cache(maxsize=512)
def read_sql(text: str) -> SqlCode:
    """Read all statements of a text."""
    reading = _Reading()
    try:
        with _quiet():
            for statement in _parse(text):
                reading.take(statement)
    except _errors():
        return SqlCode(changes_session=True, is_readable=False)
    return reading.result


def _parse(text: str) -> list[Any]:
    import sqlglot

    return [one for one in sqlglot.parse(text, read="spark") if one is not None]


def _errors() -> tuple[type[Exception], ...]:
    from sqlglot.errors import SqlglotError

    return SqlglotError, RecursionError, ValueError


class _Reading:
    """What was found in the statements so far."""

    def __init__(self) -> None:
        self._parameters: set[str] = set()
        self._reads: set[str] = set()
        self._makes: set[str] = set()
        self._changes: set[str] = set()
        self._outside: dict[str, None] = {}
        self._changes_session = False
        self._is_readable = True

    @property
    def result(self) -> SqlCode:
        return SqlCode(
            frozenset(self._parameters),
            frozenset(self._reads),
            frozenset(self._makes),
            frozenset(self._changes),
            tuple(self._outside),
            self._changes_session,
            self._is_readable,
        )

    def take(self, statement: Any) -> None:
        from sqlglot import exp

        if isinstance(statement, exp.Command):
            self._take_command(statement.name.upper(), statement.args.get("expression"))
            return
        if isinstance(statement, exp.Set | exp.Use | exp.Declare):
            self._changes_session = True
        if isinstance(statement, exp.Create) and statement.kind not in ("TABLE", "VIEW"):
            self._changes_session = True
        target = self._target(statement)
        with_names = {cte.alias.lower() for cte in statement.find_all(exp.CTE)}
        for table in statement.find_all(exp.Table):
            name = table.name
            is_named = isinstance(table.this, exp.Identifier) and "/" not in name
            if table is target or not is_named or (not table.db and name.lower() in with_names):
                continue
            if view_name(name) not in self._makes:
                self._reads.add(view_name(name))
        for place in statement.find_all(exp.Placeholder):
            if place.name:
                self._parameters.add(place.name)
        for function in statement.find_all(exp.Func, exp.TableSample):
            self._take_function(function)

    def _take_command(self, word: str, rest: Any) -> None:
        """Take what sqlglot keeps as text."""
        if word == "SHOW":
            self._outside["what the catalog lists (SHOW)"] = None
        elif word == "EXPLAIN":
            text = str(rest.name if hasattr(rest, "name") else rest or "").strip()
            first, _, after = text.partition(" ")
            is_mode = first.upper() in ("EXTENDED", "CODEGEN", "COST", "FORMATTED")
            with contextlib.suppress(*_errors()), _quiet():
                for statement in _parse(after if is_mode else text):
                    self.take(statement)
                return
            self._is_readable = False
        else:
            self._changes_session = True
            self._is_readable = word == "SET" and self._is_readable

    def _target(self, statement: Any) -> Any:
        """Give the table that a statement writes, and note it."""
        from sqlglot import exp

        makers, changers = (exp.Create, exp.Drop), (exp.Insert, exp.Merge, exp.Update, exp.Delete)
        others = (exp.TruncateTable, exp.Alter, exp.LoadData)
        if not isinstance(statement, (*makers, *changers, *others)):
            return None
        first = statement.this
        target = first if isinstance(first, exp.Table) else next(statement.find_all(exp.Table), 0)
        if not isinstance(target, exp.Table) or not target.name:
            return None
        found = self._makes if isinstance(statement, makers) else self._changes
        found.add(view_name(target.name))
        return target

    def _take_function(self, function: Any) -> None:
        from sqlglot import exp

        if isinstance(function, exp.TableSample):
            if not function.args.get("seed"):
                self._outside["TABLESAMPLE without REPEATABLE"] = None
            return
        name = function.name if isinstance(function, exp.Anonymous) else function.key
        name = name.lower()
        given = [one for one in function.args.values() if one not in (None, [], False)]
        is_seeded = name in _SEEDED and len(given) > (1 if name == "shuffle" else 0)
        if isinstance(function, exp.Anonymous):
            is_seeded = name in _SEEDED and len(function.expressions) > (name == "shuffle")
        if name in _OUTSIDE and not is_seeded:
            self._outside[_OUTSIDE[name]] = None


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep sqlglot from telling of each statement that it hands through as text."""
    log = logging.getLogger("sqlglot")
    was, log.disabled = log.disabled, True
    try:
        yield
    finally:
        log.disabled = was
