"""YARN on this machine: a ResourceManager and a NodeManager, from Hadoop's own jars."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from kernel_real.leftovers import MARK, wait_until

_POM = Path(__file__).parent / "yarn" / "pom.xml"
_FETCH_TIMEOUT_S = 600
_START_TIMEOUT_S = 90
_LOG4J = """log4j.rootLogger=INFO,console
log4j.appender.console=org.apache.log4j.ConsoleAppender
log4j.appender.console.layout=org.apache.log4j.PatternLayout
log4j.appender.console.layout.ConversionPattern=%d %p %c{1}: %m%n
"""


def missing_for_yarn() -> str:
    """Say what this machine lacks for it, or nothing."""
    lacking = [name for name in ("mvn", "java") if shutil.which(name) is None]
    return f"YARN needs {' and '.join(lacking)}, which this machine has not" if lacking else ""


def hadoop_jars() -> Path:
    """Give the folder of Hadoop's jars, fetched once for this environment."""
    folder = Path(sys.prefix, "hadoop-jars")
    if not folder.is_dir():
        fetched = folder.with_suffix(f".{os.getpid()}")
        subprocess.run(
            ["mvn", "-q", "-B", "-f", str(_POM), "dependency:copy-dependencies",
             f"-DoutputDirectory={fetched}"],
            check=True,
            timeout=_FETCH_TIMEOUT_S,
        )  # fmt: skip
        fetched.rename(folder)
    return folder


