"""Compares the data of a record with what is there now."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from spark_kernel.protocol.provenance import CellRecord, DataKind, Dataset, Fingerprint
from spark_kernel.protocol.staleness import Reason, ReasonKind, Verdict
from spark_kernel.recording.code.sequence import VIEW_FORMAT, data_places
from spark_kernel.recording.environment import Environment
from spark_kernel.recording.fingerprints import TooLargeError, local_path
from spark_kernel.recording.outside import PYTHON_FORMAT
from spark_kernel.redaction import redacted

__all__ = ["input_reasons", "output_reasons", "overlapping", "place_text"]

_log = logging.getLogger(__name__)
_LONGEST = 70
_SINKS_OF_NOTHING = {"noop"}


@dataclass(frozen=True)
class _Look:
    """What is there now.

    Attributes
    ----------
    why
        Why nobody can tell; empty where somebody can.
    """

    fingerprint: Fingerprint | None = None
    is_gone: bool = False
    why: str = ""


@dataclass(frozen=True)
class _Side:
    """How inputs or outputs are told of; ``{}`` stands for the name of the data."""

    unknown: ReasonKind
    gone: ReasonKind
    changed: ReasonKind
    is_unknown: str
    is_meant: str
    has_changed: str


_INPUTS = _Side(
    ReasonKind.INPUT_UNKNOWN,
    ReasonKind.INPUT_GONE,
    ReasonKind.INPUT_CHANGED,
    "nobody can tell whether {} has changed",
    "{}",
    "{} changed",
)
_OUTPUTS = _Side(
    ReasonKind.OUTPUT_UNKNOWN,
    ReasonKind.OUTPUT_GONE,
    ReasonKind.OUTPUT_CHANGED,
    "nobody can tell what has become of {}",
    "{}, which it wrote,",
    "{} was overwritten by something else",
)


def input_reasons(record: CellRecord, environment: Environment) -> Iterator[Reason]:
    """Say what of a cell's inputs is not as it was."""
    if record.inputs is None:
        yield Reason(
            Verdict.UNKNOWN, ReasonKind.INPUT_UNKNOWN, "what it has read could not be recorded"
        )
        return
    written = {place for one in record.outputs or () for place in data_places(one)}
    for dataset in record.inputs:
        if _is_view(dataset):
            continue  # the cell that made it is upstream
        reason = _reason(dataset, record, environment, _INPUTS)
        if reason is not None:
            yield reason
        elif not written.intersection(data_places(dataset)) and _is_close(dataset, record):
            name = place_text(dataset, environment.folder)
            text = f"{name} was written when the cell ran, which may have read it half"
            yield Reason(Verdict.UNKNOWN, ReasonKind.INPUT_UNKNOWN, text)


def output_reasons(
    record: CellRecord, environment: Environment, superseded: frozenset[str]
) -> Iterator[Reason]:
    """Say what of a cell's outputs is not as it left it.

    Parameters
    ----------
    superseded
        Where cells below have written since.
    """
    if record.outputs is None and record.inputs is not None:
        yield Reason(
            Verdict.UNKNOWN, ReasonKind.OUTPUT_UNKNOWN, "what it has written could not be recorded"
        )
    for dataset in record.outputs or ():
        is_nothing = dataset.name in _SINKS_OF_NOTHING or dataset.format in _SINKS_OF_NOTHING
        if _is_view(dataset) or is_nothing or superseded.intersection(data_places(dataset)):
            continue
        reason = _reason(dataset, record, environment, _OUTPUTS)
        if reason is not None:
            yield reason


def _is_view(dataset: Dataset) -> bool:
    return dataset.format == VIEW_FORMAT and dataset.kind is DataKind.OTHER


