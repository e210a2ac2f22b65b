"""Makes the report of an error: what is said, where in the user's code, and what to do."""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from spark_kernel.protocol.error_report import CodePlace, ErrorReport, ErrorSection
from spark_kernel.protocol.sql import SQL_PLACE, SqlPlace
from spark_kernel.redaction import redacted
from spark_kernel.spark.error_reports.hints import Clues, find_hint
from spark_kernel.spark.error_reports.java import JavaCause, failed_task, read_causes
from spark_kernel.spark.error_reports.kinds import Said, what_it_says
from spark_kernel.spark.error_reports.message import (
    CallSite,
    SparkMessage,
    marked_statement,
    read_message,
)
from spark_kernel.spark.error_reports.sections import python_traceback, sections_of
from spark_kernel.spark.error_reports.surroundings import Surroundings
from spark_kernel.spark.error_reports.user_code import Notebook, place, user_places
from spark_kernel.spark.error_reports.worker import WorkerError, read_worker

__all__ = ["build_report", "plain_report"]

_STREAM = re.compile(r"\n=== Streaming Query ===\n")
_STREAM_NAME = re.compile(r"^Identifier: (?:(?P<name>.*?) )?\[id = (?P<id>[\w-]+)", re.MULTILINE)
_STREAM_HEAD = re.compile(r"Query .{0,300}?\[id = [^\]]*\] terminated with exception: ")
_ABORTED = re.compile(
    r"^Job aborted due to stage failure: (?:Task \d+ in stage [\d.]+ failed \d+ times?, most "
    r"recent failure: )?(?:Lost task [\d.]+ in stage [\d.]+ \(TID \d+\) \(\S+ executor [^)]+\): )?"
    r"(?:\w*Stage \d+ \([^\n]*\) has failed the maximum allowable number of times: \d+\. "
    r"Most recent failure reason:\s*)?(?:[a-z_][\w$]*\.)*(?:SparkException: )?"
)
"""What Spark puts before the reason, up to the package of the exception's class."""

_CLASS = re.compile(r"^\([\w.$]+\) (?=\[)")
_PACKAGE = re.compile(r"^(?:[a-z_]\w*\.)+(?=[A-Z]\w*:)")
_SPARK_EXCEPTION = "org.apache.spark.SparkException"
_STREAM_FAILED, _OF_WORKER = "STREAM_FAILED", "PYTHON_EXCEPTION"
_EMPTY_WRAPPERS = ("SparkException", "ExecutionException", "Py4JException", "RuntimeException")
_SHOWN_WHOLE = 400
"""Of a line of this length nothing is cut."""

_TELLING = 60
_EXECUTED = re.compile(r"\borg\.apache\.spark\.(?:scheduler\.Task|executor\.Executor)")
_SERIALIZED = re.compile(r"Could not serialize object: \w+: ")


def build_report(error: BaseException, surroundings: Surroundings) -> ErrorReport:
    """Make the report of an error of Spark's."""
    said = what_it_says(error)
    causes = read_causes(said.stack) or _causes_within(said.text)
    worker = read_worker(said.text) or read_worker(said.stack)
    whole = f"{said.text}\n{said.stack}"
    message = _message_of(said, causes)
    condition = said.condition or message.condition
    if condition == _STREAM_FAILED:
        condition = message.condition
    if worker is not None and not condition:
        condition = _OF_WORKER
    has_run = worker is not None or bool(_EXECUTED.search(said.stack))
    lines = _lines(message, worker)
    task = failed_task(whole)
    if task is None and has_run:
        # Spark gives the cause alone, without the job that it has ended.
        task = surroundings.task_of(lines[0][:_TELLING])
    is_short = len(message.lines) == 1 and len(message.lines[0]) <= _SHOWN_WHOLE
    is_shown = (message.is_whole and is_short) or (worker is not None and not _STREAM.search(whole))
    shown = replace(said, text="") if is_shown else said
    told = "\n".join([*lines, "", *_without_frames(said.text, causes)])
    clues = Clues(condition, told, _known_names(condition, error, surroundings))
    return ErrorReport(
        name=type(error).__name__,
        condition=condition,
        message=lines,
        statement=message.statement or _statement(error, message),
        places=_places(error, worker, message, surroundings.notebook),
        facts=" · ".join(filter(None, [_stream(whole), str(task) if task else ""])),
        hint=find_hint(clues),
        sections=tuple(sections_of(error, shown, worker, causes, surroundings.notebook)),
        links=tuple(surroundings.links_of(task)),
        task=task,
    )


