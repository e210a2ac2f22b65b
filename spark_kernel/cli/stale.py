"""``spark-kernel stale``: which results of a notebook are out of date, and why."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from spark_kernel.cli.exits import NothingDoneError
from spark_kernel.cli.terminal import can_show, output_encoding, shown
from spark_kernel.errors import NotebookError

__all__ = ["stale"]

_STALE = 1
_UNKNOWN = 3


@click.command()
@click.argument("notebook", type=click.Path(path_type=Path))
@click.option("--allow-unknown", is_flag=True, help="Exit with 0 if nothing is stale.")
@click.option("--json", "is_json", is_flag=True, help="Print the report as JSON.")
@click.option("-v", "--verbose", is_flag=True, help="Tell every reason, not the main one alone.")
def stale(notebook: Path, allow_unknown: bool, is_json: bool, verbose: bool) -> None:
    """Tell which results in NOTEBOOK are fresh, stale or unknown, and why.

    A result is fresh if its source, its inputs, the cells that it stands on, libraries and Spark
    are as the record of its run says. Starts no Spark: what only Spark can look at is unknown here,
    and known to `%spark stale` in the notebook.

    The exit status is 0 if all results are fresh, 1 if any is stale, 3 if none is stale and any is
    unknown, and 2 if the notebook cannot be read.
    """
    from spark_kernel.display.staleness import staleness_text
    from spark_kernel.protocol.staleness import Verdict, report_content
    from spark_kernel.recording.environment import Environment
    from spark_kernel.recording.notebooks import read_notebook
    from spark_kernel.recording.staleness import judge

    try:
        read = read_notebook(notebook)
    except NotebookError as error:
        raise NothingDoneError(str(error)) from None
    report = judge(read, Environment(notebook.absolute().parent))
    if is_json:
        click.echo(json.dumps(report_content(report), indent=2))
    else:
        colours = {Verdict.FRESH: "green", Verdict.STALE: "red", Verdict.UNKNOWN: "yellow"}
        encoding = output_encoding()
        text = staleness_text(
            report,
            is_verbose=verbose,
            is_plain=not can_show("✓✗", encoding),
            paint=lambda verdict, said: click.style(said, fg=colours[verdict]),
        )
        click.echo(shown(text, encoding))
    if report.verdict is Verdict.STALE:
        sys.exit(_STALE)
    if report.verdict is Verdict.UNKNOWN and not allow_unknown:
        sys.exit(_UNKNOWN)
