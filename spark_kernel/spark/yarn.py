"""An application on YARN: whether the cluster can be reached, and how the application stands
until the Spark context is there.

``YarnWatch.java`` is our half in the driver, compiled there as ``CellJobs.java`` is.
"""

from __future__ import annotations

import logging
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from importlib.resources import files
from typing import Any

from spark_kernel.errors import ClusterUnreachableError
from spark_kernel.protocol.events import Link
from spark_kernel.spark.ownership import disown

__all__ = ["YarnApplication", "is_yarn"]

_log = logging.getLogger(__name__)
_CLASS = "org.sparkkernel.YarnWatch"
_TAGS = "spark.yarn.tags"
_REACH_TIMEOUT_S = 3.0
_POLL_S = 0.5
_KILL_TIMEOUT_S = 1.5
_PORT = 8032
_WAITING = ("NEW", "NEW_SAVING", "SUBMITTED", "ACCEPTED")


def is_yarn(master: str) -> bool:
    """Whether a master URL is that of YARN."""
    return master == "yarn"


class YarnApplication:
    """The application that a driver is about to submit, and those that it submits later.

    Tells how the first one stands until its context is there, whoever makes that.

    Parameters
    ----------
    gateway
        To the driver; the Spark context is still to be made.
    where
        What the cluster is called.
    say
        Takes a message about how it stands.

    Raises
    ------
    ClusterUnreachableError
        If no ResourceManager takes a connection.
    """

    def __init__(self, gateway: Any, where: str, say: Callable[[str], None]) -> None:
        jvm = gateway.jvm
        _check_reachable(jvm)
        self._say = say
        self._is_over = threading.Event()
        tag = f"spark-kernel-{uuid.uuid4()}"
        compiler = jvm.org.codehaus.janino.SimpleCompiler()
        compiler.setParentClassLoader(jvm.org.apache.spark.SparkConf().getClass().getClassLoader())
        compiler.cook(_source())
        watch_class = compiler.getClassLoader().loadClass(_CLASS)
        arguments = gateway.new_array(jvm.java.lang.Object, 1)
        arguments[0] = tag
        self._watch = watch_class.getConstructors()[0].newInstance(arguments)
        # A new SparkConf reads it there, with the other settings of the driver.
        before = jvm.java.lang.System.getProperty(_TAGS)
        jvm.java.lang.System.setProperty(_TAGS, f"{before},{tag}" if before else tag)
        told = threading.Thread(target=self._tell, args=(where,), name="spark-yarn", daemon=True)
        disown(told).start()

    @contextmanager
    def submitted(self) -> Iterator[None]:
        """Follow it while the kernel makes the context."""
        try:
            yield
            self.attached()
        except Exception as error:
            self._add_diagnostics(error)
            raise
        finally:
            self._is_over.set()

    def attached(self) -> None:
        """Note that the context is there; may be called twice."""
        self._is_over.set()
        self._watch.attached()

    def links(self, identifier: str) -> list[Link]:
        """Give the links to the cluster's page of an application, and to its master's log."""
        try:
            page, log = str(self._watch.addresses(identifier)).split("\n")
        except Exception as error:
            _log.info("YARN did not tell its addresses: %s", str(error).split("\n", 1)[0])
            return []
        found = [Link("cluster-manager", "YARN", page)]
        return [*found, Link("application-master", "Application master", log)] if log else found

    def give_back(self) -> None:
        """Kill the application if its context is not there yet; does not wait for long."""
        if self._is_over.is_set():
            return
        self._is_over.set()
        killer = threading.Thread(target=self._kill, name="spark-yarn-kill", daemon=True)
        disown(killer).start()
        killer.join(_KILL_TIMEOUT_S)

    def _kill(self) -> None:
        with suppress(Exception):  # the driver is gone, and its shutdown hook did it
            self._watch.run()

    # -- spark-yarn ------------------------------------------------------------------------

    def _tell(self, where: str) -> None:
        began = time.monotonic()
        next_word_s = 0.0
        while not self._is_over.wait(_POLL_S):
            try:
                found = str(self._watch.look())
            except Exception as error:
                _log.info("YARN was not asked: %s", str(error).split("\n", 1)[0])
                return
            waited = time.monotonic() - began
            if not found:
                continue
            identifier, state, queue, _ = found.split("\n", 3)
            if state not in _WAITING or waited >= next_word_s:
                if self._is_over.is_set():
                    return
                if state not in _WAITING:
                    self._say(f"Attaching to cluster {where}: {identifier} is {state}")
                    return
                self._say(
                    f"Waiting for YARN: {identifier} is {state} in queue {queue} of {where} "
                    f"for {waited:.0f} s"
                )
                next_word_s = waited + max(1.0, waited / 10)  # ever rarer: it may take hours

    def _add_diagnostics(self, error: BaseException) -> None:
        """Let an error tell what YARN says of the application."""
        with suppress(Exception):
            found = str(self._watch.look())
            diagnostics = found.split("\n", 3)[3] if found else ""
            if diagnostics and diagnostics not in str(error):
                error.args = (f"{error.args[0] if error.args else ''}\n{diagnostics}",)


def _check_reachable(jvm: Any) -> None:
    """Check that a ResourceManager listens: Spark itself would try for a quarter of an hour."""
    refusals = []
    for host, port in _addresses(jvm.org.apache.hadoop.yarn.conf.YarnConfiguration()):
        try:
            socket.create_connection((host, port), timeout=_REACH_TIMEOUT_S).close()
        except OSError as error:
            refusals.append(f"{host}:{port}: {error.strerror or error}")
        else:
            return
    raise ClusterUnreachableError(
        f"YARN's ResourceManager cannot be reached ({'; '.join(refusals)}).",
        "check that it runs, and that HADOOP_CONF_DIR names the folder of its yarn-site.xml, then "
        "`%spark restart`",
    )


def _addresses(conf: Any) -> list[tuple[str, int]]:
    """Give the addresses of the ResourceManagers, from Hadoop's own configuration."""
    name = "yarn.resourcemanager.address"
    if not conf.getBoolean("yarn.resourcemanager.ha.enabled", False):
        found = conf.getSocketAddr(name, f"0.0.0.0:{_PORT}", _PORT)
        return [(str(found.getHostString()), int(found.getPort()))]
    addresses = []
    for identifier in str(conf.get("yarn.resourcemanager.ha.rm-ids", "")).split(","):
        suffix = identifier.strip()
        host = conf.get(f"yarn.resourcemanager.hostname.{suffix}") or "0.0.0.0"
        place = str(conf.get(f"{name}.{suffix}") or f"{host}:{_PORT}")
        host, _, port = place.rpartition(":")
        addresses.append((host, int(port)))
    return addresses


@cache
def _source() -> str:
    return files(__package__).joinpath("YarnWatch.java").read_text("utf-8")
