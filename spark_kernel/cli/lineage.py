"""``spark-kernel lineage``: tells a run that is recorded in a notebook as OpenLineage events."""

from __future__ import annotations

import os
from pathlib import Path

import click

from spark_kernel.redaction import without_password

__all__ = ["lineage"]


@click.command()
@click.argument("notebook", type=click.Path(path_type=Path))
@click.option("-o", "--output", "file", metavar="FILE", help="Append the events to a file.")
@click.option(
    "--to",
    "url",
    metavar="URL",
    help="Send them to a server, as http://HOST:5000; its key is read from OPENLINEAGE_API_KEY.",
)
def lineage(notebook: Path, file: str | None, url: str | None) -> None:
    """Tell the latest run of NOTEBOOK as OpenLineage events.

    Without -o and --to they go where SPARK_KERNEL_LINEAGE says. Telling a run twice is harmless:
    its events have the same identifiers.
    """
    from spark_kernel.recording.files import read_notebook_file
    from spark_kernel.recording.lineage_run import LINEAGE_VARIABLE, send_notebook

    if file and url:
        raise click.UsageError("Give only one of -o and --to.")
    if url and not url.lower().startswith(("http://", "https://")):
        raise click.UsageError("--to takes a URL of http or https; -o takes a file.")
    target = file or url or os.environ.get(LINEAGE_VARIABLE, "")
    if not target:
        raise click.UsageError("Give -o FILE or --to URL.")
    count = send_notebook(read_notebook_file(notebook), notebook, target)
    click.echo(f"{count} events: {without_password(target)}")
