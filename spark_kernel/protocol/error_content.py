"""What a client can do with an error that it shows; the contract is ``docs/protocol.md``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from spark_kernel.protocol.driver_log import LogPosition
from spark_kernel.protocol.error_report import ErrorReport
from spark_kernel.protocol.messages import VERSION
from spark_kernel.protocol.provenance import instant_text

__all__ = ["ERROR_MIME", "ErrorMoment", "error_content"]

ERROR_MIME = "application/vnd.spark-kernel.error.v1+json"
_MOST_ERRORS = 20
_LONGEST = 200


@dataclass(frozen=True)
class ErrorMoment:
    """When and where errors were shown.

    Parameters
    ----------
    time
        With its zone.
    log
        Where the driver's log ended then; None where it is not ours.
    """

    cell_id: str
    time: datetime
    application_id: str | None = None
    log: LogPosition | None = None


def error_content(reports: Sequence[ErrorReport], moment: ErrorMoment) -> dict[str, Any]:
    """Make the content of the error's MIME type; what a person reads is in the display's HTML."""
    return {
        "version": VERSION,
        "cell_id": moment.cell_id[:_LONGEST],
        "time": instant_text(moment.time),
        "application_id": moment.application_id,
        "errors": [_error(report) for report in reports[:_MOST_ERRORS]],
        "log": asdict(moment.log) if moment.log else None,
    }


def _error(report: ErrorReport) -> dict[str, Any]:
    task, stage = report.task, None
    if task is not None:
        urls = [link.url for link in report.links if link.rel == "spark-ui"]
        stage = {"id": task.stage, "attempt": task.stage_attempt, "url": urls[0] if urls else None}
    return {
        "name": report.name[:_LONGEST],
        "condition": report.condition[:_LONGEST] or None,
        "stage": stage,
    }
