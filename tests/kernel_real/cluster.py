"""A standalone cluster on this machine: a master and its workers, from pyspark's own jars."""

from __future__ import annotations

import json
import os
import re
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from kernel_real.gated_java import any_java
from kernel_real.leftovers import MARK, wait_until
from kernel_real.remote_place import RemotePlace
from spark_kernel.spark.installation import find_spark
from spark_kernel.spark.launch import java_home_without_vector_module, module_options

_ATTRIBUTE = re.compile(r'(\w+)="([^"]*)"')
_START_TIMEOUT_S = 90
_WORKER_TIMEOUT_S = 8
"""After which the master gives up a worker that says nothing; it speaks four times as often."""


class Cluster:
    """A standalone master, to which workers can be added.

    Parameters
    ----------
    folder
        Where its processes work and log.
    mark
        What tells its processes from all others.
    host
        The address of this machine at which the master listens.
    is_recovering
        Whether the master keeps what it knows.
    """

    def __init__(
        self, folder: Path, mark: str, host: str = "127.0.0.1", *, is_recovering: bool = False
    ) -> None:
        self.folder = folder
        self.host = host
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
            "SPARK_SCALA_VERSION": "2.13",  # spark-class would look it up in what was built
            "TMPDIR": str(folder / "tmp"),
        }
        self.ports: tuple[str, ...] = ("0", "0")
        self._processes: list[subprocess.Popen[bytes]] = []
        self.start_master(is_recovering=is_recovering)

    def start_master(self, *, is_recovering: bool = False) -> None:
        """Start the master: anew on a port of its own, or again on the port that it had.

        Parameters
        ----------
        is_recovering
            Whether it keeps what it knows in a folder, and reads what it knew before.
        """
        port, web_port = self.ports
        options = []
        if is_recovering:
            options = [
                "-Dspark.deploy.recoveryMode=FILESYSTEM",
                f"-Dspark.deploy.recoveryDirectory={self.folder / 'recovery'}",
            ]
        process, log = self._start(
            ["master.Master", "--host", self.host, "--port", port, "--webui-port", web_port],
            options,
        )
        self.master = process
        self.url = self._wait_for(log, r"Starting Spark master at (spark://\S+)")
        self.web_url = self._wait_for(log, r"started at (http://\S+)")
        self.ports = tuple(str(urlsplit(url).port) for url in (self.url, self.web_url))

    def add_worker(
        self, place: RemotePlace | None = None, *, cores: int = 2, is_awaited: bool = True
    ) -> psutil.Process:
        """Start a worker.

        Parameters
        ----------
        place
            Where it is; by default beside the master.
        is_awaited
            Whether to wait until the master counts it.
        """
        before = self.workers
        host = place.host if place else self.host
        words = [
            "worker.Worker", "--host", host, "--port", "0", "--webui-port", "0",
            "--cores", str(cores), "--memory", "2g",
            "--work-dir", str(self.folder / "work"), self.url,
        ]  # fmt: skip
        process, _ = self._start(words, host=host, prefix=place.prefix if place else [])
        assert not is_awaited or wait_until(lambda: self.workers > before, _START_TIMEOUT_S)
        return psutil.Process(process.pid)

    @property
    def workers(self) -> int:
        """How many workers the master counts as alive."""
        return int(self._ask()["aliveworkers"])

    @property
    def applications(self) -> list[str]:
        """The ids of the applications that the master runs or lets wait."""
        return [application["id"] for application in self._ask()["activeapps"]]

    def end_application(self) -> None:
        """End the only application, as an administrator does with a button of the master's page."""
        with urllib.request.urlopen(self.web_url, timeout=10) as reply:
            page = reply.read().decode()
        form = page.partition("app/kill/")[2].partition("</form>")[0]
        inputs = [dict(_ATTRIBUTE.findall(tag)) for tag in re.findall(r"<input[^>]*>", form)]
        values = urllib.parse.urlencode({tag["name"]: tag["value"] for tag in inputs}).encode()
        urllib.request.urlopen(f"{self.web_url}/app/kill/", values, timeout=10).close()

    def _ask(self) -> dict[str, object]:
        with urllib.request.urlopen(f"{self.web_url}/json/", timeout=10) as reply:
            return dict(json.load(reply))

    def _start(
        self,
        words: Sequence[str],
        options: Sequence[str] = (),
        *,
        host: str = "",
        prefix: Sequence[str] = (),
    ) -> tuple[subprocess.Popen[bytes], Path]:
        log = self.folder / f"{words[0]}-{len(self._processes)}.log"
        command = [
            *prefix,
            str(self._java.executable),
            "-cp",
            f"{self._spark.jars}/*",
            "-Xmx512m",
            *module_options(self._java),
            f"-Dspark.worker.timeout={_WORKER_TIMEOUT_S}",
            *options,
            f"org.apache.spark.deploy.{words[0]}",
            *words[1:],
        ]
        with log.open("wb") as file:
            process = subprocess.Popen(
                command,
                env={**self._environ, "SPARK_LOCAL_IP": host or self.host},
                cwd=self.folder,
                stdout=file,
                stderr=file,
            )
        self._processes.append(process)
        return process, log

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
def standalone_cluster(
    folder: Path, mark: str, host: str = "127.0.0.1", *, is_recovering: bool = False
) -> Iterator[Cluster]:
    """Run a cluster for a while."""
    cluster = Cluster(folder, mark, host, is_recovering=is_recovering)
    try:
        yield cluster
    finally:
        cluster.stop()
