"""The kernel: ipykernel's own, with a Spark session beside it.

User code runs on the main thread (and on subshells'), ``do_shutdown`` on the control thread.
"""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ipykernel.ipkernel import IPythonKernel
from traitlets import Type

from spark_kernel import __version__
from spark_kernel.display.session import banner_text, session_card
from spark_kernel.errors import ConfigurationError, SparkKernelError
from spark_kernel.kernel.cancel_request import CancelDesk
from spark_kernel.kernel.config import SparkKernelSettings
from spark_kernel.kernel.driver_log_request import LogDesk
from spark_kernel.kernel.error_display import ErrorDisplay
from spark_kernel.kernel.error_surroundings import ErrorSurroundings
from spark_kernel.kernel.interrupt_errors import clean_wait
from spark_kernel.kernel.interrupts import Interrupts
from spark_kernel.kernel.magic_controls import MagicControls
from spark_kernel.kernel.meters import Meters, process_clock
from spark_kernel.kernel.names import SparkNames
from spark_kernel.kernel.provenance import Recorder
from spark_kernel.kernel.publisher import Publisher
from spark_kernel.kernel.quiet_requests import QuietRequests
from spark_kernel.kernel.resource_info import ResourceDesk
from spark_kernel.kernel.session_details import SessionDetails
from spark_kernel.kernel.shell import SparkShell
from spark_kernel.kernel.sql import install_sql
from spark_kernel.kernel.stale_request import StaleDesk
from spark_kernel.magics.charts import draw
from spark_kernel.magics.frames import FrameDisplay
from spark_kernel.magics.spark import SparkMagics
from spark_kernel.protocol.events import (
    Cell,
    CellResumed,
    CellWaiting,
    Event,
    SessionChanged,
    SessionState,
    SessionStatus,
)
from spark_kernel.protocol.messages import (
    SPARK_CANCEL,
    SPARK_LOG,
    SPARK_STALE,
    SUPPORTED_FEATURES,
)
from spark_kernel.protocol.resources import RESOURCE_INFO
from spark_kernel.spark import hooks
from spark_kernel.spark.application_watch import ApplicationWatch
from spark_kernel.spark.calls import CallTracker
from spark_kernel.spark.connect.hooks import follow_operations
from spark_kernel.spark.idleness import IdleWatch
from spark_kernel.spark.ownership import follow_threads
from spark_kernel.spark.resources import ResourceMonitor
from spark_kernel.spark.sampling import Sampler
from spark_kernel.spark.session import KernelSession
from spark_kernel.spark.settings import StartMode
from spark_kernel.spark.settings_in_force import present_settings
from spark_kernel.spark.stream_preview import StreamPreviews
from spark_kernel.spark.streaming import follow_queries, translate_errors

__all__ = ["SparkKernel"]

_QUIET_WAIT_S = 0.15
_FLUSH_TIMEOUT_S = 2.0
_DESCRIPTION_LENGTH = 100
_MINUTE_S = 60.0
_PYSPARK_REFERENCE = "https://spark.apache.org/docs/latest/api/python/"
_DOCUMENTATION = "https://github.com/spark-kernel/spark-kernel/tree/main/docs"


