"""Requests of our own, which clients make also while a cell runs: they leave its state alone.

ipykernel says busy before a request on the control channel and idle after it. Clients, and servers
that end kernels for being idle, take that idle for the kernel's: a cell that runs would look done.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from ipykernel.kernelbase import Kernel

__all__ = ["QuietRequests"]

_Reply = Callable[[Mapping[str, Any]], dict[str, Any]]


class QuietRequests(Kernel):
    """Part of the kernel: answers requests of our own, and says no state for them on control."""

    def __init__(self, **traits: Any) -> None:
        self._quiet: set[str] = set()
        super().__init__(**traits)

    def answer(
        self, name: str, reply: _Reply, *, is_quick: bool = False, is_on_shell: bool = False
    ) -> None:
        """Answer ``NAME_request`` on the control channel from now on.

        Parameters
        ----------
        reply
            Makes the content of the reply of that of the request; it does not fail.
        is_quick
            Whether it is called on the channel's own thread, else on one of asyncio's.
        is_on_shell
            Whether the shell channel answers too, between two cells.
        """

        async def handle(stream: Any, ident: Any, parent: Mapping[str, Any]) -> None:
            content = parent["content"]
            loop = asyncio.get_running_loop()
            told = reply(content) if is_quick else await loop.run_in_executor(None, reply, content)
            if self.session is not None:
                self.session.send(stream, f"{name}_reply", told, dict(parent), ident=ident)

        self._quiet.add(f"{name}_request")
        self.control_handlers[f"{name}_request"] = handle
        if is_on_shell:
            self.shell_handlers[f"{name}_request"] = handle

    def _publish_status(
        self, status: str, channel: str, parent: Mapping[str, Any] | None = None
    ) -> None:
        if channel == "control":
            request = parent or self.get_parent(channel) or {}
            if request.get("header", {}).get("msg_type") in self._quiet:
                return
        super()._publish_status(status, channel, parent)
