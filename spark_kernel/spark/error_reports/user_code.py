"""Finds the user's own code in a traceback: the notebook's, and that of its modules."""

from __future__ import annotations

import linecache
import os
import re
import sys
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

import spark_kernel
from spark_kernel.protocol.error_report import CodePlace

__all__ = ["Notebook", "is_library", "parsed_frame", "place", "user_places"]

_HIDDEN = {"pyspark", "py4j", "grpc", "IPython", "ipykernel", "wrapt", spark_kernel.__name__}
_HIDDEN |= sys.stdlib_module_names - {"__main__"}
_PARSED = "?"
"""The module of frames that PySpark has made from the text of a worker's traceback."""

_LIBRARIES = re.compile(
    r"[/\\](?:site|dist)-packages[/\\]|[/\\]pyspark(?:\.zip)?[/\\]|^<frozen|^<(?!stdin|string)"
    r"|[/\\]lib[/\\]python\d[\d.]*[/\\]"
)
_CELL_FILE = re.compile(r"[/\\]ipykernel_\d+[/\\]\d+\.py$")
_MAGIC = "run_cell_magic"
_TIMED = ("<timed exec>", "<timed eval>")
"""What ``%%time`` runs the rest of its cell as."""

_SOURCE_LENGTH = 160
_STANDARD_LIBRARY = str(Path(os.__file__).parent)


@dataclass(frozen=True)
class Notebook:
    """What is known of the notebook whose code is looked for.

    Parameters
    ----------
    namespace
        The globals of its cells.
    label
        Names a cell by its temporary file, as IPython does, or gives nothing.
    file_of
        Gives the temporary file of the cell with a number, or nothing.
    """

    namespace: Mapping[str, Any]
    label: Callable[[str], str]
    file_of: Callable[[int], str] = lambda number: ""


def user_places(trace: TracebackType | None, notebook: Notebook) -> list[CodePlace]:
    """Give the places of a traceback that are the user's, the innermost last."""
    found: list[CodePlace] = []
    body: list[str] = []
    for frame, line in traceback.walk_tb(trace):
        file, function = frame.f_code.co_filename, frame.f_code.co_name
        if function == _MAGIC and isinstance(frame.f_locals.get("cell"), str):
            body = frame.f_locals["cell"].splitlines()
        if not _is_users(frame, notebook):
            continue
        if file in _TIMED and found:
            if 0 < line <= len(body):  # the line of the magic itself is the first of the cell
                source = body[line - 1].strip()
                found[-1] = replace(found[-1], line=line + 1, source=source)
        else:
            found.append(place(file, line, function, notebook))
    return found


def place(file: str, line: int, function: str, notebook: Notebook, source: str = "") -> CodePlace:
    """Name a line of code as a person knows it.

    Parameters
    ----------
    source
        The line as another process has told it, for a file that is not here.
    """
    code = linecache.getline(file, line).strip() or source.strip()
    if len(code) > _SOURCE_LENGTH:
        code = f"{code[:_SOURCE_LENGTH]}…"
    where = notebook.label(file)
    if not where:
        where = "A cell of an earlier kernel" if _CELL_FILE.search(file) else f"File {file}"
    return CodePlace(where, line, "" if function.startswith("<module") else function, code)


def is_library(file: str) -> bool:
    """Whether a file is of Python, of PySpark or of another installed package."""
    if _CELL_FILE.search(file):
        return False
    return file.startswith(_STANDARD_LIBRARY) or bool(_LIBRARIES.search(file))


def parsed_frame(frame: FrameType) -> bool:
    """Whether PySpark has made a frame from the text of a worker's traceback."""
    return bool(frame.f_globals.get("__name__") == _PARSED)


def _is_users(frame: FrameType, notebook: Notebook) -> bool:
    if frame.f_globals is notebook.namespace:
        return True
    if parsed_frame(frame) or is_library(frame.f_code.co_filename):
        return False
    return str(frame.f_globals.get("__name__", "")).split(".", 1)[0] not in _HIDDEN