def _reason(
    dataset: Dataset, record: CellRecord, environment: Environment, side: _Side
) -> Reason | None:
    """Say why some data is not known to be as it was; None if it is."""
    name = place_text(dataset, environment.folder)
    meant = side.is_meant.format(name)
    before = dataset.fingerprint
    if before is None or before == Fingerprint():
        why = f": {dataset.note}" if dataset.note else ""
        return Reason(Verdict.UNKNOWN, side.unknown, f"{side.is_unknown.format(name)}{why}")
    look = _look(dataset, environment)
    if look.why:
        text = f"{meant} cannot be checked: {look.why}"
        return Reason(Verdict.UNKNOWN, side.unknown, text)
    if look.is_gone:
        return _gone(meant, record, environment, side.gone)
    changes = _changes(before, look.fingerprint)
    if changes:
        return Reason(Verdict.STALE, side.changed, f"{side.has_changed.format(name)}: {changes}")
    return None


def place_text(dataset: Dataset, folder: Path | None) -> str:
    """Name data as people do: a path below the notebook's folder, or the end of a long one."""
    path = local_path(dataset.name)
    name = redacted(dataset.name) if path is None else path
    if path is not None and folder is not None:
        base = f"{folder.absolute()}/"
        name = name.removeprefix(base)
    name = " ".join(name.split()) or "what it read"
    return name if len(name) <= _LONGEST else f"…{name[1 - _LONGEST :]}"


def _look(dataset: Dataset, environment: Environment) -> _Look:
    place = dataset.location or (dataset.name if dataset.kind is DataKind.FILE else "")
    path = local_path(place)
    has_version = dataset.fingerprint is not None and dataset.fingerprint.version is not None
    if path is not None and not has_version:
        is_exact = dataset.format == PYTHON_FORMAT
        try:
            found = environment.files.fingerprint(path, is_exact=is_exact)
        except TooLargeError as error:
            return _Look(why=str(error))
        except (OSError, ValueError) as error:
            return _Look(why=f"{getattr(error, 'strerror', None) or error}")
        return _Look(found, is_gone=found is None)
    if environment.ask is None:
        return _Look(why="only Spark can look at it, as `%spark stale` in the notebook does")
    try:
        answer = environment.ask(dataset)
    except Exception:
        _log.debug("no fingerprint of %s", dataset.name, exc_info=True)
        answer = None
    return _Look(answer) if answer is not None else _Look(why="Spark could not tell its state")


def _gone(name: str, record: CellRecord, environment: Environment, kind: ReasonKind) -> Reason:
    if record.host and record.host != environment.host:
        text = f"{name} is not on this machine; the cell ran on {record.host}"
        return Reason(Verdict.UNKNOWN, kind, text)
    return Reason(Verdict.STALE, kind, f"{name} is gone")


def _changes(before: Fingerprint, now: Fingerprint | None) -> str:
    """Say what differs; empty if nothing does."""
    if now is None:
        return "there is nothing now"
    if before.version is not None or now.version is not None:
        is_same = before.version == now.version
        return "" if is_same else f"version {now.version} instead of {before.version}"
    told: list[str] = []
    if before.modified != now.modified:
        told.append(f"modified {_moment(now.modified)}")
    if before.files != now.files:
        told.append(f"{_counted(now.files)} instead of {before.files}")
    elif before.bytes != now.bytes:
        told.append(f"{now.bytes or 0:,} instead of {before.bytes or 0:,} bytes")
    return ", ".join(filter(None, told)) or ("its size is another" if before != now else "")


def _is_close(dataset: Dataset, record: CellRecord) -> bool:
    """Whether something may have changed after it was read, with the time of before.

    Some file systems keep times in seconds.
    """
    modified = dataset.fingerprint.modified if dataset.fingerprint else None
    started = record.started
    if modified is None or started is None:
        return False
    if modified.microsecond == 0:
        modified += timedelta(seconds=1)
    return modified > started


def _moment(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}" if moment else "at no time"


def _counted(files: int | None) -> str:
    return f"{files:,} file{'' if files == 1 else 's'}" if files is not None else "no files"


def overlapping(places: Sequence[str], others: Sequence[str]) -> frozenset[str]:
    """Give the places that others lie in, or around."""
    return frozenset(
        one
        for one in places
        for other in others
        if one == other or one.startswith(f"{other}/") or other.startswith(f"{one}/")
    )
