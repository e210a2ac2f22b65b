"""Fingerprints of local files as they are now, in the same terms as those of a record.

Files below a place are counted, however deep, but for those whose names begin with ``_`` or ``.``;
folders of partitions (``_year=2024``) count. A listing is bounded in files and in time.
"""

from __future__ import annotations

import glob
import os
import re
import stat
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from urllib.parse import unquote, urlsplit

from spark_kernel.protocol.provenance import Fingerprint

__all__ = ["LocalFiles", "TooLargeError", "local_path"]

_MOST_FILES = 10_000
_MOST_S = 2.0
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_GLOB = re.compile(r"[*?\[{]")
_BRACES = re.compile(r"\{([^{}]*)\}")
_MOST_PATTERNS = 200


class TooLargeError(Exception):
    """A place has more files than anybody wants to wait for."""


class LocalFiles:
    """Looks at local files, at each place once.

    Parameters
    ----------
    most_files, most_s
        Where a listing ends in ``TooLargeError``.
    """

    def __init__(self, most_files: int = _MOST_FILES, most_s: float = _MOST_S) -> None:
        self._most_files = most_files
        self._most_s = most_s
        self._known: dict[tuple[str, bool], Fingerprint | TooLargeError | None] = {}

    def fingerprint(self, path: str, *, is_exact: bool = False) -> Fingerprint | None:
        """Look at a file, a folder, or at all that a pattern matches; None if nothing is there.

        Parameters
        ----------
        is_exact
            Whether this is one file, whatever its name, and no pattern.

        Raises
        ------
        TooLargeError
            If there are too many files, or they take too long.
        OSError
            If it may not be read.
        """
        key = (path, is_exact)
        if key not in self._known:
            try:
                self._known[key] = self._look(path, is_exact)
            except TooLargeError as error:
                self._known[key] = error
        found = self._known[key]
        if isinstance(found, TooLargeError):
            raise found
        return found

    def _look(self, path: str, is_exact: bool) -> Fingerprint | None:
        listing = _Listing(self._most_files, time.monotonic() + self._most_s)
        # A name may hold the signs of a pattern, or be quoted as in a URI: what exists is meant.
        for candidate in dict.fromkeys((path, unquote(path))):
            if Path(candidate).exists():
                listing.add(candidate, is_exact)
                return listing.fingerprint
        if is_exact or not _GLOB.search(path):
            return None
        matched = False
        for pattern in _plain_patterns(path):
            for found in glob.iglob(pattern):  # noqa: PTH207  # of any root
                matched = True
                listing.add(found, is_exact=False)
        return listing.fingerprint if matched else None


class _Listing:
    """Files that were counted so far."""

    def __init__(self, most_files: int, deadline: float) -> None:
        self._most_files = most_files
        self._deadline = deadline
        self._folders: set[tuple[int, int]] = set()
        self._files = 0
        self._bytes = 0
        self._newest_ms: int | None = None

    @property
    def fingerprint(self) -> Fingerprint:
        newest = None
        if self._newest_ms is not None:
            newest = _EPOCH + timedelta(milliseconds=self._newest_ms)
        return Fingerprint(self._files, self._bytes, newest)

    def add(self, path: str, is_exact: bool) -> None:
        """Count a file, or what is below a folder."""
        found = Path(path).stat()
        if not stat.S_ISDIR(found.st_mode):
            if is_exact or not _is_hidden(Path(path).name, is_folder=False):
                self._count(found)
            return
        for file in self._below(path):
            self._count(file)

    def _below(self, folder: str) -> Iterator[os.stat_result]:
        found = Path(folder).stat()
        identity = (found.st_dev, found.st_ino)
        if identity in self._folders:  # a link that leads back
            return
        self._folders.add(identity)
        with os.scandir(folder) as entries:
            for entry in entries:
                self._check_time()
                try:
                    is_folder = entry.is_dir()
                    if _is_hidden(entry.name, is_folder=is_folder):
                        continue
                    if not is_folder:
                        yield entry.stat()
                        continue
                except FileNotFoundError:  # gone meanwhile, or a link to nowhere
                    continue
                yield from self._below(entry.path)

    def _count(self, found: os.stat_result) -> None:
        self._files += 1
        self._bytes += found.st_size
        self._newest_ms = max(self._newest_ms or 0, found.st_mtime_ns // 1_000_000)
        if self._files > self._most_files:
            raise TooLargeError(f"more than {self._most_files:,} files")

    def _check_time(self) -> None:
        if time.monotonic() > self._deadline:
            raise TooLargeError("listing its files takes too long")


def local_path(uri: str) -> str | None:
    """Give the path of a URI of this machine's files; None of any other place."""
    if not uri.startswith("file:"):
        return None
    rest = uri.removeprefix("file:")
    if rest.startswith("//"):
        if urlsplit(uri).netloc not in ("", "localhost"):
            return None
        rest = "/" + rest.removeprefix("//").partition("/")[2]
    return rest if rest.startswith("/") else None


def _is_hidden(name: str, *, is_folder: bool) -> bool:
    """Whether a name does not count; as ``FileListing.java`` has it."""
    is_partition = is_folder and "=" in name
    return name.startswith(".") or (name.startswith("_") and not is_partition)


def _plain_patterns(pattern: str) -> list[str]:
    """Write a pattern of Hadoop's as patterns of Python's: without braces and ``[^``."""
    found = [pattern]
    while len(found) < _MOST_PATTERNS:
        match = next((m for one in found if (m := _BRACES.search(one))), None)
        if match is None:
            break
        whole = match.string
        found.remove(whole)
        begin, end = match.span()
        found += [whole[:begin] + part + whole[end:] for part in match[1].split(",")]
    return [one.replace("[^", "[!") for one in found]
