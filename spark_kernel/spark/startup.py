"""Keeps the status of the session: ordered startup stages, state, message, links.

Decides nothing and starts nothing; any thread may call it.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace

from spark_kernel.protocol.events import (
    CONNECT,
    Application,
    Cluster,
    Event,
    Link,
    Problem,
    SessionChanged,
    SessionState,
    SessionStatus,
    StageName,
    StageRecord,
)
from spark_kernel.redaction import redacted
from spark_kernel.spark.connect.address import remote_url, shown
from spark_kernel.spark.settings import SessionSettings

__all__ = ["StatusBoard", "expected_cluster"]

_ALLOWED = {
    SessionState.STOPPED: {SessionState.STARTING, SessionState.RESTARTING},
    SessionState.STARTING: {SessionState.READY, SessionState.FAILED, SessionState.STOPPED},
    SessionState.RESTARTING: {SessionState.READY, SessionState.FAILED, SessionState.STOPPED},
    SessionState.READY: {
        SessionState.LOST,
        SessionState.STOPPED,
        SessionState.RESTARTING,
    },
    SessionState.FAILED: {SessionState.STARTING, SessionState.RESTARTING, SessionState.STOPPED},
    SessionState.LOST: {SessionState.STARTING, SessionState.RESTARTING, SessionState.STOPPED},
}
"""The one transition table of the session."""


class StatusBoard:
    """The current status, and an event for each change of it.

    Parameters
    ----------
    emit
        Called with a ``SessionChanged`` for each change, in order.
    clock
        Gives the seconds since the kernel process started.
    """

    def __init__(
        self,
        cluster: Cluster,
        versions: Mapping[str, str],
        emit: Callable[[Event], None],
        clock: Callable[[], float],
    ) -> None:
        self._emit = emit
        self._clock = clock
        self._lock = threading.Lock()
        now = clock()
        self._status = SessionStatus(
            state=SessionState.STOPPED,
            stage=StageName.RUNTIME_STARTED,
            message="Spark is not started",
            elapsed_s=now,
            cluster=cluster,
            stages=(StageRecord(StageName.RUNTIME_STARTED, 0.0, now),),
            versions=versions,
        )

    @property
    def status(self) -> SessionStatus:
        """The status as it is now."""
        return self._status

    def begin(self, state: SessionState, message: str) -> None:
        """Begin a start or restart: stages of an earlier one are forgotten."""
        runtime = self._status.stages[:1]
        self._change(
            state=state,
            stage=StageName.RUNTIME_STARTED,
            message=message,
            stages=runtime,
            application=None,
            links=(),
            error=None,
        )

    def enter(self, stage: StageName, message: str) -> None:
        """Enter the next stage, and finish the one before it; in the same one, say how it goes."""
        if stage is self._status.stage and self._status.stages[-1].duration_s is None:
            self.say(message)
            return
        self._change(stage=stage, message=message, stages=self._stages_with(stage))

    def say(self, message: str) -> None:
        """Change the message alone."""
        if redacted(message) != self._status.message:
            self._change(message=message)

    def describe(
        self,
        *,
        cluster: Cluster | None = None,
        links: tuple[Link, ...] | None = None,
        versions: Mapping[str, str] | None = None,
    ) -> None:
        """Record what has become known; says nothing by itself."""
        with self._lock:
            known = self._status
            self._status = replace(
                known,
                cluster=cluster or known.cluster,
                links=known.links if links is None else links,
                versions={**known.versions, **(versions or {})},
            )

    def ready(self, message: str, application: Application, links: tuple[Link, ...]) -> None:
        """Spark can be used."""
        self._change(
            state=SessionState.READY,
            stage=StageName.SPARK_READY,
            message=message,
            stages=self._stages_with(StageName.SPARK_READY, is_done=True),
            application=application,
            links=links,
            error=None,
        )

    def end(
        self,
        state: SessionState,
        message: str,
        error: Problem | None = None,
        links: tuple[Link, ...] | None = None,
    ) -> None:
        """Spark cannot be used any more, or yet; the stage stays the one that was reached."""
        kept = self._status.links if links is None else links
        self._change(
            state=state,
            message=message,
            stages=_finish_last(self._status.stages, self._clock()),
            application=None,
            links=kept,
            error=error,
        )

    def _stages_with(self, stage: StageName, is_done: bool = False) -> tuple[StageRecord, ...]:
        now = self._clock()
        record = StageRecord(stage, now, 0.0 if is_done else None)
        return (*_finish_last(self._status.stages, now), record)

    def _change(self, **changes: object) -> None:
        # Messages quote logs, exceptions and URLs, and go to every client.
        changes = {name: _shown(value) for name, value in changes.items()}
        with self._lock:
            state = changes.get("state", self._status.state)
            if state is not self._status.state and state not in _ALLOWED[self._status.state]:
                raise ValueError(f"a session does not go from {self._status.state} to {state}")
            self._status = replace(self._status, elapsed_s=self._clock(), **changes)  # type: ignore[arg-type]
            self._emit(SessionChanged(self._status))


def _shown(value: object) -> object:
    """Give a message or a problem as it may be shown; all else as it is."""
    if isinstance(value, Problem):
        return replace(value, message=redacted(value.message), hint=redacted(value.hint))
    return redacted(value) if type(value) is str else value


def _finish_last(stages: tuple[StageRecord, ...], now: float) -> tuple[StageRecord, ...]:
    if not stages or stages[-1].duration_s is not None:
        return stages
    last = stages[-1]
    return (*stages[:-1], replace(last, duration_s=now - last.started_s))


def expected_cluster(settings: SessionSettings) -> Cluster:
    """Name the cluster before Spark has said which it is."""
    remote = remote_url(settings, os.environ)
    if remote:
        return Cluster(settings.cluster_name or shown(remote), shown(remote), CONNECT)
    master = settings.master or settings.conf.get("spark.master", "local[*]")
    return Cluster(settings.cluster_name or master, master)
