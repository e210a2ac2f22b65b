"""Says what the cells above mean for a result: newer, stale, unknown, of another order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from spark_kernel.protocol.staleness import Reason, ReasonKind, Verdict
from spark_kernel.recording.code.cell import CellCode
from spark_kernel.recording.dependencies import CellDependencies, Dependencies, Upstream
from spark_kernel.recording.notebooks import OtherRun, RecordedCell
from spark_kernel.recording.runs import Runs

__all__ = ["UpstreamChecks"]

_IMPORTS = {
    ReasonKind.NO_RECORD,
    ReasonKind.OTHER_RUN,
    ReasonKind.NOT_FINISHED,
    ReasonKind.SOURCE_CHANGED,
    ReasonKind.LIBRARY_CHANGED,
    ReasonKind.LIBRARY_UNKNOWN,
    ReasonKind.MODULE_CHANGED,
}
"""What of a cell matters to those that only use what it imports."""

_MOST_NAMES = 3


class UpstreamChecks:
    """Checks cells in the order of the notebook.

    Parameters
    ----------
    cells, codes
        All code cells, and what their sources tell.
    others
        What else is known to have run, with what its source tells.
    """

    def __init__(
        self,
        cells: Sequence[RecordedCell],
        codes: Sequence[CellCode],
        others: Sequence[tuple[OtherRun, CellCode]] = (),
    ) -> None:
        self._cells = cells
        self._codes = codes
        self._others = others
        self._dependencies = Dependencies(codes)
        self.runs = Runs([cell.record for cell in cells], [run for run, _ in others])

    def reasons(self, cell: int, judged: Mapping[int, Sequence[Reason]]) -> Iterator[Reason]:
        """Say what speaks against a result for what it stands on.

        Parameters
        ----------
        judged
            What speaks against each cell above.
        """
        found = self._dependencies.of(cell)
        by_cell: dict[int, list[Upstream]] = defaultdict(list)
        for upstream in found.upstreams:
            by_cell[upstream.cell].append(upstream)
        for number in sorted(by_cell, reverse=True):
            reason = self._upstream_reason(cell, number, by_cell[number], judged[number])
            if reason is not None:
                yield reason
        if found.unbound:
            text = f"no cell above gives {_listed(found.unbound)}"
            yield Reason(Verdict.UNKNOWN, ReasonKind.UNBOUND_NAME, text)
        yield from self._order_reasons(cell, found)
        yield from self._other_reasons(cell, found)
        yield from self._unseen_reasons(cell, found, by_cell)

    def notes(self, cell: int) -> Iterator[str]:
        """Say what is worth knowing beside."""
        record = self._cells[cell].record
        if record is None or not record.config_sha256:
            return
        others = sorted({one.cell for one in self._dependencies.of(cell).upstreams})
        for other in others:
            above = self._cells[other].record
            if above and above.config_sha256 and above.config_sha256 != record.config_sha256:
                yield f"Spark was set otherwise than for [{self._cells[other].number}]"

    def _upstream_reason(
        self,
        cell: int,
        above: int,
        upstreams: Sequence[Upstream],
        against: Sequence[Reason],
    ) -> Reason | None:
        is_strong = any(one.is_strong for one in upstreams)
        label = f"[{self._cells[above].number}]"
        what = _through(label, upstreams)
        unknown = Verdict.UNKNOWN
        if all(one.is_import for one in upstreams):
            against = [one for one in against if one.kind in _IMPORTS]
        if self._cells[above].record is None or self._cells[cell].record is None:
            return Reason(unknown, ReasonKind.UPSTREAM_UNKNOWN, f"{what} has no record")
        if not self.runs.is_same_session(above, cell):
            text = f"{what} ran in another kernel"
            return Reason(unknown, ReasonKind.OTHER_SESSION, text)
        is_before = self.runs.is_before(above, cell)
        if is_before is False:
            verdict = Verdict.STALE if is_strong else unknown
            return Reason(verdict, ReasonKind.UPSTREAM_NEWER, f"{what} ran later")
        if any(one.verdict is Verdict.STALE for one in against):
            verdict = Verdict.STALE if is_strong else unknown
            return Reason(verdict, ReasonKind.UPSTREAM_STALE, f"{what} is stale")
        if against:
            return Reason(unknown, ReasonKind.UPSTREAM_UNKNOWN, f"{what} is unknown")
        if is_before is None:
            text = f"{what} may have run before or after it"
            return Reason(unknown, ReasonKind.OUT_OF_ORDER, text)
        return None

    def _order_reasons(self, cell: int, found: CellDependencies) -> Iterator[Reason]:
        """Tell of cells that ran in between, and stand elsewhere in the notebook."""
        told: set[int] = set()
        for name in sorted(found.names):
            chosen = {one.cell for one in found.upstreams if one.name == name}
            for other in self._dependencies.writers(name):
                if other in told or other == cell or other in chosen:
                    continue
                if self._came_between(other, cell, name, chosen):
                    told.add(other)
                    where = "below" if other > cell else "above"
                    number = self._cells[other].number
                    text = f"[{number}], {where}, ran before it and after what gives {_shown(name)}"
                    if not chosen:
                        text = f"[{number}], {where}, had run before it and may give {_shown(name)}"
                    yield Reason(Verdict.UNKNOWN, ReasonKind.OUT_OF_ORDER, text)

    def _came_between(self, other: int, cell: int, name: str, chosen: Iterable[int]) -> bool:
        if not self.runs.is_same_session(other, cell):
            return False
        if self.runs.is_before(other, cell) is False:
            return False
        binds = self._codes[other].binds.get(name)
        for one in chosen:
            # A second import of the same changes nothing.
            same = self._codes[one].binds.get(name)
            if binds is not None and binds.module and same and same.module == binds.module:
                return False
        opaque_above = other < cell and not binds and bool(self._codes[other].opaque)
        if opaque_above and not chosen:
            return False  # it is upstream by itself
        return all(self.runs.is_before(one, other) is not False for one in chosen)

    def _other_reasons(self, cell: int, found: CellDependencies) -> Iterator[Reason]:
        """Tell of what else ran in between, as far as its source is known."""
        for run, code in self._others:
            for name in sorted(found.names):
                is_written = bool(code.opaque) or name in code.binds or name in code.mutates
                if not is_written and name in code.touches:
                    is_written = not self._dependencies.is_fixed(name)
                chosen = [one.cell for one in found.upstreams if one.name == name and one.is_strong]
                if is_written and self.runs.came_between(run, chosen, cell):
                    text = (
                        f"the run [{run.execution_count}], which the notebook does not hold, may "
                        f"have changed {_shown(name)}"
                    )
                    yield Reason(Verdict.UNKNOWN, ReasonKind.OUT_OF_ORDER, text)
                    break

    def _unseen_reasons(
        self, cell: int, found: CellDependencies, by_cell: Mapping[int, Sequence[Upstream]]
    ) -> Iterator[Reason]:
        unseen = [
            self._cells[other].number
            for other in by_cell
            if self.runs.is_same_session(other, cell)
            and self.runs.is_before(other, cell)
            and self.runs.unseen_between(other, cell)
        ]
        if unseen:
            text = (
                f"between [{max(unseen)}] and this cell something ran that the notebook does not "
                "hold: a cell that is gone, or an earlier run of one"
            )
            yield Reason(Verdict.UNKNOWN, ReasonKind.UNSEEN_RUNS, text)
        is_set = "spark" in self._codes[cell].touches
        is_set = is_set or any(one.name == "spark" for one in found.upstreams)
        is_used = "spark" in found.names
        if is_used and not is_set and not self.runs.has_first_configuration(cell):
            text = "Spark was set by something that the notebook does not hold"
            yield Reason(Verdict.UNKNOWN, ReasonKind.UNSEEN_RUNS, text)


def _through(label: str, upstreams: Sequence[Upstream]) -> str:
    """Say how a cell counts, as the beginning of a sentence about it."""
    names = sorted({one.name for one in upstreams if one.name})
    if not names:
        return f"{label}, which may change anything,"
    if not any(one.is_strong for one in upstreams):
        return f"{label}, which may change {_listed(names)},"
    return f"{_listed(names)} {'comes' if len(names) == 1 else 'come'} from {label}, which"


def _listed(names: Iterable[str]) -> str:
    listed = [_shown(name) for name in names]
    more = len(listed) - _MOST_NAMES
    text = ", ".join(listed[:_MOST_NAMES])
    return f"{text} and {more} more" if more > 0 else text


def _shown(name: str) -> str:
    kind, _, rest = name.partition(" ")
    if not rest:
        return name
    return f"the view or table {rest}" if kind == "view" else rest
