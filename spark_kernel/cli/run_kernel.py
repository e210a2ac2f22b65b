"""The kernel of ``spark-kernel run``, and how it is interrupted: by a signal, or for lateness."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable
from types import FrameType
from typing import Any

from spark_kernel.recording.engine import ProvenanceKernelManager

__all__ = ["RunKernelManager", "Stop", "StoppedError"]

_GRACE_S = 30.0
"""How long an interrupted cell may take to end."""


class StoppedError(Exception):
    """The run is to end before its next cell."""


class RunKernelManager(ProvenanceKernelManager):
    """Starts the kernel, and ends it whatever happens.

    Attributes
    ----------
    interrupts
        How often the running cell was interrupted for running too long.
    """

    def __init__(self, *, is_recorded: bool, **options: Any) -> None:
        super().__init__(**options)
        self.is_recorded = is_recorded
        self.interrupts = 0
        if self.has_trait("transport_encryption"):  # from jupyter_client 8.10 on
            self.transport_encryption = "auto"

    async def interrupt_kernel(self) -> None:  # type: ignore[override]
        """Interrupt the running cell; one that goes on all the same is ended with its kernel."""
        self.interrupts += 1
        if self.interrupts > 1:
            await self.kill()
        else:
            await super().interrupt_kernel()

    async def kill(self) -> None:
        """End the kernel's process at once; whoever waits for it notices."""
        if self.has_kernel:
            await self.signal_kernel(signal.SIGKILL)

    async def end(self) -> None:
        """Shut the kernel down in order, if it runs."""
        if self.has_kernel:
            await self.shutdown_kernel(now=not await self.is_alive())


class Stop:
    """What SIGINT and SIGTERM do: the first interrupts the running cell, the second the kernel.

    Used as a context; the handlers are those of the main thread, which runs the notebook.

    Parameters
    ----------
    say
        Shows a line.

    Attributes
    ----------
    signal
        The first signal that came, or 0.
    is_over
        Whether the notebook has ended, so that there is nothing to stop.
    """

    def __init__(self, manager: RunKernelManager, say: Callable[[str], None]) -> None:
        self._manager = manager
        self._say = say
        self._count = 0
        self._began = time.monotonic()
        self._tasks: set[asyncio.Future[Any]] = set()
        self._before: dict[int, Any] = {}
        self.signal = 0
        self.is_cell_running = False
        self.is_over = False

    def __enter__(self) -> Stop:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    @property
    def elapsed_s(self) -> float:
        """How long the run has lasted."""
        return time.monotonic() - self._began

    def check(self) -> None:
        """Go no further if a signal has come.

        Raises
        ------
        StoppedError
            If so.
        """
        if self.signal:
            raise StoppedError

    def _handle(self, number: int, _: FrameType | None) -> None:
        self._count += 1
        self.signal = self.signal or number
        if self.is_over:
            return
        if self._count > 2:
            raise KeyboardInterrupt
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return  # between two steps: the next one checks
        if self._count == 1 and self.is_cell_running:
            self._say("Interrupting the cell; once more ends its kernel.")
            loop.call_soon_threadsafe(self._start, loop, self._interrupt)
        else:
            loop.call_soon_threadsafe(self._start, loop, self._manager.kill)

    def _start(self, loop: asyncio.AbstractEventLoop, step: Callable[[], Awaitable[None]]) -> None:
        task = asyncio.ensure_future(step(), loop=loop)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _interrupt(self) -> None:
        await self._manager.interrupt_kernel()
        cell = self._manager.interrupts
        await asyncio.sleep(_GRACE_S)
        if self.is_cell_running and self._manager.interrupts == cell:
            await self._manager.kill()
