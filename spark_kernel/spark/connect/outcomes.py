"""What became of operations on a Spark Connect server, also for the record of a cell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from spark_kernel.spark.connect.operations import Operation

__all__ = ["OperationRecords", "outcome_of"]

_CELLS = 200
_OPERATIONS = 1_000
"""The most operations of a cell that its record is made of."""


class OperationRecords:
    """Keeps the operations of cells until their records are made; not for several threads."""

    def __init__(self) -> None:
        self._kept: dict[str, list[Operation]] = {}

    def keep(self, operation: Operation) -> None:
        """Keep an operation, unless it is one of a streaming query."""
        if operation.owner.run is None:
            return
        kept = self._kept.setdefault(operation.owner.tag, [])
        kept.append(operation)
        if len(kept) > _OPERATIONS:
            kept[:] = [one for one in kept if one.is_running or one.stages][-_OPERATIONS:]
        if len(self._kept) > _CELLS:
            del self._kept[next(iter(self._kept))]

    def taken(self, tags: Sequence[str], limit: int) -> dict[str, Any]:
        """Give what the operations of some owners did, as ``CellJobs.record`` does; forget them."""
        kept = [one for tag in tags for one in self._kept.pop(tag, ())]
        found = sorted((one for one in kept if one.stages), key=lambda one: one.number)
        return {
            "jobs": [_recorded(one) for one in found[:limit]],
            "omitted": len(found[limit:]),
            "totals": {"input_bytes": sum(map(_bytes_read, found))},
            "attempt": None,
            "settings": None,
        }


def outcome_of(operation: Operation) -> Sequence[Any]:
    """Give the stages of an operation; of one that succeeded, as they must have ended.

    The server's last word comes some time before the end. A stage that none of its tasks has
    ended of, and a later one is done, was skipped, as its result was there already.
    """
    stages = list(operation.stages)
    if operation.status != "SUCCEEDED":
        return stages
    last = max((number for number, stage in enumerate(stages) if stage.done), default=-1)
    ended = []
    for number, stage in enumerate(stages):
        is_skipped = not stage.num_completed_tasks and number < last
        count = 0 if is_skipped else stage.num_tasks
        ended.append(
            replace(stage, num_tasks=count, num_completed_tasks=count, done=not is_skipped)
        )
    return ended


def _bytes_read(operation: Operation) -> int:
    return sum(int(stage.num_bytes_read) for stage in operation.stages)


def _recorded(operation: Operation) -> dict[str, Any]:
    begun = [one for one in outcome_of(operation) if one.done or one.num_completed_tasks]
    return {
        "id": operation.number,
        "status": operation.status,
        "reason": "",
        "submitted": operation.submitted,
        "completed": operation.completed,
        "stages": len(begun),
        "tasks": sum(stage.num_tasks for stage in begun),
        "failed_tasks": None,
    }