class YarnCluster:
    """A ResourceManager, to which a NodeManager can be added and taken away again.

    Parameters
    ----------
    folder
        Where its processes work and log.
    mark
        What tells its processes from all others.

    Attributes
    ----------
    conf_folder
        What HADOOP_CONF_DIR is to name.
    """

    def __init__(self, folder: Path, mark: str) -> None:
        self.folder = folder
        self.conf_folder = folder / "conf"
        self.conf_folder.mkdir()
        self._environ = {**os.environ, MARK: mark}
        self._environ.pop("HADOOP_CONF_DIR", None)
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        names = ("address", "scheduler", "resource-tracker", "admin", "webapp", "localizer", "node")
        self._ports = dict(zip(names, _free_ports(len(names)), strict=True))
        self._configure()
        self._start("resourcemanager.ResourceManager")
        assert wait_until(lambda: self._ask("cluster/info"), _START_TIMEOUT_S), self.log

    @property
    def web_url(self) -> str:
        """The ResourceManager's page."""
        return f"http://127.0.0.1:{self._ports['webapp']}"

    @property
    def log(self) -> str:
        """The end of what the processes have said."""
        return "\n".join(path.read_text()[-3000:] for path in self.folder.glob("*.log"))

    def _configure(self) -> None:
        place = {name: f"127.0.0.1:{port}" for name, port in self._ports.items()}
        manager, node = "yarn.resourcemanager", "yarn.nodemanager"
        self._write("core-site", {
            "fs.defaultFS": "file:///",
            "hadoop.tmp.dir": str(self.folder / "tmp"),
        })  # fmt: skip
        self._write("yarn-site", {
            f"{manager}.hostname": "127.0.0.1",
            f"{manager}.bind-host": "127.0.0.1",
            f"{manager}.address": place["address"],
            f"{manager}.scheduler.address": place["scheduler"],
            f"{manager}.resource-tracker.address": place["resource-tracker"],
            f"{manager}.admin.address": place["admin"],
            f"{manager}.webapp.address": place["webapp"],
            f"{manager}.nm.liveness-monitor.expiry-interval-ms": "5000",
            "yarn.nm.liveness-monitor.expiry-interval-ms": "5000",
            f"{manager}.nodemanagers.heartbeat-interval-ms": "200",
            "yarn.scheduler.minimum-allocation-mb": "64",
            f"{node}.hostname": "127.0.0.1",
            f"{node}.bind-host": "127.0.0.1",
            f"{node}.address": "127.0.0.1:0",
            f"{node}.localizer.address": place["localizer"],
            f"{node}.webapp.address": place["node"],
            f"{node}.local-dirs": str(self.folder / "local"),
            f"{node}.log-dirs": str(self.folder / "containers"),
            f"{node}.resource.memory-mb": "3072",
            f"{node}.resource.cpu-vcores": "4",
            f"{node}.vmem-check-enabled": "false",
            f"{node}.pmem-check-enabled": "false",
            f"{node}.disk-health-checker.enable": "false",
        })  # fmt: skip
        queues = "yarn.scheduler.capacity.root"
        self._write("capacity-scheduler", {
            f"{queues}.queues": "notebooks,default",
            f"{queues}.notebooks.capacity": "90",
            f"{queues}.default.capacity": "10",
            "yarn.scheduler.capacity.maximum-am-resource-percent": "1.0",
        })  # fmt: skip
        (self.conf_folder / "log4j.properties").write_text(_LOG4J)

    def _write(self, name: str, settings: Mapping[str, str]) -> None:
        lines = [
            f"<property><name>{escape(key)}</name><value>{escape(value)}</value></property>"
            for key, value in settings.items()
        ]
        text = "\n".join(["<configuration>", *lines, "</configuration>"])
        (self.conf_folder / f"{name}.xml").write_text(text)

    def add_node(self) -> None:
        """Start a NodeManager, and wait until the ResourceManager counts it."""
        self._start("nodemanager.NodeManager")
        assert wait_until(lambda: self._nodes == 1, _START_TIMEOUT_S), self.log

    def kill_node(self) -> None:
        """End the NodeManager without a word, and wait until it is counted out."""
        process = self._processes.pop("nodemanager.NodeManager")
        process.kill()
        process.wait(30)
        assert wait_until(lambda: self._nodes == 0, _START_TIMEOUT_S), self.log

    @property
    def _nodes(self) -> int:
        return int(self._ask("cluster/metrics")["clusterMetrics"]["activeNodes"])

    def applications(self, *states: str) -> list[str]:
        """Give the ids of the applications in these states."""
        found = self._ask(f"cluster/apps?states={','.join(states)}")["apps"] or {}
        return [application["id"] for application in found.get("app", [])]

    @property
    def living(self) -> list[str]:
        """The ids of all applications that have not ended."""
        return self.applications("NEW", "NEW_SAVING", "SUBMITTED", "ACCEPTED", "RUNNING")

    def kill_application(self, identifier: str) -> None:
        """Kill an application, as its administrator does."""
        request = urllib.request.Request(
            f"{self.web_url}/ws/v1/cluster/apps/{identifier}/state?user.name={os.environ['USER']}",
            data=b'{"state": "KILLED"}',
            headers={"Content-Type": "application/json"},
            method="PUT",
        )
        urllib.request.urlopen(request, timeout=10).close()

    def _ask(self, what: str) -> dict[str, Any]:
        with (
            suppress(OSError),
            urllib.request.urlopen(f"{self.web_url}/ws/v1/{what}", timeout=10) as reply,
        ):
            return dict(json.load(reply))
        return {}

    def _start(self, name: str) -> None:
        command = [
            "java", "-Xmx400m", f"-Djava.io.tmpdir={self.folder}",
            "-cp", f"{self.conf_folder}:{hadoop_jars()}/*", f"org.apache.hadoop.yarn.server.{name}",
        ]  # fmt: skip
        with (self.folder / f"{name}.log").open("ab") as file:
            self._processes[name] = subprocess.Popen(
                command, env=self._environ, cwd=self.folder, stdout=file, stderr=file
            )

    def stop(self) -> None:
        """End everything."""
        for process in self._processes.values():
            process.kill()
            process.wait(30)


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


@contextmanager
def yarn_cluster(folder: Path, mark: str) -> Iterator[YarnCluster]:
    """Run a cluster without nodes for a while."""
    cluster = YarnCluster(folder, mark)
    try:
        yield cluster
    finally:
        cluster.stop()
