"""What the record of a cell takes from Spark: its jobs, what they have used, and the settings."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from spark_kernel.protocol.events import SessionStatus
from spark_kernel.protocol.provenance import JobRecord, LibraryRecord, SparkRecord, Totals
from spark_kernel.redaction import redacted
from spark_kernel.spark.job_states import job_state
from spark_kernel.spark.settings_in_force import hidden_by

if TYPE_CHECKING:
    from spark_kernel.spark.backend import Jobs
    from spark_kernel.spark.session import KernelSession

__all__ = [
    "NOTHING_USED",
    "CellUse",
    "Settings",
    "SettingsBook",
    "added_libraries",
    "settings_of",
    "spark_record",
    "use_of",
]

_JOBS = 100
_SETTINGS = 300
_VALUE = 500
_HIDDEN = "*********(redacted)"
_OF_ONE_SESSION = re.compile(
    r"""spark\.(
        app\. .* | kernel\. .* | repl\. .* | submit\. .* | remote$ | connect\. .*
        | driver\.(host|port|bindAddress|appUIAddress)$ | executor\.id$
        | local\.dir$ | jars$ | files$ | archives$ | sql\.warehouse\.dir$ | ui\.proxyBase$
        | (.*\.)?(port|Port|password|tmpDir|tempDir)$
        | yarn\.(app\. .* | dist\. .* | jars$ | archive$ | stagingDir$ | tags$ | isPython$
            | secondary\.jars$ | cache\. .* )
        | kubernetes\.(driver\.pod\.name | submission.* | executor\.podNamePrefix
            | .*\.annotation\. .* | .*\.label\. .* )
        | org\.apache\.hadoop\.yarn\.server\.webproxy\. .*
    )""",
    re.VERBOSE,
)
"""Settings that differ with each session, folder or name of a notebook, but change no result."""


@dataclass(frozen=True)
class CellUse:
    """What a cell has used of Spark.

    Attributes
    ----------
    attempt
        The attempt of the application, where its cluster counts them.
    settings_stamp
        Another with other settings of the session; None where that is not told.
    """

    jobs: tuple[JobRecord, ...] = ()
    omitted_jobs: int = 0
    totals: Totals = field(default_factory=Totals)
    attempt: str | None = None
    settings_stamp: int | None = None

    def __add__(self, later: CellUse) -> CellUse:
        """Give both together: of two contexts of one cell."""
        jobs = self.jobs + later.jobs
        totals = {
            one.name: _sum(getattr(self.totals, one.name), getattr(later.totals, one.name))
            for one in fields(Totals)
        }
        return CellUse(
            jobs[:_JOBS],
            self.omitted_jobs + later.omitted_jobs + len(jobs[_JOBS:]),
            Totals(**totals),
            later.attempt,
            later.settings_stamp,
        )


NOTHING_USED = CellUse(totals=Totals(0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 0.0))


def use_of(jobs: Jobs, tags: Collection[str]) -> CellUse:
    """Ask, in one call, what the jobs of some owners have done; they are not asked for again."""
    told = jobs.record(list(tags), _JOBS)
    totals = told["totals"]
    counts = {one.name: totals.get(one.name) for one in fields(Totals)}
    counts["executor_run_s"] = _scaled(totals.get("run_ms"), 1e3)
    counts["executor_cpu_s"] = _scaled(totals.get("cpu_ns"), 1e9)
    counts["jvm_gc_s"] = _scaled(totals.get("gc_ms"), 1e3)
    return CellUse(
        tuple(_job(one) for one in told["jobs"]),
        told["omitted"],
        Totals(**counts),
        told["attempt"],
        told["settings"],
    )


def _job(told: Mapping[str, Any]) -> JobRecord:
    state = job_state(told["status"], [told["reason"]])
    submitted, completed = told["submitted"], told["completed"]
    return JobRecord(
        told["id"],
        state.value,
        told["stages"],
        told["tasks"],
        told["failed_tasks"],
        None if submitted is None or completed is None else (completed - submitted) / 1000,
    )


def _scaled(value: int | None, divisor: float) -> float | None:
    return None if value is None else value / divisor


def _sum(one: Any, other: Any) -> Any:
    return None if one is None or other is None else one + other


def spark_record(status: SessionStatus, attempt: str | None) -> SparkRecord:
    """Say which session it is, without secrets."""
    application = status.application
    return SparkRecord(
        version=status.versions.get("spark"),
        master=redacted(status.cluster.master),
        cluster=redacted(status.cluster.name),
        application_id=application.id if application else None,
        application_attempt=attempt,
    )


def added_libraries(session: KernelSession) -> list[LibraryRecord]:
    """Give what was added to Spark, by its configuration or by the notebook."""
    return [LibraryRecord(redacted(one.name), one.version) for one in session.libraries.listed]


@dataclass(frozen=True)
class Settings:
    """The settings of a session that a notebook or its configuration may set.

    Attributes
    ----------
    sha256
        Of all of them, but for the values of secrets.
    shown
        Those that a notebook may keep, bounded.
    """

    sha256: str
    shown: Mapping[str, str]


def settings_of(
    told: Mapping[str, str], regex: str | None = None, secrets: Collection[str] = ()
) -> Settings:
    """Sum up settings; what makes one session differ from the next is left out, and secrets.

    Parameters
    ----------
    regex
        The session's ``spark.redaction.regex``.
    secrets
        Keys that are secret whatever they look like.
    """
    is_hidden = hidden_by(regex)
    kept = {
        key: _HIDDEN if key in secrets or is_hidden(key, value) else redacted(value)
        for key, value in sorted(told.items())
        if not _OF_ONE_SESSION.match(key)
    }
    digest = hashlib.sha256(json.dumps(kept).encode()).hexdigest()
    shown = {key: value[:_VALUE] for key, value in list(kept.items())[:_SETTINGS]}
    return Settings(digest, shown)


class SettingsBook:
    """Knows the settings of the present session, and asks for them only when they have changed."""

    def __init__(self, session: KernelSession) -> None:
        self._session = session
        self._known: tuple[int, int | None, Settings] | None = None

    def known(self) -> Settings | None:
        """Give the settings as they were when last asked for in this session."""
        known = self._known
        return known[2] if known is not None and known[0] == self._session.generation else None

    def current(self, jobs: Jobs, stamp: int | None, is_exact: bool) -> Settings:
        """Give the settings as they are.

        Parameters
        ----------
        stamp
            Another with other settings; None where that is not told.
        is_exact
            Whether to ask also where nobody tells whether they have changed.
        """
        known, generation = self._known, self._session.generation
        is_told = stamp is not None or not is_exact
        if is_told and known is not None and known[:2] == (generation, stamp):
            return known[2]
        told = jobs.settings()
        if told is None:
            driver = self._session.driver
            told = driver.settings_at_start()
            if is_exact:
                told = {**told, **dict(driver.current_session().conf.getAll)}
        regex, secrets = told.get("spark.redaction.regex"), self._session.settings.secrets
        settings = settings_of(told, regex, secrets)
        self._known = generation, stamp, settings
        return settings
