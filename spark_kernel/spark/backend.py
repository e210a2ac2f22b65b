"""What a session runs on, and what watches and cancels its jobs: two interfaces.

There are two of each: a driver of our own (``current_driver.py``, ``cell_jobs.py``), and a Spark
Connect server (``connect/``). Whoever needs to know which it is asks ``is_remote``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from spark_kernel.protocol.events import Application, Cluster, Link

if TYPE_CHECKING:
    from spark_kernel.spark.java import JavaRuntime
    from spark_kernel.spark.settings import SessionSettings

__all__ = ["Attached", "Backend", "Jobs"]


@dataclass(frozen=True)
class Attached:
    """What a session is attached to, once it is."""

    cluster: Cluster
    application: Application
    versions: Mapping[str, str] = field(default_factory=dict)
    links: tuple[Link, ...] = ()


class Backend(Protocol):
    """Brings a session up, hands it out and ends it; there is at most one session at a time.

    What there is no driver process for is empty with a server: log, process, settings of the start.
    """

    is_remote: bool
    """Whether it is a Spark Connect server."""

    @property
    def is_running(self) -> bool:
        """Whether there is something that a session can be made on at once."""

    @property
    def pid(self) -> int | None:
        """The process of the driver, or None."""

    @property
    def launch_settings(self) -> Mapping[str, str]:
        """The settings that the driver was started with."""

    @property
    def origins(self) -> Mapping[str, str]:
        """Where the settings come from that the session was made with, as far as it is known."""

    @property
    def archive_wanted_for(self) -> JavaRuntime | None:
        """The Java for which a class-data archive should be made, if any."""

    @property
    def log_path(self) -> str:
        """Where the driver's log is, or empty."""

    @property
    def log_links(self) -> tuple[Link, ...]:
        """The link to the driver's log, where there is one."""

    def log_tail(self, lines: int = 200) -> list[str]:
        """Give the last lines of the driver's log."""

    def note(self, text: str) -> None:
        """Write into the driver's log."""

    def drain_output(self) -> None:
        """Hand on what user code has printed in the driver."""

    def use(self, settings: SessionSettings) -> None:
        """Take other settings; they count for the next session."""

    def open(self) -> Any:
        """Make the session in this thread, and wait until it can work.

        Returns
        -------
        What ``attached`` takes.
        """

    def attached(self, opened: Any) -> Attached:
        """Say what the session is attached to, and watch its jobs from now on."""

    def remark(self) -> str:
        """Say what is odd about the cluster; may take a while."""

    def explain(self, error: BaseException) -> BaseException:
        """Give what is behind the failure of a start."""

    def existing(self) -> dict[str, Any]:
        """Give PySpark's objects for the names ``spark`` and ``sc``, nothing is made."""

    def current_session(self) -> Any:
        """Give the session."""

    def build(self, session: Any, how: str, options: Mapping[str, str]) -> Any:
        """Make what a builder without an address is to give: ``getOrCreate`` or ``create``."""

    def context_of(self, session: Any) -> Any:
        """Give what the name ``sc`` stands for."""

    def bind_thread(self, *, has_libraries: bool) -> None:
        """Make the session the active one of the calling thread."""

    def settings_at_start(self) -> dict[str, str]:
        """Give the settings that the session began with."""

    def handed_out(self) -> str:
        """Say which libraries the session hands out to executors from its start on, if any."""

    def hand_over(self, libraries: Sequence[tuple[str, str]]) -> None:
        """Give Spark libraries, of kinds and at places as ``Library`` has them: all or none."""

    def has_ended(self, error: BaseException) -> str:
        """Say how the session has ended if an error of PySpark's comes from that, else nothing."""

    def check(self) -> str:
        """Say how the session has ended, where it may have without a word; cheap."""

    def follow(self, opened: Any) -> None:
        """Watch the jobs of what was opened; None where there is nothing any more."""

    def stop(self) -> None:
        """End the session and all that belongs to it."""

    def discard(self) -> None:
        """Stop, and make PySpark forget it, so that another can be made."""


class Jobs(Protocol):
    """The jobs of one session, by the cells that own them.

    Attributes
    ----------
    ui_url
        Base of the links to jobs and stages; empty where it is not known.
    """

    ui_url: str

    def settle(self, timeout_ms: int) -> None:
        """Wait until everything is known that has happened so far."""

    def sample(
        self, first_new: int, running: Sequence[int], job_limit: int, stage_limit: int
    ) -> dict[str, Any]:
        """Give what has happened to the jobs of cells; see ``CellJobs.sample`` in Java."""

    def running(self, limit: int) -> dict[str, Any]:
        """Give all jobs that run, and the streaming queries that cells have started."""

    def resources(self, executor_limit: int) -> dict[str, Any]:
        """Give what the application has; see ``CellJobs.resources`` in Java."""

    def task(self, stage: int, attempt: int, kind: str) -> dict[str, Any] | None:
        """Give the task of a stage that tells most: "running", "longest" or "failed"."""

    def failure(self, tags: Sequence[str]) -> dict[str, Any] | None:
        """Give the task that ended a job of some owners; see ``CellJobs.failure`` in Java."""

    def record(self, tags: Sequence[str], limit: int) -> dict[str, Any]:
        """Give what the jobs of some owners did, once they are done; see ``CellJobs.record``."""

    def settings(self) -> dict[str, str] | None:
        """Give all settings in force; None where nothing but the session itself knows them."""

    def cancel(self, tag: str, reason: str) -> bool:
        """Cancel all jobs of an owner; whether there were any."""

    def cancel_job(self, job: int, reason: str) -> bool:
        """Cancel one job; whether it ran."""

    def cancel_stage(self, stage: int, reason: str) -> bool:
        """Cancel one stage, and with it the jobs that need it; whether it ran."""

    def cancel_all(self, reason: str) -> str:
        """Cancel every job; gives their ids, by commas."""

    def stop_query(self, query: str) -> str:
        """Stop a streaming query, by id or name; gives its id, or nothing."""

    def abandon(self, properties: Any, tag: str) -> None:
        """Let a call that was given up start nothing more; of a driver's thread alone."""