def plain_report(error: BaseException, notebook: Notebook) -> ErrorReport:
    """Make the report of an error that is not Spark's, and stands beside one that is."""
    trace = redacted(python_traceback(error, notebook))
    said = redacted("".join(traceback.format_exception_only(error))).strip()
    name, _, text = said.partition(": ")
    return ErrorReport(
        name=name,
        message=tuple(text.splitlines()),
        places=tuple(user_places(error.__traceback__, notebook)[-1:]),
        sections=(ErrorSection("Python traceback", trace),),
    )


def _message_of(said: Said, causes: Sequence[JavaCause]) -> SparkMessage:
    """Read the sentence that tells most: the error's own, or that of the cause behind it."""
    text = _ABORTED.sub("", _CLASS.sub("", said.text))
    if not text:
        text = _said_by_java(causes) if causes else said.stack
    message = read_message(_STREAM.split(text)[0])
    if message.lines and _STREAM_HEAD.match(message.lines[0]):
        inner = read_message(_STREAM_HEAD.sub("", "\n".join(message.lines), count=1))
        return replace(inner, condition=inner.condition or message.condition, is_whole=False)
    if len(message.lines) == 0 and causes:
        message = replace(message, lines=(f"{causes[0].short_kind}: {causes[0].said}",))
    return message


def _said_by_java(causes: Sequence[JavaCause]) -> str:
    """Give what a chain of Java's says: what wraps a cause says the same, so it is the last."""
    outermost = causes[-1]
    text = _ABORTED.sub("", outermost.said)
    is_named = text.startswith("[") or text != outermost.said
    if not is_named and outermost.short_kind not in _EMPTY_WRAPPERS:
        text = f"{outermost.short_kind}: {text}"
    if not outermost.said and len(causes) > 1:
        text = f"{causes[0].short_kind}: {causes[0].said}"
    return text


def _causes_within(text: str) -> list[JavaCause]:
    """Read a stack trace that a server has put into its message."""
    return read_causes(f"{_SPARK_EXCEPTION}: {text}") if "\n\tat " in text else []


def _lines(message: SparkMessage, worker: WorkerError | None) -> tuple[str, ...]:
    """Give what is said: of a failed function, what it has raised."""
    if worker is not None and worker.said:
        said = _PACKAGE.sub("", worker.said)
        return tuple(line.rstrip() for line in said.splitlines() if line.strip())
    first, *rest = message.lines or ("",)
    return (_SERIALIZED.sub("cannot be sent to the workers: ", first), *rest)


def _without_frames(text: str, causes: Sequence[JavaCause]) -> Iterator[str]:
    """Give what is said without stacks: the names of their methods would mislead."""
    yield from (line for line in text.splitlines() if not line.lstrip().startswith("at "))
    yield from (f"{cause.kind}: {cause.said}" for cause in causes)


def _known_names(condition: str, error: BaseException, surroundings: Surroundings) -> Sequence[str]:
    """Give the names that would have been right."""
    names = _columns_near(error) if condition == "ATTRIBUTE_NOT_SUPPORTED" else ()
    return names or surroundings.known_names(condition)


def _columns_near(error: BaseException) -> Sequence[str]:
    """Give the columns of the DataFrame whose attribute was missing, if PySpark has them here."""
    for frame, _ in traceback.walk_tb(error.__traceback__):
        frame_of_data = frame.f_locals.get("self")
        schema = getattr(frame_of_data, "__dict__", {}).get("_schema")
        if frame.f_code.co_name == "__getattr__" and schema is not None:
            return [str(name) for name in getattr(schema, "names", ())]
    return ()


