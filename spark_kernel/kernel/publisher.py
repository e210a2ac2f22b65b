"""Sends every message of our own, from one thread, in the order in which things happened.

The thread ``spark-publisher`` sleeps until there is an event. While a cell waits for Spark, it
wakes once a second to tell how long.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from spark_kernel.display.progress import progress_view
from spark_kernel.display.provenance import record_view
from spark_kernel.display.session import waiting_view
from spark_kernel.display.stream import stream_view
from spark_kernel.protocol.events import (
    Cell,
    CellResumed,
    CellWaiting,
    DriverPrinted,
    Event,
    RecordDue,
    RecordMade,
    SessionChanged,
    SessionStatus,
)
from spark_kernel.protocol.messages import (
    BANNER_UPDATE,
    SPARK_STATUS,
    banner_content,
    status_content,
)
from spark_kernel.protocol.progress import ProgressSampled
from spark_kernel.protocol.provenance import KEY
from spark_kernel.protocol.stream import StreamShown

__all__ = ["Publisher", "Send"]

_log = logging.getLogger(__name__)
_REFRESH_S = 1.0
_REPEAT_STATUS_S = 5.0

Send = Callable[[str, Mapping[str, Any], Mapping[str, Any]], None]
"""Sends a message on iopub: its type, its content, and the parent message or nothing."""


_News = Event | ProgressSampled | StreamShown
_Item = _News | threading.Event


@dataclass
class _Display:
    cell: Cell
    display_id: str = field(default_factory=lambda: uuid.uuid4().hex)
    is_shown: bool = False
    shown_at: float = 0.0
    view: Mapping[str, Any] = field(default_factory=dict)
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class _WaitingCell:
    display: _Display
    since: float


class Publisher:
    """Drains events and sends messages.

    Parameters
    ----------
    send
        Sends a message; called from this thread alone.
    banner
        Makes the banner of a status.
    running_cell
        Gives the cell that runs now, to which the driver's output belongs, or None.
    """

    def __init__(
        self,
        send: Send,
        banner: Callable[[SessionStatus], str],
        running_cell: Callable[[], Cell | None],
    ) -> None:
        self._send = send
        self._banner = banner
        self._running_cell = running_cell
        self._events: queue.SimpleQueue[_Item | None] = queue.SimpleQueue()
        self._count_lock = threading.Lock()
        self._unsent = 0
        self._waiting: dict[str, _WaitingCell] = {}
        self._progress: dict[str, _Display] = {}
        self._streams: dict[str, _Display] = {}
        self._records: dict[str, RecordMade] = {}
        self._status: SessionStatus | None = None
        self._status_sent_at = 0.0
        self._sent_banner = ""
        self._thread = threading.Thread(target=self._run, name="spark-publisher", daemon=True)

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    @property
    def is_busy(self) -> bool:
        """Whether there are events whose messages have not been sent."""
        return self._unsent > 0

    def emit(self, event: _News) -> None:
        """Take an event, from any thread; never blocks."""
        with self._count_lock:
            self._unsent += 1
        self._events.put(event)

    def flush(self, timeout_s: float) -> None:
        """Wait until everything that was emitted so far has been sent."""
        if not self._thread.is_alive():
            return
        done = threading.Event()
        self._events.put(done)
        done.wait(timeout_s)

    def stop(self, timeout_s: float = 1.0) -> None:
        """Send what there is, and end; may be called twice."""
        if self._thread.is_alive():
            self._events.put(None)
            self._thread.join(timeout_s)

    def _run(self) -> None:
        while True:
            try:
                item = self._events.get(timeout=self._pause())
            except queue.Empty:
                self._guarded(self._refresh)
                continue
            if item is None:
                return
            if isinstance(item, threading.Event):
                item.set()
            else:
                self._guarded(self._handle, item)
                with self._count_lock:
                    self._unsent -= 1

    def _guarded(self, action: Callable[..., None], *arguments: Any) -> None:
        try:
            action(*arguments)
        except Exception:  # a display that fails must not take the kernel along
            _log.exception("a message about Spark could not be sent")

    def _pause(self) -> float | None:
        is_pending = self._status is not None and self._status.state.is_pending
        return _REFRESH_S if self._waiting or is_pending else None

    def _handle(self, event: _News) -> None:
        match event:
            case SessionChanged(status):
                self._status = status
                self._send_status(status)
                self._show_waiting()
            case CellWaiting(cell):
                self._waiting[cell.id] = _WaitingCell(_Display(cell), time.monotonic())
                self._show_waiting()
            case CellResumed(cell):
                waiting = self._waiting.pop(cell.id, None)
                if waiting is not None:
                    self._show(waiting, is_over=True)
            case DriverPrinted(text):
                running = self._running_cell()
                if running is not None:
                    self._send("stream", {"name": "stdout", "text": text}, running.parent)
            case ProgressSampled(cell, progress):
                display = self._progress.setdefault(cell.id, _Display(cell))
                self._give_record(display)
                if progress.is_final:
                    del self._progress[cell.id]
                self._display(display, progress_view(progress))
            case StreamShown(cell, view):
                display = self._streams.setdefault(view.query_id, _Display(cell))
                if not view.is_active:
                    del self._streams[view.query_id]
                self._display(display, stream_view(view))
            case RecordMade(cell):
                self._records[cell.id] = event
            case RecordDue(cell):
                self._show_record(cell)

    def _give_record(self, display: _Display) -> bool:
        """Let a display of a cell carry its record, if there is one that none carries yet."""
        made = self._records.pop(display.cell.id, None)
        if made is not None:
            display.metadata = {KEY: made.content}
        return made is not None

    def _show_record(self, cell: Cell) -> None:
        """Show the record of a cell that is done, unless what it shows of its jobs carries it."""
        display = self._progress.get(cell.id)
        if display is not None:  # jobs of it still run
            if self._give_record(display):
                self._display(display, display.view)
            return
        made = self._records.get(cell.id)
        display = _Display(cell)
        if made is not None and self._give_record(display):
            self._display(display, record_view(made.record))

    def _refresh(self) -> None:
        status = self._status
        is_due = time.monotonic() - self._status_sent_at >= _REPEAT_STATUS_S
        if status is not None and status.state.is_pending and is_due:
            self._send_status(status)
        for waiting in self._waiting.values():
            if time.monotonic() - waiting.display.shown_at >= _REFRESH_S:
                self._show(waiting, is_over=False)

    def _send_status(self, status: SessionStatus) -> None:
        self._status_sent_at = time.monotonic()
        self._send(SPARK_STATUS, status_content(status), {})
        banner = self._banner(status)
        if banner != self._sent_banner:
            self._send(BANNER_UPDATE, banner_content(banner, status.links), {})
            self._sent_banner = banner

    def _show_waiting(self) -> None:
        for waiting in self._waiting.values():
            self._show(waiting, is_over=False)

    def _show(self, waiting: _WaitingCell, is_over: bool) -> None:
        if self._status is None:
            return
        waited_s = time.monotonic() - waiting.since
        view = waiting_view(self._status, waited_s, is_over)
        self._display(waiting.display, view)

    def _display(self, display: _Display, view: Mapping[str, Any]) -> None:
        message = "update_display_data" if display.is_shown else "display_data"
        display.shown_at, display.view = time.monotonic(), view
        content = {
            "data": view,
            "metadata": display.metadata,
            "transient": {"display_id": display.display_id},
        }
        self._send(message, content, display.cell.parent)
        display.is_shown = True
