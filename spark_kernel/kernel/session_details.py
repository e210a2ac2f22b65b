"""What ``resource_info_request`` tells only where asked: settings, libraries, and other clusters.

Settings come from the snapshot of the resource monitor, the others from the kernel itself; any
thread may ask, and none waits for the driver.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from spark_kernel.errors import SparkKernelError
from spark_kernel.redaction import redacted
from spark_kernel.spark.libraries import Library
from spark_kernel.spark.resources import ResourceMonitor
from spark_kernel.spark.session import KernelSession
from spark_kernel.spark.settings_in_force import SettingInForce, coming_settings

__all__ = ["DETAILS", "SessionDetails"]

DETAILS = ("settings", "libraries", "clusters")
"""The types of resources that are told here."""

_MOST_SETTINGS = 500
_MOST_LIBRARIES = 200
_MOST_CLUSTERS = 200
_LONGEST = 400


class SessionDetails:
    """Makes the entries of a reply.

    Parameters
    ----------
    monitor
        Keeps the settings of the session.
    cluster_names
        Gives the names of all clusters.
    """

    def __init__(
        self,
        session: KernelSession,
        monitor: ResourceMonitor,
        cluster_names: Callable[[], list[str]],
    ) -> None:
        self._session = session
        self._monitor = monitor
        self._cluster_names = cluster_names

    def entry(self, name: str) -> dict[str, Any]:
        """Make the entry of a type."""
        makers = {"settings": self._settings, "libraries": self._libraries}
        return makers.get(name, self._clusters)()

    def _settings(self) -> dict[str, Any]:
        taken = self._monitor.latest_settings
        is_ready = self._session.is_ready
        if taken is not None:
            found, age_s = list(taken.settings), round(time.monotonic() - taken.taken, 3)
        elif is_ready:  # asked for just now; the next request finds them
            found, age_s = [], None
        else:
            found, age_s = coming_settings(self._session.settings), 0.0
        # What people have set is what they look for, and is never left out for the rest.
        found.sort(key=lambda setting: (not setting.is_chosen, setting.key))
        return _entry(
            "settings",
            [_setting(one) for one in found[:_MOST_SETTINGS]],
            len(found),
            of="session" if is_ready else "next",
            age_s=age_s,
        )

    def _libraries(self) -> dict[str, Any]:
        found = self._session.libraries.listed
        return _entry("libraries", [_library(one) for one in found[:_MOST_LIBRARIES]], len(found))

    def _clusters(self) -> dict[str, Any]:
        try:
            found = [_cut(name) for name in self._cluster_names()]
        except SparkKernelError as error:  # a file with a mistake in it
            told = {"name": type(error).__name__, "message": _cut(redacted(str(error))), "hint": ""}
            return _entry("clusters", [], 0, error=told)
        return _entry("clusters", found[:_MOST_CLUSTERS], len(found), error=None)


def _entry(name: str, listed: Sequence[Any], count: int, **more: Any) -> dict[str, Any]:
    entry = {"type": name, "metrics": [], **more, name: listed}
    return {**entry, "omitted": {name: count - len(listed)}} if count > len(listed) else entry


def _setting(one: SettingInForce) -> dict[str, Any]:
    return {
        "key": _cut(one.key),
        "value": _cut(one.value),
        "origin": _cut(one.origin),
        "is_chosen": one.is_chosen,
    }


def _library(one: Library) -> dict[str, Any]:
    return {
        "kind": one.kind.value,
        "name": _cut(one.name),
        "version": _cut(one.version),
        "origin": _cut(redacted(one.origin)),
        "size_bytes": one.size_bytes if one.sha256 else None,
        "sha256": one.sha256 or None,
    }


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
