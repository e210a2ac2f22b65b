"""Notebooks with the records of runs that never were, made by the rules of real ones."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

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
from spark_kernel.protocol.staleness import CellVerdict, StalenessReport
from spark_kernel.recording.environment import Environment
from spark_kernel.recording.fingerprints import LocalFiles
from spark_kernel.recording.notebooks import read_notebook
from spark_kernel.recording.staleness import judge

LONG_AGO = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)
PYSPARK = importlib.metadata.version("pyspark")


@dataclass
class BookCell:
    """A code cell, and the record of its latest run."""

    source: str
    record: CellRecord | None = None
    count: int | None = None
    inputs: tuple[Path | Dataset, ...] = ()
    outputs: tuple[Path | Dataset, ...] = ()


@dataclass
class Book:
    """A notebook that is being worked with.

    Attributes
    ----------
    clock
        When the next cell runs.
    """

    folder: Path
    cells: list[BookCell] = field(default_factory=list)
    clock: datetime = LONG_AGO
    count: int = 0
    session: str = "s1"

    @classmethod
    def of(cls, folder: Path, *sources: str) -> Book:
        """Make a notebook, and run it from top to bottom."""
        book = cls(folder, [BookCell(source) for source in sources])
        book.run_all()
        return book

    def run_all(self) -> None:
        """Run every cell, in its order."""
        self.run(*range(1, len(self.cells) + 1))

    def restart(self) -> None:
        """Go on in another process of the kernel."""
        self.session, self.count = f"{self.session}'", 0

    def run(self, *numbers: int, **changes: Any) -> None:
        """Run some cells, which count from 1 on."""
        for number in numbers:
            cell = self.cells[number - 1]
            self.count += 1
            cell.count = self.count
            started = self.clock
            self.clock += timedelta(seconds=10)
            record = CellRecord(
                execution_count=self.count,
                cell_id=f"c{number}",
                user="ana",
                host=socket.gethostname(),
                status=RunStatus.OK,
                source_sha256=hashlib.sha256(cell.source.encode()).hexdigest(),
                started=started,
                finished=started + timedelta(seconds=5),
                duration_s=5.0,
                kernel=KernelRecord("pyspark_cluster", "0.1", self.session),
                spark=SparkRecord(PYSPARK, "local[*]", "local"),
                inputs=tuple(map(dataset_of, cell.inputs)),
                outputs=tuple(map(dataset_of, cell.outputs)),
                libraries=(LibraryRecord("pyspark", PYSPARK),),
                config_sha256="ab" * 32,
                is_full=True,
            )
            cell.record = replace(record, **changes)

    def write(self, name: str = "book.ipynb") -> Path:
        """Write the file."""
        path = self.folder / name
        cells = [_content(number, cell) for number, cell in enumerate(self.cells, 1)]
        cells.insert(0, {"cell_type": "markdown", "id": "m", "metadata": {}, "source": ["# Title"]})
        book = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
        path.write_text(json.dumps(book))
        return path

    def judge(self, **environment: Any) -> StalenessReport:
        """Judge it as it is now."""
        notebook = read_notebook(self.write())
        return judge(notebook, Environment(self.folder, **environment))

    def verdicts(self, **environment: Any) -> str:
        """Give the first letters of the verdicts, such as ``ffsu``."""
        return "".join(cell.verdict.value[0] for cell in self.judge(**environment).cells)

    def cell(self, number: int, **environment: Any) -> CellVerdict:
        """Give what is said of one cell."""
        found = self.judge(**environment).cells
        return next(one for one in found if one.number == number)

    def kinds(self, number: int, **environment: Any) -> set[str]:
        """Give the kinds of the reasons against a cell."""
        return {reason.kind.value for reason in self.cell(number, **environment).reasons}


def dataset_of(place: Path | Dataset) -> Dataset:
    """Record a local file or folder as it is now."""
    if isinstance(place, Dataset):
        return place
    fingerprint = LocalFiles().fingerprint(str(place))
    return Dataset(DataKind.FILE, f"file://{place}", "csv", fingerprint)


def write_old(path: Path, text: str, moment: datetime = LONG_AGO - timedelta(days=1)) -> Path:
    """Write a file that was there before all runs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    os.utime(path, (moment.timestamp(), moment.timestamp()))
    return path


def view(name: str) -> Dataset:
    """Give a temporary view, as records name it."""
    return Dataset(DataKind.OTHER, name, "view")


def _content(number: int, cell: BookCell) -> dict[str, Any]:
    metadata: dict[str, Any] = {}
    outputs: list[Mapping[str, Any]] = []
    if cell.record is not None:
        content = record_content(cell.record)
        metadata[KEY] = content
        if cell.count is not None:
            outputs.append(
                {
                    "output_type": "display_data",
                    "data": {"text/plain": "1.2 s"},
                    "metadata": {KEY: content},
                }
            )
    return {
        "cell_type": "code",
        "id": f"c{number}",
        "metadata": metadata,
        "execution_count": cell.count,
        "source": cell.source.splitlines(keepends=True),
        "outputs": outputs,
    }


Change = Callable[[Book], None]
