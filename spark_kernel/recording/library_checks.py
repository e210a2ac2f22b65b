"""Compares the libraries, the Spark and the modules of a record with those that are here."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from spark_kernel.protocol.provenance import CellRecord
from spark_kernel.protocol.staleness import Reason, ReasonKind, Verdict
from spark_kernel.recording.code.cell import CellCode
from spark_kernel.recording.environment import Environment, normalized

__all__ = ["library_reasons", "module_reasons"]

_KERNEL = "spark-kernel"
_LOOKING = {"IPython", "spark_kernel"}
"""What shows results, and has no part in them."""


def library_reasons(record: CellRecord, environment: Environment) -> Iterator[Reason]:
    """Say which versions are not those of the run."""
    versions = {normalized(one.name): one.version for one in record.libraries}
    for library in record.libraries:
        if normalized(library.name) == _KERNEL:
            continue
        now = environment.version_of(library.name)
        if now is None:
            text = f"{library.name} is not installed here"
            yield Reason(Verdict.UNKNOWN, ReasonKind.LIBRARY_UNKNOWN, text)
        elif not library.version:
            text = f"the version of {library.name} was not recorded"
            yield Reason(Verdict.UNKNOWN, ReasonKind.LIBRARY_UNKNOWN, text)
        elif now != library.version:
            text = f"{library.name} is {now} now, and was {library.version}"
            yield Reason(Verdict.STALE, ReasonKind.LIBRARY_CHANGED, text)
    spark = record.spark.version if record.spark else None
    here = environment.spark_version
    if not spark or spark == here:
        return
    text = f"Spark is {here} now, and was {spark}" if here else "there is no Spark here"
    # A server, or a Spark of its own, is not told by the PySpark that is installed.
    is_foreign = versions.get("pyspark", spark) != spark or here is None
    verdict = Verdict.UNKNOWN if is_foreign else Verdict.STALE
    yield Reason(verdict, ReasonKind.SPARK_CHANGED, text)


def module_reasons(
    code: CellCode, record: CellRecord, session_began: datetime | None, environment: Environment
) -> Iterator[Reason]:
    """Say which modules may be others than those that were imported.

    Parameters
    ----------
    session_began
        Since when the process may have kept a module as it was.
    """
    if not record.is_full:
        return
    recorded = {normalized(one.name) for one in record.libraries}
    for module in sorted(code.imports):
        top = module.split(".")[0]
        modified = environment.modified(module)
        if modified is not None:
            if session_began is None or modified >= session_began:
                text = f"the module {top} changed since its kernel started"
                yield Reason(Verdict.UNKNOWN, ReasonKind.MODULE_CHANGED, text)
            continue
        if top in _LOOKING or environment.is_standard(module):
            continue
        libraries = environment.libraries_of(module) if top else ()
        known = [library for library in libraries if normalized(library) in recorded]
        if not libraries:
            text = f"the module {module} is not here"
        elif not known:
            text = f"the version of {libraries[0]} was not recorded"
        elif any(map(environment.is_editable, known)):
            text = f"{known[0]} is installed so that its code may change"
        else:
            continue
        yield Reason(Verdict.UNKNOWN, ReasonKind.LIBRARY_UNKNOWN, text)
