"""The one driver of a session: started on demand, talked to, and discarded as a whole."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from typing import Any

from spark_kernel.errors import DriverStartError
from spark_kernel.protocol.events import Application, Cluster, Link, StageName
from spark_kernel.spark import attach, pyspark_state
from spark_kernel.spark.application_watch import describe_ended_application
from spark_kernel.spark.archive import ArchiveStore
from spark_kernel.spark.backend import Attached
from spark_kernel.spark.calls import CallTracker
from spark_kernel.spark.cell_jobs import load_cell_jobs, ui_link, ui_url
from spark_kernel.spark.cluster_links import cluster_links, executor_log_url, history_link
from spark_kernel.spark.driver import Driver
from spark_kernel.spark.driver_factory import (
    DriverListener,
    StartedDriver,
    explain_lost,
    start_driver,
)
from spark_kernel.spark.failures import explain_application
from spark_kernel.spark.gateway import connect
from spark_kernel.spark.handed_out import all_or_nothing
from spark_kernel.spark.java import JavaRuntime
from spark_kernel.spark.settings import SessionSettings
from spark_kernel.spark.startup import StatusBoard
from spark_kernel.spark.yarn import YarnApplication, is_yarn

__all__ = ["CurrentDriver"]

_log = logging.getLogger(__name__)
_EXPLAINED_LINES = 1_000
"""With the stack traces of some attempts to reach a master."""


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

    is_remote = False

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
        self._yarn: YarnApplication | None = None
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
    def origins(self) -> Mapping[str, str]:
        """Where the settings come from that it was started with."""
        return self.started.plan.origins if self.started else {}

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
        identifier = str(context.applicationId)
        url = ui_url(context)
        found = [Link("spark-ui", "Spark UI", url)] if url else []
        if self._yarn is not None:
            found += self._yarn.links(identifier)
            history = history_link(dict(context.getConf().getAll()), identifier)
            found += [history] if history else []
        found += self.log_links
        return cluster_links(found, self._settings.link_templates, identifier)

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

    def open(self) -> Any:
        """Start it, attach to the cluster in this thread, and wait for an executor.

        Returns
        -------
        PySpark's context.
        """
        attach.check_reachable(self._board.status.cluster.master)
        started = self.ensure({})
        try:
            return self._attach(started)
        except Exception:
            is_stopped = self._is_cancelled.is_set()  # its end says nothing about the archive
            if started.archive is None or started.driver.is_alive or is_stopped:
                raise
            # A driver that dies with an archive gets a second chance without.
            self.archives.discard(started.archive)
            self.discard()
            return self._attach(self.ensure({}))

    def _attach(self, started: StartedDriver) -> Any:
        where = self._board.status.cluster.place
        self._board.enter(StageName.CLUSTER_ATTACHING, f"Attaching to cluster {where}")
        gateway = self.connect(started)
        with self._yarn.submitted() if self._yarn else nullcontext():
            context = attach.create_session(gateway).sparkContext
        pyspark_state.quieten(context)
        if self._settings.log_level:
            context.setLogLevel(self._settings.log_level.upper())
        attach.wait_for_executors(context, where, self._board.say, self._is_cancelled)
        return context

    def attached(self, opened: Any) -> Attached:
        """Say what a context is attached to, and watch its jobs from now on."""
        self.follow(opened)
        if self._yarn is not None:
            self._yarn.attached()
        master = str(opened.master)
        return Attached(
            Cluster(self._settings.cluster_name or master, master),
            Application(opened.applicationId or "", str(opened.appName)),
            {"spark": str(opened.version)},
            self.links(opened),
        )

    def remark(self) -> str:
        """Say that the executors run another Java than the driver, where they do."""
        started = self.started
        if started is None or started.plan.is_local:
            return ""
        return attach.java_remark(pyspark_state.current_session(), started.java)

    def explain(self, error: BaseException) -> BaseException:
        """Give what is behind the failure of a start: its end, or that of the application."""
        if self.started is not None and not self.started.driver.is_alive:
            return explain_lost(self.started.driver)
        return explain_application(error, self.log_tail(_EXPLAINED_LINES)) or error

    def existing(self) -> dict[str, Any]:
        """Give PySpark's session and context, as far as there are any."""
        return {"spark": pyspark_state.existing_session(), "sc": pyspark_state.active_context()}

    def current_session(self) -> Any:
        """Give PySpark's session, made on the spot where the notebook made only a context."""
        return pyspark_state.current_session()

    def build(self, session: Any, how: str, options: Mapping[str, str]) -> Any:
        """Give the session: builders for a driver of our own are PySpark's."""
        return session

    def context_of(self, session: Any) -> Any:
        """Give the context of a session."""
        return session.sparkContext

    def bind_thread(self, *, has_libraries: bool) -> None:
        """Make the session the active one of the calling thread, in the JVM too."""
        pyspark_state.set_active_session(has_libraries=has_libraries)

    def settings_at_start(self) -> dict[str, str]:
        """Give the settings of the context."""
        return dict(pyspark_state.current_session().sparkContext.getConf().getAll())

    def handed_out(self) -> str:
        """Say which libraries the context hands out to executors, if any."""
        return attach.library_message(pyspark_state.current_session().sparkContext)

    def hand_over(self, libraries: Sequence[tuple[str, str]]) -> None:
        """Give the context libraries, all or none."""
        session = pyspark_state.current_session()
        with all_or_nothing(session.sparkContext):
            for kind, place in libraries:
                attach.hand_over(session, kind, place)

    def has_ended(self, error: BaseException) -> str:
        """Say so if the cluster has ended the application; asks the driver."""
        # The text of an error of Java's is asked of the driver.
        if "SparkContext" in str(error) and pyspark_state.is_context_stopped():
            return describe_ended_application(self.log_tail())
        return ""

    def check(self) -> str:
        """Say nothing: the end of the process is noticed at once."""
        return ""

    def connect(self, started: StartedDriver) -> Any:
        """Make PySpark's gateway to it, for the kernel's context or one of the notebook's."""
        gateway = connect(started.connection, self._calls)
        gateway.proc = started.driver.process
        attach.remove_at_exit(gateway, started.driver.run_folder)
        if is_yarn(started.plan.master):
            where = self._board.status.cluster.place
            self._yarn = YarnApplication(gateway, where, self._board.say)
        return gateway

    def follow(self, opened: Any) -> None:
        """Watch the jobs of a context from now on; None where there is none any more."""
        if self._calls is None:
            return
        self._calls.cell_jobs = None
        if opened is not None:
            try:
                templates = self._settings.link_templates
                place = ui_link(opened, templates)
                log_url = partial(
                    executor_log_url,
                    templates=templates,
                    application_id=str(opened.applicationId),
                )
                self._calls.cell_jobs = load_cell_jobs(opened, place.url if place else "", log_url)
            except Exception as error:  # the session is as good without
                _log.warning("jobs will be neither shown nor cancelled: %s", error)

    def stop(self) -> None:
        """End it; what it was stays known."""
        yarn, self._yarn = self._yarn, None
        if yarn is not None:
            yarn.give_back()
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
