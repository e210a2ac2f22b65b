"""The life of the Spark session: started beside the kernel, restarted, stopped, and lost.

A thread of its own, ``spark-start``, brings each session up; the thread of the driver tells of
its end. Everything else is called by whoever needs Spark, from any thread.
"""

from __future__ import annotations

import logging
import os
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from spark_kernel.errors import NoContextError, SparkKernelError, SparkStartError
from spark_kernel.protocol.events import (
    DriverPrinted,
    Event,
    Problem,
    SessionState,
    SessionStatus,
    StageName,
)
from spark_kernel.redaction import redacted
from spark_kernel.spark import pyspark_state
from spark_kernel.spark.backend import Backend
from spark_kernel.spark.calls import CallTracker
from spark_kernel.spark.connect.address import enable_classic, remote_url
from spark_kernel.spark.connect.server import ConnectServer
from spark_kernel.spark.current_driver import CurrentDriver
from spark_kernel.spark.driver_factory import DriverListener
from spark_kernel.spark.failures import RESTART_HINT, explain_exception, explain_unusable
from spark_kernel.spark.java import JavaRuntime
from spark_kernel.spark.libraries import Libraries
from spark_kernel.spark.ownership import disown
from spark_kernel.spark.profiles import EnvironmentChanges
from spark_kernel.spark.recovery import Recovery, describe_end
from spark_kernel.spark.settings import SessionSettings, StartMode
from spark_kernel.spark.startup import StatusBoard, expected_cluster

if TYPE_CHECKING:
    from pyspark import SparkConf, SparkContext

__all__ = ["KernelSession"]

_log = logging.getLogger(__name__)
_WAIT_SLICE_S = 0.5
_STARTER_JOIN_S = 30.0
_STOPPED = "Spark was stopped; `%spark restart` starts it again"


