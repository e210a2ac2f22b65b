"""Attaches to the cluster: makes the session, and waits until executors can be had."""

from __future__ import annotations

import importlib
import logging
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from spark_kernel.errors import ClusterUnreachableError, SparkStartError
from spark_kernel.spark.java import JavaRuntime, major_version

if TYPE_CHECKING:
    from pyspark import SparkContext
    from pyspark.sql import SparkSession

__all__ = [
    "check_reachable",
    "create_session",
    "executor_java",
    "hand_over",
    "java_remark",
    "library_message",
    "remove_at_exit",
    "wait_for_executors",
]

_log = logging.getLogger(__name__)
_STANDALONE, _KUBERNETES = "spark://", "k8s://"
_REACH_TIMEOUT_S = 3.0
_EXECUTOR_POLL_S = 0.25
_PROBE = "spark-kernel-probe"
_PROBE_TIMEOUT_S = 30.0


def check_reachable(master: str) -> None:
    """Check that a cluster's master listens: Spark itself would try for more than a minute.

    Raises
    ------
    ClusterUnreachableError
        If none of the masters of a ``spark://`` URL takes a connection, or the API server of a
        ``k8s://`` URL does not.
    """
    if master.startswith(_STANDALONE):
        what, addresses = "master", master.removeprefix(_STANDALONE).split(",")
    elif master.startswith(_KUBERNETES):
        what, addresses = "API server", [master.removeprefix(_KUBERNETES)]
    else:
        return
    refusals = []
    for address in addresses:
        url = urlsplit(address if "://" in address else f"//{address}")
        default = 7077 if what == "master" else 80 if url.scheme == "http" else 443
        try:
            target = (url.hostname or "", url.port or default)
            socket.create_connection(target, timeout=_REACH_TIMEOUT_S).close()
        except (OSError, ValueError) as error:
            refusals.append(f"{address}: {getattr(error, 'strerror', None) or error}")
        else:
            return
    raise ClusterUnreachableError(
        f"The cluster's {what} cannot be reached ({'; '.join(refusals)}).",
        f"check that the {what} runs and that its address is right, then `%spark restart`",
    )


def create_session(gateway: Any) -> SparkSession:
    """Make the session in this thread; settings were given to the driver when it started."""
    from pyspark import SparkContext
    from pyspark.sql import SparkSession

    SparkContext._ensure_initialized(gateway=gateway)
    return SparkSession.builder.getOrCreate()


def wait_for_executors(
    context: SparkContext,
    where: str,
    say: Callable[[str], None],
    is_cancelled: threading.Event,
) -> None:
    """Wait until the cluster has given an executor; says so while it has not.

    Raises
    ------
    SparkStartError
        If Spark gave up, or the start was cancelled.
    """
    scala_context = context._jsc.sc()
    if scala_context.isLocal() or _starts_without_executors(context):
        return
    started = time.monotonic()
    next_word_s = 1.0
    while not (scala_context.isStopped() or is_cancelled.is_set()):
        if _executor_count(scala_context) > 0:
            return
        waited = time.monotonic() - started
        if waited >= next_word_s:
            say(f"Waiting for executors from {where} for {waited:.0f} s: it has given none yet")
            next_word_s = waited + max(1.0, waited / 10)  # ever rarer: a wait may last for hours
        is_cancelled.wait(_EXECUTOR_POLL_S)
    raise SparkStartError(
        f"The application ended while it waited for executors from {where}.",
        "look at the driver log",
    )


def _starts_without_executors(context: SparkContext) -> bool:
    """Whether dynamic allocation asks for executors only once there is work."""
    conf = context.getConf()
    if conf.get("spark.dynamicAllocation.enabled", "false") != "true":
        return False
    least = (
        conf.get("spark.dynamicAllocation.minExecutors", "0"),
        conf.get("spark.dynamicAllocation.initialExecutors", "0"),
        conf.get("spark.executor.instances", "0"),
    )
    return all(value == "0" for value in least)


def _executor_count(scala_context: Any) -> int:
    # The driver's own block manager is one of them.
    return int(scala_context.getExecutorMemoryStatus().size()) - 1


def java_remark(session: SparkSession, driver_java: JavaRuntime) -> str:
    """Say that the executors run another Java than the driver, where they do."""
    try:
        version = executor_java(session)
    except Exception as error:
        _log.info("the executors were not asked for their Java: %s", error)
        return ""
    if major_version(version) == driver_java.major:
        return ""
    return (
        f"Its executors run Java {version}, the driver Java {driver_java.version}: set "
        f"c.SparkKernel.java_home to a Java {major_version(version)}"
    )


def executor_java(session: SparkSession) -> str:
    """Ask an executor for its version of Java, with a job of one task in this thread."""
    context = session.sparkContext
    context.setJobGroup(_PROBE, "spark-kernel: version of Java on the executors")
    # A cluster that has taken its executors back must not keep this thread for ever.
    give_up = threading.Timer(_PROBE_TIMEOUT_S, context.cancelJobGroup, (_PROBE,))
    give_up.daemon = True
    give_up.start()
    try:
        # java_method is not deterministic, so it is not folded into a constant on the driver.
        frame = session.range(0, 1, 1, 1).selectExpr(
            "java_method('java.lang.System', 'getProperty', 'java.version') AS version"
        )
        return str(frame.collect()[0]["version"])
    finally:
        give_up.cancel()


def library_message(context: SparkContext) -> str:
    """Say which jars, files and Python files the driver hands out to executors, if any."""
    scala_context = context._jsc.sc()
    names: list[str] = []
    for listed in (scala_context.listJars(), scala_context.listFiles()):
        names += [str(listed.apply(i)).rsplit("/", 1)[-1] for i in range(listed.size())]
    if not names:
        return ""
    noun = "library" if len(names) == 1 else "libraries"
    shown = ", ".join(names[:3]) + (" …" if len(names) > 3 else "")
    return f"Handing out {len(names)} {noun} to the executors: {shown}"


def hand_over(session: Any, kind: str, place: str) -> None:
    """Give a session a library, of a kind and at a place as ``Library`` has them."""
    context = session.sparkContext
    if kind == "jar" and "://" in place:
        _check_there(context, place)
    if kind in ("jar", "maven"):
        quoted = place.replace("\\", "\\\\").replace("'", "\\'")
        session.sql(f"ADD JAR '{quoted}'")
    elif kind == "python":
        context.addPyFile(place)
        importlib.invalidate_caches()
    elif kind == "archive":
        context.addArchive(place)
    else:
        context.addFile(place)


def _check_there(context: Any, place: str) -> None:
    """Let Hadoop look for a file: Spark only logs that it has not found a jar."""
    path = context._jvm.org.apache.hadoop.fs.Path(place)
    path.getFileSystem(context._jsc.hadoopConfiguration()).getFileStatus(path)


def remove_at_exit(gateway: Any, folder: Path) -> None:
    """Let the driver delete its temporary folder when it ends, even if the kernel was killed."""
    jvm = gateway.jvm
    hooks = jvm.org.apache.spark.util.ShutdownHookManager
    hooks.registerShutdownDeleteDir(jvm.java.io.File(str(folder)))
