"""The one driver of a session: started on demand, talked to, and discarded as a whole."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from spark_kernel.errors import DriverStartError
from spark_kernel.protocol.events import Link
from spark_kernel.spark import attach, pyspark_state
from spark_kernel.spark.archive import ArchiveStore
from spark_kernel.spark.calls import CallTracker
from spark_kernel.spark.cell_jobs import load_cell_jobs, ui_link
from spark_kernel.spark.driver import Driver
from spark_kernel.spark.driver_factory import DriverListener, StartedDriver, start_driver
from spark_kernel.spark.gateway import connect
from spark_kernel.spark.java import JavaRuntime
from spark_kernel.spark.settings import SessionSettings
from spark_kernel.spark.startup import StatusBoard

__all__ = ["CurrentDriver"]

_log = logging.getLogger(__name__)


class CurrentDriver:
    """Holds the driver of a kernel; there is at most one.

    Parameters
    ----------
    is_cancelled
        Set when the start that is under way is no longer wanted.
    calls
        Stands around every call into the driver.

    Attributes
    ----------
    started
        The driver that can be talked to, or None.
    """

    def __init__(
        self,
        settings: SessionSettings,
        board: StatusBoard,
        listener: DriverListener,
        is_cancelled: threading.Event,
        calls: CallTracker | None = None,
    ) -> None:
        self.archives = ArchiveStore(settings.cache_folder, settings.has_fast_start)
        self.started: StartedDriver | None = None
        self._settings = settings
        self._board = board
        self._listener = listener
        self._is_cancelled = is_cancelled
        self._calls = calls
        self._process: Driver | None = None
        self._launching = threading.Lock()

    @property
    def is_running(self) -> bool:
        """Whether it runs, with or without a session."""
        return self.started is not None and self.started.driver.is_alive

    @property
    def pid(self) -> int | None:
        """Its process, or None where none runs."""
        process = self._process
        return process.process.pid if process and process.is_alive else None

    @property
    def launch_settings(self) -> Mapping[str, str]:
        """The settings that it was started with; empty where none runs."""
        started = self.started
        return started.plan.effective if started and started.driver.is_alive else {}

    @property
    def archive_wanted_for(self) -> JavaRuntime | None:
        """The Java for which an archive should be made, if any."""
        started = self.started
        if started is None or not started.driver.is_direct:
            return None
        archive = self.archives.archive_for(started.java, started.spark)
        return started.java if self.archives.is_wanted(archive) else None

    @property
    def log_path(self) -> str:
        """Where its log is, or empty."""
        return str(self._process.log.path) if self._process else ""

    @property
    def log_links(self) -> tuple[Link, ...]:
        """The link to its log, where there is one."""
        if self._process is None:
            return ()
        return (Link("driver-log", "Driver log", self._process.log.path.as_uri()),)

    def links(self, context: Any) -> tuple[Link, ...]:
        """Give the links of a context, as a browser has to follow them."""
        place = ui_link(context, self._settings.link_templates)
        return (*([place] if place else []), *self.log_links)

    def log_tail(self, lines: int = 200) -> list[str]:
        """Give the last lines of its log."""
        return self._process.log.tail(lines) if self._process else []

    def note(self, text: str) -> None:
        """Write into its log."""
        if self._process is not None:
            self._process.log.note(text)

    def drain_output(self) -> None:
        """Hand on what user code has printed in it."""
        if self._process is not None:
            self._process.drain_output()

    def use(self, settings: SessionSettings) -> None:
        """Take other settings; they count for the next process."""
        self._settings = settings
        self.archives = ArchiveStore(settings.cache_folder, settings.has_fast_start)

    def ensure(self, given: Mapping[str, str]) -> StartedDriver:
        """Start it unless it runs; ``given`` are settings on top of the configured ones."""
        started = self.started
        if started is not None and started.driver.is_alive:
            return started
        settings = replace(self._settings, conf={**self._settings.conf, **given})
        self.started = start_driver(
            settings,
            self.archives,
            self._board,
            self._listener,
            self._is_cancelled,
            self._launch,
        )
        return self.started

    def _launch(self, make: Callable[[], Driver]) -> Driver:
        """Start the process, unless it is no longer wanted; ``stop`` finds it, or prevents it."""
        with self._launching:
            if self._is_cancelled.is_set():
                raise DriverStartError("The start was cancelled.", "run `%spark restart`")
            self._process = make()
            return self._process

    def connect(self, started: StartedDriver) -> Any:
        """Make PySpark's gateway to it."""
        gateway = connect(started.connection, self._calls)
        gateway.proc = started.driver.process
        attach.remove_at_exit(gateway, started.driver.run_folder)
        return gateway

    def follow(self, context: Any) -> None:
        """Watch the jobs of this context from now on; None where there is none any more."""
        if self._calls is None:
            return
        self._calls.cell_jobs = None
        if context is not None:
            try:
                place = ui_link(context, self._settings.link_templates)
                self._calls.cell_jobs = load_cell_jobs(context, place.url if place else "")
            except Exception as error:  # the session is as good without
                _log.warning("jobs will be neither shown nor cancelled: %s", error)

    def stop(self) -> None:
        """End it; what it was stays known."""
        with self._launching:
            process = self._process
        if process is not None:
            process.stop(self._settings.stop_timeout_s)

    def discard(self) -> None:
        """End it and make PySpark forget it, so that another can be started."""
        self.follow(None)
        self.stop()
        self.started = None
        pyspark_state.forget()
