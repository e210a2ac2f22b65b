"""Says of each cell of a notebook whether its result is fresh, stale or unknown, and why.

A result is fresh only if everything that it is made from is known and as it was.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence

from spark_kernel.protocol.provenance import CellRecord, RunStatus
from spark_kernel.protocol.staleness import (
    CellVerdict,
    Reason,
    ReasonKind,
    StalenessReport,
    Verdict,
)
from spark_kernel.recording.code.cell import Binding, CellCode
from spark_kernel.recording.code.sequence import data_places, read_cells
from spark_kernel.recording.data_checks import input_reasons, output_reasons, overlapping
from spark_kernel.recording.environment import Environment
from spark_kernel.recording.library_checks import library_reasons, module_reasons
from spark_kernel.recording.notebooks import RecordedCell, RecordedNotebook, title_of
from spark_kernel.recording.outside import outside_of
from spark_kernel.recording.upstream_checks import UpstreamChecks

__all__ = ["judge"]

_LONGEST_TITLE = 200
_STATUS_TEXTS = {
    RunStatus.ERROR: "it failed",
    RunStatus.INTERRUPTED: "it was interrupted",
    RunStatus.ABORTED: "it never began, as a cell before it failed",
}


def judge(notebook: RecordedNotebook, environment: Environment) -> StalenessReport:
    """Judge every code cell; those that only look after Spark have no result."""
    cells, others = notebook.cells, notebook.others
    sources = [(cell.source, cell.record) for cell in cells]
    codes = read_cells([*sources, *((run.source, None) for run in others)])
    codes, others_codes = codes[: len(cells)], codes[len(cells) :]
    upstreams = UpstreamChecks(cells, codes, list(zip(others, others_codes, strict=True)))
    bound: dict[str, Binding] = {}
    judged: dict[int, tuple[Reason, ...]] = {}
    verdicts = []
    for number, (cell, code) in enumerate(zip(cells, codes, strict=True)):
        reasons = [
            *_own_reasons(cell),
            *_record_reasons(cells, number, code, bound, upstreams, environment),
        ]
        if cell.record is not None:
            reasons += upstreams.reasons(number, judged)
        judged[number] = _ordered(reasons)
        bound.update(code.binds)
        if not code.is_housekeeping:
            notes = tuple(upstreams.notes(number))
            verdicts.append(_verdict(cell, judged[number], notes))
    return StalenessReport(str(notebook.path or ""), tuple(verdicts))


def _verdict(
    cell: RecordedCell, reasons: tuple[Reason, ...], notes: tuple[str, ...]
) -> CellVerdict:
    title = title_of(cell.source)[:_LONGEST_TITLE]
    return CellVerdict(cell.number, cell.cell_id, cell.execution_count, title, reasons, notes)


def _ordered(reasons: Sequence[Reason]) -> tuple[Reason, ...]:
    """Put what makes a result stale first, and say nothing twice."""
    unique = tuple(dict.fromkeys(reasons))
    stale = [reason for reason in unique if reason.verdict is Verdict.STALE]
    return (*stale, *(reason for reason in unique if reason.verdict is not Verdict.STALE))


def _own_reasons(cell: RecordedCell) -> Iterator[Reason]:
    """Say what speaks against the run itself."""
    record = cell.record
    if record is None:
        text = "its outputs were cleared" if cell.problem else "there is no record of a run"
        yield Reason(Verdict.UNKNOWN, ReasonKind.NO_RECORD, text)
        return
    if cell.problem:
        yield Reason(Verdict.UNKNOWN, ReasonKind.OTHER_RUN, cell.problem)
    if record.status is not RunStatus.OK:
        error = f" ({record.error_name})" if record.error_name else ""
        text = f"{_STATUS_TEXTS[record.status]}{error}"
        yield Reason(Verdict.UNKNOWN, ReasonKind.NOT_FINISHED, text)
    digest = hashlib.sha256(cell.source.encode("utf-8", "surrogatepass")).hexdigest()
    if digest != record.source_sha256.lower():
        text = "its source changed since it ran"
        yield Reason(Verdict.STALE, ReasonKind.SOURCE_CHANGED, text)


def _record_reasons(
    cells: Sequence[RecordedCell],
    number: int,
    code: CellCode,
    bound: Mapping[str, Binding],
    upstreams: UpstreamChecks,
    environment: Environment,
) -> Iterator[Reason]:
    """Say what of a record does not fit to what is here now, or is not told by any record."""
    record = cells[number].record
    if record is None or record.status is RunStatus.ABORTED:
        return
    yield from _time_reasons(record, environment)
    if record.is_full:
        yield from input_reasons(record, environment)
        yield from output_reasons(record, environment, _superseded(cells, number, upstreams))
    else:
        text = "it ran without provenance mode, so what it read is not known"
        yield Reason(Verdict.UNKNOWN, ReasonKind.NOT_PROVENANCE, text)
    yield from library_reasons(record, environment)
    yield from module_reasons(code, record, upstreams.runs.session_began(record), environment)
    if code.opaque and not code.opaque.startswith("from "):
        text = f"{code.opaque} may do anything"
        yield Reason(Verdict.UNKNOWN, ReasonKind.OPAQUE_CODE, text)
    for what in outside_of(code, bound, record):
        yield Reason(Verdict.UNKNOWN, ReasonKind.OUTSIDE, f"it depends on {what}")


def _time_reasons(record: CellRecord, environment: Environment) -> Iterator[Reason]:
    if record.started is None or record.finished is None:
        text = "its record does not say when it ran"
    elif record.started > environment.now:
        text = "by its record it has not run yet: a clock is wrong"
    else:
        return
    yield Reason(Verdict.UNKNOWN, ReasonKind.NOT_FINISHED, text)


def _superseded(
    cells: Sequence[RecordedCell], number: int, upstreams: UpstreamChecks
) -> frozenset[str]:
    """Give which outputs of a cell others below have written again, after it."""
    record = cells[number].record
    own = [
        place for one in (record.outputs if record else None) or () for place in data_places(one)
    ]
    found: set[str] = set()
    if not own:
        return frozenset()
    for other in range(number + 1, len(cells)):
        later = cells[other].record
        if later is None or not later.outputs:
            continue
        has_begun = (
            later.started and record and record.finished and later.started >= record.finished
        )
        if has_begun:
            places = [place for one in later.outputs for place in data_places(one)]
            found |= overlapping(own, places)
    return frozenset(found)
