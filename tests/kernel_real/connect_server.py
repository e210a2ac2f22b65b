"""A Spark Connect server on this machine, from pyspark's own jars; and one that speaks TLS."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from kernel_real.gated_java import any_java
from kernel_real.leftovers import MARK, wait_until
from kernel_real.notebook import Notebook, NotebookMaker
from spark_kernel.spark.installation import find_spark
from spark_kernel.spark.launch import module_options

_START_TIMEOUT_S = 90
_STARTED = re.compile(r"Spark Connect server started at: 127\.0\.0\.1:(\d+)")


class ConnectServer:
    """A server of two cores, which can be killed and started again.

    Parameters
    ----------
    folder
        Where it works and logs.
    mark
        What tells its processes from all others.
    options
        More of Spark's settings.

    Attributes
    ----------
    port
        Where it listens on loopback; the same after each start.
    """

    def __init__(self, folder: Path, mark: str, **options: str) -> None:
        self.folder = folder
        self._mark = mark
        self._options = options
        self._starts = 0
        self.port = 0
        self.start()

    @property
    def url(self) -> str:
        """The address for clients."""
        return f"sc://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """What it has said since its last start."""
        return self._log.read_text(errors="replace")

    def start(self) -> None:
        """Start it, and wait until it listens."""
        java, spark = any_java(), find_spark(os.environ)
        self._log = self.folder / f"server-{self._starts}.log"
        self._starts += 1
        settings = {
            "spark.connect.grpc.binding.address": "127.0.0.1",
            "spark.connect.grpc.binding.port": str(self.port),
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.ui.port": "0",
            "spark.pyspark.python": sys.executable,
            "spark.local.dir": str(self.folder),
            **self._options,
        }
        command = [
            str(java.executable), "-cp", f"{spark.jars}/*", "-Xmx1g", *module_options(java),
            f"-Djava.io.tmpdir={self.folder}", "org.apache.spark.deploy.SparkSubmit",
            "--class", "org.apache.spark.sql.connect.service.SparkConnectServer",
            "--master", "local[2]", "--name", "Connect server of the tests",
            *(word for pair in settings.items() for word in ("--conf", "=".join(pair))),
            "spark-internal",
        ]  # fmt: skip
        environ = {
            **os.environ,
            MARK: self._mark,
            "SPARK_HOME": str(spark.home),
            "JAVA_HOME": str(java.home),
            "SPARK_LOCAL_IP": "127.0.0.1",
        }
        with self._log.open("wb") as file:
            self._process = subprocess.Popen(
                command, env=environ, cwd=self.folder, stdout=file, stderr=file
            )
        assert wait_until(lambda: _STARTED.search(self.log), _START_TIMEOUT_S), self.log
        found = _STARTED.search(self.log)
        assert found is not None
        self.port = int(found[1])

    def kill(self) -> None:
        """End it without a word."""
        self._process.kill()
        self._process.wait(30)

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    def stop(self) -> None:
        """End it; may be called twice."""
        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(15)
        self.kill()


@contextmanager
def connect_server(folder: Path, mark: str, **options: str) -> Iterator[ConnectServer]:
    """Run a server for a while."""
    server = ConnectServer(folder, mark, **options)
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def tls_before(port: int, certificate: Path, key: Path) -> Iterator[int]:
    """Speak TLS in front of a port on loopback, as a proxy of a cluster does; gives its port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    context.set_alpn_protocols(["h2"])
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_serve, args=(listener, context, port), daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(10)


def _serve(listener: socket.socket, context: ssl.SSLContext, port: int) -> None:
    with suppress(OSError):  # closed
        while True:
            plain, _ = listener.accept()
            threading.Thread(target=_join, args=(plain, context, port), daemon=True).start()


def _join(plain: socket.socket, context: ssl.SSLContext, port: int) -> None:
    with (
        plain,
        suppress(OSError),
        socket.create_connection(("127.0.0.1", port)) as inner,
        context.wrap_socket(plain, server_side=True) as outer,
    ):
        back = threading.Thread(target=_copy, args=(inner, outer), daemon=True)
        back.start()
        _copy(outer, inner)
        back.join(10)


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_RDWR)


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """Make a certificate for localhost that vouches for itself; gives it and its key."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    subprocess.run(
        [
            "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
            "-keyout", str(key), "-out", str(certificate), "-subj", "/CN=localhost",
            "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
        ],
        check=True,
        capture_output=True,
    )  # fmt: skip
    return certificate, key


@contextmanager
def notebook_on_a_server(new_notebook: NotebookMaker) -> Iterator[Notebook]:
    """Run a server of its own, and give a notebook that is ready on it."""
    folder, mark = new_notebook.next_place()
    with connect_server(folder, mark) as server:
        clusters = {"there": {"master": server.url}}
        environ = {
            "SPARK_KERNEL_CLUSTERS": json.dumps(clusters),
            "SPARK_KERNEL_CLUSTER": "there",
        }
        with new_notebook(environ) as made:
            made.wait_for_state("ready")
            yield made
