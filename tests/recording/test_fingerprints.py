"""Fingerprints of local files: what counts, what a pattern means, and where looking ends."""

from __future__ import annotations

import os
from datetime import datetime, timezone
from pathlib import Path

import pytest

from spark_kernel.protocol.provenance import Fingerprint
from spark_kernel.recording.fingerprints import LocalFiles, TooLargeError, local_path

MOMENT = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=timezone.utc)


def write(path: Path, text: str = "12345", moment: datetime = MOMENT) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    nanoseconds = round(moment.timestamp() * 1000) * 1_000_000
    os.utime(path, ns=(nanoseconds, nanoseconds))
    return path


def look(path: object, **options: bool) -> Fingerprint | None:
    return LocalFiles().fingerprint(str(path), **options)


def test_a_file_has_its_size_and_its_time_to_the_millisecond(tmp_path: Path) -> None:
    assert look(write(tmp_path / "a.csv")) == Fingerprint(1, 5, MOMENT)


def test_what_is_not_there_has_none(tmp_path: Path) -> None:
    assert look(tmp_path / "gone") is None
    assert look(tmp_path / "gone*.csv") is None


def test_an_empty_folder_has_no_files_and_no_time(tmp_path: Path) -> None:
    assert look(tmp_path) == Fingerprint(0, 0, None)


def test_hidden_files_do_not_count_and_folders_of_partitions_do(tmp_path: Path) -> None:
    for name in (
        "part-0",
        "_SUCCESS",
        ".part-0.crc",
        "_temporary/0/x",
        ".x/y",
        ".z=1/y",
        "year=1/a",
    ):
        write(tmp_path / name)
    write(tmp_path / "_year=2" / "_month=3" / "b")
    assert look(tmp_path) == Fingerprint(3, 15, MOMENT)


def test_the_newest_file_counts(tmp_path: Path) -> None:
    write(tmp_path / "a")
    newer = MOMENT.replace(year=2027)
    write(tmp_path / "deep" / "er" / "b", moment=newer)
    assert look(tmp_path) == Fingerprint(2, 10, newer)


@pytest.mark.parametrize(
    ("pattern", "files"),
    [
        ("*.csv", 3),
        ("a?.csv", 2),
        ("{a1,b1}.csv", 2),
        ("{a,b}{1,2}.csv", 3),
        ("[ab]1.csv", 2),
        ("[^a]1.csv", 1),
        ("*", 5),
        ("year=*", 1),
    ],
)
def test_a_pattern_is_read_as_hadoop_reads_it(tmp_path: Path, pattern: str, files: int) -> None:
    for name in ("a1.csv", "a2.csv", "b1.csv", "c.txt", "_x", "year=1/a"):
        write(tmp_path / name)
    found = look(tmp_path / pattern)
    assert found is not None
    assert found.files == files


def test_a_file_that_looks_like_a_pattern_or_is_quoted_is_found(tmp_path: Path) -> None:
    write(tmp_path / "a[1].csv")
    write(tmp_path / "b c.csv")
    write(tmp_path / "d%20e.csv")
    assert look(tmp_path / "a[1].csv") is not None
    assert look(tmp_path / "b%20c.csv") is not None
    assert look(tmp_path / "d%20e.csv") is not None


def test_a_single_file_is_meant_whatever_its_name(tmp_path: Path) -> None:
    hidden = write(tmp_path / "_state.json")
    assert look(hidden) == Fingerprint(0, 0, None)
    assert look(hidden, is_exact=True) == Fingerprint(1, 5, MOMENT)


def test_links_are_followed_and_circles_end(tmp_path: Path) -> None:
    write(tmp_path / "real" / "a")
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "link").symlink_to(tmp_path / "real")
    (tmp_path / "tree" / "circle").symlink_to(tmp_path / "tree")
    (tmp_path / "tree" / "nowhere").symlink_to(tmp_path / "gone")
    assert look(tmp_path / "tree") == Fingerprint(1, 5, MOMENT)


def test_looking_ends_at_too_many_files_each_time_it_is_asked(tmp_path: Path) -> None:
    for number in range(6):
        write(tmp_path / str(number))
    files = LocalFiles(most_files=5)
    for _ in range(2):
        with pytest.raises(TooLargeError, match="more than 5 files"):
            files.fingerprint(str(tmp_path))


def test_looking_ends_when_it_takes_too_long(tmp_path: Path) -> None:
    write(tmp_path / "a")
    with pytest.raises(TooLargeError, match="too long"):
        LocalFiles(most_s=-1).fingerprint(str(tmp_path))


def test_a_place_is_looked_at_once(tmp_path: Path) -> None:
    files = LocalFiles()
    path = write(tmp_path / "a")
    before = files.fingerprint(str(path))
    path.write_text("changed")
    assert files.fingerprint(str(path)) == before


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("file:/data/a", "/data/a"),
        ("file:///data/a b", "/data/a b"),
        ("file://localhost/data/a", "/data/a"),
        ("file://server/data/a", None),
        ("file:data", None),
        ("hdfs://host/data", None),
        ("s3a://bucket/data", None),
        ("/data/a", None),
    ],
)
def test_only_files_of_this_machine_have_a_path(uri: str, path: str | None) -> None:
    assert local_path(uri) == path
