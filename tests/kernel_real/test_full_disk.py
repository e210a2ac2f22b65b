"""A disk that is full, for real: what cannot be added is said, and the session is as it was."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from kernel_real.notebook import Notebook, NotebookMaker

DISK_MB = 48
ON_EXECUTORS = "sc.parallelize([1, 2], 2).map(lambda n: n * 2).sum(), spark.range(3).count()"


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Mount a small disk."""
    if os.geteuid() != 0 or not shutil.which("mount"):
        pytest.skip("a small disk needs root and the command `mount`")
    folder = tmp_path_factory.mktemp("small-disk")
    words = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "tmpfs", str(folder)]
    subprocess.run(words, check=True, capture_output=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True, capture_output=True)


@pytest.fixture(scope="module")
def notebook(new_notebook: NotebookMaker, disk: Path) -> Iterator[Notebook]:
    """Give a notebook whose temporary files are on the small disk."""
    with new_notebook({"TMPDIR": str(disk)}) as notebook:
        notebook.value("kept = spark.range(5).cache()\nkept.count()")
        yield notebook
    assert list(disk.glob("spark-kernel-*")) == []


def used_mb(disk: Path) -> float:
    """Give how much of the disk is in use."""
    usage = shutil.disk_usage(disk)
    return usage.used / 1e6


@pytest.mark.parametrize(
    ("size_mb", "said"),
    [
        (100, "cannot be had: No space left on device"),  # our copy does not fit
        (30, "Spark did not take"),  # that does, but not Spark's
    ],
)
def test_library_that_does_not_fit_changes_nothing(
    notebook: Notebook, disk: Path, size_mb: int, said: str
) -> None:
    before = used_mb(disk)
    name = f"big-{size_mb}.bin"
    big = notebook.folder / name
    with big.open("wb") as file:
        file.truncate(size_mb * 1_000_000)
    result = notebook.run(f"%spark add {name}")
    assert said in result.error
    assert len(result.traceback) <= 4
    assert used_mb(disk) < before + 1
    assert name not in notebook.run("%spark libraries").shown
    assert notebook.value(f"{ON_EXECUTORS}, kept.count()") == "(6, 3, 5)"
    # What fits is taken as ever, under the same name as well.
    big.write_text("fits")
    assert "✓ Added" in notebook.run(f"%spark add {name}").shown
    read = f"sc.parallelize([0], 1).map(lambda n: open(SparkFiles.get('{name}')).read()).first()"
    assert notebook.value(f"from pyspark import SparkFiles\n{read}") == "'fits'"
