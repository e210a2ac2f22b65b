"""Whether a master can be reached, and the wait for executors."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from spark_kernel.errors import ClusterUnreachableError, SparkStartError
from spark_kernel.spark.attach import check_reachable, library_message, wait_for_executors


@pytest.fixture
def open_port() -> Iterator[int]:
    """Give a port on which something listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.fixture
def closed_port() -> Iterator[int]:
    """Give a port that is taken by somebody who does not listen."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        yield silent.getsockname()[1]


def test_master_that_listens_is_reachable(open_port):
    check_reachable(f"spark://127.0.0.1:{open_port}")


def test_one_of_several_masters_is_enough(open_port, closed_port):
    check_reachable(f"spark://127.0.0.1:{closed_port},127.0.0.1:{open_port}")


def test_masters_that_do_not_listen_are_each_named_with_the_reason(closed_port):
    with pytest.raises(ClusterUnreachableError) as caught:
        check_reachable(f"spark://127.0.0.1:{closed_port},localhost:{closed_port}")
    text = caught.value.message
    assert f"127.0.0.1:{closed_port}: Connection refused" in text
    assert f"localhost:{closed_port}" in text
    assert "%spark restart" in caught.value.hint


@pytest.mark.parametrize("address", ["127.0.0.1:99999", "127.0.0.1:port", ""])
def test_address_that_is_none_is_named(address):
    with pytest.raises(ClusterUnreachableError) as caught:
        check_reachable(f"spark://{address}")
    assert address in caught.value.message


@pytest.mark.parametrize("master", ["local[*]", "yarn"])
def test_what_has_no_address_is_not_knocked_at(master):
    check_reachable(master)


@pytest.mark.parametrize("scheme", ["", "http://", "https://"])
def test_api_server_of_kubernetes_is_knocked_at(scheme, open_port, closed_port):
    check_reachable(f"k8s://{scheme}127.0.0.1:{open_port}")
    with pytest.raises(ClusterUnreachableError, match="API server cannot be reached"):
        check_reachable(f"k8s://{scheme}127.0.0.1:{closed_port}")


class Java:
    """A Scala context as far as the wait looks at it; executors come as they are listed."""

    def __init__(self, *executors: int, is_local: bool = False, is_stopped: bool = False) -> None:
        self.left = list(executors)
        self.isLocal = lambda: is_local
        self.isStopped = lambda: is_stopped

    def getExecutorMemoryStatus(self) -> Any:  # noqa: N802  # as in Scala
        count = self.left.pop(0) if len(self.left) > 1 else self.left[0]
        return SimpleNamespace(size=lambda: count + 1)  # the driver's own block manager


def wait(java: Java, **conf: str) -> list[str]:
    """Wait for executors; gives what was said meanwhile."""
    settings = {f"spark.{key.replace('_', '.')}": value for key, value in conf.items()}
    context = SimpleNamespace(
        _jsc=SimpleNamespace(sc=lambda: java), getConf=lambda: SimpleNamespace(get=settings.get)
    )
    said: list[str] = []
    wait_for_executors(context, "prod (yarn)", said.append, threading.Event())
    return said


def test_cluster_that_gives_executors_at_once_is_attached_without_a_word():
    assert wait(Java(2)) == []


def test_executors_that_come_end_the_wait():
    java = Java(0, 1)
    wait(java)
    assert java.left == [1]


def test_local_spark_has_no_executors_to_wait_for():
    assert wait(Java(0, is_local=True)) == []


def test_dynamic_allocation_without_a_minimum_gives_none_before_there_is_work():
    assert wait(Java(0), dynamicAllocation_enabled="true") == []


def test_dynamic_allocation_with_a_minimum_is_waited_for():
    java = Java(0, 1)
    wait(java, dynamicAllocation_enabled="true", dynamicAllocation_minExecutors="1")
    assert java.left == [1]


def test_application_that_ends_meanwhile_ends_the_wait():
    with pytest.raises(SparkStartError, match=r"prod \(yarn\)"):
        wait(Java(0, is_stopped=True))


def test_cancelled_start_ends_the_wait():
    cancelled = threading.Event()
    cancelled.set()
    context = SimpleNamespace(
        _jsc=SimpleNamespace(sc=lambda: Java(0)), getConf=lambda: SimpleNamespace(get={}.get)
    )
    with pytest.raises(SparkStartError):
        wait_for_executors(context, "prod", lambda text: None, cancelled)


def test_libraries_are_named_without_their_paths():
    def listed(*urls: str) -> Any:
        return SimpleNamespace(size=lambda: len(urls), apply=lambda index: urls[index])

    java = SimpleNamespace(
        listJars=lambda: listed("spark://host:1/jars/a.jar"),
        listFiles=lambda: listed("spark://host:1/files/b.py", "c.csv"),
    )
    context = SimpleNamespace(_jsc=SimpleNamespace(sc=lambda: java))
    assert library_message(context) == (
        "Handing out 3 libraries to the executors: a.jar, b.py, c.csv"
    )
