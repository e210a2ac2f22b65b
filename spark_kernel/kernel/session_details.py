"""What ``resource_info_request`` tells of a session only where asked: its settings and libraries.

Settings come from the snapshot of the resource monitor, libraries from the kernel's own list; any
thread may ask, and none waits for the driver.
"""

from __future__ import annotations

import time
from typing import Any

from spark_kernel.redaction import redacted
from spark_kernel.spark.libraries import Library
from spark_kernel.spark.resources import ResourceMonitor
from spark_kernel.spark.session import KernelSession
from spark_kernel.spark.settings_in_force import SettingInForce, coming_settings

__all__ = ["DETAILS", "SessionDetails"]

DETAILS = ("settings", "libraries")
"""The types of resources that are told here."""

_MOST_SETTINGS = 500
_MOST_LIBRARIES = 200
_LONGEST = 400


class SessionDetails:
    """Makes the entries of a reply.

    Parameters
    ----------
    monitor
        Keeps the settings of the session.
    """

    def __init__(self, session: KernelSession, monitor: ResourceMonitor) -> None:
        self._session = session
        self._monitor = monitor

    def entry(self, name: str) -> dict[str, Any]:
        """Make the entry of a type."""
        return self._settings() if name == "settings" else self._libraries()

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


def _entry(name: str, listed: list[dict[str, Any]], count: int, **more: Any) -> dict[str, Any]:
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
