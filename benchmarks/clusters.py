"""Start-up on each kind of cluster, against a plain PySpark script on the same.

The clusters are those of the tests: real processes on loopback.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import click

from benchmarks.cases import Bench, Case
from benchmarks.life import measure
from benchmarks.report import Figure, run_line, table

__all__ = ["measure_clusters"]

_TIMEOUT_S = 300
_SCRIPT = """from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
print(spark.range(1000).selectExpr('sum(id)').collect())
"""
_LOOPBACK = {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}


@dataclass(frozen=True)
class _Place:
    """A cluster that runs, and what both sides are told of it."""

    title: str
    master: str
    conf: Mapping[str, str] = field(default_factory=dict)
    environ: Mapping[str, str] = field(default_factory=dict)


def measure_clusters(bench: Bench, pairs: int) -> str:
    """Measure, and give the section."""
    tests = str(Path(__file__).parents[1] / "tests")
    if tests not in sys.path:
        sys.path.append(tests)  # the clusters are theirs
    figures = []
    for make in (_local, _standalone, _yarn, _connect):
        with make(bench) as place:
            ours: list[float] = []
            plain: list[float] = []
            for number in range(pairs):
                sides = [(ours, _run_ours), (plain, _run_plain)]
                for times, run in sides if number % 2 == 0 else reversed(sides):
                    times.append(run(bench, place))
            figures.append(Figure(place.title, ours, plain, None))
            click.echo(" | ".join(figures[-1].row()))
    return "\n\n".join(
        [
            "## Start on each kind of cluster",
            run_line(
                f"python -m benchmarks clusters --pairs {pairs}", f"Java {bench.java.version}"
            ),
            "From the launch of the kernel to the result of a first Spark job, without an archive; "
            "beside it, from the launch of a plain PySpark script to the same result. The script "
            "has no kernel to start, which takes a second. Clusters are processes on this machine, "
            "with one executor of one core; a server of Spark Connect runs already.",
            table(figures, baseline="plain script"),
        ]
    )


def _run_ours(bench: Bench, place: _Place) -> float:
    told = {
        "SPARK_KERNEL_MASTER": place.master,
        "SPARK_KERNEL_CONF": json.dumps(dict(place.conf)),
        **place.environ,
    }
    case: Case = bench.ours(place.title, told)
    return measure(case)["first_job"]


def _run_plain(bench: Bench, place: _Place) -> float:
    environ = {
        **os.environ,
        "JAVA_HOME": str(bench.plain_homes[f"java{bench.java.major}"]),
        "PYSPARK_PYTHON": sys.executable,
        **place.environ,
    }
    if place.master.startswith("sc://"):
        environ["SPARK_REMOTE"] = place.master
    else:
        words = ["--master", place.master]
        for pair in place.conf.items():
            words += ["--conf", "=".join(pair)]
        environ["PYSPARK_SUBMIT_ARGS"] = shlex.join([*words, "pyspark-shell"])
    started = time.perf_counter()
    script = subprocess.Popen(
        [sys.executable, "-u", "-c", _SCRIPT],
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert script.stdout is not None
    line = script.stdout.readline()
    took = time.perf_counter() - started
    script.communicate(timeout=_TIMEOUT_S)
    if b"sum(id)" not in line:
        raise RuntimeError(f"the script failed on {place.title}")
    return took


@contextmanager
def _local(bench: Bench) -> Iterator[_Place]:
    yield _Place("local[*]", "local[*]", _LOOPBACK)


@contextmanager
def _standalone(bench: Bench) -> Iterator[_Place]:
    from kernel_real.cluster import standalone_cluster

    conf = {**_LOOPBACK, "spark.executor.memory": "512m", "spark.cores.max": "1"}
    with standalone_cluster(_folder(bench, "standalone"), "benchmarks") as cluster:
        cluster.add_worker()
        yield _Place("standalone", cluster.url, conf)


@contextmanager
def _yarn(bench: Bench) -> Iterator[_Place]:
    from kernel_real.yarn_cluster import yarn_cluster

    from spark_kernel.spark.installation import find_spark

    conf = {
        **_LOOPBACK,
        "spark.yarn.jars": f"local:{find_spark({}).jars}/*",
        "spark.yarn.queue": "notebooks",  # the other one is too small for a user's executor
        "spark.yarn.am.memory": "256m",
        "spark.executor.memory": "512m",
        "spark.executor.instances": "1",
    }
    with yarn_cluster(_folder(bench, "yarn"), "benchmarks") as cluster:
        cluster.add_node()
        yield _Place("YARN", "yarn", conf, {"HADOOP_CONF_DIR": str(cluster.conf_folder)})


@contextmanager
def _connect(bench: Bench) -> Iterator[_Place]:
    from kernel_real.connect_server import connect_server

    with connect_server(_folder(bench, "connect"), "benchmarks") as server:
        yield _Place("Spark Connect", server.url)


def _folder(bench: Bench, name: str) -> Path:
    """Make a folder for a cluster."""
    folder = bench.folder / name
    folder.mkdir()
    return folder
