"""The class-data archive: made once after a session, used from then on, and never in the way."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kernel_real.leftovers import kill_all, marked_processes, wait_until
from kernel_real.notebook import Notebook, NotebookMaker, fast_start

_MADE_WITHIN_S = 250


@pytest.fixture(scope="module")
def cache(new_notebook: NotebookMaker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Give a cache folder in which a first session has led to an archive."""
    folder = tmp_path_factory.mktemp("cache")
    place, mark = new_notebook.next_place()
    try:
        notebook = Notebook(place, mark, fast_start(folder))
        try:
            notebook.wait_for_state("ready")
            assert "class-data archive" not in notebook.driver_log.read_text()
        finally:
            notebook.shut_down()
        # What it starts looks like it for a moment, between fork and exec.
        makers = [p for p in marked_processes(mark) if "warm" in p.cmdline()]
        maker = min(makers, key=lambda process: process.create_time())
        assert wait_until(lambda: maker.nice() == 19, 20)
        assert wait_until(lambda: not marked_processes(mark), _MADE_WITHIN_S)
        notebook.assert_nothing_left()
        yield folder
    finally:
        kill_all(mark)


def archive_in(folder: Path) -> Path:
    """Give the one archive of a cache folder."""
    (archive,) = [p for p in (folder / "archives").iterdir() if p.suffix in (".aot", ".jsa")]
    return archive


@pytest.fixture
def own_cache(cache: Path, tmp_path: Path) -> Path:
    """Give a copy of the cache folder, to be spoiled."""
    return Path(shutil.copytree(cache, tmp_path / "cache"))


def vouch_for(archive: Path) -> None:
    """Write into the record of an archive that it is as it should be."""
    record = json.loads(archive.with_suffix(".json").read_text())
    found = archive.stat()
    record |= {"size_bytes": found.st_size, "modified_ns": found.st_mtime_ns}
    archive.with_suffix(".json").write_text(json.dumps(record))


def is_mapped(notebook: Notebook, archive: Path) -> bool:
    """Whether the driver has the archive in its memory."""
    return any(m.path == str(archive) for m in notebook.driver.memory_maps(grouped=True))


def test_session_leaves_an_archive_and_nothing_unfinished(cache: Path) -> None:
    archive = archive_in(cache)
    assert archive.stat().st_size > 50_000_000
    assert not list((cache / "archives").glob("unfinished-*"))
    assert json.loads(archive.with_suffix(".json").read_text())["failure"] == ""
    assert (cache / "archives").stat().st_mode & 0o077 == 0


def test_command_finds_that_the_archive_is_there(cache: Path) -> None:
    before = archive_in(cache).stat()
    command = Path(sys.executable).with_name("spark-kernel")
    run = subprocess.run(
        [command, "warm"],
        env={**os.environ, **fast_start(cache)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert str(archive_in(cache)) in run.stdout
    assert run.stderr == ""
    assert archive_in(cache).stat() == before


def test_next_start_uses_the_archive(new_notebook: NotebookMaker, cache: Path) -> None:
    archive = archive_in(cache)
    with new_notebook(fast_start(cache)) as notebook:
        assert notebook.value("sc.parallelize(range(4), 2).map(lambda n: n + 1).sum()") == "10"
        assert f"with the class-data archive {archive}" in notebook.driver_log.read_text()
        assert is_mapped(notebook, archive)
        assert notebook.value("%spark restart\nspark.range(3).count()") == "3"
        assert is_mapped(notebook, archive)


def test_truncated_archive_and_one_for_another_key_are_not_used(
    new_notebook: NotebookMaker, own_cache: Path
) -> None:
    archive = archive_in(own_cache)
    other = archive.with_name(f"spark-0123456789abcdef{archive.suffix}")
    shutil.copy2(archive, other)
    shutil.copy2(archive.with_suffix(".json"), other.with_suffix(".json"))
    os.truncate(archive, archive.stat().st_size // 2)
    with new_notebook(fast_start(own_cache)) as notebook:
        assert notebook.value("spark.range(3).count()") == "3"
        assert "class-data archive" not in notebook.driver_log.read_text()
        assert not is_mapped(notebook, archive)
        assert not is_mapped(notebook, other)
        notebook.process.kill()  # at an ordinary end it would set out to make a new one


@pytest.mark.parametrize("share", [0.0, 0.3], ids=["at the start", "in the middle"])
def test_archive_with_corrupted_bytes_never_prevents_a_start(
    new_notebook: NotebookMaker, own_cache: Path, share: float
) -> None:
    archive = archive_in(own_cache)
    size = archive.stat().st_size
    with archive.open("r+b") as file:
        file.seek(int(size * share))
        file.write(random.Random(size).randbytes(256 * 1024))
    vouch_for(archive)
    with new_notebook(fast_start(own_cache)) as notebook:
        assert notebook.value("spark.range(3).count()") == "3"
        assert "with the class-data archive" not in notebook.driver_log.read_text()
        assert not is_mapped(notebook, archive)
        notebook.process.kill()
