"""Class-data archives: Spark's classes kept parsed on disk, so that a driver starts faster.

An archive belongs to one build of Java, one set of Spark jars and one set of JVM options, and is
used for nothing else. Java 25 and later make an AOT cache (JEP 514), older ones a dynamic
class-data archive (JEP 350); the JVM checks the class path itself and ignores what does not fit.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from spark_kernel.spark.installation import SparkInstallation
from spark_kernel.spark.java import JavaRuntime
from spark_kernel.spark.launch import module_options

__all__ = ["Archive", "ArchiveStore"]

_AOT_SINCE = 25
_KEPT = 3
_RETRY_AFTER_S = 24 * 3600.0
_FORMAT = 1


@dataclass(frozen=True)
class _Record:
    """What is known of one archive; kept beside it as JSON, written last.

    Parameters
    ----------
    failure
        Why it could not be made, or empty.
    """

    java: str
    spark: str
    created: float
    size_bytes: int = 0
    modified_ns: int = 0
    failure: str = ""
    sha256: str = ""


@dataclass(frozen=True)
class Archive:
    """The archive for one Java and one Spark, whether it exists or not."""

    path: Path
    java: str
    spark: str
    is_aot: bool

    @property
    def record_path(self) -> Path:
        """The file that vouches for it."""
        return self.path.with_suffix(".json")

    @property
    def is_usable(self) -> bool:
        """Whether it is there, to the byte count and time at which it was finished."""
        record = _read(self.record_path)
        if record is None or record.failure:
            return False
        try:
            found = self.path.stat()
        except OSError:
            return False
        return (found.st_size, found.st_mtime_ns) == (record.size_bytes, record.modified_ns)

    @property
    def is_intact(self) -> bool:
        """Whether its content is what was written; a JVM may crash long after it took a bad one."""
        record = _read(self.record_path)
        return record is not None and record.sha256 == _digest(self.path)

    @property
    def failure(self) -> str:
        """Why the last attempt to make it failed, or empty."""
        record = _read(self.record_path)
        return record.failure if record else ""

    @property
    def size_bytes(self) -> int:
        """Its size on disk; 0 where there is none."""
        return self.path.stat().st_size if self.path.is_file() else 0

    def use_options(self) -> list[str]:
        """Give the JVM options that use it."""
        return [f"-XX:{'AOTCache' if self.is_aot else 'SharedArchiveFile'}={self.path}"]

    def make_options(self, output: Path) -> list[str]:
        """Give the JVM options that write it when the JVM ends."""
        return [f"-XX:{'AOTCacheOutput' if self.is_aot else 'ArchiveClassesAtExit'}={output}"]


class ArchiveStore:
    """The archives in the user's cache folder.

    Parameters
    ----------
    folder
        The cache folder; ``archives`` is made in it when it is needed.
    is_enabled
        Whether archives are used and made at all.
    """

    def __init__(self, folder: Path, is_enabled: bool) -> None:
        self.folder = folder / "archives"
        self.is_enabled = is_enabled

    def archive_for(self, java: JavaRuntime, spark: SparkInstallation) -> Archive:
        """Name the archive of this Java and this Spark."""
        is_aot = java.major >= _AOT_SINCE
        parts = [str(_FORMAT), java.build, *module_options(java)]
        for jar in sorted(spark.jars.glob("*.jar")):
            found = jar.stat()
            parts.append(f"{jar}|{found.st_size}|{found.st_mtime_ns}")
        digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
        path = self.folder / f"spark-{digest}{'.aot' if is_aot else '.jsa'}"
        return Archive(path, java.version, spark.version, is_aot)

    def options(self, archive: Archive) -> list[str]:
        """Give the JVM options for a start: none where there is no usable archive."""
        if not self.is_enabled or not archive.is_usable or not archive.is_intact:
            return []
        with suppress(OSError):  # a cache that may only be read is as good
            os.utime(archive.record_path)  # what is in use is pruned last
        return archive.use_options()

    def is_wanted(self, archive: Archive) -> bool:
        """Whether it should be made now, unasked."""
        if not self.is_enabled or archive.is_usable:
            return False
        record = _read(archive.record_path)
        return not (record and record.failure and time.time() - record.created < _RETRY_AFTER_S)

    def discard(self, archive: Archive) -> None:
        """Delete an archive that did harm; it is made anew some other day."""
        with suppress(OSError):  # the start goes on without it, whatever became of the cache
            archive.path.unlink(missing_ok=True)
            self.note_failure(archive, "a driver ended early with it")

    @contextmanager
    def build_lock(self) -> Iterator[bool]:
        """Hold the right to make archives; False where another process has it."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(self.folder / "build.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                yield False
            else:
                yield True
        finally:
            os.close(descriptor)

    def unfinished_path(self, archive: Archive) -> Path:
        """Where an archive is written before it is whole, on the same disk."""
        return archive.path.with_name(f"unfinished-{archive.path.name}")

    def finish(self, archive: Archive) -> None:
        """Put a finished archive in its place, vouch for it, and prune older ones."""
        self.unfinished_path(archive).replace(archive.path)
        found = archive.path.stat()
        record = _Record(
            archive.java,
            archive.spark,
            time.time(),
            found.st_size,
            found.st_mtime_ns,
            sha256=_digest(archive.path),
        )
        _write(archive.record_path, record)
        self._prune()

    def note_failure(self, archive: Archive, reason: str) -> None:
        """Remember why an archive could not be made or kept."""
        self.unfinished_path(archive).unlink(missing_ok=True)
        _write(archive.record_path, _Record(archive.java, archive.spark, time.time(), 0, 0, reason))

    def total_bytes(self) -> int:
        """Size of everything in the folder."""
        if not self.folder.is_dir():
            return 0
        return sum(path.stat().st_size for path in self.folder.iterdir() if path.is_file())

    def _prune(self) -> None:
        """Delete what is no longer used; called with the right to make archives."""
        records = [path for path in self.folder.glob("spark-*.json") if not _is_failure(path)]
        records.sort(key=lambda path: path.stat().st_mtime, reverse=True)
        for record in records[_KEPT:]:
            for suffix in (".jsa", ".aot", ".json"):
                record.with_suffix(suffix).unlink(missing_ok=True)
        for left_by_crash in self.folder.glob("unfinished-*"):
            left_by_crash.unlink(missing_ok=True)


def _digest(path: Path) -> str:
    """Give the checksum of a file; a tenth of a second for 200 MB, with the GIL released."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _read(path: Path) -> _Record | None:
    try:
        return _Record(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _is_failure(path: Path) -> bool:
    record = _read(path)
    return record is not None and record.failure != ""


def _write(path: Path, record: _Record) -> None:
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    unfinished.write_text(json.dumps(asdict(record)), encoding="utf-8")
    unfinished.replace(path)
