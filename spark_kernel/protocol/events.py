"""Frozen values for everything that happens to Spark and to the cells that need it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from spark_kernel.protocol.provenance import CellRecord

__all__ = [
    "CONNECT",
    "STAGE_TITLES",
    "Application",
    "Cell",
    "CellResumed",
    "CellWaiting",
    "Cluster",
    "DriverPrinted",
    "Event",
    "Link",
    "Problem",
    "RecordDue",
    "RecordMade",
    "SessionChanged",
    "SessionState",
    "SessionStatus",
    "StageName",
    "StageRecord",
]


class SessionState(str, Enum):
    """Where the session is in its life; the names are those of the protocol."""

    STARTING = "starting"
    READY = "ready"
    FAILED = "failed"
    LOST = "lost"
    RESTARTING = "restarting"
    STOPPED = "stopped"

    @property
    def is_pending(self) -> bool:
        """Whether Spark is on its way."""
        return self in (SessionState.STARTING, SessionState.RESTARTING)


class StageName(str, Enum):
    """The startup stages, in the order in which they come."""

    RUNTIME_STARTED = "runtime_started"
    DRIVER_STARTING = "driver_starting"
    CLUSTER_ATTACHING = "cluster_attaching"
    LIBRARIES_UPLOADING = "libraries_uploading"
    SPARK_READY = "spark_ready"


STAGE_TITLES = {
    StageName.RUNTIME_STARTED: "Runtime started",
    StageName.DRIVER_STARTING: "Preparing the driver",
    StageName.CLUSTER_ATTACHING: "Attaching to the cluster",
    StageName.LIBRARIES_UPLOADING: "Uploading libraries",
    StageName.SPARK_READY: "Spark ready",
}
"""What a person reads of a stage that is over."""


@dataclass(frozen=True)
class StageRecord:
    """One startup stage.

    Parameters
    ----------
    started_s
        Seconds since the kernel process started.
    duration_s
        Seconds that the stage took; None while it lasts.
    """

    stage: StageName
    started_s: float
    duration_s: float | None = None


CONNECT = "connect"
"""The deploy mode of a Spark Connect server: the driver is its own."""


@dataclass(frozen=True)
class Cluster:
    """What the notebook is attached to; ``deploy_mode`` is where the driver runs."""

    name: str
    master: str
    deploy_mode: str = "client"

    @property
    def place(self) -> str:
        """The name, and the master where that is something else."""
        return self.name if self.name == self.master else f"{self.name} ({self.master})"


@dataclass(frozen=True)
class Application:
    """A Spark application as its cluster knows it."""

    id: str
    name: str


@dataclass(frozen=True)
class Link:
    """A place to look at; ``rel`` is one of the names in the protocol."""

    rel: str
    text: str
    url: str


@dataclass(frozen=True)
class Problem:
    """Why something failed, in words for the user."""

    name: str
    message: str
    hint: str = ""


@dataclass(frozen=True)
class SessionStatus:
    """All that is known of the session at one moment.

    Parameters
    ----------
    elapsed_s
        Seconds since the kernel process started, when this was true.
    stages
        The startup stages so far, in order.
    versions
        Of ``spark``, ``java``, ``python``, ``kernel``; a name is missing while it is unknown.
    """

    state: SessionState
    stage: StageName
    message: str
    elapsed_s: float
    cluster: Cluster
    stages: tuple[StageRecord, ...] = ()
    application: Application | None = None
    links: tuple[Link, ...] = ()
    error: Problem | None = None
    versions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Cell:
    """A running cell: the message that asked for it, to which its outputs belong."""

    parent: Mapping[str, Any]

    @property
    def id(self) -> str:
        """The id of the execute request, unique to this run of the cell."""
        return str(self.parent.get("header", {}).get("msg_id", ""))

    @property
    def cell_id(self) -> str:
        """The notebook's id of the cell where the client tells it, else that of the request."""
        return str(self.parent.get("metadata", {}).get("cellId") or self.id)

    def is_meant_by(self, name: str) -> bool:
        """Whether somebody who writes this, the beginning of an id, means this cell."""
        return bool(name) and (self.cell_id.startswith(name) or self.id.startswith(name))


@dataclass(frozen=True)
class SessionChanged:
    """The session has another status."""

    status: SessionStatus


@dataclass(frozen=True)
class CellWaiting:
    """A cell began to wait for Spark."""

    cell: Cell


@dataclass(frozen=True)
class CellResumed:
    """A cell no longer waits for Spark."""

    cell: Cell


@dataclass(frozen=True)
class DriverPrinted:
    """User code printed to the standard output of the driver JVM."""

    text: str


@dataclass(frozen=True)
class RecordMade:
    """The record of a cell is there; what the cell shows of its jobs carries it from now on.

    Attributes
    ----------
    content
        Its JSON, as ``record_content`` makes it.
    """

    cell: Cell
    record: CellRecord
    content: Mapping[str, Any]


@dataclass(frozen=True)
class RecordDue:
    """All else that a cell shows is told: its record needs a display now, if none carries it."""

    cell: Cell


Event = SessionChanged | CellWaiting | CellResumed | DriverPrinted | RecordMade | RecordDue
