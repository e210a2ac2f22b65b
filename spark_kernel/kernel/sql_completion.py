"""Completes SQL in ``%%sql``, in ``%sql`` and in ``spark.sql("…")``; called between two cells."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from typing import Any

from IPython.core.completer import (
    CompletionContext,
    SimpleCompletion,
    context_matcher,
)

from spark_kernel.protocol.chart import AGGREGATES, AUTO, KINDS
from spark_kernel.spark.catalog_names import CatalogNames
from spark_kernel.spark.sql_suggestions import Suggestion, spot_at

__all__ = ["SqlCompleter", "sql_around"]

_log = logging.getLogger(__name__)
_WAIT_S = 0.3
_CELL = re.compile(r"\s*%%sql(?=\s|$)[^\n]*\n")
_LINE = re.compile(r"^[ \t]*(?:\w+\s*=\s*)?%sql[ \t]+(?:--\w+[ \t=]+\S+[ \t]+)*", re.MULTILINE)
_OPTIONS_LINE = re.compile(r"\s*(?:\w+\s*=\s*)?%%?sql\s(?P<words>[^\n]*)$")
_CALL = re.compile(r"""\bspark\s*\.\s*sql\s*\(\s*[rRfF]?(?P<quote>\"{3}|'{3}|"|')""")
_OPTION = re.compile(r"--[A-Za-z]*(?:[ \t=]+\S*)?")
_OPTIONS = ("--as", "--limit", "--chart", "--x", "--y", "--color", "--agg")
_VALUES = {"--chart": (*KINDS, AUTO), "--agg": AGGREGATES}


def sql_around(text: str, offset: int) -> tuple[str, str] | None:
    """Give the SQL before and after a place in a cell; None where there is Python."""
    cell = _CELL.match(text)
    if cell is not None:
        return (text[cell.end() : offset], text[offset:]) if offset >= cell.end() else None
    start = text.rfind("\n", 0, offset) + 1
    line = _LINE.match(text[start:offset])
    if line is not None:
        if _OPTION.fullmatch(text, start + line.end(), offset):
            return None
        end = text.find("\n", offset)
        return text[start + line.end() : offset], text[offset : end if end >= 0 else None]
    for call in reversed(list(_CALL.finditer(text, 0, offset))):
        quote, begin = call["quote"], call.end()
        if quote not in text[begin:offset] and (len(quote) == 3 or "\n" not in text[begin:offset]):
            end = text.find(quote, offset)
            line_end = text.find("\n", offset)
            end = line_end if end < 0 and len(quote) == 1 else end
            return text[begin:offset], text[offset : end if end >= 0 else None]
        break
    return None


class SqlCompleter:
    """A matcher of IPython's for SQL.

    Parameters
    ----------
    session_of
        Gives the session without waiting, or None.
    variables_of
        Gives the names of the notebook's variables.
    """

    def __init__(
        self, session_of: Callable[[], Any], variables_of: Callable[[], list[str]]
    ) -> None:
        self.names = CatalogNames(session_of)
        self._variables_of = variables_of

    def matcher(self) -> Any:
        """Give what IPython calls."""

        def spark_sql_matcher(context: CompletionContext) -> Any:
            try:
                found = self._complete(context)
            except Exception:  # Python's completion is there all the same
                _log.exception("SQL was not completed")
                found = None
            if found is None:
                return {"completions": [], "suppress": False}
            fragment, suggestions = found
            return {
                "completions": [SimpleCompletion(one.text, type=one.kind) for one in suggestions],
                "matched_fragment": fragment,
                "suppress": True,
                "ordered": True,
            }

        return context_matcher()(spark_sql_matcher)

    def _complete(self, context: CompletionContext) -> tuple[str, list[Suggestion]] | None:
        lines = context.full_text.split("\n")
        offset = sum(len(line) + 1 for line in lines[: context.cursor_line])
        offset += context.cursor_position
        around = sql_around(context.full_text, offset)
        if around is None:
            return _options(context.full_text, offset)
        spot = spot_at(*around)
        if spot is None:
            return "", []
        names = self.names.known(spot.wanted, _WAIT_S)
        found = spot.suggestions(names, self._variables_of())
        # Without any, IPython would complete Python here; what is typed stays as it is.
        return spot.fragment, found or [Suggestion(spot.fragment, "text")] * bool(spot.fragment)


def _options(text: str, offset: int) -> tuple[str, list[Suggestion]] | None:
    """Complete the options of the magic."""
    found = _OPTIONS_LINE.fullmatch(text[:offset])
    if found is None:
        return None
    *before, word = re.split(r"[\s=]+", found["words"])
    known = _VALUES.get(before[-1] if before else "", _OPTIONS)
    return word, [Suggestion(one, "magic") for one in known if one.startswith(word)]
