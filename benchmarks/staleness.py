"""How long ``spark-kernel stale`` takes on a notebook of 200 cells, against reading the file."""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import socket
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_notebook, new_output

from benchmarks.cases import Bench
from benchmarks.report import Figure, run_line, table
from spark_kernel.protocol.provenance import (
    KEY,
    CellRecord,
    DataKind,
    Dataset,
    KernelRecord,
    LibraryRecord,
    RunStatus,
    SparkRecord,
    record_content,
)
from spark_kernel.protocol.staleness import Verdict
from spark_kernel.recording.environment import Environment
from spark_kernel.recording.fingerprints import LocalFiles
from spark_kernel.recording.notebooks import read_notebook
from spark_kernel.recording.staleness import judge

__all__ = ["measure_staleness"]

_CELLS = 200
_FOLDERS = 20
_FILES = 50
_TARGET_S = 1.0


def measure_staleness(bench: Bench, pairs: int) -> str:
    """Time both on the same file, alternating; gives the section of the report."""
    path = _write(bench.folder)
    ours, plain = [], []
    for _ in range(max(pairs, 1) + 1):  # the first of each imports things
        plain.append(_timed(lambda: nbformat.read(path, as_version=4)))
        ours.append(_timed(lambda: _judge(path)))
    figures = [Figure("judging 200 cells", ours[1:], plain[1:], _TARGET_S, "ms", is_absolute=True)]
    size = path.stat().st_size
    return "\n".join(
        [
            "## What is stale",
            "",
            f"A notebook of {_CELLS} cells ({size / 1000:,.0f} KB), all fresh, that read "
            f"{_FOLDERS} folders of {_FILES} files each; the baseline only reads the notebook, "
            "with nbformat.",
            "",
            run_line("python -m benchmarks staleness"),
            "",
            table(figures, baseline="nbformat.read"),
        ]
    )


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _judge(path: Path) -> None:
    report = judge(read_notebook(path), Environment(path.parent))
    if report.verdict is not Verdict.FRESH:
        raise RuntimeError(f"nothing was changed, and a result is {report.verdict.value}")


def _write(folder: Path) -> Path:
    """Write a notebook as a run of it leaves it."""
    places = [_write_data(folder / f"data-{number}") for number in range(_FOLDERS)]
    clock = datetime.now(timezone.utc) - timedelta(days=1)
    cells = []
    for number in range(_CELLS):
        place = places[number % _FOLDERS]
        content = record_content(_record(number, clock, place))
        clock += timedelta(seconds=2)
        output = new_output("display_data", {"text/plain": "1.0 s"}, metadata={KEY: content})
        cell: Any = new_code_cell(
            _source(number, place), execution_count=number + 1, outputs=[output]
        )
        cell.metadata[KEY] = content
        cells.append(cell)
    path = folder / "stale.ipynb"
    nbformat.write(new_notebook(cells=cells), path)
    return path


def _write_data(place: Path) -> Path:
    place.mkdir()
    old = time.time() - 10 * 86_400
    for number in range(_FILES):
        file = place / f"part-{number}"
        file.write_text("x" * number)
        os.utime(file, (old, old))
    return place


def _source(number: int, place: Path) -> str:
    if number == 0:
        return "from pyspark.sql import functions as F\nleast = 3\nframe0 = spark.range(3)"
    return (
        f"frame{number} = spark.read.parquet('{place}').filter(F.col('a') > least)\n"
        f"joined = frame{number}.join(frame{number - 1}, 'id')\n"
        f"joined.groupBy('a').agg(F.sum('b').alias('sum')).orderBy('sum').show()"
    )


def _record(number: int, clock: datetime, place: Path) -> CellRecord:
    version = importlib.metadata.version("pyspark")
    source = _source(number, place)
    dataset = Dataset(
        DataKind.FILE, f"file://{place}", "parquet", LocalFiles().fingerprint(str(place))
    )
    return CellRecord(
        execution_count=number + 1,
        cell_id=f"c{number}",
        user="ana",
        host=socket.gethostname(),
        status=RunStatus.OK,
        source_sha256=hashlib.sha256(source.encode()).hexdigest(),
        started=clock,
        finished=clock + timedelta(seconds=1),
        duration_s=1.0,
        kernel=KernelRecord("pyspark_cluster", "0.1", "s"),
        spark=SparkRecord(version, "local[*]", "local"),
        inputs=(dataset,) if number else (),
        outputs=(),
        libraries=(LibraryRecord("pyspark", version),),
        config_sha256="ab" * 32,
        is_full=True,
    )
