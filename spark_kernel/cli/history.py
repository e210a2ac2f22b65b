"""``spark-kernel history``: what ran in a notebook, when, by whom and on which data."""

from __future__ import annotations

import json
from pathlib import Path

import click

from spark_kernel.cli.terminal import can_show, output_encoding, shown
from spark_kernel.errors import NotebookError

__all__ = ["history"]


@click.command()
@click.argument("notebook", type=click.Path(path_type=Path))
@click.option("--json", "is_json", is_flag=True, help="Print the records as JSON.")
@click.option(
    "--html",
    "page",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write a page with a timeline; it needs no other file, and no script.",
)
@click.option("-v", "--verbose", is_flag=True, help="Tell data, work and reasons of each cell.")
def history(notebook: Path, is_json: bool, page: Path | None, verbose: bool) -> None:
    """Tell what ran in NOTEBOOK, by the records of its cells: when, by whom, on which data.

    Times are UTC. Data counts inputs and outputs; `?` where they were not looked for, as without
    provenance mode. Result is as `spark-kernel stale` tells it.
    """
    from spark_kernel.protocol.history import history_content
    from spark_kernel.recording.environment import Environment
    from spark_kernel.recording.history import history_of
    from spark_kernel.recording.notebooks import read_notebook
    from spark_kernel.recording.staleness import judge

    read = read_notebook(notebook)
    found = history_of(read, judge(read, Environment(notebook.absolute().parent)))
    if page is not None:
        from spark_kernel.display.history_page import history_page

        _write(page, history_page(found))
        click.echo(f"Wrote {page}", err=is_json)
    if is_json:
        click.echo(json.dumps(history_content(found), indent=2))
    elif page is None:
        from spark_kernel.display.history import history_text

        encoding = output_encoding()
        is_plain = not can_show("✓✗⊘»", encoding)
        text = history_text(found, is_verbose=verbose, is_plain=is_plain)
        click.echo(shown(text, encoding))


def _write(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    from spark_kernel.recording.files import write_in_place

    try:
        write_in_place(path, text)
    except OSError as error:
        raise NotebookError(
            f"{path} cannot be written: {error.strerror or error}.",
            "name a file in a folder that is there and may be written",
        ) from None
