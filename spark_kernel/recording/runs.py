"""In which order the cells of a notebook ran, as their records tell."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from spark_kernel.protocol.provenance import CellRecord
from spark_kernel.recording.notebooks import OtherRun

__all__ = ["Runs"]

Record = CellRecord | None


class Runs:
    """The latest run of each cell; cells count from 0 on.

    Parameters
    ----------
    records
        In the order of the notebook; None of a cell that has none.
    others
        What else is known to have run.
    """

    def __init__(self, records: Sequence[Record], others: Sequence[OtherRun] = ()) -> None:
        self._records = records
        self._counts: dict[str, set[int]] = defaultdict(set)
        self._began: dict[str, datetime] = {}
        self._configurations: dict[str, tuple[int, str]] = {}
        for record in records:
            if record is not None:
                self._take(record)
        for other in others:
            self._counts[other.session].add(other.execution_count)

    def _take(self, record: CellRecord) -> None:
        session, count = record.kernel.session, record.execution_count
        if record.started is not None:
            self._began[session] = min(record.started, self._began.get(session, record.started))
        if count is None:
            return
        self._counts[session].add(count)
        if record.config_sha256:
            first = self._configurations.get(session)
            if first is None or count < first[0]:
                self._configurations[session] = (count, record.config_sha256)

    def session_began(self, record: CellRecord) -> datetime | None:
        """Give when the first known cell of a kernel's process ran."""
        return self._began.get(record.kernel.session)

    def is_same_session(self, one: int, other: int) -> bool:
        """Whether two cells ran in the same process of a kernel."""
        first, second = self._records[one], self._records[other]
        if first is None or second is None:
            return False
        return bool(first.kernel.session) and first.kernel.session == second.kernel.session

    def is_before(self, one: int, other: int) -> bool | None:
        """Whether a cell had run when another began; None if the records do not tell.

        Clocks are put right now and then: where they and the counts disagree nothing is known.
        """
        first, second = self._records[one], self._records[other]
        if first is None or second is None:
            return None
        if None in (first.started, first.finished, second.started, second.finished):
            return None
        assert first.started and first.finished and second.started and second.finished
        by_clock = None
        if first.finished <= second.started:
            by_clock = True
        elif second.finished <= first.started:
            by_clock = False
        counts = first.execution_count, second.execution_count
        if counts[0] is None or counts[1] is None or counts[0] == counts[1]:
            return None
        return by_clock if by_clock is (counts[0] < counts[1]) else None

    def unseen_between(self, first: int, last: int) -> bool:
        """Whether something ran between two cells of one process that the notebook does not hold.

        It may have been a cell that is gone, or an earlier run of one that ran again.
        """
        one, other = self._records[first], self._records[last]
        if one is None or other is None:
            return False
        begin, end = one.execution_count, other.execution_count
        if begin is None or end is None:
            return True
        known = self._counts[other.kernel.session]
        seen = sum(begin < count < end for count in known)
        return seen < end - begin - 1

    def came_between(self, other: OtherRun, cells: Iterable[int], cell: int) -> bool:
        """Whether something else ran before a cell, and after all of some others."""
        record = self._records[cell]
        if record is None or record.kernel.session != other.session:
            return False
        above = (self._records[one] for one in cells)
        counts = [one.execution_count for one in above if one and one.execution_count is not None]
        end = record.execution_count
        return end is None or max(counts, default=0) < other.execution_count < end

    def has_first_configuration(self, cell: int) -> bool:
        """Whether Spark was set as in the first known cell of the same process."""
        record = self._records[cell]
        if record is None or not record.config_sha256:
            return True
        first = self._configurations.get(record.kernel.session)
        return first is None or first[1] == record.config_sha256
