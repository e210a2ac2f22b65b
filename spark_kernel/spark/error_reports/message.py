"""Reads what Spark says: the condition, the sentence, the statement of SQL, where a column is from.

Everything is read from the text of the error; each form is one of Spark 4's. Users have a say in
the text: no pattern may begin with a run of what it repeats, which takes time by its square.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["CallSite", "SparkMessage", "marked_statement", "read_message"]

_CONDITION = re.compile(r"\[([A-Z][A-Z0-9_]*(?:\.[A-Z0-9_]+)*)\]\s*")
_SQL_STATE = re.compile(r" ?SQLSTATE: \w{5}\b")
_POSITION = re.compile(r";? \(?line (\d+),? pos (\d+)\)?;?(?=\n|$)")
_STACK = re.compile(r"\nJVM stacktrace:\n|\n[ \t]*at [\w.$/]+\(")
_SQL = re.compile(r"\n== SQL(?: of \w+ [^\n]+?)?(?: ?\(line (\d+), position (\d+)\))? ?==\n")
_FRAME = re.compile(r"\n== DataFrame ==\n\"([^\n\"]*)\" was called from\n([^\n]*)")
_CELL_SITE = re.compile(r"line (\d+) in cell \[(\d+)\]")
_FILE_SITE = re.compile(r"(.+):(\d+)")
_PLAN = re.compile(r";\n(?=['~]*[A-Z]\w+)|\n(?=[+:]- )")
_NOISE = (
    "If you did not qualify the name with a ",
    "To tolerate the error on drop use ",
    "Search path: ",
    "Verify the spelling and correctness of the schema and catalog.",
)
_CARET_LINE = re.compile(r"[-\s]*\^+\s*")
_OPERATORS = {"add": "+", "sub": "-", "mul": "*", "truediv": "/", "mod": "%", "pow": "**"}
_OPERATORS |= {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}
_OPERATORS |= {"and": "&", "or": "|", "invert": "~", "neg": "-", "getitem": "[", "getattr": "."}
_OPERATORS |= {"contains": " in "}


@dataclass(frozen=True)
class CallSite:
    """Where a column was made, as PySpark noted it.

    Parameters
    ----------
    method
        What was called there, such as ``__truediv__``.
    cell
        The number of the cell; None where it is a file.
    """

    method: str
    line: int
    cell: int | None = None
    file: str = ""

    def is_in(self, source: str) -> bool:
        """Whether a line of code may be the one: PySpark counts a module's lines as a cell's."""
        name = self.method.strip("_")
        operator = _OPERATORS.get(name.removeprefix("r"), _OPERATORS.get(name, name))
        return operator in source or name in source


@dataclass(frozen=True)
class SparkMessage:
    """What Spark says, taken apart.

    Parameters
    ----------
    lines
        The sentences, without the state of SQL, the plan and the place.
    statement
        A line of SQL with the marks below it, or nothing.
    position
        Line and column (from 0) in the statement, where Spark does not show it.
    is_whole
        Whether nothing that was said is left out.
    """

    condition: str
    lines: tuple[str, ...]
    statement: tuple[str, ...] = ()
    position: tuple[int, int] | None = None
    call_sites: tuple[CallSite, ...] = ()
    is_whole: bool = True


def read_message(text: str) -> SparkMessage:
    """Take apart the text of an error of Spark's."""
    text = _until(_STACK, text).strip("\n")
    condition = _CONDITION.match(text.lstrip())
    said = text.lstrip()[condition.end() :] if condition else text
    statement, sites = _statement(said), _call_sites(said)
    said = _until(_SQL, _until(re.compile(r"\n== DataFrame =="), said))
    is_named = condition is not None or "SQLSTATE" in said
    sentences = _until(_PLAN, said) if is_named else said
    has_plan = sentences != said
    position = _POSITION.search(sentences)
    sentences = _SQL_STATE.sub("", _POSITION.sub("", sentences)).rstrip(";\n ")
    lines = tuple(line for line in map(_plain, sentences.splitlines()) if line)
    return SparkMessage(
        condition[1] if condition else "",
        lines,
        statement,
        (int(position[1]), int(position[2])) if position else None,
        sites,
        not has_plan and len(lines) == len(sentences.splitlines()),
    )


def marked_statement(statement: str, position: tuple[int, int], width: int = 1) -> tuple[str, ...]:
    """Give the line of a statement that is meant, and marks below it.

    Parameters
    ----------
    width
        How many characters are meant; 1 where only the place is known, which means a word.
    """
    number, column = position
    lines = statement.splitlines()
    if not 0 < number <= len(lines):
        return ()
    line = lines[number - 1]
    word = re.match(r"[\w.`]+|.?", line[column:])
    if width == 1 and word:
        width = len(word[0])
    width = max(1, min(width, len(line) - column))
    # A tab stays one, so that the marks stand below the place in any width of it.
    blank = "".join("\t" if char == "\t" else " " for char in line[:column])
    return _trimmed(line, blank + "^" * width)


def _until(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return text[: found.start()] if found else text


def _plain(line: str) -> str:
    """Give a line without what is said in every error of its kind."""
    for noise in _NOISE:
        start = line.find(noise)
        if start >= 0:
            line = line[:start]
    return line.strip()


def _statement(text: str) -> tuple[str, ...]:
    """Give the line of SQL that Spark has marked, with its marks."""
    found = _SQL.search(text)
    if found is None:
        return ()
    lines = text[found.end() :].splitlines()
    for number, line in enumerate(lines):
        if number and "^" in line and _CARET_LINE.fullmatch(line):
            return _trimmed(lines[number - 1], line.replace("-", " "))
    return ()


def _trimmed(line: str, marks: str, width: int = 120) -> tuple[str, ...]:
    """Cut a long line so that the marks are seen, and take away what it is indented by."""
    indent = len(line) - len(line.lstrip())
    indent = min(indent, len(marks) - len(marks.lstrip()))
    line, marks = line[indent:], marks[indent:].rstrip()
    first = len(marks) - len(marks.lstrip())
    start = max(0, min(first, len(marks) - width * 2 // 3)) if len(line) > width else 0
    if start:
        line, marks = "…" + line[start:], " " + marks[start:]
    return (line if len(line) <= width else line[:width] + "…", marks[:width])


def _call_sites(text: str) -> tuple[CallSite, ...]:
    sites = []
    for method, told in _FRAME.findall(text):
        if cell := _CELL_SITE.fullmatch(told):
            sites.append(CallSite(method, int(cell[1]), cell=int(cell[2])))
        elif file := _FILE_SITE.fullmatch(told):
            sites.append(CallSite(method, int(file[2]), file=file[1]))
    return tuple(sites)