def _statement(error: BaseException, message: SparkMessage) -> tuple[str, ...]:
    """Mark the place in the SQL that the user gave to ``spark.sql``."""
    sql = _sql_place(error)
    if sql is not None:
        return marked_statement(sql.text, (sql.line, sql.column - 1), sql.width)
    if message.position is None:
        return ()
    for frame, _ in traceback.walk_tb(error.__traceback__):
        if frame.f_code.co_name == "sql" and "/pyspark/" in frame.f_code.co_filename:
            statement: Any = frame.f_locals.get("sqlQuery")
            if isinstance(statement, str):
                return marked_statement(statement, message.position)
    return ()


def _sql_place(error: BaseException) -> SqlPlace | None:
    """Give the statement of a cell of SQL that has failed."""
    place: SqlPlace | None = getattr(error, SQL_PLACE, None)
    return place


def _in_statement(called: CodePlace, sql: SqlPlace) -> CodePlace:
    """Name the line of a cell of SQL, of which a traceback knows the call of the magic alone."""
    line = called.line
    if called.source.startswith("get_ipython().run_cell_magic("):
        line += sql.cell_line - 1 + max(0, sql.line - 1)
    role = f"statement {sql.statement_number} of {sql.of}" if sql.of > 1 else ""
    return replace(called, line=line, source="", role=role)


def _places(
    error: BaseException, worker: WorkerError | None, message: SparkMessage, notebook: Notebook
) -> tuple[CodePlace, ...]:
    """Give the lines to look at: in the function, where it was called, where a column is from."""
    here = user_places(error.__traceback__, notebook)
    sql = _sql_place(error)
    if here and sql is not None:
        here[-1] = _in_statement(here[-1], sql)
    found = [*_worker_places(worker, notebook), *_sites(message.call_sites, here, notebook)]
    if here:
        found.append(here[-1])
    if len(here) > 1:
        cells = [one for one in here[:-1] if one.where.startswith("Cell ")]
        found.append(cells[-1] if cells else here[0])
    unique = {(one.where, one.line): one for one in reversed(found)}
    return tuple(sorted(unique.values(), key=found.index))


def _worker_places(worker: WorkerError | None, notebook: Notebook) -> list[CodePlace]:
    if worker is None or not worker.frames:
        return []
    outer, inner = worker.frames[0], worker.frames[-1]
    found = place(inner.file, inner.line, inner.function, notebook, inner.source)
    is_called = outer.function != inner.function
    role = f"in {_named(inner.function)}, called by {_named(outer.function)} on a worker"
    return [replace(found, role=role if is_called else f"in {_named(inner.function)} on a worker")]


def _named(function: str) -> str:
    return "a lambda" if function == "<lambda>" else function.removeprefix("<").removesuffix(">")


def _sites(
    sites: Sequence[CallSite], here: Sequence[CodePlace], notebook: Notebook
) -> list[CodePlace]:
    """Give where the failing column was made, if that was elsewhere."""
    found = []
    known = {(one.where, one.line) for one in here}
    for site in sites[:1]:
        for file in _files(site, notebook):
            made = place(file, site.line, "", notebook)
            if made.source and site.is_in(made.source):
                if (made.where, made.line) not in known:
                    found.append(replace(made, role="where the column is from"))
                break
    return found


def _files(site: CallSite, notebook: Notebook) -> Iterator[str]:
    """Give the files that a place may mean: IPython counts a cell before or after it has run."""
    if site.cell is None:
        yield site.file
        return
    for number in (site.cell - 1, site.cell):
        if file := notebook.file_of(number):
            yield file


def _stream(whole: str) -> str:
    """Name the streaming query that failed."""
    found = _STREAM_NAME.search(whole)
    if found is None:
        return ""
    batch = re.search(r"\bbatch(?:Id)?[ =]+(\d+)", whole)
    told = f"streaming query {found['name'] or found['id']}"
    return f"{told}, batch {batch[1]}" if batch else told
