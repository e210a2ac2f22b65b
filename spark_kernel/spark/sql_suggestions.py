"""What may come next in a statement of SQL: names of the catalog, parameters, keywords."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from spark_kernel.spark.catalog_names import (
    CATALOGS,
    DATABASES,
    FUNCTIONS,
    Wanted,
    columns,
    tables,
)

__all__ = ["SqlSpot", "Suggestion", "spot_at"]

KEYWORDS = tuple(
    """ADD ALL ALTER ANALYZE AND ANTI ANY AS ASC BEGIN BETWEEN BY CACHE CASE CAST COLUMN COMMENT
    COMPUTE CREATE CROSS CUBE CURRENT DATABASE DATABASES DELETE DESC DESCRIBE DISTINCT DROP ELSE
    END ESCAPE EXCEPT EXISTS EXPLAIN EXTENDED FALSE FILTER FIRST FOLLOWING FORMATTED FROM FULL
    FUNCTION FUNCTIONS GLOBAL GROUP GROUPING HAVING IF ILIKE IN INNER INSERT INTERSECT INTERVAL
    INTO IS JOIN LAST LATERAL LEFT LIKE LIMIT MATCHED MERGE MINUS NATURAL NOT NULL NULLS OFFSET ON
    OR ORDER OUTER OVER OVERWRITE PARTITION PARTITIONED PIVOT PRECEDING QUALIFY RANGE RECURSIVE
    REFRESH REPLACE RIGHT RLIKE ROLLUP ROW ROWS SCHEMA SELECT SEMI SET SETS SHOW SORT STATISTICS
    TABLE TABLES TABLESAMPLE TEMPORARY THEN TRUE TRUNCATE UNBOUNDED UNCACHE UNION UNPIVOT UPDATE
    USE USING VALUES VIEW VIEWS WHEN WHERE WINDOW WITH""".split()  # noqa: SIM905  # read so
)
_BEFORE_TABLE = ("FROM", "JOIN", "INTO", "TABLE", "UPDATE", "DESCRIBE", "VIEW", "OVERWRITE")
_NAME = r"(?:`[^`]*`|\w+)"
_FRAGMENT = re.compile(rf"(?P<colon>:?)(?P<path>(?:{_NAME}\.)*)(?P<word>`[^`]*|\w*)$")
_TABLES = re.compile(
    rf"\b(?:FROM|JOIN|INTO|UPDATE|TABLE|DESCRIBE)\s+(?P<name>{_NAME}(?:\.{_NAME})*)"
    rf"(?:\s+(?:AS\s+)?(?P<alias>{_NAME}))?",
    re.IGNORECASE,
)
_WORD = re.compile(r"(\w+)\s*$")
_QUOTED = re.compile(
    r"/\*.*?(?:\*/|(?P<comment>\Z))|--[^\n]*(?:\n|(?P<line>\Z))"
    r"|'(?:[^'\\]|\\.)*(?:'|(?P<one>\\?\Z))|\"(?:[^\"\\]|\\.)*(?:\"|(?P<two>\\?\Z))",
    re.DOTALL,
)
"""A comment or a text; one without an end has a group, and is read once like any other."""

_NEAR = 500
_STATEMENT = 20_000
"""How many characters before a place, and of its statement, are looked at."""

_PLAIN = re.compile(r"[^\W\d]\w*")
_MOST_TABLES = 8


@dataclass(frozen=True)
class Suggestion:
    """A text that may stand here, and what it is: ``table``, ``column``, ``keyword``…"""

    text: str
    kind: str


@dataclass(frozen=True)
class SqlSpot:
    """A place in a statement, and what is to be known of the catalog there.

    Attributes
    ----------
    fragment
        What stands before the place and is to be replaced.
    """

    fragment: str
    path: tuple[str, ...]
    is_parameter: bool
    is_table: bool
    mentioned: Mapping[str, str]

    @property
    def wanted(self) -> list[Wanted]:
        """The lists of names that tell what may stand here."""
        if self.is_parameter:
            return []
        whole = ".".join(map(_quoted, self.path))
        if self.path and self.is_table:
            return [tables(whole)]
        if self.path:
            owner = self.mentioned.get(self.path[-1].lower())
            if owner is not None and len(self.path) == 1:
                return [columns(owner)]
            return [columns(whole)]
        if self.is_table:
            return [tables(), DATABASES, CATALOGS]
        named = list(dict.fromkeys(self.mentioned.values()))[:_MOST_TABLES]
        return [*map(columns, named), FUNCTIONS]

    def suggestions(
        self, names: Mapping[Wanted, tuple[str, ...]], variables: Iterable[str]
    ) -> list[Suggestion]:
        """Give what may stand here, the likeliest first."""
        prefix = self.fragment.lstrip("`").lower()
        found = [
            one
            for one in self._all(names, variables)
            if one.text.strip("`").lower().startswith(prefix)
        ]
        return list(dict.fromkeys(found))

    def _all(
        self, names: Mapping[Wanted, tuple[str, ...]], variables: Iterable[str]
    ) -> Iterator[Suggestion]:
        if self.is_parameter:
            yield from (Suggestion(name, "instance") for name in sorted(variables))
            return
        for wanted in self.wanted:
            kind = wanted[0].removesuffix("s")
            for name in names.get(wanted, ()):
                if kind != "function":
                    yield Suggestion(_quoted(name), kind)
                elif self.fragment and _PLAIN.fullmatch(name):
                    yield Suggestion(
                        name.upper() if self.fragment.isupper() else name.lower(), kind
                    )
        if self.path:
            return
        if self.is_table:
            yield from (Suggestion(word, "keyword") for word in ("LATERAL", "VALUES"))
            return
        yield from (Suggestion(name, "table") for name in self.mentioned if name)
        if self.fragment[:1] != "`":
            is_low = self.fragment.islower()
            yield from (Suggestion(one.lower() if is_low else one, "keyword") for one in KEYWORDS)


def _quoted(name: str) -> str:
    if _PLAIN.fullmatch(name) or (name[:1] == "`" and name[-1:] == "`" and len(name) > 1):
        return name
    return "`" + name.replace("`", "``") + "`"


def spot_at(before: str, after: str) -> SqlSpot | None:
    """Say where in a statement a place is; None inside of a text or a comment.

    Parameters
    ----------
    before, after
        The SQL before the place and after it, perhaps of several statements.
    """
    plain, is_open = _without_texts(before)
    if is_open:
        return None
    plain = plain.rpartition(";")[2]
    following = _without_texts(after)[0].partition(";")[0]
    statement = plain[-_STATEMENT:] + following[:_STATEMENT]
    near = plain[-_NEAR:]
    fragment = _FRAGMENT.search(near)
    assert fragment is not None  # it may be empty
    said = _WORD.search(near[: fragment.start()])
    last = said[1].upper() if said else ""
    path = tuple(re.findall(_NAME, fragment["path"]))
    return SqlSpot(
        fragment["word"], path, bool(fragment["colon"]), last in _BEFORE_TABLE,
        _mentioned(statement),
    )  # fmt: skip


def _without_texts(sql: str) -> tuple[str, bool]:
    """Give SQL without texts and comments, and whether the last of them has no end."""
    last = None
    parts, end = [], 0
    for last in _QUOTED.finditer(sql):
        parts.append(sql[end : last.start()])
        end = last.end()
    return " ".join([*parts, sql[end:]]), last is not None and last.lastgroup is not None


def _mentioned(statement: str) -> dict[str, str]:
    """Give the tables that a statement names, by their aliases and by their own names."""
    found: dict[str, str] = {}
    for table in _TABLES.finditer(statement):
        name, alias = table["name"], table["alias"] or ""
        found[name.rpartition(".")[2].strip("`").lower()] = name
        if alias and alias.upper() not in KEYWORDS:
            found[alias.strip("`").lower()] = name
    return found
