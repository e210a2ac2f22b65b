"""``spark-kernel strip``: takes the records of runs out of notebooks, also as a filter of git."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from spark_kernel.errors import NotebookError

__all__ = ["strip"]

_STANDARD = "-"
_EPILOG = """\b
As a filter of git, so that commits hold no records:
  git config filter.spark-kernel.clean "spark-kernel strip -"
  echo "*.ipynb filter=spark-kernel" >> .gitattributes
"""


@click.command(epilog=_EPILOG)
@click.argument("notebooks", nargs=-1, required=True, metavar="NOTEBOOK...")
def strip(notebooks: tuple[str, ...]) -> None:
    """Remove every trace of provenance from notebooks, in place.

    Nothing else is changed, and a notebook without a trace is not written at all. With - as its
    name, a notebook is read from standard input and written to standard output.
    """
    if _STANDARD in notebooks:
        if len(notebooks) > 1:
            raise click.UsageError("Give - or names of notebooks, not both.")
        _strip_standard()
        return
    problems: list[NotebookError] = []
    for name in notebooks:
        try:
            _strip_file(Path(name))
        except NotebookError as error:
            problems.append(error)
    if problems:
        for problem in problems[:-1]:
            click.echo(f"Error: {problem}", err=True)
        raise problems[-1]


def _strip_standard() -> None:
    from spark_kernel.recording.files import notebook_text, strip_text

    given = sys.stdin.buffer.read()
    text = notebook_text(given, "standard input")
    sys.stdout.buffer.write(strip_text(text, "standard input").encode())
    sys.stdout.buffer.flush()


def _strip_file(path: Path) -> None:
    from spark_kernel.recording.files import notebook_text, strip_text, write_in_place

    try:
        text = notebook_text(path.read_bytes(), str(path))
        stripped = strip_text(text, str(path))
        if stripped == text:
            click.echo(f"{path}: no records")
            return
        write_in_place(path, stripped)
    except OSError as error:
        raise NotebookError(
            f"{path} cannot be stripped: {error.strerror or error}.", "it is as it was"
        ) from error
    click.echo(f"{path}: records removed")