class SparkKernel(SparkKernelSettings, QuietRequests, IPythonKernel):
    """PySpark (cluster)."""

    implementation = "spark-kernel"
    implementation_version = __version__
    shell_class = Type(SparkShell)
    configuration_problem: ConfigurationError | None = None
    cluster_folders: Sequence[str] = ()
    """Where files of clusters may be, the most specific first."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        assert isinstance(self.shell, SparkShell)
        self.publisher = Publisher(self._send, self._banner_of, self._latest_cell)
        self.calls = CallTracker(
            lambda owner: self.sampler.watch(owner),
            lambda owner: self.interrupts.interruption(owner),
        )
        self.interrupts = Interrupts(self.shell, self.calls)
        self.sampler = Sampler(
            lambda: self.calls.cell_jobs,
            self.publisher.emit,
            self.progress,
            self.progress_interval_s,
            self.shell.name_place,
        )
        self.stream_previews = StreamPreviews(self.publisher.emit)
        self.cancel_desk = CancelDesk(self.interrupts, self.sampler)
        self.resource_monitor = ResourceMonitor(
            lambda: self.calls.cell_jobs, lambda: present_settings(self.spark_session)
        )
        self.spark_session = KernelSession(
            self.session_settings(), self._take_note, process_clock(), _versions(), self.calls
        )
        self.application_watch = ApplicationWatch(lambda: self.calls.cell_jobs, self.spark_session)
        self.resource_desk = self._resource_desk()
        self.log_desk = LogDesk(self.spark_session)
        self.idle_watch = IdleWatch(
            self.idle_timeout_min * _MINUTE_S, self._is_in_use, self._give_back
        )
        self.recorder = Recorder(self, self.calls, self.publisher.emit, self.provenance)
        self.stale_desk = StaleDesk(MagicControls(self).library_version)
        self.answer(SPARK_CANCEL, self.cancel_desk.reply)
        self.answer(SPARK_LOG, self.log_desk.reply, is_on_shell=True)
        self.answer(SPARK_STALE, self.stale_desk.reply)
        self.answer(RESOURCE_INFO, self.resource_desk.reply, is_quick=True, is_on_shell=True)
        hooks.install(self.spark_session, self.wait_for_spark, self.recorder.session_ends)
        follow_threads()
        follow_queries(self.calls)
        follow_operations(self.calls)
        translate_errors(self.interrupts.error)
        self.shell.use_names(SparkNames(self.spark_session, self.require_spark))
        self.shell.interrupts = self.interrupts
        self.shell.end_behind = self._end_behind
        around = ErrorSurroundings(
            self.spark_session, self.resource_monitor, self.calls, self.log_desk.end
        )
        self.error_display = ErrorDisplay(self.shell, around.around, around.moment)
        self.shell.error_display = self.error_display
        self.shell.register_magics(SparkMagics(self.shell, MagicControls(self)))
        self._show_sessions()
        self.frames = FrameDisplay(self, draw)
        self.frames.install(self.shell, self._show_stream, self._end_behind)
        install_sql(self.shell, self)
        self.help_links = [
            {"text": "PySpark (cluster)", "url": _DOCUMENTATION},
            {"text": "PySpark Reference", "url": _PYSPARK_REFERENCE},
            *self.help_links,
        ]

    def _resource_desk(self) -> ResourceDesk:
        """Make what tells clients of the cluster."""
        session, monitor = self.spark_session, self.resource_monitor
        details = SessionDetails(session, monitor, lambda: MagicControls(self).cluster_names)
        meters = Meters(lambda: session.driver.pid)
        return ResourceDesk(lambda: session.status, monitor, meters, details)

    def _show_sessions(self) -> None:
        """Show the session that is the last value of a cell as a card."""
        assert self.shell is not None
        assert self.shell.display_formatter is not None
        html_formatter = self.shell.display_formatter.formatters["text/html"]
        for module in ("pyspark.sql.session", "pyspark.sql.connect.session"):
            html_formatter.for_type_by_name(module, "SparkSession", self._session_html)

    # -- what clients see ------------------------------------------------------------------

    @property
    def banner(self) -> str:  # type: ignore[override]  # as in ipykernel: dynamic
        """The banner, as things stand now."""
        return self._banner_of(self.spark_session.status)

    @property
    def kernel_info(self) -> dict[str, Any]:
        """The content of ``kernel_info_reply``."""
        info: dict[str, Any] = super().kernel_info
        info["supported_features"] = [*info["supported_features"], *SUPPORTED_FEATURES]
        return info

    def _banner_of(self, status: SessionStatus) -> str:
        return banner_text(status, __version__)

    def _take_note(self, event: Event) -> None:
        """Hand on what has happened to the session."""
        self.publisher.emit(event)
        if isinstance(event, SessionChanged) and event.status.state is SessionState.READY:
            self.resource_monitor.refresh()
            self.application_watch.follow()
            self.recorder.session_began()

    def _session_html(self, session: Any) -> str | None:
        if session is self.spark_session.driver.existing()["spark"]:
            return session_card(self.spark_session.status)["text/html"]
        return None

    def _show_stream(self, frame: Any) -> None:
        """Show a streaming DataFrame; any other is left to IPython."""
        cell = self._latest_cell()
        if cell is None or not frame.isStreaming:
            raise NotImplementedError
        self.stream_previews.show(frame, cell)

    def _send(
        self, message_type: str, content: Mapping[str, Any], parent: Mapping[str, Any]
    ) -> None:
        if self.session is not None:
            self.session.send(
                self.iopub_socket,
                message_type,
                dict(content),
                parent=dict(parent),
                ident=self._topic(message_type),
            )

    # -- life ------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the kernel, and Spark beside it."""
        super().start()
        self.publisher.start()
        self.sampler.start()
        self.resource_monitor.start()
        self.interrupts.start()
        self.idle_watch.start()
        if self.configuration_problem is not None:
            self.spark_session.refuse(self.configuration_problem)
        elif self.spark_session.settings.start_mode is StartMode.EAGER:
            self.spark_session.start()

    async def do_shutdown(self, restart: bool) -> dict[str, Any]:
        """End Spark with everything that belongs to it, then the kernel."""
        if self.control_stream:
            # A request that came from now on would end as a complaint of asyncio's in a cell.
            self.control_stream.stop_on_recv()
        self.idle_watch.stop()
        self.spark_session.close()
        self.interrupts.stop()
        self.sampler.stop()
        self.resource_monitor.stop()
        self.publisher.stop()
        if not restart:
            self._make_archive()
        reply: dict[str, Any] = super().do_shutdown(restart)
        return reply

    def _end_behind(self, error: BaseException, since: float) -> BaseException | None:
        """Give the end of the session that is behind an error of PySpark's, if any."""
        session = self.spark_session
        found = session.recovery.end_behind(error, since)
        ended = session.driver.has_ended(error) if found is None and session.is_ready else ""
        if ended:
            session.lose(ended)
            found = session.recovery.end_behind(error, since)
        return found

    def _is_in_use(self) -> bool:
        """Whether a cell, a job or a streaming query runs; asked only where there is a timeout."""
        if self.interrupts.cells() or not self.spark_session.is_ready:
            return True
        jobs, queries, _ = self.cancel_desk.running_jobs()
        return bool(jobs or queries)

    def _give_back(self) -> None:
        self.spark_session.stop(
            f"Spark was stopped after {self.idle_timeout_min:g} minutes without use; "
            "the next cell that needs it starts it again",
            is_resting=True,
        )

    def _make_archive(self) -> None:
        java = self.spark_session.archive_wanted_for
        if java is not None:
            from spark_kernel.spark.training import train_in_background

            train_in_background(self.spark_session.settings, java.home)

    # -- cells -----------------------------------------------------------------------------

    async def do_execute(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Run a cell; what it printed in the driver is sent before it is done."""
        cell = Cell(self.get_parent("shell"))
        code = str(args[0] if args else kwargs["code"])
        with self.interrupts.running(cell, self._description(code)) as run:
            recording = self.recorder.begin(run, code)
            try:
                reply: dict[str, Any] = await super().do_execute(*args, **kwargs)
                self.spark_session.driver.drain_output()
                recording.reply = self.error_display.amend(reply)
                return recording.reply
            finally:
                self.idle_watch.touch()
                self.recorder.end(recording)
                self.sampler.finish(cell)
                self.recorder.show(recording)
                if self.publisher.is_busy:
                    self.publisher.flush(_FLUSH_TIMEOUT_S)

    def finish_metadata(
        self, parent: Mapping[str, Any], metadata: dict[str, Any], reply_content: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Add the record of a cell to its reply; called by ipykernel, for aborted cells too."""
        found = super().finish_metadata(parent, metadata, reply_content)
        return {**found, **self.recorder.metadata(parent, reply_content)}

    def _description(self, code: str) -> str:
        """Say in Spark's UI which cell it is."""
        lines = [line.strip() for line in code.splitlines() if line.strip()]
        first = lines[0][:_DESCRIPTION_LENGTH] if lines else ""
        return f"In [{self.execution_count}]: {first}"

    def pre_handler_hook(self) -> None:
        """Take interrupts; called by ipykernel before it handles a message."""
        self.saved_sigint_handler = signal.signal(signal.SIGINT, self.interrupts.handle)

    @contextlib.contextmanager
    def _cancel_on_sigint(self, future: Any) -> Iterator[None]:
        """Leave our handler in place, which knows of cells that await something."""
        yield

    async def do_inspect(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Inspect a name; a client gets an answer also where the name stands for no session yet."""
        try:
            return dict(super().do_inspect(*args, **kwargs))
        except (AttributeError, SparkKernelError):
            return {"status": "ok", "found": False, "data": {}, "metadata": {}}

    def _latest_cell(self) -> Cell | None:
        cells = self.interrupts.cells()
        return cells[-1] if cells else None

    def require_spark(self) -> Any:
        """Give the session to the code of a cell, which shows the stages while it waits."""
        self.wait_for_spark(is_starting_allowed=True)
        return self.spark_session.require()

    def wait_for_spark(self, *, is_starting_allowed: bool) -> None:
        """Wait until no start is under way.

        Raises
        ------
        KeyboardInterrupt
            If the cell is interrupted; the start goes on.
        """
        session = self.spark_session
        if session.is_starter or not session.is_start_expected(is_starting_allowed):
            return
        cell = self.interrupts.cell_of_thread()
        if cell is None and threading.current_thread() is threading.main_thread():
            # Completion or inspection between two cells: it must not block.
            raise AttributeError("Spark is not ready")
        with clean_wait():
            if session.settle(is_starting_allowed, timeout_s=_QUIET_WAIT_S):
                return
            with self._shown_wait(cell):
                session.settle(is_starting_allowed)

    @contextlib.contextmanager
    def _shown_wait(self, cell: Cell | None) -> Iterator[None]:
        """Show a cell the stages while it waits; a thread of the notebook's own waits unseen."""
        if cell is None:
            yield
            return
        self.publisher.emit(CellWaiting(cell))
        try:
            yield
        finally:
            self.publisher.emit(CellResumed(cell))
            # What the cell shows next comes after the last word of the wait.
            self.publisher.flush(_FLUSH_TIMEOUT_S)


def _versions() -> dict[str, str]:
    return {"python": sys.version.split()[0], "kernel": __version__}
