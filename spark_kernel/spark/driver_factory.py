"""Brings a driver JVM up: finds Spark and Java, and tries the ways to start it, fastest first."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from spark_kernel.errors import DriverStartError
from spark_kernel.protocol.events import Link, StageName
from spark_kernel.spark.archive import Archive, ArchiveStore
from spark_kernel.spark.driver import Connection, Driver
from spark_kernel.spark.driver_log import DriverLog
from spark_kernel.spark.failures import explain_exit, explain_text
from spark_kernel.spark.importing import import_pyspark
from spark_kernel.spark.installation import SparkInstallation, find_spark
from spark_kernel.spark.java import JavaRuntime, find_java
from spark_kernel.spark.launch import (
    LaunchCommand,
    configuration_folder,
    direct_command,
    needs_ordinary_way,
    ordinary_command,
)
from spark_kernel.spark.run_folder import RunFolder, remove_orphans
from spark_kernel.spark.settings import SessionSettings
from spark_kernel.spark.startup import StatusBoard
from spark_kernel.spark.submit import SubmitPlan, plan_submission

__all__ = ["DriverListener", "StartedDriver", "explain_lost", "start_driver"]

_EXPLAINED_LINES = 200


@dataclass(frozen=True)
class StartedDriver:
    """A driver that can be talked to.

    Parameters
    ----------
    archive
        The archive that it was started with, or None.
    """

    driver: Driver
    connection: Connection
    plan: SubmitPlan
    spark: SparkInstallation
    java: JavaRuntime
    archive: Archive | None


@dataclass(frozen=True)
class DriverListener:
    """Who is told what a driver does: its output, and its end when nobody asked for it."""

    on_output: Callable[[str], None]
    on_exit: Callable[[int], None]


def start_driver(
    settings: SessionSettings,
    archives: ArchiveStore,
    board: StatusBoard,
    listener: DriverListener,
    is_cancelled: threading.Event,
    launch: Callable[[Callable[[], Driver]], Driver],
) -> StartedDriver:
    """Start a driver and wait until it can be talked to.

    Parameters
    ----------
    launch
        Calls what makes the process, so that it can be ended from elsewhere from the first moment.

    Raises
    ------
    InstallationError, ConfigurationError
        If it cannot start here, or not with these settings.
    DriverStartError
        If every way was tried and none led to a driver.
    """
    environ = dict(os.environ)
    spark = find_spark(environ)
    java = find_java(settings.java_home, environ, spark.version)
    conf_folder = configuration_folder(spark, environ)
    plan = plan_submission(settings, environ, conf_folder)
    use_worker_python(plan.effective)
    log = DriverLog(settings.log_folder, settings.log_max_bytes)
    board.describe(
        versions={"spark": spark.version, "java": java.version},
        links=(Link("driver-log", "Driver log", log.path.as_uri()),),
    )
    board.enter(
        StageName.DRIVER_STARTING,
        f"Preparing the driver (Spark {spark.version}, Java {java.version})",
    )
    for line in java.skipped:
        log.note(f"Java passed over: {line}")
    remove_orphans()
    archive = archives.archive_for(java, spark)
    status: int | None = None
    for make_command, used in _ways(spark, java, plan, archives, archive, log):
        driver = launch(partial(_launch, make_command, log, listener))
        import_pyspark("pyspark.sql.session")
        connection = _await_connection(driver, settings.driver_start_timeout_s, used)
        if connection is not None:
            return StartedDriver(driver, connection, plan, spark, java, used)
        status = driver.process.returncode
        driver.stop(0)
        if is_cancelled.is_set():
            break
        lines = log.tail(_EXPLAINED_LINES)
        if used is None and explain_text("\n".join(lines)):
            break  # no other way would end otherwise
        log.note(f"this way of starting the driver failed with exit status {status}")
        if used is not None:
            archives.discard(used)
    raise explain_exit(status, log.tail(_EXPLAINED_LINES), str(log.path))


MakeCommand = Callable[[RunFolder], LaunchCommand]
Way = tuple[MakeCommand, "Archive | None"]


def _await_connection(driver: Driver, timeout_s: float, used: Archive | None) -> Connection | None:
    """Wait for a driver; one that hangs with an archive counts as one that ended with it."""
    try:
        return driver.wait_for_connection(timeout_s)
    except DriverStartError:
        if used is None:
            raise
        return None


def _launch(make_command: MakeCommand, log: DriverLog, listener: DriverListener) -> Driver:
    folder = RunFolder()
    try:
        command = make_command(folder)
    except BaseException:
        folder.remove()
        raise
    return Driver(command, folder, log, listener.on_output, listener.on_exit)


def _ways(
    spark: SparkInstallation,
    java: JavaRuntime,
    plan: SubmitPlan,
    archives: ArchiveStore,
    archive: Archive,
    log: DriverLog,
) -> Iterator[Way]:
    """Yield the ways to start the driver, each with the archive that it uses."""
    environ = dict(os.environ)
    reason = needs_ordinary_way(spark, configuration_folder(spark, environ))
    if not reason:
        options = archives.options(archive)
        if options:
            log.note(f"starting java directly, with the class-data archive {archive.path}")
            yield (
                lambda folder: direct_command(spark, java, plan, environ, folder.path, options),
                archive,
            )
        log.note("starting java directly")
        yield lambda folder: direct_command(spark, java, plan, environ, folder.path), None
        reason = "the direct start failed"
    log.note(f"starting through spark-submit: {reason}")
    yield lambda folder: ordinary_command(spark, java, plan, environ, folder.path), None


def use_worker_python(settings: Mapping[str, str]) -> None:
    """Let Python workers run the configured interpreter, else that of the kernel.

    PySpark reads the variable in this process; its own default is any ``python3`` on PATH.
    """
    configured = settings.get("spark.pyspark.python") or os.environ.get("PYSPARK_PYTHON")
    os.environ["PYSPARK_PYTHON"] = configured or sys.executable


def explain_lost(driver: Driver) -> DriverStartError:
    """Explain a driver that ended while the session was made."""
    log = driver.log
    return explain_exit(driver.process.poll(), log.tail(_EXPLAINED_LINES), str(log.path))
