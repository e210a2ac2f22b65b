"""``spark-kernel doctor``: what is wrong with this machine, and what to do about it."""

from __future__ import annotations

import contextlib
import os
import sys

import click

__all__ = ["doctor"]


@click.command()
@click.option("--json", "is_json", is_flag=True, help="Print the findings as JSON.")
def doctor(is_json: bool) -> None:
    """Tell what is wrong here, and what to do about it.

    Checks Python, Spark, Java, the configuration, kernelspecs, the extension for JupyterLab, the
    archive for fast starts, ports and folders. Starts no Spark. The exit status is 1 if something
    keeps the kernel from working, else 0.
    """
    from spark_kernel.cli.checks import examine
    from spark_kernel.cli.findings import Status, as_json, as_text, overall_status
    from spark_kernel.cli.machine import Machine
    from spark_kernel.cli.terminal import output_encoding

    # The configuration is the user's code: what it prints is no part of the report.
    with contextlib.redirect_stdout(sys.stderr):
        findings = examine(Machine(os.environ))
    if is_json:
        click.echo(as_json(findings))
    else:
        click.echo(as_text(findings, output_encoding()))
    sys.exit(overall_status(findings) is Status.ERROR)
