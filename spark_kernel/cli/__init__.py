"""The ``spark-kernel`` command: makes kernelspecs, checks a machine, runs notebooks."""

from __future__ import annotations

import difflib
from typing import Any

import click

from spark_kernel import SparkKernelError, __version__
from spark_kernel.cli.clusters import clusters
from spark_kernel.cli.doctor import doctor
from spark_kernel.cli.history import history
from spark_kernel.cli.install import install, uninstall
from spark_kernel.cli.lineage import lineage
from spark_kernel.cli.run import run
from spark_kernel.cli.stale import stale
from spark_kernel.cli.strip import strip
from spark_kernel.cli.warm import warm

__all__ = ["main"]

_CONTEXT_SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class _Commands(click.Group):
    """Names the nearest command for a mistyped one, and shows our errors without a traceback."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that was typed."""
        name = args[0]
        if self.get_command(ctx, name) is None:
            near = difflib.get_close_matches(name, self.list_commands(ctx), n=1, cutoff=0.5)
            hint = f"Did you mean {near[0]!r}?" if near else "See `spark-kernel --help`."
            ctx.fail(f"There is no command {name!r}. {hint}")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; an error of ours becomes its text and exit status 1."""
        try:
            return super().invoke(ctx)
        except SparkKernelError as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=_Commands, context_settings=_CONTEXT_SETTINGS)
@click.version_option(__version__, prog_name="spark-kernel")
def main() -> None:
    """PySpark (cluster): a Jupyter kernel where Spark is simply there.

    The kernel itself is started by Jupyter, by name: `jupyter console --kernel pyspark_cluster`.
    """


main.add_command(install)
main.add_command(uninstall)
main.add_command(clusters)
main.add_command(doctor)
main.add_command(warm)
main.add_command(run)
main.add_command(history)
main.add_command(stale)
main.add_command(strip)
main.add_command(lineage)
