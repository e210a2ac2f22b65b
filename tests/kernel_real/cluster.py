"""A standalone cluster on this machine: a master and its workers, from pyspark's own jars."""

from __future__ import annotations

import json
import os
import re
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kernel_real.gated_java import any_java
from kernel_real.leftovers import MARK, wait_until
from spark_kernel.spark.installation import find_spark
from spark_kernel.spark.launch import java_home_without_vector_module, module_options

_START_TIMEOUT_S = 90


class Cluster:
    """A standalone master, to which workers can be added.

    Parameters
    ----------
    folder
        Where its processes work and log.
    mark
        What tells its processes from all others.
    """

    def __init__(self, folder: Path, mark: str) -> None:
        self.folder = folder
        self._java = any_java()
        self._spark = find_spark(os.environ)
        (folder / "tmp").mkdir()
        # Executors are started with every module that Spark wants, also where Java has it not.
        java_home = java_home_without_vector_module(self._java, folder)
        self._environ = {
            **os.environ,
            MARK: mark,
            "JAVA_HOME": str(java_home),
            "SPARK_HOME": str(self._spark.home),
            "SPARK_LOCAL_IP": "127.0.0.1",
            "SPARK_SCALA_VERSION": "2.13",  # spark-class would look it up in what was built
            "TMPDIR": str(folder / "tmp"),
        }
        self._processes: list[subprocess.Popen[bytes]] = []
        log = self._start(
            "master.Master", "--host", "127.0.0.1", "--port", "0", "--webui-port", "0"
        )
        self.url = self._wait_for(log, r"Starting Spark master at (spark://\S+)")
        self.web_url = self._wait_for(log, r"started at (http://\S+)")

    def add_worker(self) -> None:
        """Start a worker of two cores, and wait until the master counts it."""
        before = self.workers
        self._start(
            "worker.Worker", "--host", "127.0.0.1", "--port", "0", "--webui-port", "0",
            "--cores", "2", "--memory", "2g", "--work-dir", str(self.folder / "work"), self.url,
        )  # fmt: skip
        assert wait_until(lambda: self.workers > before, _START_TIMEOUT_S)

    @property
    def workers(self) -> int:
        """How many workers the master counts as alive."""
        return int(self._ask()["aliveworkers"])

    @property
    def applications(self) -> list[str]:
        """The ids of the applications that the master runs or lets wait."""
        return [application["id"] for application in self._ask()["activeapps"]]

    def _ask(self) -> dict[str, object]:
        with urllib.request.urlopen(f"{self.web_url}/json/", timeout=10) as reply:
            return dict(json.load(reply))

    def _start(self, name: str, *arguments: str) -> Path:
        log = self.folder / f"{name}-{len(self._processes)}.log"
        command = [
            str(self._java.executable),
            "-cp",
            f"{self._spark.jars}/*",
            "-Xmx512m",
            *module_options(self._java),
            f"org.apache.spark.deploy.{name}",
            *arguments,
        ]
        with log.open("wb") as file:
            process = subprocess.Popen(
                command, env=self._environ, cwd=self.folder, stdout=file, stderr=file
            )
        self._processes.append(process)
        return log

    def _wait_for(self, log: Path, pattern: str) -> str:
        assert wait_until(lambda: re.search(pattern, log.read_text()), _START_TIMEOUT_S), (
            log.read_text()
        )
        match = re.search(pattern, log.read_text())
        assert match is not None
        return match.group(1)

    def stop(self) -> None:
        """End everything."""
        for process in reversed(self._processes):
            process.terminate()
        for process in self._processes:
            process.wait(30)


@contextmanager
def standalone_cluster(folder: Path, mark: str) -> Iterator[Cluster]:
    """Run a cluster for a while."""
    cluster = Cluster(folder, mark)
    try:
        yield cluster
    finally:
        cluster.stop()
