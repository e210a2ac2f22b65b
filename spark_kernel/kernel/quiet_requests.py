"""Requests that clients make while a cell runs leave the kernel's state alone.

ipykernel says busy before a request on the control channel and idle after it. Clients, and servers
that end kernels for being idle, take that idle for the kernel's: a cell that runs would look done.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ipykernel.kernelbase import Kernel

from spark_kernel.protocol.messages import SPARK_CANCEL, SPARK_LOG
from spark_kernel.protocol.resources import RESOURCE_INFO

__all__ = ["QuietRequests"]

_QUIET = {f"{name}_request" for name in (RESOURCE_INFO, SPARK_CANCEL, SPARK_LOG)}


class QuietRequests(Kernel):
    """Part of the kernel: for requests of our own on the control channel it says no state."""

    def _publish_status(
        self, status: str, channel: str, parent: Mapping[str, Any] | None = None
    ) -> None:
        if channel == "control":
            request = parent or self.get_parent(channel) or {}
            if request.get("header", {}).get("msg_type") in _QUIET:
                return
        super()._publish_status(status, channel, parent)
