"""The contract's messages of our own as JSON schemas; fields may be added, never renamed."""

from __future__ import annotations

from typing import Any

STAGES = [
    "runtime_started",
    "driver_starting",
    "cluster_attaching",
    "libraries_uploading",
    "spark_ready",
]
"""In the order in which they come."""

_STATES = ["starting", "ready", "failed", "lost", "restarting", "stopped"]
_RELATIONS = [
    "spark-ui",
    "driver-log",
    "executor-log",
    "history-server",
    "cluster-manager",
    "application-master",
]


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": sorted(properties)}


def _optional(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}]}


_TEXT = {"type": "string"}
_SECONDS = {"type": "number", "minimum": 0}
_LINKS = {
    "type": "array",
    "items": _object(
        rel={"enum": _RELATIONS}, text=_TEXT, url={"type": "string", "pattern": "^(https?|file)://"}
    ),
}

SPARK_STATUS = _object(
    version={"enum": ["1.0"]},
    state={"enum": _STATES},
    stage={"enum": STAGES},
    message={"type": "string", "minLength": 1},
    elapsed_s=_SECONDS,
    stages={
        "type": "array",
        "minItems": 1,
        "items": _object(
            stage={"enum": STAGES}, started_s=_SECONDS, duration_s=_optional(_SECONDS)
        ),
    },
    cluster=_object(name=_TEXT, master=_TEXT, deploy_mode={"enum": ["client", "cluster"]}),
    application=_optional(_object(id=_TEXT, name=_TEXT)),
    links=_LINKS,
    error=_optional(_object(name=_TEXT, message={"type": "string", "minLength": 1}, hint=_TEXT)),
)

BANNER_UPDATE = _object(banner={"type": "string", "minLength": 1}, links=_LINKS)
