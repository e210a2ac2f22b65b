"""Class-data archives: which one belongs to a start, when it may be used, which are kept."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from spark_kernel.spark.archive import Archive, ArchiveStore
from spark_kernel.spark.installation import SparkInstallation
from spark_kernel.spark.java import JavaRuntime

JAVA = JavaRuntime(Path("/opt/java"), "17.0.15", "17.0.15+6|Debian", None, "PATH")
NEW_JAVA = replace(JAVA, version="25.0.2", build="25.0.2+10|Debian")
DAY_S = 24 * 3600


@pytest.fixture
def spark(tmp_path: Path) -> SparkInstallation:
    """Give a Spark of two jars."""
    home = tmp_path / "spark"
    (home / "jars").mkdir(parents=True)
    (home / "jars" / "spark-core_2.13-4.3.0.jar").write_bytes(b"core")
    (home / "jars" / "guava.jar").write_bytes(b"guava")
    return SparkInstallation(home, "4.3.0", is_own=True)


@pytest.fixture
def store(tmp_path: Path) -> ArchiveStore:
    """Give a store in a cache folder that is not there yet."""
    return ArchiveStore(tmp_path / "cache", is_enabled=True)


@pytest.fixture
def archive(store: ArchiveStore, spark: SparkInstallation) -> Archive:
    """Give the archive of the fake Java and Spark; it does not exist."""
    return store.archive_for(JAVA, spark)


def build(store: ArchiveStore, archive: Archive, data: bytes = b"classes") -> Archive:
    """Make an archive as the training does."""
    with store.build_lock():
        store.unfinished_path(archive).write_bytes(data)
        store.finish(archive)
    return archive


def change_record(archive: Archive, **changes: object) -> None:
    record = json.loads(archive.record_path.read_text())
    archive.record_path.write_text(json.dumps({**record, **changes}))


# -- whose it is -------------------------------------------------------------------------------


def test_same_java_and_spark_have_the_same_archive(store, spark, archive):
    assert store.archive_for(JAVA, spark) == archive


def add_jar(jars: Path) -> None:
    (jars / "extra.jar").touch()


def remove_jar(jars: Path) -> None:
    (jars / "guava.jar").unlink()


def replace_jar(jars: Path) -> None:
    (jars / "guava.jar").write_bytes(b"another guava")


def touch_jar(jars: Path) -> None:
    os.utime(jars / "guava.jar", ns=(1, 1))


@pytest.mark.parametrize("change", [add_jar, remove_jar, replace_jar, touch_jar])
def test_other_jars_have_another_archive(store, spark, archive, change):
    change(spark.jars)
    assert store.archive_for(JAVA, spark).path != archive.path


def test_spark_elsewhere_has_another_archive_as_the_class_path_differs(
    tmp_path, store, spark, archive
):
    shutil.copytree(spark.home, tmp_path / "copy")  # with the times of its files
    assert store.archive_for(JAVA, replace(spark, home=tmp_path / "copy")).path != archive.path


def test_another_build_of_java_has_another_archive(store, spark, archive):
    other = replace(JAVA, build="17.0.15+7|Debian")
    assert store.archive_for(other, spark).path != archive.path


def test_other_jvm_options_have_another_archive(store, spark, archive):
    without_vector_module = replace(JAVA, modules=frozenset({"java.base"}))
    assert store.archive_for(without_vector_module, spark).path != archive.path


@pytest.mark.parametrize(
    ("java", "use", "make"),
    [
        (JAVA, "SharedArchiveFile", "ArchiveClassesAtExit"),
        (NEW_JAVA, "AOTCache", "AOTCacheOutput"),
    ],
    ids=["17", "25"],
)
def test_options_are_those_of_the_java(store, spark, java, use, make):
    archive = build(store, store.archive_for(java, spark))
    assert store.options(archive) == [f"-XX:{use}={archive.path}"]
    assert archive.make_options(Path("/x")) == [f"-XX:{make}=/x"]


# -- when it may be used -----------------------------------------------------------------------


def test_missing_archive_is_wanted_but_not_used(store, archive):
    assert not archive.is_usable
    assert store.options(archive) == []
    assert store.is_wanted(archive)
    assert (archive.failure, archive.size_bytes, store.total_bytes()) == ("", 0, 0)


def test_finished_archive_is_used_and_wanted_no_more(store, archive):
    build(store, archive, b"x" * 1000)
    assert archive.is_usable
    assert not store.is_wanted(archive)
    assert archive.size_bytes == 1000
    assert store.total_bytes() > 1000


def test_archive_of_another_size_is_not_used(store, archive):
    build(store, archive)
    found = archive.path.stat()
    with archive.path.open("ab") as file:
        file.write(b"!")
    os.utime(archive.path, ns=(found.st_atime_ns, found.st_mtime_ns))
    assert not archive.is_usable
    assert store.options(archive) == []
    assert store.is_wanted(archive)


def test_archive_of_another_time_is_not_used(store, archive):
    build(store, archive)
    os.utime(archive.path, ns=(1, 1))
    assert not archive.is_usable


def test_archive_without_its_record_is_not_used(store, archive):
    build(store, archive)
    archive.record_path.unlink()
    assert not archive.is_usable


def test_record_without_its_archive_is_not_believed(store, archive):
    build(store, archive)
    archive.path.unlink()
    assert not archive.is_usable
    assert archive.size_bytes == 0


@pytest.mark.parametrize(
    "garbage",
    [b"", b"\xff\xfe\x00", b"{", b"[]", b"null", b"3", b'{"java": "17"}', b'{"x": 1}', b'"text"'],
)
def test_garbled_record_counts_as_none(store, archive, garbage):
    build(store, archive)
    archive.record_path.write_bytes(garbage)
    assert not archive.is_usable
    assert archive.failure == ""
    assert store.options(archive) == []
    assert store.is_wanted(archive)
    build(store, archive)
    assert archive.is_usable


def test_switched_off_means_neither_used_nor_made(tmp_path, store, archive):
    off = ArchiveStore(tmp_path / "cache", is_enabled=False)
    assert not off.is_wanted(archive)
    build(store, archive)
    assert off.options(archive) == []


# -- how it is made ----------------------------------------------------------------------------


def test_unfinished_archive_is_never_used(store, archive):
    with store.build_lock():
        store.unfinished_path(archive).write_bytes(b"half")
        assert not archive.is_usable
        assert store.is_wanted(archive)


def test_finishing_leaves_archive_and_record_alone(store, archive):
    build(store, archive)
    names = {path.name for path in store.folder.iterdir()}
    assert names == {archive.path.name, archive.record_path.name, "build.lock"}


def test_crash_between_archive_and_record_leaves_nothing_that_is_used(store, archive):
    build(store, archive, b"old")
    store.unfinished_path(archive).write_bytes(b"new, and longer")
    # What ``finish`` does first, and then the power goes.
    store.unfinished_path(archive).replace(archive.path)
    assert not archive.is_usable


def test_new_archive_takes_the_place_of_the_old_one(store, archive):
    build(store, archive, b"old")
    with archive.path.open("rb") as in_use:
        build(store, archive, b"new, and longer")
        assert in_use.read() == b"old", "a JVM that has it mapped keeps what it had"
    assert archive.is_usable
    assert archive.path.read_bytes() == b"new, and longer"


def test_finishing_without_an_archive_fails_and_keeps_the_old_one(store, archive):
    build(store, archive, b"old")
    with pytest.raises(FileNotFoundError):
        store.finish(archive)
    assert archive.is_usable


def test_only_the_user_may_look_into_the_folder(store, archive):
    build(store, archive)
    assert store.folder.stat().st_mode & 0o077 == 0


# -- failures ----------------------------------------------------------------------------------


def test_failure_is_remembered_for_a_day(store, archive):
    with store.build_lock():
        store.unfinished_path(archive).write_bytes(b"half")
        store.note_failure(archive, "no space left")
    assert archive.failure == "no space left"
    assert not store.unfinished_path(archive).exists()
    assert not store.is_wanted(archive)
    created = json.loads(archive.record_path.read_text())["created"]
    change_record(archive, created=created - DAY_S - 1)
    assert store.is_wanted(archive)


def test_success_after_a_failure_is_used(store, archive):
    with store.build_lock():
        store.note_failure(archive, "no space left")
    build(store, archive)
    assert archive.is_usable
    assert archive.failure == ""


def test_archive_that_did_harm_is_deleted_and_not_made_again_today(store, archive):
    build(store, archive)
    store.discard(archive)
    assert not archive.path.exists()
    assert archive.failure
    assert store.options(archive) == []
    assert not store.is_wanted(archive)


def test_discarding_twice_is_harmless(store, archive):
    build(store, archive)
    store.discard(archive)
    store.discard(archive)
    assert archive.failure


def test_discarding_after_the_cache_was_removed_is_harmless(store, archive):
    build(store, archive)
    shutil.rmtree(store.folder)
    store.discard(archive)
    assert not archive.is_usable


# -- which are kept ----------------------------------------------------------------------------


def archives_of(store: ArchiveStore, spark: SparkInstallation, count: int) -> list[Archive]:
    """Make archives of different Javas; each was last used a minute after the one before it."""
    made = []
    for number in range(count):
        java = replace(JAVA if number % 2 else NEW_JAVA, build=f"build {number}")
        archive = store.archive_for(java, spark)
        build(store, archive)
        used = 1_000_000 + 60 * number
        os.utime(archive.record_path, (used, used))
        made.append(archive)
    return made


def test_three_archives_are_kept(store, spark):
    *old, one, two = archives_of(store, spark, 5)
    latest = build(store, store.archive_for(JAVA, spark))
    assert [archive.is_usable for archive in (one, two, latest)] == [True] * 3
    assert not any(archive.path.exists() or archive.record_path.exists() for archive in old)


def test_archive_in_use_outlives_newer_ones(store, spark):
    oldest, one, two = archives_of(store, spark, 3)
    assert store.options(oldest)
    latest = build(store, store.archive_for(JAVA, spark))
    assert [archive.is_usable for archive in (oldest, two, latest)] == [True] * 3
    assert not one.path.exists()


def test_record_of_a_failure_does_not_push_an_archive_out(store, spark):
    one, two = archives_of(store, spark, 2)
    for number in range(3):
        broken = store.archive_for(replace(JAVA, build=f"broken {number}"), spark)
        store.note_failure(broken, "no space left")
    build(store, store.archive_for(JAVA, spark))
    assert one.is_usable
    assert two.is_usable


def test_what_a_killed_training_left_is_removed_by_the_next(store, spark):
    killed = store.unfinished_path(store.archive_for(NEW_JAVA, spark))
    killed.parent.mkdir(parents=True)
    killed.write_bytes(b"half")
    build(store, store.archive_for(JAVA, spark))
    assert not killed.exists()


def test_foreign_file_in_the_folder_is_left_alone(store, spark):
    archives_of(store, spark, 1)
    (store.folder / "notes.json").write_text("{}")
    archives_of(store, spark, 5)
    assert (store.folder / "notes.json").exists()


# -- one at a time -----------------------------------------------------------------------------

HOLDER = """
import sys
from pathlib import Path
from spark_kernel.spark.archive import ArchiveStore
with ArchiveStore(Path(sys.argv[1]), True).build_lock() as is_ours:
    print(is_ours, flush=True)
    sys.stdin.read()
"""


def test_two_processes_do_not_make_archives_at_once(tmp_path, store):
    def hold() -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", HOLDER, tmp_path / "cache"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    with hold() as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "True\n"
        with store.build_lock() as is_ours:
            assert not is_ours
        holder.kill()  # the lock goes with its holder, however that ends
    with store.build_lock() as is_ours:
        assert is_ours
        with hold() as other:
            assert other.communicate("")[0] == "False\n"


def test_lock_is_given_back_when_making_fails(store):
    with pytest.raises(RuntimeError), store.build_lock():
        raise RuntimeError
    with store.build_lock() as is_ours:
        assert is_ours
