"""Makes the record of every cell; called by the kernel around each, on the thread that runs it.

Whatever fails here, the cell has its reply: the record says less then, or there is none.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from functools import cache
from typing import TYPE_CHECKING, Any

import psutil

from spark_kernel.kernel.python_files import PythonFiles
from spark_kernel.kernel.used_libraries import UsedLibraries
from spark_kernel.protocol.events import Cell, Event, RecordDue, RecordMade, SessionStatus
from spark_kernel.protocol.provenance import (
    KEY,
    SESSION,
    CellRecord,
    Dataset,
    Fingerprint,
    KernelRecord,
    LibraryRecord,
    RunStatus,
    SparkRecord,
    record_content,
)
from spark_kernel.spark.calls import CallTracker
from spark_kernel.spark.followed_data import FollowedData
from spark_kernel.spark.ownership import CellRun, disown
from spark_kernel.spark.provenance import (
    NOTHING_USED,
    CellUse,
    Settings,
    SettingsBook,
    added_libraries,
    spark_record,
    use_of,
)

if TYPE_CHECKING:
    from spark_kernel.kernel.kernel import SparkKernel
    from spark_kernel.spark.backend import Jobs

__all__ = ["Recorder", "Recording"]

_log = logging.getLogger(__name__)
_RECENT = 500
_UNSENT = 100
_END_WAIT_S = 1.5
_FAILURES = (Exception, KeyboardInterrupt, asyncio.CancelledError)
"""What a call into Spark may end with when the cell is interrupted at its very end."""

_Datasets = tuple[Dataset, ...] | None


@dataclass(eq=False)
class Recording:
    """A cell that runs, and what will be known of it.

    Attributes
    ----------
    reply
        The reply to its request; None while there is none.
    was_full
        Whether provenance mode was on as it began: what it reads was followed from then on.
    jobs
        Those of the session that it has used last, as far as that is known.
    use, data
        What it has used, read and written of sessions that ended in it.
    record
        The record, once it is made.
    """

    run: CellRun
    code: str
    was_full: bool
    jobs: Jobs | None
    started: datetime = field(default_factory=lambda: datetime.now(timezone.utc))
    clock: float = field(default_factory=time.perf_counter)
    reply: Mapping[str, Any] | None = None
    use: CellUse | None = None
    data: tuple[_Datasets, _Datasets] = ((), ())
    record: CellRecord | None = None

    @property
    def is_silent(self) -> bool:
        """Whether nothing of it belongs into a notebook."""
        content = self.run.cell.parent.get("content", {})
        silent = bool(content.get("silent", False))
        return silent or not content.get("store_history", True)

    @property
    def status(self) -> RunStatus:
        """How it has ended; without a reply, something in the kernel has failed."""
        if self.reply is None:
            return RunStatus.ERROR
        if self.reply.get("status") == "ok":
            return RunStatus.OK
        is_interrupt = self.reply.get("ename") in ("KeyboardInterrupt", "CancelledError")
        is_ours = is_interrupt and self.run.is_interrupted
        return RunStatus.INTERRUPTED if is_ours else RunStatus.ERROR


class Recorder:
    """Records the cells of a kernel.

    Parameters
    ----------
    kernel
        Whose cells it records.
    calls
        Knows the jobs of the present session.
    emit
        Takes what is to be shown.
    is_full
        Whether provenance mode is on.
    """

    def __init__(
        self,
        kernel: SparkKernel,
        calls: CallTracker,
        emit: Callable[[Event], None],
        is_full: bool = False,
    ) -> None:
        shell: Any = kernel.shell
        self._kernel = kernel
        self._calls = calls
        self._emit = emit
        self._settings = SettingsBook(kernel.spark_session)
        self._libraries = UsedLibraries(shell)
        self._files = PythonFiles(lambda: shell.user_global_ns)
        self._flows = FollowedData(kernel.spark_session, calls)
        self._running: set[Recording] = set()
        self._recent: dict[str, tuple[str, CellRecord]] = {}
        self._unsent: dict[str, dict[str, Any]] = {}
        self._has_failed = False
        self._attempt: str | None = None
        self._spark: tuple[SessionStatus, str | None, SparkRecord] | None = None
        self.is_full = is_full

    @property
    def is_full(self) -> bool:
        """Whether provenance mode is on."""
        return self._is_full

    @is_full.setter
    def is_full(self, is_full: bool) -> None:
        self._is_full = is_full
        self._files.is_on = is_full
        if is_full:
            self._libraries.prepare()
            self._flows.follow()
        else:
            self._flows.stop()

    def session_began(self) -> None:
        """Follow the data of a session from its beginning on, in provenance mode."""
        if self._is_full:
            self._flows.follow()

    def session_ends(self) -> None:
        """Ask a session that is about to end what the running cells have used of it.

        Not for long: a driver that hangs is to end all the same, and nobody knows what it did.
        """
        told: list[tuple[Recording, CellUse, tuple[_Datasets, _Datasets]]] = []
        asking = threading.Thread(
            target=self._ask, args=(tuple(self._running), told), name="spark-record", daemon=True
        )
        disown(asking).start()
        asking.join(_END_WAIT_S)
        for recording, use, data in tuple(told):
            recording.use, recording.data, recording.jobs = use, data, None

    def _ask(
        self,
        running: Sequence[Recording],
        told: list[tuple[Recording, CellUse, tuple[_Datasets, _Datasets]]],
    ) -> None:
        try:
            for recording in running:
                use, _ = self._use(recording)
                data = self._spark_data(recording) if self._is_full else recording.data
                told.append((recording, use, data))
        except Exception:
            self._note_failure()

    def fingerprint(self, dataset: Dataset) -> Fingerprint | None:
        """Ask Spark for the state of some data as it is now; None where it cannot tell."""
        return self._flows.fingerprint(dataset)

    def recent(self) -> list[tuple[str, CellRecord]]:
        """Give the latest record of each cell with its source, the oldest first."""
        return list(self._recent.values())

    # -- around a cell ---------------------------------------------------------------------

    def begin(self, run: CellRun, code: str) -> Recording:
        """Note that a cell begins."""
        recording = Recording(run, code, self._is_full, self._calls.cell_jobs)
        self._running.add(recording)
        return recording

    def end(self, recording: Recording) -> None:
        """Make the record of a cell that is done."""
        duration_s = time.perf_counter() - recording.clock
        self._running.discard(recording)
        try:
            self._end(recording, duration_s)
        except _FAILURES:
            self._note_failure()

    def show(self, recording: Recording) -> None:
        """Let a record be shown that the notebook keeps, below all else that the cell shows."""
        record = recording.record
        if record is not None and record.is_full and not recording.is_silent:
            for stream in (sys.stdout, sys.stderr):
                with suppress(Exception):  # the notebook may have put anything there
                    stream.flush()  # what the cell has printed waits there
            self._emit(RecordDue(recording.run.cell))

    def metadata(self, parent: Mapping[str, Any], reply: Mapping[str, Any]) -> dict[str, Any]:
        """Give what the reply to a request says of the cell; nothing for other requests."""
        try:
            header = parent.get("header", {})
            content = self._unsent.pop(str(header.get("msg_id", "")), None)
            is_aborted = reply.get("status") == "aborted"
            if content is None and is_aborted and header.get("msg_type") == "execute_request":
                content = record_content(self._aborted(parent))
            return {} if content is None else {KEY: content}
        except Exception:
            self._note_failure()
            return {}

    def _note_failure(self) -> None:
        level = logging.DEBUG if self._has_failed else logging.WARNING
        self._has_failed = True
        _log.log(level, "a cell could not be recorded", exc_info=True)

    # -- the record ------------------------------------------------------------------------

    def _end(self, recording: Recording, duration_s: float) -> None:
        run, is_full = recording.run, self._is_full
        use, settings = self._use(recording)
        inputs, outputs = self._data(recording) if is_full else (None, None)
        if not is_full:
            self._flows.stop()  # which a question about some data may have begun to follow
        record = self._record(
            run.cell,
            recording.code,
            recording.status,
            (recording.reply or {}).get("execution_count"),
            started=recording.started,
            finished=recording.started + timedelta(seconds=duration_s),
            duration_s=duration_s,
            jobs=use.jobs,
            omitted_jobs=use.omitted_jobs,
            totals=use.totals,
            inputs=inputs,
            outputs=outputs,
            libraries=self._used_libraries(),
            config_sha256=settings.sha256 if settings else None,
            error_name=_error_name(recording.reply),
        )
        recording.record = record
        content = record_content(record)
        told = content
        if is_full and settings is not None:
            told = {**content, SESSION: {"settings": dict(settings.shown)}}
        if len(self._unsent) >= _UNSENT:  # of requests whose replies were never sent
            self._unsent.clear()
        self._unsent[run.cell.id] = told
        if recording.is_silent:
            return
        self._keep(recording.code, record)
        if is_full and recording.code.strip():
            self._emit(RecordMade(run.cell, record, content))

    def _keep(self, source: str, record: CellRecord) -> None:
        self._recent.pop(record.cell_id, None)
        self._recent[record.cell_id] = source, record
        if len(self._recent) > _RECENT:
            del self._recent[next(iter(self._recent))]

    def _use(self, recording: Recording) -> tuple[CellUse, Settings | None]:
        """Ask Spark what a cell has used; a driver that is gone tells nothing."""
        tags, jobs = recording.run.used_tags, self._calls.cell_jobs
        known = self._settings.known()
        if not tags:
            return recording.use or NOTHING_USED, known
        if jobs is None:
            return recording.use or CellUse(), known
        try:
            use = use_of(jobs, tags)
            self._attempt = use.attempt
            known = self._settings.current(jobs, use.settings_stamp, self._is_full)
        except _FAILURES as error:
            _log.info("the jobs of a cell are not known: %s", str(error).split("\n", 1)[0])
            return recording.use or CellUse(), known
        return recording.use + use if recording.use else use, known

    def _data(self, recording: Recording) -> tuple[_Datasets, _Datasets]:
        """Give what a cell has read and written; None where that was not followed."""
        opened = self._files.taken(recording.run)
        if not recording.was_full:
            return None, None
        read, written = self._spark_data(recording)
        return _joined(read, opened[0]), _joined(written, opened[1])

    def _spark_data(self, recording: Recording) -> tuple[_Datasets, _Datasets]:
        tags, before = recording.run.used_tags, recording.data
        if not tags:
            return before
        jobs = self._calls.cell_jobs
        if recording.jobs is not None and jobs is not recording.jobs:
            return None, None  # its driver died: what it knew is lost
        if jobs is None and recording.use is not None:
            return before
        try:
            read, written = self._flows.taken(tags)
        except _FAILURES as error:
            _log.info("the data of a cell is not known: %s", type(error).__name__)
            return None, None
        return _joined(before[0], read), _joined(before[1], written)

    def _used_libraries(self) -> tuple[LibraryRecord, ...]:
        used = self._libraries.found() if self._is_full else self._libraries.least()
        return (*used, *added_libraries(self._kernel.spark_session))

    def _spark_record(self, status: SessionStatus) -> SparkRecord:
        known = self._spark
        if known is None or known[0] is not status or known[1] != self._attempt:
            known = self._spark = status, self._attempt, spark_record(status, self._attempt)
        return known[2]

    def _aborted(self, parent: Mapping[str, Any]) -> CellRecord:
        code = str(parent.get("content", {}).get("code", ""))
        return self._record(Cell(parent), code, RunStatus.ABORTED, None, totals=NOTHING_USED.totals)

    def _record(
        self,
        cell: Cell,
        code: str,
        status: RunStatus,
        execution_count: int | None,
        **facts: Any,
    ) -> CellRecord:
        session = self._kernel.spark_session
        spark = self._spark_record(session.status) if session.is_ready else None
        return CellRecord(
            execution_count,
            cell.cell_id,
            _user(),
            _host(),
            status,
            hashlib.sha256(code.encode(errors="surrogatepass")).hexdigest(),
            kernel=KernelRecord(
                self._kernel.implementation,
                self._kernel.implementation_version,
                self._kernel.session.session if self._kernel.session is not None else "",
            ),
            spark=spark,
            is_full=self._is_full,
            **facts,
        )


def _joined(some: _Datasets, more: _Datasets) -> _Datasets:
    return None if some is None or more is None else tuple(dict.fromkeys((*some, *more)))


def _error_name(reply: Mapping[str, Any] | None) -> str:
    return str((reply or {}).get("ename", ""))[:200]


@cache
def _user() -> str:
    """Name who owns this process, or JupyterHub's user; a client invents names."""
    return os.environ.get("JUPYTERHUB_USER") or str(psutil.Process().username())


@cache
def _host() -> str:
    return socket.gethostname()
