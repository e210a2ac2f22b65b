"""``spark-kernel install`` and ``uninstall``: further kernelspecs, each for a cluster."""

from __future__ import annotations

import difflib
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from spark_kernel.errors import KernelspecError
from spark_kernel.redaction import holds_secret

if TYPE_CHECKING:
    from spark_kernel.cli.kernelspecs import InstalledSpec

__all__ = ["install", "uninstall"]

_DEFAULT_NAME = "pyspark_cluster"
_DEFAULT_DISPLAY_NAME = "PySpark (cluster)"
_EXAMPLE = """\b
Example:
  spark-kernel install --name analytics --master spark://host:7077 \\
      --conf spark.executor.memory=4g
"""


@click.command(epilog=_EXAMPLE)
@click.option(
    "--name",
    default=None,
    help="Name of the kernelspec; also what the kernel calls the cluster of --master.  "
    f"[default: {_DEFAULT_NAME}, or the name of --cluster]",
)
@click.option(
    "--display-name",
    metavar="TEXT",
    help=f'What notebooks show.  [default: "{_DEFAULT_DISPLAY_NAME}", or "PySpark (NAME)"]',
)
@click.option(
    "--master",
    default="",
    metavar="URL",
    help="Spark's master: local[*], spark://HOST:7077, yarn or k8s://HOST:PORT.",
)
@click.option(
    "--cluster",
    default="",
    metavar="NAME",
    help="A named cluster to start on; `spark-kernel clusters list` tells which there are.",
)
@click.option(
    "--conf",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    help="A setting of Spark, such as spark.executor.memory=4g. May be given more than once.",
)
@click.option("--user", is_flag=True, help="Install for this user (the default).")
@click.option("--sys-prefix", is_flag=True, help="Install into this Python environment.")
@click.option(
    "--prefix",
    metavar="PATH",
    type=click.Path(path_type=Path),
    help="Install into PATH/share/jupyter/kernels.",
)
def install(
    name: str | None,
    display_name: str | None,
    master: str,
    cluster: str,
    settings: tuple[str, ...],
    user: bool,
    sys_prefix: bool,
    prefix: Path | None,
) -> None:
    """Make a kernelspec, with a master and settings of its own.

    It starts the Python that runs this command. A kernelspec of the same name that was made here
    is replaced, that of another kernel is not. Secrets do not belong in a kernelspec and are
    refused.
    """
    if user + sys_prefix + (prefix is not None) > 1:
        raise click.UsageError("Give only one of --user, --sys-prefix and --prefix.")
    if master and cluster:
        raise click.UsageError("Give only one of --master and --cluster.")
    from spark_kernel.cli.kernelspecs import (
        destination_of,
        refuse_other_cluster,
        spec_content,
        write_spec,
    )

    is_named = name is not None
    if cluster:
        _check_cluster(cluster)
        display_name = display_name or f"PySpark ({cluster})"
        name = re.sub(r"[^A-Za-z0-9._-]+", "-", cluster) if name is None else name
    name = _DEFAULT_NAME if name is None else name
    destination = destination_of(name, Path(sys.prefix) if sys_prefix else prefix)
    if cluster and not is_named:
        refuse_other_cluster(destination, cluster)
    has_own_name = name.lower() != _DEFAULT_NAME
    shown = display_name or (f"PySpark ({name})" if has_own_name else _DEFAULT_DISPLAY_NAME)
    cluster_name = name if master and has_own_name else ""
    content = spec_content(
        shown, _checked_master(master), cluster_name, _parse_conf(settings), cluster
    )
    write_spec(content, destination)
    click.echo(f'Kernelspec {destination.name} ("{shown}") is in {destination}.')
    _say_how_to_use(destination, shown)


@click.command()
@click.argument("name")
@click.option("-y", "--yes", is_flag=True, help="Don't ask.")
def uninstall(name: str, yes: bool) -> None:
    """Remove the kernelspec NAME, if it is one of this kernel's."""
    from spark_kernel.cli.kernelspecs import found_specs, remove_spec

    specs = found_specs()
    spec = specs.get(name.lower())
    if spec is None:
        raise _unknown_spec(name, specs.values())
    if spec.is_ours and not yes:
        click.confirm(f"Remove {spec.folder}?", abort=True)
    remove_spec(spec)
    click.echo(f"Removed {spec.folder}.")
    other = found_specs().get(name.lower())
    if other is not None:
        click.echo(f"Jupyter finds another {spec.name} now: {other.folder}.")


def _check_cluster(name: str) -> None:
    """Check that there is such a cluster; what it says is read when the kernel starts."""
    from spark_kernel.cli.machine import read_kernel_settings
    from spark_kernel.kernel.clusters import find_cluster, read_profile

    tables = read_kernel_settings().clusters
    if name not in tables:
        find_cluster(tables, name)  # says which there are
    read_profile(name, tables[name], with_secrets=False)


def _checked_master(master: str) -> str:
    if holds_secret("", master):
        raise KernelspecError(
            "--master holds a password, and a kernelspec can be read by others.",
            "set c.SparkKernel.master in spark_kernel_config.py, or SPARK_KERNEL_MASTER in the "
            "environment",
        )
    return master


def _parse_conf(settings: Iterable[str]) -> dict[str, str]:
    """Read ``KEY=VALUE`` settings.

    Raises
    ------
    KernelspecError
        If one is not a setting of Spark, or is a secret; the value is not shown.
    """
    conf = {}
    for setting in settings:
        key, separator, value = setting.partition("=")
        if not separator:
            raise KernelspecError(
                f"--conf {key} has no value.", f"write --conf {key}=VALUE, in one word"
            )
        if not key.startswith("spark."):
            raise KernelspecError(
                f"--conf {key} is no setting of Spark: their names begin with 'spark.'.",
                f"did you mean spark.{key}?",
            )
        if holds_secret(key, value):
            raise KernelspecError(
                f"--conf {key} is or holds a secret, and a kernelspec can be read by others.",
                "put it into c.SparkKernel.conf in spark_kernel_config.py (`jupyter --config-dir` "
                "tells the folder), or into SPARK_KERNEL_CONF in the environment",
            )
        conf[key] = value
    return conf


def _say_how_to_use(destination: Path, display_name: str) -> None:
    """Tell how to start the kernel, or why Jupyter would not find it there."""
    from spark_kernel.cli.kernelspecs import found_specs

    found = found_specs().get(destination.name)
    if found is None:
        click.echo(f"Jupyter does not look there: add {destination.parent.parent} to JUPYTER_PATH.")
    elif not found.folder.samefile(destination):
        click.echo(f"Jupyter finds {found.folder} first: choose another --name, or remove that.")
    else:
        click.echo(
            f'Choose "{display_name}" in JupyterLab, or run '
            f"`jupyter console --kernel {destination.name}`."
        )


def _unknown_spec(name: str, specs: Iterable[InstalledSpec]) -> KernelspecError:
    ours = [spec.name for spec in specs if spec.is_ours]
    near = difflib.get_close_matches(name.lower(), ours, n=1)
    if near:
        hint = f"did you mean {near[0]}?"
    else:
        hint = f"there are {', '.join(ours)}" if ours else "none of this kernel's is installed"
    return KernelspecError(f"There is no kernelspec {name!r}.", hint)
