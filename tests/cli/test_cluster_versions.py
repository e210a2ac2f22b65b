"""What driver and executors run, compared: what is said of a difference."""

from __future__ import annotations

import threading

import pytest

from spark_kernel.cli.cluster_versions import (
    Versions,
    bounded_jobs,
    compare,
    compare_client,
    explain_log,
    failed_job,
)
from spark_kernel.errors import SparkStartError

HERE = Versions("4.3.0", "17.0.2", "3.11.7")
FAILED = """An error occurred while calling runJob.
: org.apache.spark.SparkException: Job aborted due to stage failure
pyspark.errors.PySparkRuntimeError: {reason}

\tat org.apache.spark.api.python.BasePythonRunner.handlePythonException(PythonRunner.scala:1)
\t... 1 more"""
PYTHON = (
    "[PYTHON_VERSION_MISMATCH] Python in worker has different version: 3.10 than that in driver: "
    "3.11, PySpark cannot run with different minor versions."
)


@pytest.mark.parametrize(
    ("executors", "told"),
    [
        (Versions("4.3.0", "17.0.9"), []),
        (Versions("4.3.0", "21.0.1"), ["executors 21.0.1: set java_home to a Java 21"]),
        (Versions("4.2.1", "17.0.2"), ["executors 4.2.1: install pyspark==4.2.1"]),
        (Versions("4.2.1", "11"), ["pyspark==4.2.1", "a Java 11"]),
    ],
)
def test_each_difference_is_named_with_its_remedy(executors, told):
    found = compare(HERE, executors)
    assert len(found) == len(told)
    assert all(text in said for text, said in zip(told, found, strict=True))


def test_other_python_is_told_with_both_versions():
    error = failed_job(Exception(FAILED.format(reason=PYTHON)))
    assert "run Python 3.10, the notebook 3.11" in error.message
    assert "spark.pyspark.python to a Python 3.11" in error.hint


def test_of_any_other_failed_job_the_line_that_says_why_is_told():
    error = failed_job(Exception(FAILED.format(reason="no module named numpy")))
    assert error.message.endswith("PySparkRuntimeError: no module named numpy")


def test_other_spark_is_found_in_the_log():
    line = (
        "java.io.InvalidClassException: org.apache.spark.rpc.RpcEndpointRef; local class incompat"
    )
    assert "another version of Spark" in str(explain_log(["WARN Utils: a line", line]))
    assert explain_log(["ERROR java.io.InvalidClassException: com.example.Mine"]) is None


def test_client_of_another_series_than_its_server_is_told():
    assert compare_client("4.1.2", "4.1.0") == []
    (said,) = compare_client("4.2.0", "4.1.0")
    assert "Spark 4.1.0, the kernel's pyspark is 4.2.0" in said
    assert "pip install 'pyspark==4.1.*'" in said


def test_secret_in_a_failed_job_is_not_told():
    said = "java.lang.Exception: no connection to jdbc:postgresql://h/d?password=opensesame"
    assert "opensesame" not in str(failed_job(RuntimeError(said)))


# -- jobs that nobody runs ---------------------------------------------------------------------


class Session:
    """A session whose jobs run until they are cancelled: on Spark Connect, or with a context."""

    def __init__(self) -> None:
        self.sparkContext = self
        self.groups: list[str] = []
        self._is_cancelled = threading.Event()

    def setJobGroup(self, group: str, description: str = "") -> None:  # noqa: N802
        """Put what this thread runs into a group."""
        self.groups.append(group)

    def cancelJobGroup(self, group: str) -> None:  # noqa: N802
        """Cancel what is in it."""
        assert group in self.groups
        self._is_cancelled.set()

    addTag, interruptTag = setJobGroup, cancelJobGroup  # noqa: N815

    def run(self) -> None:
        """Run a job."""
        assert self._is_cancelled.wait(20)
        raise RuntimeError("Job 0 cancelled part of cancelled job group")


@pytest.mark.parametrize("is_remote", [False, True])
def test_job_that_gets_no_executor_is_cancelled_and_explained(is_remote):
    session = Session()
    told = r"did not end within 0 s: most likely the cluster gave no executor(.|\n)*--timeout"
    with (
        pytest.raises(SparkStartError, match=told),
        bounded_jobs(session, 0.05, is_remote=is_remote),
    ):
        session.run()


def test_other_failure_of_a_job_is_left_as_it_is():
    session = Session()
    with pytest.raises(ValueError, match="it broke"), bounded_jobs(session, 60, is_remote=False):
        raise ValueError("it broke")
