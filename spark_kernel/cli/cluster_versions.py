"""Compares what driver and executors run, for ``spark-kernel clusters check``."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from spark_kernel.errors import SparkStartError
from spark_kernel.redaction import redacted
from spark_kernel.spark.java import major_version

__all__ = [
    "Versions",
    "bounded_jobs",
    "compare",
    "compare_client",
    "explain_log",
    "failed_job",
    "jvm_versions",
    "python_versions",
]

_GROUP = "spark-kernel-check"

_ON_EXECUTORS = (
    "java_method('org.apache.spark.package', 'SPARK_VERSION') AS spark",
    "java_method('java.lang.System', 'getProperty', 'java.version') AS java",
)
_OTHER_SPARK = re.compile(r"(?:InvalidClassException: org\.apache\.spark|local class incompatible)")
_OTHER_PYTHON = re.compile(r"PYTHON_VERSION_MISMATCH.*?(\d+\.\d+).*?(\d+\.\d+)", re.DOTALL)


@dataclass(frozen=True)
class Versions:
    """What runs somewhere; empty where that is not known."""

    spark: str
    java: str
    python: str = ""

    def __str__(self) -> str:
        told = {"Spark": self.spark, "Java": self.java, "Python": self.python}
        return ", ".join(f"{name} {version}" for name, version in told.items() if version)


@contextmanager
def bounded_jobs(spark: Any, timeout_s: float, *, is_remote: bool) -> Iterator[None]:
    """Cancel the jobs of this thread that take longer: with none to run them, they would for ever.

    Raises
    ------
    SparkStartError
        If the time was over.
    """
    is_over = threading.Event()
    cancel = _job_group(spark, is_remote=is_remote)

    def give_up() -> None:
        is_over.set()
        cancel()

    timer = threading.Timer(timeout_s, give_up)
    timer.daemon = True
    timer.start()
    try:
        yield
    except Exception as error:
        if not is_over.is_set():
            raise
        raise SparkStartError(
            f"A small job did not end within {timeout_s:.0f} s: most likely the cluster gave no "
            "executor for it.",
            "ask for no more memory and cores than a worker has free, look at the cluster's page "
            "for what is wrong with its workers, or give it more time with --timeout",
        ) from error
    finally:
        timer.cancel()


def _job_group(spark: Any, *, is_remote: bool) -> Callable[[], object]:
    """Put what this thread runs from now on into a group; gives what cancels it."""
    if is_remote:
        spark.addTag(_GROUP)
        return lambda: spark.interruptTag(_GROUP)
    spark.sparkContext.setJobGroup(_GROUP, "spark-kernel clusters check")
    return lambda: spark.sparkContext.cancelJobGroup(_GROUP)


def jvm_versions(spark: Any) -> Versions:
    """Ask an executor what it runs, with a job of one task that needs no Python."""
    # java_method is not deterministic, so it is not folded into a constant on the driver.
    row = spark.range(0, 1, 1, 1).selectExpr(*_ON_EXECUTORS).collect()[0]
    return Versions(str(row["spark"]), str(row["java"]))


def python_versions(spark: Any) -> tuple[str, str, str]:
    """Ask a Python worker for its host, the version of its Python, and where that is."""
    from pyspark.sql.functions import udf

    def where_it_runs() -> str:
        # Inside, so that it travels by itself: executors need not have this package.
        import platform
        import sys

        return "\n".join((platform.node(), platform.python_version(), sys.executable))

    asked = udf(where_it_runs, "string", useArrow=False).asNondeterministic()
    host, version, path = spark.range(0, 1, 1, 1).select(asked()).collect()[0][0].split("\n")
    return host, version, path


def compare(driver: Versions, executors: Versions) -> list[str]:
    """Say in what the two differ where it matters, and what to do about it."""
    found = []
    if driver.spark != executors.spark:
        found.append(
            f"The driver runs Spark {driver.spark}, the executors {executors.spark}: install "
            f"pyspark=={executors.spark} beside the kernel, or set SPARK_HOME to a Spark of the "
            "cluster's version."
        )
    if driver.java and major_version(driver.java) != major_version(executors.java):
        found.append(
            f"The driver runs Java {driver.java}, the executors {executors.java}: set java_home to "
            f"a Java {major_version(executors.java)}."
        )
    return found


def compare_client(client: str, server: str) -> list[str]:
    """Say it if the pyspark beside the kernel is of another series than a Spark Connect server."""
    series = server.split(".")[:2]
    if client.split(".")[:2] == series:
        return []
    return [
        f"The server runs Spark {server}, the kernel's pyspark is {client}: run "
        f"`pip install 'pyspark=={'.'.join(series)}.*'` beside the kernel."
    ]


def failed_job(error: Exception) -> SparkStartError:
    """Explain why a job with a Python worker failed."""
    said = str(error)
    other = _OTHER_PYTHON.search(said)
    if other:
        return SparkStartError(
            f"The executors run Python {other[1]}, the notebook {other[2]}; the first two numbers "
            "have to be the same.",
            f"set spark.pyspark.python to a Python {other[2]} that the executors have, or run the "
            f"kernel with Python {other[1]}",
        )
    return SparkStartError(
        f"A job with a Python worker failed. {_first_line(error)}",
        "see the cluster's settings: `spark-kernel clusters show`",
    )


def explain_log(lines: Sequence[str]) -> SparkStartError | None:
    """Find in the driver's log that the cluster's Spark is another one."""
    if not any(_OTHER_SPARK.search(line) for line in lines):
        return None
    return SparkStartError(
        "The cluster runs another version of Spark than this driver: they do not understand each "
        "other.",
        "install the pyspark of the cluster's version, which the master's web page tells, or set "
        "SPARK_HOME",
    )


def _first_line(error: Exception) -> str:
    """Give the line of an error that says most."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    lines = [line for line in lines if not line.startswith(("at ", "... "))]
    telling = [line for line in lines if "Error" in line or "Exception" in line]
    return redacted((telling or lines or [type(error).__name__])[-1])[:300]
