"""Where YARN's ResourceManagers are, from Hadoop's configuration; the rest is tested on YARN."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from spark_kernel.spark.yarn import _addresses


class Conf:
    """Hadoop's configuration, as far as it is asked."""

    def __init__(self, **values: Any) -> None:
        self._values = {key.replace("_", "."): value for key, value in values.items()}

    def get(self, key: str, default: Any = None) -> Any:
        """Give a setting."""
        return self._values.get(key.removeprefix("yarn.resourcemanager."), default)

    getBoolean = get  # noqa: N815  # as in Java

    def getSocketAddr(self, key: str, default: str, port: int) -> Any:  # noqa: N802
        """Give an address."""
        host, _, given = str(self.get(key, default)).partition(":")
        return SimpleNamespace(getHostString=lambda: host, getPort=lambda: int(given or port))


def test_one_manager_is_where_its_address_says():
    assert _addresses(Conf(address="rm:18032")) == [("rm", 18032)]
    assert _addresses(Conf()) == [("0.0.0.0", 8032)]


def test_each_of_several_managers_has_an_address_or_a_host():
    values = {
        "ha.enabled": True,
        "ha.rm-ids": "a, b",
        "address.a": "first:18032",
        "hostname.b": "second",
    }
    assert _addresses(Conf(**values)) == [("first", 18032), ("second", 8032)]
