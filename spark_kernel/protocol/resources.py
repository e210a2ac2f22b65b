"""What a machine, a kernel and its cluster have and use, and the message that tells of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from spark_kernel.protocol.events import SessionStatus
from spark_kernel.protocol.messages import VERSION, status_content
from spark_kernel.protocol.mimebundle import MimeBundle

__all__ = [
    "ALL_RESOURCE_TYPES",
    "RESOURCE_INFO",
    "RESOURCE_TYPES",
    "ExecutorResources",
    "Metric",
    "SparkResources",
    "resource_content",
    "spark_resource",
]

RESOURCE_INFO = "resource_info"
RESOURCE_TYPES = ("system", "kernel", "spark")
"""What a request gets that names none."""
ALL_RESOURCE_TYPES = (*RESOURCE_TYPES, "settings", "libraries", "clusters")
_VERSIONS = ("spark", "hadoop", "scala", "java", "python", "kernel")
_SPARK_METRICS = {
    "executors": "executors",
    "cores": "cores",
    "storage_memory": "bytes",
    "heap": "bytes",
    "active_tasks": "tasks",
    "active_jobs": "jobs",
}
"""The unit of each metric of Spark."""


@dataclass(frozen=True)
class Metric:
    """How much of something is in use, of how much; None where that cannot be known."""

    name: str
    value: float | None
    max: float | None
    unit: str


@dataclass(frozen=True)
class ExecutorResources:
    """One executor.

    Attributes
    ----------
    memory_used_bytes, memory_max_bytes
        Memory for cached data, as Spark's own UI tells it.
    logs
        Addresses of its standard output and error, by ``stdout`` and ``stderr``.
    """

    id: str
    host: str
    is_active: bool
    cores: int
    active_tasks: int
    failed_tasks: int
    memory_used_bytes: int
    memory_max_bytes: int
    disk_used_bytes: int
    logs: Mapping[str, str | None]


@dataclass(frozen=True)
class SparkResources:
    """What a Spark application had at one moment.

    Attributes
    ----------
    taken
        When that was, in seconds of ``time.monotonic``.
    user, started
        Who runs the application, and since when (ISO 8601, UTC); None where that is not known.
    metrics
        Value and maximum, by the names of the protocol.
    executors
        The living ones first, then those that are gone.
    omitted_executors
        How many more there are.
    """

    taken: float
    user: str | None = None
    started: str | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, tuple[float | None, float | None]] = field(default_factory=dict)
    executors: Sequence[ExecutorResources] = ()
    omitted_executors: int = 0


def spark_resource(status: SessionStatus, found: SparkResources | None) -> dict[str, Any]:
    """Make the entry of ``resources`` that tells of Spark.

    Parameters
    ----------
    found
        What the present application has; None where there is none, or it has not been asked yet.
    """
    told = status_content(status)
    versions = {**status.versions, **(found.versions if found else {})}
    application = told["application"]
    if application is not None:
        application["user"] = found.user if found else None
        application["started"] = found.started if found else None
    metrics = found.metrics if found else {}
    entry = {
        "type": "spark",
        **{key: told[key] for key in ("state", "stage", "message", "error", "cluster")},
        "application": application,
        "versions": {name: versions.get(name) for name in _VERSIONS},
        "links": told["links"],
        "metrics": [
            asdict(Metric(name, *metrics.get(name, (None, None)), unit))
            for name, unit in _SPARK_METRICS.items()
        ],
        "executors": [asdict(executor) for executor in found.executors] if found else [],
    }
    if found and found.omitted_executors:
        entry["omitted"] = {"executors": found.omitted_executors}
    return entry


def resource_content(
    age_s: float, resources: Mapping[str, dict[str, Any]], wanted: Collection[str], data: MimeBundle
) -> dict[str, Any]:
    """Make the content of a ``resource_info_reply``.

    Parameters
    ----------
    resources
        The entries, by their types.
    wanted
        The types that were asked for.
    """
    return {
        "status": "ok",
        "version": VERSION,
        "age_s": round(age_s, 3),
        "resources": [resources[name] for name in ALL_RESOURCE_TYPES if name in wanted],
        "data": data,
    }
