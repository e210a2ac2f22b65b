"""Makes a class-data archive: runs a driver once over what notebooks do, and keeps its classes.

It takes about a minute of CPU, so it runs in a process of its own at the lowest priority.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tempfile
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spark_kernel.errors import DriverStartError
from spark_kernel.spark import attach, pyspark_state
from spark_kernel.spark.archive import Archive, ArchiveStore
from spark_kernel.spark.cell_jobs import load_cell_jobs
from spark_kernel.spark.driver import Driver
from spark_kernel.spark.driver_log import DriverLog
from spark_kernel.spark.gateway import connect
from spark_kernel.spark.installation import SparkInstallation, find_spark
from spark_kernel.spark.java import JavaRuntime, find_java
from spark_kernel.spark.launch import configuration_folder, direct_command, needs_ordinary_way
from spark_kernel.spark.ownership import OWNER_PREFIX
from spark_kernel.spark.run_folder import RunFolder
from spark_kernel.spark.settings import SessionSettings
from spark_kernel.spark.submit import plan_submission

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

__all__ = ["lower_priority", "train", "train_in_background"]

_FINISH_TIMEOUT_S = 600.0
_LOWEST = 19
_TRAINING_CONF = {"spark.ui.port": "0", "spark.sql.shuffle.partitions": "2"}
_FOREIGN = ("PYSPARK_SUBMIT_ARGS", "SPARK_SUBMIT_OPTS", "HADOOP_CONF_DIR", "YARN_CONF_DIR")
"""Left out of the training: they would change the class path, and with it the archive."""


def train_in_background(settings: SessionSettings, java_home: Path) -> None:
    """Start a process that makes the archive, and leave it to itself."""
    subprocess.Popen(
        [sys.executable, "-m", "spark_kernel.cli", "warm", "--java-home", str(java_home)],
        env={**os.environ, "SPARK_KERNEL_CACHE_FOLDER": str(settings.cache_folder)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def lower_priority() -> None:
    """Let everything else on the machine go first, from this process on down."""
    os.nice(_LOWEST)


def train(settings: SessionSettings, is_forced: bool) -> tuple[Archive, str]:
    """Make the archive for the Java and the Spark that a session would use.

    Parameters
    ----------
    is_forced
        Whether to make it again where there is a good one.

    Returns
    -------
    The archive, and why it was not made, or nothing.
    """
    environ = {key: value for key, value in os.environ.items() if key not in _FOREIGN}
    spark = find_spark(environ)
    java = find_java(settings.java_home, environ, spark.version)
    store = ArchiveStore(settings.cache_folder, is_enabled=True)
    archive = store.archive_for(java, spark)
    reason = needs_ordinary_way(spark, configuration_folder(spark, environ))
    if reason:
        return archive, f"an archive is for Spark started directly, but {reason}"
    if archive.is_usable and not is_forced:
        return archive, ""
    with store.build_lock() as is_ours:
        if not is_ours:
            return archive, "another process is making it"
        try:
            _run(settings, environ, spark, java, store.unfinished_path(archive), archive)
            store.finish(archive)
        except Exception as error:
            store.note_failure(archive, f"{type(error).__name__}: {error}")
            return archive, str(error)
    return archive, ""


def _run(
    settings: SessionSettings,
    environ: dict[str, str],
    spark: SparkInstallation,
    java: JavaRuntime,
    output: Path,
    archive: Archive,
) -> None:
    """Run a driver to its end, which writes the archive."""
    output.unlink(missing_ok=True)
    own = replace(settings, master="local[2]", app_name="spark-kernel warm", conf=_TRAINING_CONF)
    folder = RunFolder()
    plan = plan_submission(own, environ, configuration_folder(spark, environ))
    options = archive.make_options(output)
    command = direct_command(spark, java, plan, environ, folder.path, options)
    log = DriverLog(settings.log_folder, settings.log_max_bytes)
    driver = Driver(command, folder, log, on_output=log.note, on_exit=lambda status: None)
    try:
        connection = driver.wait_for_connection(settings.driver_start_timeout_s)
        if connection is None:
            raise DriverStartError("the training driver did not start", f"look at {log.path}")
        os.environ["PYSPARK_PYTHON"] = sys.executable
        session = attach.create_session(connect(connection))
        jobs = load_cell_jobs(session.sparkContext, "")
        jobs.java.adopt(None)
        jobs.java.bind(f"{OWNER_PREFIX}0", "spark-kernel warm")
        with Path(os.devnull).open("w", encoding="utf-8") as nowhere, redirect_stdout(nowhere):
            _exercise(session)
        jobs.sample(0, [], job_limit=100, stage_limit=20)
        jobs.resources(executor_limit=1)
        session.stop()
    finally:
        driver.stop(_FINISH_TIMEOUT_S)
        pyspark_state.forget()
    if not output.is_file():
        raise DriverStartError("the JVM ended without writing the archive", f"look at {log.path}")


def _exercise(spark: SparkSession) -> None:
    """Do what notebooks do in their first minutes, so that its classes are in the archive."""
    from pyspark.sql import functions as f

    with tempfile.TemporaryDirectory(prefix="spark-kernel-warm-") as folder:
        people = spark.createDataFrame(
            [(i, f"name {i}", i / 7) for i in range(100)], "i int, n string, x double"
        )
        people.createOrReplaceTempView("people")
        people.write.parquet(f"{folder}/parquet")
        people.write.option("header", True).csv(f"{folder}/csv")
        people.write.json(f"{folder}/json")
        spark.read.option("header", True).option("inferSchema", True).csv(f"{folder}/csv").count()
        spark.read.json(f"{folder}/json").first()
        frame = spark.read.parquet(f"{folder}/parquet")
        joined = frame.join(people.select("i"), "i").groupBy((f.col("i") % 5).alias("k"))
        result = joined.agg(f.sum("x"), f.count("*"), f.max("n")).orderBy("k")
        result.collect()
        result.show()
        result.explain(True)
        frame.schema.json()
        spark.sql(
            "SELECT i, n, row_number() OVER (PARTITION BY i % 3 ORDER BY x DESC) r FROM people "
            "WHERE n LIKE 'name%' AND i IN (SELECT i FROM people WHERE x > 1)"
        ).where("r < 4").collect()
        double = f.udf(lambda value: value * 2, "int")
        people.select(double("i")).cache().count()
        spark.range(1000).selectExpr("sum(id)", "current_timestamp()").collect()
        spark.sparkContext.parallelize(range(100), 2).map(lambda n: n + 1).reduce(max)
        spark.catalog.listTables()
        _exercise_arrow(people)


def _exercise_arrow(people: Any) -> None:
    if all(importlib.util.find_spec(name) for name in ("pandas", "pyarrow")):
        people.sparkSession.conf.set("spark.sql.execution.arrow.pyspark.enabled", "true")
        people.toPandas()
