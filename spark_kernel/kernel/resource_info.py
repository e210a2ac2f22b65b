"""``resource_info_request``: what machine, kernel and cluster have, from a snapshot, at once.

Answered on control while a cell runs; nothing here waits for the driver.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from spark_kernel.display.resources import resource_card
from spark_kernel.errors import ResourceRequestError
from spark_kernel.kernel.meters import Meters
from spark_kernel.kernel.session_details import DETAILS, SessionDetails
from spark_kernel.protocol.events import SessionStatus
from spark_kernel.protocol.messages import refusal
from spark_kernel.protocol.mimebundle import MimeBundle
from spark_kernel.protocol.resources import (
    ALL_RESOURCE_TYPES,
    RESOURCE_TYPES,
    SparkResources,
    resource_content,
    spark_resource,
)
from spark_kernel.spark.resources import ResourceMonitor

__all__ = ["ResourceDesk"]

_FRESH_TIMEOUT_S = 1.0


class ResourceDesk:
    """Answers requests, from any thread.

    Parameters
    ----------
    status
        Gives the status of the session.
    details
        Knows its settings and libraries.
    """

    def __init__(
        self,
        status: Callable[[], SessionStatus],
        monitor: ResourceMonitor,
        meters: Meters,
        details: SessionDetails,
    ) -> None:
        self._status = status
        self._monitor = monitor
        self._meters = meters
        self._details = details
        self._lock = threading.Lock()
        self._drawn: tuple[SessionStatus, SparkResources | None, MimeBundle] | None = None

    def reply(self, content: Mapping[str, Any]) -> dict[str, Any]:
        """Make the content of a ``resource_info_reply``."""
        try:
            wanted = _wanted(content)
        except ResourceRequestError as error:
            return refusal(error)
        self._monitor.want(with_settings="settings" in wanted)
        status, found = self._status(), self._monitor.latest
        with self._lock:
            metrics = self._meters.read()
            data = self._draw(status, found)
        resources: dict[str, dict[str, Any]] = {
            name: {"type": name, "metrics": [asdict(metric) for metric in listed]}
            for name, listed in metrics.items()
        }
        resources["spark"] = spark_resource(status, found)
        resources.update({name: self._details.entry(name) for name in wanted if name in DETAILS})
        age_s = time.monotonic() - found.taken if found else 0.0
        return resource_content(age_s, resources, wanted, data)

    def card(self) -> MimeBundle:
        """Show the same, from a snapshot as fresh as can be had within a second."""
        self._monitor.refresh(_FRESH_TIMEOUT_S)
        status, found = self._status(), self._monitor.latest
        age_s = time.monotonic() - found.taken if found else 0.0
        return resource_card(status, found, age_s)

    def _draw(self, status: SessionStatus, found: SparkResources | None) -> MimeBundle:
        drawn = self._drawn
        if drawn is None or drawn[0] is not status or drawn[1] is not found:
            self._drawn = drawn = (status, found, resource_card(status, found, None))
        return drawn[2]


def _wanted(content: Mapping[str, Any]) -> list[str]:
    types = content.get("types") or RESOURCE_TYPES
    if not isinstance(types, list | tuple) or not all(isinstance(name, str) for name in types):
        raise ResourceRequestError("`types` is not a list of names.", _hint())
    for name in types:
        if name not in ALL_RESOURCE_TYPES:
            raise ResourceRequestError(f"There is no type of resource {name!r}.", _hint())
    return list(types)


def _hint() -> str:
    return f"the types are {', '.join(ALL_RESOURCE_TYPES)}"
