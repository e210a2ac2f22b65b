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
    cluster=_object(
        name=_TEXT, master=_TEXT, deploy_mode={"enum": ["client", "cluster", "connect"]}
    ),
    application=_optional(_object(id=_TEXT, name=_TEXT)),
    links=_LINKS,
    error=_optional(_object(name=_TEXT, message={"type": "string", "minLength": 1}, hint=_TEXT)),
)

BANNER_UPDATE = _object(banner={"type": "string", "minLength": 1}, links=_LINKS)

_NUMBER = _optional({"type": "number"})
_COUNT = {"type": "integer", "minimum": 0}


def _metrics(*names: str) -> dict[str, Any]:
    """Describe a list that has each metric once, in this order."""
    listed = [_object(name={"const": n}, value=_NUMBER, max=_NUMBER, unit=_TEXT) for n in names]
    return {"type": "array", "prefixItems": listed, "items": False, "minItems": len(names)}


RESOURCE_INFO = _object(
    status={"const": "ok"},
    version={"enum": ["1.0"]},
    age_s=_SECONDS,
    resources={
        "type": "array",
        "prefixItems": [
            _object(type={"const": "system"}, metrics=_metrics("cpu", "memory")),
            _object(type={"const": "kernel"}, metrics=_metrics("cpu", "memory")),
            _object(
                type={"const": "spark"},
                state={"enum": _STATES},
                stage={"enum": STAGES},
                message={"type": "string", "minLength": 1},
                error=_optional(_object(name=_TEXT, message=_TEXT, hint=_TEXT)),
                cluster=SPARK_STATUS["properties"]["cluster"],
                application=_optional(
                    _object(id=_TEXT, name=_TEXT, user=_optional(_TEXT), started=_optional(_TEXT))
                ),
                versions=_object(
                    **dict.fromkeys(
                        ("spark", "hadoop", "scala", "java", "python", "kernel"), _optional(_TEXT)
                    )
                ),
                links=_LINKS,
                metrics=_metrics(
                    "executors", "cores", "storage_memory", "heap", "active_tasks", "active_jobs"
                ),
                executors={
                    "type": "array",
                    "items": _object(
                        id=_TEXT,
                        host=_TEXT,
                        is_active={"type": "boolean"},
                        cores=_COUNT,
                        active_tasks=_COUNT,
                        failed_tasks=_COUNT,
                        memory_used_bytes=_COUNT,
                        memory_max_bytes=_COUNT,
                        disk_used_bytes=_COUNT,
                        logs=_object(stdout=_optional(_TEXT), stderr=_optional(_TEXT)),
                    ),
                },
            ),
        ],
        "items": False,
        "minItems": 3,
    },
    data=_object(**{"text/plain": _TEXT, "text/html": _TEXT}),
)

_LOG = _object(
    id=_TEXT, started=_TEXT, is_current={"type": "boolean"}, is_running={"type": "boolean"}
)
SPARK_LOG = _object(
    status={"const": "ok"},
    version={"const": "1.0"},
    log=_optional(_LOG),
    reason=_TEXT,
    lines={"type": "array", "items": _TEXT},
    position=_optional(_object(log=_TEXT, offset=_COUNT, check=_COUNT)),
    is_continued={"type": "boolean"},
    marked=_optional(_COUNT),
    omitted=_object(bytes_before=_COUNT, bytes_after=_COUNT),
    logs={"type": "array", "items": _LOG},
)
"""What ``spark_log_reply`` holds."""
