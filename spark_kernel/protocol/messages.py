"""Names and content of the messages of our own; the contract is ``docs/protocol.md``."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from spark_kernel.protocol.events import Link, SessionStatus

__all__ = [
    "BANNER_UPDATE",
    "SPARK_CANCEL",
    "SPARK_LOG",
    "SPARK_STALE",
    "SPARK_STATUS",
    "SUPPORTED_FEATURES",
    "VERSION",
    "banner_content",
    "refusal",
    "status_content",
]

VERSION = "1.0"
SPARK_STATUS = "spark_status"
BANNER_UPDATE = "banner_update"
SPARK_CANCEL = "spark_cancel"
SPARK_LOG = "spark_log"
SPARK_STALE = "spark_stale"
SUPPORTED_FEATURES = (
    "resource info",
    "spark status",
    "spark cancel",
    "spark log",
    "spark stale",
)
"""What ``kernel_info_reply.supported_features`` gains; a name is listed once it works."""


def status_content(status: SessionStatus) -> dict[str, Any]:
    """Make the content of a ``spark_status`` message."""
    return {
        "version": VERSION,
        "state": status.state.value,
        "stage": status.stage.value,
        "message": status.message,
        "elapsed_s": round(status.elapsed_s, 3),
        "stages": [
            {
                "stage": record.stage.value,
                "started_s": round(record.started_s, 3),
                "duration_s": None if record.duration_s is None else round(record.duration_s, 3),
            }
            for record in status.stages
        ],
        "cluster": asdict(status.cluster),
        "application": asdict(status.application) if status.application else None,
        "links": [asdict(link) for link in status.links],
        "error": asdict(status.error) if status.error else None,
    }


def banner_content(banner: str, links: tuple[Link, ...]) -> dict[str, Any]:
    """Make the content of a ``banner_update`` message."""
    return {"banner": banner, "links": [asdict(link) for link in links]}


def refusal(error: Exception) -> dict[str, Any]:
    """Make the content of a reply to a request that could not be met."""
    return {"status": "error", "ename": type(error).__name__, "evalue": str(error)}