class KernelSession:
    """The session of one kernel.

    Parameters
    ----------
    emit
        Called with every event, from any thread; must not block.
    clock
        Gives the seconds since the kernel process started.
    versions
        Of the kernel and its Python.
    calls
        Stands around every call into the driver.

    Attributes
    ----------
    generation
        Counts the sessions; what belongs to an older one is stale.
    recovery
        Knows what was lost, and whether it comes back by itself.
    """

    def __init__(
        self,
        settings: SessionSettings,
        emit: Callable[[Event], None],
        clock: Callable[[], float],
        versions: Mapping[str, str],
        calls: CallTracker | None = None,
    ) -> None:
        self.settings = settings
        self._environment = EnvironmentChanges()
        self._environment.apply(settings.environment)
        self.generation = 0
        self._board = StatusBoard(expected_cluster(settings), versions, emit, clock)
        self._lock = threading.RLock()
        self._settled = threading.Event()
        self._settled.set()
        self._is_cancelled = threading.Event()
        self._starter: threading.Thread | None = None
        self._listener = DriverListener(
            on_output=lambda text: emit(DriverPrinted(text)), on_exit=self._driver_ended
        )
        self._calls = calls
        self.driver = self._backend(settings)
        self.libraries = Libraries()
        self._tell_upload = partial(self._board.enter, StageName.LIBRARIES_UPLOADING)
        self.recovery = Recovery(settings.is_restarted_on_loss, lambda: self.is_ready)
        self._is_closed = False
        self._has_been_used = False
        self._has_been_ready = False
        self._bound = threading.local()

    def _backend(self, settings: SessionSettings) -> Backend:
        """Give what a session with these settings runs on."""
        if remote_url(settings, os.environ):
            return ConnectServer(settings, self._board, self.lose, self._is_cancelled, self._calls)
        enable_classic()
        return CurrentDriver(settings, self._board, self._listener, self._is_cancelled, self._calls)

    # -- what is known ---------------------------------------------------------------------

    @property
    def status(self) -> SessionStatus:
        """The status as it is now."""
        return self._board.status

    @property
    def is_ready(self) -> bool:
        """Whether Spark can be used at once."""
        return self._board.status.state is SessionState.READY

    @property
    def is_starter(self) -> bool:
        """Whether the calling thread is the one that brings the session up."""
        return threading.current_thread() is self._starter

    @property
    def archive_wanted_for(self) -> JavaRuntime | None:
        """The Java whose archive should be made now that a session has succeeded, if any."""
        return self.driver.archive_wanted_for if self._has_been_ready else None

    # -- start, wait, stop -----------------------------------------------------------------

    def start(self) -> None:
        """Start in the background; harmless where a session is starting or ready."""
        if self.status.state is SessionState.LOST:
            self._begin(SessionState.RESTARTING, f"Starting Spark again. {self.status.message}")
        elif not self.is_ready:
            self._begin(SessionState.STARTING, "Starting Spark")

    def refuse(self, problem: SparkKernelError) -> None:
        """Fail without starting, for a reason that is known beforehand."""
        self._board.begin(SessionState.STARTING, "Starting Spark")
        self._fail(problem)
        self.generation += 1

    def restart(self, settings: SessionSettings | None = None) -> None:
        """End what there is, and start anew in the background, with other settings if given."""
        name = settings.cluster_name if settings else ""
        message = f"Moving to cluster {name}" if name else "Restarting Spark"
        self.recovery.forgive()
        with self._lock:
            self._end(SessionState.RESTARTING, message)
            if settings is not None:
                self.settings = settings
                self._environment.apply(settings.environment)
                self.driver = self._backend(settings)
                self._board.describe(cluster=expected_cluster(settings))
            self._begin(SessionState.RESTARTING, message)

    def stop(self, message: str = _STOPPED, *, is_resting: bool = False) -> None:
        """End the session and its driver; ``restart`` brings Spark back, or the next use does."""
        with self._lock:
            self._end(SessionState.STOPPED, message)
            self.recovery.is_resting = is_resting

    def close(self) -> None:
        """End everything for good, as fast as it goes; may be called twice."""
        self._is_closed = True
        self._is_cancelled.set()
        self.driver.stop()
        self.libraries.close()

    def require(self) -> Any:
        """Give the session, waiting for it as long as it takes.

        Raises
        ------
        SparkStartError
            If the start failed: what the user has to know.
        SparkStoppedError
            If nothing will bring Spark up by itself.
        KeyboardInterrupt
            If the wait is interrupted; the start goes on.
        """
        self.settle()
        if not self.is_ready:
            raise explain_unusable(self.status)
        session = self.driver.current_session()
        self.mark_used()
        self.bind_thread()
        return session

    def is_start_expected(self, is_starting_allowed: bool) -> bool:
        """Whether there is a start to wait for: one under way, or one that is still to come."""
        if not self._settled.is_set():
            return True
        is_unstarted = self.generation == 0 and self.settings.start_mode is not StartMode.OFF
        return is_starting_allowed and (is_unstarted or self.recovery.comes_back(self.status.state))

    def settle(self, is_starting_allowed: bool = True, timeout_s: float | None = None) -> bool:
        """Wait until no start is under way, having begun one where that is still to come.

        Returns
        -------
        False if the time was over before.
        """
        if self.is_starter or not self.is_start_expected(is_starting_allowed):
            return True
        self.start()
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        while True:
            left = _WAIT_SLICE_S if deadline is None else deadline - time.monotonic()
            if self._settled.wait(max(0.0, min(left, _WAIT_SLICE_S))):
                return True
            if deadline is not None and time.monotonic() >= deadline:
                return False

    def bind_thread(self) -> None:
        """Make the session the active one of this thread, as if it had been made here.

        In the JVM the active session belongs to a thread, and settings are read from it.
        """
        if self.is_ready and getattr(self._bound, "generation", None) != self.generation:
            self._bound.generation = self.generation
            self.driver.bind_thread(has_libraries=bool(self.libraries.listed))

    def check(self) -> None:
        """Notice a session that has ended without a word; cheap where that cannot be."""
        ended = self.driver.check() if self.is_ready else ""
        if ended:
            self.lose(ended)

    def mark_used(self) -> None:
        """Note that the notebook got hold of the session."""
        if not self.is_starter:
            self._has_been_used = True

    # -- what the notebook does itself -----------------------------------------------------

    def gateway(self, conf: SparkConf | None) -> Any:
        """Give PySpark a gateway to the driver, starting one where there is none.

        Parameters
        ----------
        conf
            Settings from the notebook, which count when the driver is still to be started.
        """
        given = dict(conf.getAll()) if conf is not None else {}
        if not isinstance(self.driver, CurrentDriver):
            raise NoContextError
        return self.driver.connect(self.driver.ensure(given))

    @contextmanager
    def notebook_start(self, context: SparkContext) -> Iterator[None]:
        """Follow the notebook as it makes a context of its own, in its own thread."""
        if self.is_ready and not self._has_been_used:
            # In plain PySpark a SparkContext(...) in the first cell works; it does here.
            pyspark_state.current_session().stop()
        if self.is_starter or self.is_ready:
            yield  # PySpark itself refuses a second context
            return
        with self._lock:
            self._enter_start(SessionState.STARTING, "The notebook makes a session")
            self._starter = threading.current_thread()
        try:
            yield
            pyspark_state.quieten(context)
            with pyspark_state.passing_session():
                given = self.driver, self.settings.libraries, self._tell_upload
                missing = self.libraries.offer(*given)
            self._announce_ready(context)
            self._has_been_used = True
            if missing:
                self._board.say(f"{self.status.message}. {missing}")
        except BaseException as error:
            self._fail(error)
            raise
        finally:
            self._starter = None
            self._settled.set()

    def context_stopped(self) -> None:
        """Note that the notebook stopped its context; its driver stays for the next one."""
        is_ours = self.is_starter or self._is_cancelled.is_set()
        if self.is_ready and not is_ours:
            self.driver.follow(None)
            self._board.end(
                SessionState.STOPPED,
                "The notebook stopped Spark; make a session, or run `%spark restart`",
                links=self.driver.log_links,
            )

    # -- the start -------------------------------------------------------------------------

    def _begin(self, state: SessionState, message: str) -> None:
        with self._lock:
            if self._is_closed or not self._settled.is_set():
                return
            self._enter_start(state, message)
            self._starter = threading.Thread(target=self._run, name="spark-start", daemon=True)
            disown(self._starter).start()

    def _enter_start(self, state: SessionState, message: str) -> None:
        self._settled.clear()
        self._is_cancelled.clear()
        self._has_been_used = False
        self.recovery.is_returning = self.recovery.is_behind(self.status.state)
        self.recovery.is_resting = False
        self.generation += 1
        self._board.begin(state, message)

    def _run(self) -> None:
        try:
            self._start_session()
        except Exception as error:
            self._fail(error)
        finally:
            self._starter = None
            self._settled.set()
        # What is odd takes a while to find out; the cell that waits need not wait for it.
        remark = self.driver.remark() if self.is_ready else ""
        if remark and self.is_ready:
            self._board.say(f"{self.status.message}. {remark}")

    def _start_session(self) -> None:
        added = self.libraries.at_launch(self.settings.libraries)
        self.driver.use(replace(self.settings, added=added))
        opened = self.driver.open()
        self.libraries.upload(self.driver, self.settings.libraries, self._tell_upload)
        self._announce_ready(opened)

    def _announce_ready(self, opened: Any) -> None:
        attached = self.driver.attached(opened)
        self._board.describe(cluster=attached.cluster, versions=attached.versions)
        self._has_been_ready = True
        gone = "; cached data and temporary views are gone" if self.recovery.is_returning else ""
        version = attached.versions.get("spark", "")
        if self._is_cancelled.is_set():
            raise SparkStartError("The start was cancelled.", RESTART_HINT)
        self._board.ready(
            f"Spark {version} ready on {attached.cluster.name}{gone}",
            attached.application,
            attached.links,
        )

    def _fail(self, error: BaseException) -> None:
        if self._is_cancelled.is_set():
            return  # stopped on purpose: what ended it says how things stand
        error = self.driver.explain(error)
        reason = explain_exception(error, self.driver.log_path)
        _log.warning("Spark did not start: %s", redacted(str(reason)))
        if not isinstance(error, SparkKernelError):
            self.driver.note("".join(traceback.format_exception(error)))
        self.driver.discard()
        hint = self.recovery.note_failure(reason.hint)
        problem = Problem(type(reason).__name__, reason.message, hint)
        self._board.end(SessionState.FAILED, reason.message, problem, self.driver.log_links)

    # -- the end ---------------------------------------------------------------------------

    def _driver_ended(self, exit_status: int) -> None:
        """Note that the driver died; called by its thread."""
        self.lose(describe_end(exit_status, self.driver.log_tail()))

    def lose(self, message: str) -> None:
        """End a session that has ended by itself; nothing where somebody ends it at this moment."""
        with self._lock:
            if self.is_ready and not self._is_closed:
                # First: a cell whose call breaks off now asks what is behind it.
                problem = self.recovery.note_loss(message)
                self._is_cancelled.set()
                self.driver.discard()
                self._board.end(SessionState.LOST, message, problem)

    def _end(self, state: SessionState, message: str) -> None:
        """End a start or a session; the lock is held."""
        self._is_cancelled.set()
        if self.is_ready:
            self.recovery.note_end()
        starter = self._starter
        self.driver.discard()
        if starter is not None and starter is not threading.current_thread():
            starter.join(_STARTER_JOIN_S)
            self.driver.discard()  # what it had not let go of
        if self.status.state is SessionState.STOPPED:
            return
        if state is SessionState.STOPPED or self.status.state.is_pending:
            self._board.end(SessionState.STOPPED, message, links=())
