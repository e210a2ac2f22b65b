"""Notebooks as files: read as JSON, changed, and written back as they were formatted.

nbformat would change more than it is asked to (the order of keys, the lines of sources), and takes
longer to import than a filter of git may take for a file.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import MutableMapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from spark_kernel.errors import NotebookError
from spark_kernel.recording.cells import strip

__all__ = [
    "notebook_text",
    "read_notebook_file",
    "read_notebook_json",
    "strip_text",
    "write_in_place",
]

_MARK = "\ufeff"
_INDENT = re.compile(r"\s*\{\r?\n([ \t]+)\"")
_SEPARATORS = re.compile(r"\s*\{\s*\"[^\"]*\"(\s*:[ ]?)")


def strip_text(text: str, name: str) -> str:
    """Give the text of a notebook without records; the text as it is if there are none.

    Parameters
    ----------
    name
        What the notebook is called in an error.

    Raises
    ------
    NotebookError
        If it is no notebook.
    """
    notebook = read_notebook_json(text, name)
    return _formatted_as(text, notebook) if strip(notebook) else text


def read_notebook_file(path: Path, most_bytes: int | None = None) -> MutableMapping[str, Any]:
    """Read the file of a notebook of nbformat 4.

    Parameters
    ----------
    most_bytes
        Above which it is not read.

    Raises
    ------
    NotebookError
        If it cannot be read, or is none.
    """
    try:
        if most_bytes is not None and path.stat().st_size > most_bytes:
            raise NotebookError(f"{path} is too large to be read.", "clear its outputs first")
        content = path.read_bytes()
    except OSError as error:
        raise NotebookError(
            f"{path} cannot be read: {error.strerror or error}.", "name the file of a notebook"
        ) from error
    return read_notebook_json(notebook_text(content, str(path)), str(path))


def notebook_text(content: bytes, name: str) -> str:
    """Give the text of a notebook.

    Raises
    ------
    NotebookError
        If it is no text.
    """
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        raise _no_json(name) from None


def read_notebook_json(text: str, name: str) -> MutableMapping[str, Any]:
    """Read a notebook of nbformat 4.

    Raises
    ------
    NotebookError
        If it is none.
    """
    try:
        notebook = json.loads(text.removeprefix(_MARK))
    except (ValueError, RecursionError):
        raise _no_json(name) from None
    if not isinstance(notebook, dict) or not isinstance(notebook.get("cells"), list):
        raise NotebookError(
            f"{name} is no notebook of format 4: it has no list of cells.",
            "`jupyter nbconvert --to notebook` converts older formats",
        )
    return notebook


def _no_json(name: str) -> NotebookError:
    return NotebookError(
        f"{name} is no notebook: it is no JSON in UTF-8.", "name a file that ends with .ipynb"
    )


def _formatted_as(text: str, notebook: MutableMapping[str, Any]) -> str:
    """Write a notebook with the indentation, line ends and escapes of a text."""
    body = text.removeprefix(_MARK)
    indent, colon = _INDENT.match(body), _SEPARATORS.match(body)
    between = colon[1].lstrip() if colon else ": "
    comma = "," if indent or between == ":" else ", "
    options: dict[str, Any] = {
        "indent": indent[1] if indent else None,
        "separators": (comma, between),
    }
    try:
        written = json.dumps(notebook, ensure_ascii=body.isascii(), **options)
        written.encode()
    except UnicodeEncodeError:  # half of a surrogate pair, which only an escape can hold
        written = json.dumps(notebook, **options)
    end = text[len(text.rstrip()) :]
    if "\r\n" in text:
        written = written.replace("\n", "\r\n")
    return text[: len(text) - len(body)] + written + end


def write_in_place(path: Path, content: str) -> None:
    """Replace a file in one step, keeping its mode; what a link names is replaced, not the link.

    Raises
    ------
    OSError
        If it cannot be written; the old content is there then.
    """
    target = Path(os.path.realpath(path))
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".tmp", dir=target.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(content)
        Path(name).chmod(_mode(target))
        Path(name).replace(target)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise


def _mode(target: Path) -> int:
    try:
        return target.stat().st_mode & 0o7777
    except OSError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask
