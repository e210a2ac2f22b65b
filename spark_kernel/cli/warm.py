"""``spark-kernel warm``: makes the class-data archive now."""

from __future__ import annotations

import time
from dataclasses import replace

import click

from spark_kernel.errors import SparkStartError

__all__ = ["warm"]


@click.command()
@click.option("--force", is_flag=True, help="Make it again where there is a good one.")
@click.option("--java-home", default="", help="Home of the Java to make it for.")
def warm(force: bool, java_home: str) -> None:
    """Make the class-data archive, with which Spark starts in about half the time.

    It takes about a minute at low priority, and some 200 MB in the user's cache folder. Kernels
    make it by themselves after their first session, unless c.SparkKernel.fast_start is off.
    """
    from spark_kernel.cli.machine import read_configuration
    from spark_kernel.spark.training import lower_priority, train

    settings = read_configuration().settings
    started = time.monotonic()
    lower_priority()
    archive, reason = train(
        replace(settings, java_home=java_home or settings.java_home), is_forced=force
    )
    if reason:
        raise SparkStartError(f"The archive was not made: {reason}.", "run `spark-kernel doctor`")
    size_mb = archive.size_bytes / 1e6
    click.echo(
        f"{archive.path}: {size_mb:.0f} MB for Spark {archive.spark} on Java {archive.java} "
        f"({time.monotonic() - started:.0f} s)"
    )
