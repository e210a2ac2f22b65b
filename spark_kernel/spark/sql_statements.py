"""Splits a text of SQL into its statements, as Spark's own lexer reads it, and finds parameters.

Only the tokens are looked at: what is no valid SQL goes to Spark as it stands, which says why.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from sqlglot.tokenizer_core import Token

__all__ = ["Statement", "split_statements"]

_NAME = re.compile(r"[^\W\d]\w*")
_QUERY_WORDS = ("SELECT", "FROM", "VALUES", "TABLE", "MAP", "REDUCE")
_WRITE_WORDS = ("INSERT", "MERGE", "UPDATE", "DELETE")
_LOOPS = ("IF", "WHILE", "LOOP", "REPEAT", "FOR")
"""What ends with its own word behind END."""
_WORDS = 12
_CLOSINGS = ("'", '"', "`", "*/", "$$")
_RETRIES = 20
_PREFIX_WORDS = ("SELECT", "NOT", "CASE")
_INFIX_WORDS = (
    *("BETWEEN", "AND", "OR", "WHEN", "THEN", "ELSE", "LIMIT", "OFFSET", "IN", "LIKE", "ILIKE"),
    *("RLIKE", "WHERE", "HAVING", "ON", "USING", "VALUES"),
)
"""Keywords where something stands before them that has a value; else names, as in ``t.offset``."""

_BEFORE_BEGIN = ("", ";", ":", "THEN", "ELSE", "DO", "LOOP", "REPEAT", "BEGIN", "ATOMIC")


@dataclass(frozen=True)
class Statement:
    """One statement of a text.

    Attributes
    ----------
    text
        From its first token to its last, with the comments and hints between them.
    start
        Where it begins in the whole text.
    line
        The line of the whole text in which it begins, from 1 on.
    words
        The tokens that tell what it does, as they stand: its first ones, or those from INSERT on.
    parameters
        The names after a colon, in order.
    is_query
        Whether it does nothing before its rows are asked for.
    """

    text: str
    start: int = 0
    line: int = 1
    words: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()
    is_query: bool = False


def split_statements(text: str) -> list[Statement]:
    """Split at each semicolon that ends a statement; comments alone are none."""
    tokens, end = _tokens_up_to_an_error(text)
    found = [_statement(text, part) for part in _parts(text, tokens)]
    rest = text[end:]
    if rest.strip():
        start = end + len(rest) - len(rest.lstrip())
        found.append(Statement(rest.strip(), start, text.count("\n", 0, start) + 1))
    return found


def _tokens_up_to_an_error(text: str) -> tuple[list[Token], int]:
    """Give the tokens of the statements that can be read, and where the others begin."""
    tokens = _tokens(text)
    if tokens is not None:
        return tokens, len(text)
    # A quote or a comment without an end: with one, the statements before it can be told.
    for closing in _CLOSINGS:
        tokens = _tokens(text + closing)
        if tokens is not None:
            ends = [
                n for n, token in enumerate(tokens, 1) if text[token.start : token.end + 1] == ";"
            ]
            tokens = tokens[: ends[-1]] if ends else []
            return tokens, tokens[-1].end + 1 if tokens else 0
    end = len(text)
    for _ in range(_RETRIES):  # each reads all of the text again
        end = text.rfind(";", 0, max(0, end - 1)) + 1
        tokens = _tokens(text[:end])
        if tokens is not None:
            return tokens, end
    return [], 0


def _tokens(text: str) -> list[Token] | None:
    from sqlglot.errors import TokenError

    try:
        tokens: list[Token] = _tokenizer().tokenize(text)
    except TokenError:
        return None
    return tokens


@functools.cache
def _tokenizer_class() -> Any:
    from sqlglot.dialects.spark import Spark

    class SparkTokens(Spark.Tokenizer):
        """Tokens of every statement, also of those that sqlglot does not parse."""

        COMMANDS: ClassVar[set[Any]] = set()
        COMMENTS = ["--", ("/*", "*/")]  # noqa: RUF012
        HEREDOC_STRINGS = ["$"]  # noqa: RUF012
        HEREDOC_TAG_IS_IDENTIFIER = True

    return SparkTokens


def _tokenizer() -> Any:
    return _tokenizer_class()()


def _parts(text: str, tokens: Sequence[Token]) -> Iterator[list[Token]]:
    """Give the tokens of each statement, without the semicolon."""
    part: list[Token] = []
    script: _Script | None = None
    words = [text[token.start : token.end + 1].upper() for token in tokens]
    for number, token in enumerate(tokens):
        word = words[number]
        if not part and word == "BEGIN":
            script = _Script()
        if script is not None:
            following = words[number + 1] if number + 1 < len(words) else ""
            script.take(word, words[number - 1] if part else "", following)
        if word == ";" and (script is None or script.is_over):
            if part:
                yield part
            part, script = [], None
        else:
            part.append(token)
    if part:
        yield part


class _Script:
    """Follows ``BEGIN … END``, whose statements end with semicolons of their own."""

    def __init__(self) -> None:
        self._open: list[str] = []
        self._is_declaration = False

    @property
    def is_over(self) -> bool:
        return not self._open

    def take(self, word: str, before: str, after: str) -> None:
        """Take the next token, which stands between two others."""
        if before in (";", "BEGIN"):
            self._is_declaration = word == "DECLARE"
        is_block = word == "BEGIN" and (before in _BEFORE_BEGIN or self._is_declaration)
        if is_block or (word == "CASE" and before not in ("END", ".")):
            self._open.append(word)
        elif word == "END" and self._open and after not in _LOOPS:
            # A column may be called so: a block ends only where a statement may begin.
            is_end = self._open[-1] == "CASE" or before in (";", "BEGIN")
            self._open = self._open[:-1] if is_end else self._open


def _statement(text: str, tokens: Sequence[Token]) -> Statement:
    start, end = tokens[0].start, tokens[-1].end + 1
    words = [text[token.start : token.end + 1] for token in tokens]
    verb = _verb(words)
    return Statement(
        text[start:end],
        start,
        text.count("\n", 0, start) + 1,
        tuple(words[verb : verb + _WORDS]),
        tuple(dict.fromkeys(_parameters(tokens, words))),
        words[verb].upper() in _QUERY_WORDS,
    )


def _verb(words: Sequence[str]) -> int:
    """Find the word that says what a statement does."""
    first = next((number for number, word in enumerate(words) if word != "("), 0)
    if words[first].upper() not in ("WITH", "FROM"):
        return first
    depth, found = 0, first
    for number, word in enumerate(words):
        depth += (word == "(") - (word == ")")
        if depth == 0 and word.upper() in _WRITE_WORDS:
            return number
        if depth == 0 and found == first and word.upper() in _QUERY_WORDS:
            found = number
    return found


def _parameters(tokens: Sequence[Token], words: Sequence[str]) -> Iterator[str]:
    for number, word in enumerate(words[:-1]):
        name = words[number + 1]
        is_adjacent = tokens[number + 1].start == tokens[number].end + 1
        if word == ":" and is_adjacent and _NAME.fullmatch(name):
            # Not `STRUCT<name:INT>`, nor `variant:field`.
            is_first = number == 0 or tokens[number - 1].end + 1 < tokens[number].start
            if is_first or not _is_operand(words, number - 1):
                yield name


def _is_operand(words: Sequence[str], number: int) -> bool:
    """Whether a word has a value, which a colon behind it takes a field of."""
    word = words[number].upper()
    if word in _INFIX_WORDS:
        before = words[number - 1].upper() if number else ""
        is_keyword = before == "CASE" or (_has_value(before) and before not in _INFIX_WORDS)
        return not is_keyword
    return _has_value(word)


def _has_value(word: str) -> bool:
    if word in _PREFIX_WORDS:
        return False
    return word[-1:].isalnum() or word[-1:] in ("_", "`", ")", "]", "'", '"')
