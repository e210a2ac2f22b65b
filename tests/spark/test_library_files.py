"""Files of libraries: copied in blocks, told how far that is, and nothing left where it fails."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from spark_kernel.errors import LibraryError
from spark_kernel.spark import library_files
from spark_kernel.spark.library_files import digest, fetch

MIB = 1024 * 1024


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Give a file of two and a half blocks."""
    path = tmp_path / "data.bin"
    path.write_bytes(bytes(range(256)) * (MIB * 5 // 2 // 256))
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a folder for copies."""
    (tmp_path / "copies").mkdir()
    return tmp_path / "copies"


def test_copy_is_the_same_and_a_quick_one_tells_nothing(source, folder):
    told: list[Any] = []
    (fetched,) = fetch(str(source), folder, lambda *far: told.append(far))
    assert fetched.path.read_bytes() == source.read_bytes()
    assert digest(fetched.path) == hashlib.sha256(source.read_bytes()).hexdigest()
    assert told == []


@pytest.mark.parametrize("has_size", [True, False])
def test_slow_copy_tells_how_far_it_is(source, folder, monkeypatch, has_size):
    monkeypatch.setattr(library_files, "_TELL_INTERVAL_S", 0.0)
    told: list[Any] = []
    size = source.stat().st_size if has_size else None
    with source.open("rb") as file:
        library_files._copy(file, folder / "copy", size, lambda *far: told.append(far))
    assert told == [(MIB, size), (2 * MIB, size), (MIB * 5 // 2, size)]


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_copy_that_breaks_off_leaves_nothing(source, folder, monkeypatch, error):
    def break_off(*_: Any) -> None:
        raise error

    monkeypatch.setattr(library_files, "_TELL_INTERVAL_S", 0.0)
    with pytest.raises((LibraryError, KeyboardInterrupt)):
        fetch(str(source), folder, break_off)
    assert list(folder.iterdir()) == []
