"""``spark-kernel run``: runs a notebook from its first cell to its last, with its records."""

from __future__ import annotations

from importlib import util
from pathlib import Path

import click

from spark_kernel.cli.exits import NothingDoneError
from spark_kernel.errors import InstallationError, SparkKernelError

__all__ = ["run"]

_EPILOG = """\b
Examples:
  spark-kernel run report.ipynb -o out.ipynb -p day 2026-11-25 -p limit 10
  spark-kernel run report.ipynb -o report.ipynb --timeout 600

\b
Exit status:
  0    every cell ran
  1    a cell failed, or Spark's kernel did; OUT holds what was done
  2    nothing was run: something is wrong with the arguments
  130  interrupted (143 by SIGTERM); OUT holds what was done
"""


@click.command(epilog=_EPILOG)
@click.argument("notebook", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    "out",
    required=True,
    metavar="OUT",
    type=click.Path(path_type=Path),
    help="Where the notebook goes with its results; may be NOTEBOOK itself.",
)
@click.option(
    "-p",
    "--parameter",
    "parameters",
    nargs=2,
    multiple=True,
    metavar="NAME VALUE",
    help="A parameter: it is set below the cell with the tag `parameters`, or first of all.",
)
@click.option("-k", "--kernel", default="", metavar="NAME", help="The kernelspec to run it with.")
@click.option(
    "--cwd",
    type=click.Path(path_type=Path),
    help="The folder to run it in.  [default: this one]",
)
@click.option(
    "--timeout",
    type=click.IntRange(min=1),
    metavar="SECONDS",
    help="How long a cell may run before it is interrupted.",
)
@click.option("--no-provenance", is_flag=True, help="Write no records into OUT.")
@click.option(
    "--lineage",
    default="",
    metavar="FILE|URL",
    help="Tell the run as OpenLineage events.  [env: SPARK_KERNEL_LINEAGE]",
)
def run(
    notebook: Path,
    out: Path,
    parameters: tuple[tuple[str, str], ...],
    kernel: str,
    cwd: Path | None,
    timeout: int | None,
    no_provenance: bool,
    lineage: str,
) -> None:
    """Run NOTEBOOK from its first cell to its last, and write it with its results to OUT.

    Each cell keeps a record of its run: who, when, on which data. OUT is saved after each cell.
    """
    if lineage and no_provenance:
        raise click.UsageError("--lineage tells what --no-provenance leaves out: give one of them.")
    try:
        _require("papermill", "run")
        if lineage:
            _require("openlineage", "lineage")
        from spark_kernel.cli.run_notebook import RunRequest, prepare

        prepared = prepare(
            RunRequest(
                notebook=notebook,
                out=out,
                parameters={name: value_of(text) for name, text in parameters},
                kernel=kernel,
                cwd=cwd,
                timeout_s=timeout,
                is_recorded=not no_provenance,
                lineage=lineage,
            )
        )
    except SparkKernelError as error:
        raise NothingDoneError(str(error)) from error
    raise SystemExit(prepared.execute())


def value_of(text: str) -> object:
    """Read the value of a parameter as papermill's ``-p`` does: Python's constants and numbers."""
    constants = {"True": True, "False": False, "None": None}
    if text in constants:
        return constants[text]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _require(package: str, extra: str) -> None:
    if util.find_spec(package) is None:
        raise InstallationError(
            f"`spark-kernel run` needs {package}, which is not installed.",
            f"run `pip install 'spark-kernel[{extra}]'`",
        )
