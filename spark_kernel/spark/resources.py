"""Keeps a snapshot of what the application has: executors, memory, cores, tasks, and its settings.

A thread of its own asks the driver, so that a driver that hangs holds nobody up: whoever wants to
know gets the snapshot, and its age.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from spark_kernel.protocol.provenance import instant_text
from spark_kernel.protocol.resources import ExecutorResources, SparkResources
from spark_kernel.redaction import without_password
from spark_kernel.spark.backend import Jobs
from spark_kernel.spark.ownership import disown
from spark_kernel.spark.settings_in_force import SettingInForce

__all__ = ["ResourceMonitor", "SettingsTaken", "read_resources"]

_log = logging.getLogger(__name__)
_PERIOD_S = 1.0
_LEASE_S = 15.0
"""For how long after a question the snapshot is kept fresh, so that the next finds it so."""

_LISTED_EXECUTORS = 200


@dataclass(frozen=True)
class _Snapshot:
    of: Jobs
    resources: SparkResources


@dataclass(frozen=True)
class SettingsTaken:
    """The settings of a session.

    Attributes
    ----------
    taken
        When they were such, in seconds of ``time.monotonic``.
    """

    of: Jobs
    taken: float
    settings: Sequence[SettingInForce]


class ResourceMonitor:
    """Asks the driver what it has: when its session changes, and while somebody wants to know.

    Parameters
    ----------
    cell_jobs
        Gives our half in the present driver, or None where there is none.
    settings
        Asks the driver for the settings of its session.
    """

    def __init__(
        self,
        cell_jobs: Callable[[], Jobs | None],
        settings: Callable[[], Sequence[SettingInForce]] = tuple,
    ) -> None:
        self._cell_jobs = cell_jobs
        self._read_settings = settings
        self._settings: SettingsTaken | None = None
        self._is_settings_wanted = False
        self._snapshot: _Snapshot | None = None
        self._leased_until = 0.0
        self._is_stopping = False
        self._asked = 0
        self._answered = 0
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="spark-resources", daemon=True)

    def start(self) -> None:
        """Be ready to ask."""
        disown(self._thread).start()

    def stop(self, timeout_s: float = 0.5) -> None:
        """End; may be called twice. A thread that a dead driver holds up is left behind."""
        with self._changed:
            self._is_stopping = True
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    @property
    def latest(self) -> SparkResources | None:
        """The snapshot of the present driver, however old; None where there is none."""
        snapshot = self._snapshot
        return snapshot.resources if snapshot and snapshot.of is self._cell_jobs() else None

    @property
    def latest_settings(self) -> SettingsTaken | None:
        """The settings of the present driver, however old; None where nobody has asked yet."""
        taken = self._settings
        return taken if taken and taken.of is self._cell_jobs() else None

    def want(self, *, with_settings: bool = False) -> None:
        """Keep the snapshot fresh for a while from now on, and ask once for the settings."""
        with self._changed:
            self._leased_until = time.monotonic() + _LEASE_S
            self._is_settings_wanted |= with_settings
            self._changed.notify_all()

    def refresh(self, timeout_s: float = 0.0) -> bool:
        """Ask anew, and wait for the answer for so long; whether it has come."""
        with self._changed:
            self._asked += 1
            asked = self._asked
            self._changed.notify_all()
            return self._changed.wait_for(lambda: self._answered >= asked, timeout_s)

    # -- spark-resources -------------------------------------------------------------------

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._is_due():
                    self._changed.wait(self._pause())
                if self._is_stopping:
                    return
                asked = self._asked
            self._ask()
            with self._changed:
                self._answered = asked
                self._changed.notify_all()

    def _is_due(self) -> bool:
        return self._is_stopping or self._asked > self._answered or self._pause() == 0

    def _pause(self) -> float | None:
        """Give the seconds until the snapshot is too old; None while nobody wants it."""
        now = time.monotonic()
        if now > self._leased_until:
            return None
        taken = self._snapshot.resources.taken if self._snapshot else 0.0
        return max(0.0, taken + _PERIOD_S - now)

    def _ask(self) -> None:
        jobs = self._cell_jobs()
        if jobs is None:
            self._snapshot = None
            self._leased_until = 0.0
            return
        try:
            found = jobs.resources(_LISTED_EXECUTORS)
            self._snapshot = _Snapshot(jobs, read_resources(found, time.monotonic()))
            if self._is_settings_wanted:
                self._is_settings_wanted = False
                self._settings = SettingsTaken(jobs, time.monotonic(), self._read_settings())
        except Exception as error:  # the driver is gone, or on its way
            self._leased_until = 0.0
            _log.info("the driver was not asked what it has: %s", str(error).split("\n", 1)[0])


def read_resources(found: Mapping[str, Any], taken: float) -> SparkResources:
    """Read what ``CellJobs.resources`` gives.

    Parameters
    ----------
    taken
        When it was asked, in seconds of ``time.monotonic``.
    """
    return SparkResources(
        taken=taken,
        user=found["user"] or None,
        started=_utc(found["started"]),
        versions=found["versions"],
        metrics={name: (pair[0], pair[1]) for name, pair in found["metrics"].items()},
        executors=[_read_executor(executor) for executor in found["executors"]],
        omitted_executors=found["omitted"],
    )


def _read_executor(found: Mapping[str, Any]) -> ExecutorResources:
    logs = found["logs"]
    return ExecutorResources(
        **{
            **found,
            "logs": {
                name: without_password(logs[name]) if name in logs else None
                for name in ("stdout", "stderr")
            },
        }
    )


def _utc(millis: int | None) -> str | None:
    if not millis:
        return None
    return instant_text(datetime.fromtimestamp(millis / 1000, timezone.utc))
