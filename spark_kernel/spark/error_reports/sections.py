"""Everything that is known of an error, each kind in a section of its own, bounded."""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterator, Sequence

from spark_kernel.protocol.error_report import ErrorSection
from spark_kernel.redaction import redacted
from spark_kernel.spark.error_reports.java import JavaCause
from spark_kernel.spark.error_reports.kinds import (
    Said,
    causes_of,
    is_of_spark,
    link_before,
    what_it_says,
)
from spark_kernel.spark.error_reports.user_code import Notebook, parsed_frame
from spark_kernel.spark.error_reports.worker import WorkerError

__all__ = ["python_traceback", "sections_of"]

_PYTHON_LIMIT = 16_000
_SAID_LIMIT = 8_000
_WORKER_LIMIT = 12_000
_CAUSE_LIMIT = 8_000
_CAUSES_LIMIT = 24_000
_FRAMES = 60
_FILE = re.compile(r'File "([^"\n]+)", line (\d+)')


def sections_of(
    error: BaseException,
    said: Said,
    worker: WorkerError | None,
    causes: Sequence[JavaCause],
    notebook: Notebook,
) -> Iterator[ErrorSection]:
    """Give the sections, in the order in which a person would look at them."""
    if said.text.strip():
        yield ErrorSection("Spark's message", _cut(said.text.strip(), _SAID_LIMIT))
    python = python_traceback(error, notebook)
    if python:
        yield ErrorSection("Python traceback", _cut(python, _PYTHON_LIMIT))
    if worker is not None:
        text = _cut(_with_cells(worker.text, notebook), _WORKER_LIMIT)
        yield ErrorSection("Worker traceback", text)
    left = _CAUSES_LIMIT
    for number, cause in enumerate(causes, 1):
        title = f"JVM cause {number} of {len(causes)}: {cause.short_kind}"
        if number == 1 and len(causes) > 1:
            title += " (root)"
        text = _cut(redacted(cause.text), min(_CAUSE_LIMIT, left))
        left = max(500, left - len(text))
        yield ErrorSection(title, text)


def python_traceback(error: BaseException, notebook: Notebook) -> str:
    """Give the whole traceback as Python would, with what led to the error.

    ``str`` of no error is taken: those of Java's ask the driver.
    """
    parts: list[str] = []
    chain = causes_of(error)
    for position, one in enumerate(chain):
        frames = _frames_of(one)
        body = f"Traceback (most recent call last):\n{frames}" if frames else ""
        parts.append(f"{body}{_last_line(one)}\n")
        if position + 1 < len(chain):
            parts.append(f"\n{link_before(one)}\n\n")
    return _with_cells("".join(reversed(parts)).rstrip(), notebook)


def _frames_of(error: BaseException) -> str:
    """Give the frames from the cell on, in the form of Python's; repeated ones are counted."""
    pairs = list(traceback.walk_tb(error.__traceback__))
    while pairs and _is_of_runner(str(pairs[0][0].f_globals.get("__name__", ""))):
        del pairs[0]
    pairs = [pair for pair in pairs if not parsed_frame(pair[0])]
    omitted = len(pairs) - 2 * _FRAMES
    if omitted > 0:
        head = "".join(traceback.StackSummary.extract(iter(pairs[:_FRAMES])).format())
        tail = "".join(traceback.StackSummary.extract(iter(pairs[-_FRAMES:])).format())
        return f"{head}  … {omitted:,} frames are left out …\n{tail}"
    return "".join(traceback.StackSummary.extract(iter(pairs)).format())


def _is_of_runner(module: str) -> bool:
    return module.split(".", 1)[0] in ("IPython", "ipykernel")


def _last_line(error: BaseException) -> str:
    if not is_of_spark(error):
        try:
            return _cut(redacted("".join(traceback.format_exception_only(error)).rstrip()), 2_000)
        except Exception:  # of the user's own class
            return type(error).__name__
    said = what_it_says(error).text if "java_exception" not in vars(error) else ""
    first = next((line for line in said.splitlines() if line.strip()), "")
    return f"{type(error).__name__}: {_cut(first, 500)}".removesuffix(": ")


def _with_cells(text: str, notebook: Notebook) -> str:
    """Name the cells whose temporary files a traceback names."""

    def named(found: re.Match[str]) -> str:
        label = notebook.label(found[1])
        return f"{label}, line {found[2]}" if label else found[0]

    return _FILE.sub(named, text)


def _cut(text: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    half = limit // 2
    return f"{text[:half]}\n… {len(text) - limit:,} characters are cut …\n{text[-half:]}"
