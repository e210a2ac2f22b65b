"""``spark-kernel clusters``: lists the named clusters, shows one, and tries it."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from spark_kernel.cli.cluster_versions import (
    Versions,
    bounded_jobs,
    compare,
    compare_client,
    explain_log,
    failed_job,
    jvm_versions,
    python_versions,
)
from spark_kernel.errors import ConfigurationError, SparkStartError
from spark_kernel.redaction import without_password

if TYPE_CHECKING:
    from spark_kernel.protocol.events import Event
    from spark_kernel.spark.session import KernelSession

__all__ = ["clusters"]

_HIDDEN = "***"
_NONE_YET = (
    "No cluster is named yet. `jupyter --config-dir` tells the folder of spark_clusters.toml:\n\n"
    '[analytics]\nmaster = "spark://host:7077"\nconf = { "spark.executor.memory" = "4g" }'
)


@click.group()
def clusters() -> None:
    """The named clusters of spark_clusters.toml and c.SparkKernel.clusters."""


@clusters.command("list")
def list_clusters() -> None:
    """List them, and what is wrong with any."""
    tables = _tables()
    if not tables:
        click.echo(_NONE_YET)
    width = max(map(len, tables), default=0)
    for name, table in sorted(tables.items()):
        from spark_kernel.kernel.clusters import read_profile

        try:
            profile = read_profile(name, table, with_secrets=False)
        except ConfigurationError as error:
            click.echo(f"{name:<{width}}  wrong: {error}")
            continue
        told = [without_password(profile.master) or "Spark's own master", profile.description]
        click.echo(f"{name:<{width}}  {'  '.join(filter(None, told))}")


@clusters.command()
@click.argument("name")
def show(name: str) -> None:
    """Show what is written of the cluster NAME; secrets are hidden."""
    from spark_kernel.kernel.clusters import ClusterTable, find_cluster, read_profile

    tables = _tables()
    if name not in tables:
        find_cluster(tables, name)  # says which there are
    profile = read_profile(name, tables[name], with_secrets=False)
    where = getattr(tables[name], "where", ClusterTable.where)
    rows = {
        "from": where,
        "description": profile.description,
        "master": without_password(profile.master),
        "java_home": profile.java_home,
        **{f"conf {key}": value for key, value in _shown(profile.conf, profile.secrets)},
        **{f"environment {key}": v for key, v in _shown(profile.environment, profile.secrets)},
        **{f"link {rel}": template for rel, template in profile.links.items()},
        "libraries": ", ".join(map(without_password, profile.libraries)),
    }
    for key, value in rows.items():
        if value:
            click.echo(f"{key}: {value}")


@clusters.command()
@click.argument("name")
@click.option(
    "--timeout",
    "timeout_s",
    type=click.FloatRange(min=1),
    default=180.0,
    show_default=True,
    help="Seconds to wait until the cluster has given an executor, and then for the jobs.",
)
def check(name: str, timeout_s: float) -> None:
    """Attach to the cluster NAME, run a small job with a Python worker, and tell what was found.

    The exit status is 1 if anything is wrong.
    """
    from spark_kernel.cli.machine import read_kernel_settings
    from spark_kernel.spark.session import KernelSession

    started = time.monotonic()
    settings = read_kernel_settings().session_settings(name)
    session = KernelSession(
        settings, _Teller(), lambda: time.monotonic() - started, {"python": _python()}
    )
    try:
        session.start()
        is_settled = session.settle(timeout_s=timeout_s)
        log = session.driver.log_tail()
        if not is_settled:
            raise explain_log(log) or SparkStartError(
                f"After {timeout_s:.0f} s: {session.status.message}.",
                "ask for no more memory and cores than a worker has free, or give it more time "
                "with --timeout",
            )
        problem = session.status.error
        if problem is not None:
            raise explain_log(log) or SparkStartError(problem.message, problem.hint)
        _look_at(session, timeout_s)
    finally:
        session.close()
    click.echo(f"All is well ({time.monotonic() - started:.1f} s).")


class _Teller:
    """Tells each message of a session once, as it comes."""

    def __init__(self) -> None:
        self._last = ""

    def __call__(self, event: Event) -> None:
        from spark_kernel.protocol.events import SessionChanged

        if isinstance(event, SessionChanged) and event.status.message != self._last:
            self._last = event.status.message
            if event.status.error is None:
                click.echo(f"{event.status.elapsed_s:6.1f} s  {self._last}")


def _look_at(session: KernelSession, timeout_s: float) -> None:
    """Run jobs on the cluster, and compare what runs there with what runs here.

    Raises
    ------
    SparkStartError
        If one failed or did not end in time, or the two do not fit together.
    """
    from spark_kernel.cli.machine import pyspark_version

    spark: Any = session.require()
    known = session.status.versions
    driver = Versions(known["spark"], known.get("java", ""), known["python"])
    application = session.status.application
    click.echo(f"The driver runs {driver}; application {application.id if application else ''}")
    is_remote = session.driver.is_remote
    differences = compare_client(pyspark_version(), driver.spark) if is_remote else []
    try:
        with bounded_jobs(spark, timeout_s, is_remote=session.driver.is_remote):
            executors = jvm_versions(spark)
            click.echo(f"The executors run {executors}")
            host, python, path = python_versions(spark)
    except SparkStartError:
        raise
    except Exception as error:
        if differences:
            raise _misfit(differences) from None
        raise failed_job(error) from None
    click.echo(f"A task ran on {host} with Python {python} ({path})")
    differences += compare(driver, executors)
    if differences:
        raise _misfit(differences)


def _misfit(differences: Sequence[str]) -> SparkStartError:
    return SparkStartError(" ".join(differences), "jobs may run, and fail in odd ways")


def _python() -> str:
    return sys.version.split()[0]


def _tables() -> Mapping[str, Any]:
    from spark_kernel.cli.machine import read_kernel_settings

    return dict(read_kernel_settings().clusters)


def _shown(values: Mapping[str, str], secrets: frozenset[str]) -> list[tuple[str, str]]:
    return [(key, _HIDDEN if key in secrets else value) for key, value in values.items()]
