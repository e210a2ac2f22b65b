"""Libraries that are added while Spark runs: jars, Maven coordinates, Python code, archives, files.

What is added is copied first, so that every session of the kernel gets the same, whatever becomes
of the original meanwhile.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import Enum
from functools import partial
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from spark_kernel.errors import LibraryError, SparkKernelError
from spark_kernel.redaction import without_password
from spark_kernel.spark.backend import Backend
from spark_kernel.spark.library_files import (
    Fetched,
    Tell,
    digest,
    fetch,
    is_coordinate,
    is_far,
    kind_of,
)
from spark_kernel.spark.run_folder import KeptFolder

__all__ = ["Libraries", "Library", "LibraryKind"]

_log = logging.getLogger(__name__)
_TOLD_LENGTH = 300
_PLAIN_PLACE = re.compile(r"[\w./:+-]+")
"""What is one element of ``spark.jars``: neither a pattern nor a list."""


class LibraryKind(str, Enum):
    """What a library is to Spark."""

    JAR = "jar"
    MAVEN = "maven"
    PYTHON = "python"
    ARCHIVE = "archive"
    FILE = "file"


@dataclass(frozen=True)
class Library:
    """One library of the session.

    Attributes
    ----------
    name, version
        Of what is in it; the version is empty where it is not told.
    origin
        What the user named, without passwords.
    place
        What Spark is given: a path, or an address of Ivy or of a file system of Hadoop's.
    size_bytes, sha256
        Of the file; 0 and empty for what Spark fetches itself.
    configured
        The text of the configuration that it comes from; empty for one that the notebook added.
    """

    kind: LibraryKind
    name: str
    version: str
    origin: str
    place: str
    size_bytes: int = 0
    sha256: str = ""
    configured: str = ""

    @property
    def artifact(self) -> str:
        """Its name, as the file of a jar has it too."""
        return self.name.rsplit(":", 1)[-1]


class Libraries:
    """The libraries of a kernel, in the order in which they were added."""

    def __init__(self) -> None:
        self._folder: KeptFolder | None = None
        self._listed: list[Library] = []
        self._forgotten: list[Library] = []
        self._had: set[str] = set()  # texts of the configuration whose libraries are copied

    @property
    def listed(self) -> list[Library]:
        """All of them."""
        return list(self._listed)

    def close(self) -> None:
        """Delete the copies."""
        if self._folder is not None:
            self._folder.remove()

    def prepare(
        self,
        what: str,
        tell: Tell,
        repositories: Sequence[str] = (),
        exclusions: Sequence[str] = (),
    ) -> list[Library]:
        """Fetch what a user names, and copy it; nothing is given to Spark yet.

        Parameters
        ----------
        what
            A path, an address, a Maven coordinate, or ``pip:NAME==VERSION``.
        tell
            Told how far a long copy is.
        repositories, exclusions
            Of a Maven coordinate: further repositories, and artifacts (``group:artifact``) to
            leave out.

        Returns
        -------
        What is new; nothing where all of it is there already.

        Raises
        ------
        LibraryError
            If it cannot be had, or another version of it is there.
        """
        if is_coordinate(what):
            found = [_coordinate(what, repositories, exclusions)]
        elif is_far(what):
            kind, name, version = kind_of(what)
            found = [Library(LibraryKind(kind), name, version, without_password(what), what)]
        else:
            found = [_described(one) for one in fetch(what, self._own_folder(), tell)]
        try:
            return [library for library in found if not self._is_there(library)]
        except LibraryError:
            self._drop_copies(found)
            raise

    def _own_folder(self) -> Path:
        try:
            self._folder = self._folder or KeptFolder()
        except OSError as error:
            raise LibraryError(
                f"There is no place for libraries: {error.strerror}.", "free some space"
            ) from error
        return self._folder.path

    def give(self, backend: Backend, libraries: Sequence[Library], *, are_new: bool = True) -> None:
        """Give libraries to Spark, all or none, and remember them for the sessions to come.

        Parameters
        ----------
        are_new
            Whether their copies go where Spark does not take one.

        Raises
        ------
        LibraryError
            If Spark does not take one; all is as it was then, as after an interrupt.
        """
        path_before = list(sys.path)
        try:
            backend.hand_over([(library.kind.value, library.place) for library in libraries])
            self._listed += libraries
        except BaseException as error:
            sys.path[:] = path_before
            if are_new:
                self._drop_copies(libraries)
            if isinstance(error, SparkKernelError) or not isinstance(error, Exception):
                raise  # the driver is gone, or somebody has interrupted
            raise LibraryError(
                f"Spark did not take {libraries[0].origin}: {_reason(error)}",
                "correct it and add it again; the session is as it was",
            ) from error

    def forget(self, name: str) -> bool:
        """Leave a library out of the sessions to come; whether there is one of that name."""
        found = [library for library in self._listed if library.name == name]
        for library in found:
            self._listed.remove(library)
        self._forgotten += found  # executors that join this session still ask for their copies
        return bool(found)

    def at_launch(self, configured: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """Give what the next driver has on its class path, by settings of Spark that are lists.

        Extensions and plugins are looked for before any library can be given to a session.

        Parameters
        ----------
        configured
            What the configuration names for the next session.
        """
        self._leave_out(configured)
        found: dict[str, list[str]] = {}
        for library in self._listed:
            if library.kind is LibraryKind.JAR and _PLAIN_PLACE.fullmatch(library.place):
                found.setdefault("spark.jars", []).append(library.place)
            elif library.kind is LibraryKind.MAVEN:
                found.setdefault("spark.jars.packages", []).append(library.origin)
                asked = parse_qs(urlsplit(library.place).query)
                for option, key in (("repos", "repositories"), ("exclude", "excludes")):
                    if option in asked:
                        found.setdefault(f"spark.jars.{key}", []).extend(asked[option])
        return {key: tuple(values) for key, values in found.items()}

    def upload(
        self, backend: Backend, configured: Sequence[str], tell: Callable[[str], None]
    ) -> None:
        """Give a new session all that it is to have; nothing is told where that is nothing.

        Parameters
        ----------
        configured
            What the configuration names, as ``prepare`` takes it.

        Raises
        ------
        LibraryError
            If one cannot be had.
        """
        handed_out = backend.handed_out()
        if handed_out:
            tell(handed_out)
        self._leave_out(configured)
        before, self._listed = self._listed, []
        for number, library in enumerate(before):
            tell(f"Uploading library {number + 1} of {len(before)}: {library.name}")
            try:
                self.give(backend, [library], are_new=False)
            except SparkKernelError:
                self._listed += before[number:]
                raise
        for what in configured:
            if what in self._had:
                continue  # it may have changed meanwhile, or be gone
            new = self.prepare(what, partial(_tell_copied, tell, without_password(what)))
            if new:
                tell(f"Uploading {', '.join(library.name for library in new)}")
                self.give(backend, [replace(library, configured=what) for library in new])
            self._had.add(what)

    def _leave_out(self, configured: Sequence[str]) -> None:
        """Drop what was forgotten, and what the configuration of another cluster had named."""
        self._had &= set(configured)
        kept = [one for one in self._listed if not one.configured or one.configured in self._had]
        self._drop_copies([*self._forgotten, *(one for one in self._listed if one not in kept)])
        self._listed, self._forgotten = kept, []

    def offer(
        self, backend: Backend, configured: Sequence[str], tell: Callable[[str], None]
    ) -> str:
        """Give a session that the notebook has made the same; says what it does not get of it."""
        if not (self._listed or configured):
            return ""
        try:
            self.upload(backend, configured, tell)
        except Exception as error:  # the session itself is as the notebook has made it
            _log.warning("libraries were not uploaded: %s", error)
            return " ".join(str(error).split())
        return ""

    def _is_there(self, library: Library) -> bool:
        for other in self._listed:
            if not _are_versions_of_one(other, library):
                continue
            if other.version != library.version or other.sha256 != library.sha256:
                if other.kind is not library.kind and other.version == library.version:
                    continue  # a jar, and the coordinate that brings what the jar needs
                raise LibraryError(
                    f"{_title(other)} is there already, so {_title(library)} cannot be added: a "
                    "session takes one version of a library.",
                    f"`%spark libraries forget {other.name}` and `%spark restart`, then add it",
                )
            self._drop_copies([library])
            return True
        return False

    def _drop_copies(self, libraries: Sequence[Library]) -> None:
        for library in libraries:
            if library.sha256:
                with suppress(OSError):
                    Path(library.place.split("#")[0]).unlink()


def _are_versions_of_one(one: Library, other: Library) -> bool:
    if one.kind is other.kind:
        return one.name == other.name
    is_java = {one.kind, other.kind} == {LibraryKind.JAR, LibraryKind.MAVEN}
    # The file of a jar tells no group, and not always a version.
    return is_java and one.artifact == other.artifact and bool(one.version and other.version)


def _tell_copied(tell: Callable[[str], None], what: str, done: int, size: int | None) -> None:
    whole = f" of {size / 1e6:,.0f}" if size else ""
    tell(f"Fetching {what}: {done / 1e6:,.0f}{whole} MB")


def _title(library: Library) -> str:
    return f"{library.name} {library.version or library.sha256[:8]}".strip()


def _coordinate(what: str, repositories: Sequence[str], exclusions: Sequence[str]) -> Library:
    """Make the library of a Maven coordinate, which Spark's own Ivy fetches."""
    group, artifact, version = what.split(":")
    options = [f"exclude={','.join(exclusions)}"] if exclusions else []
    options += [f"repos={','.join(repositories)}"] if repositories else []
    place = f"ivy://{what}{'?' if options else ''}{'&'.join(options)}"
    return Library(LibraryKind.MAVEN, f"{group}:{artifact}", version, what, place)


def _described(fetched: Fetched) -> Library:
    alias = f"#{fetched.alias}" if fetched.alias else ""
    return Library(
        LibraryKind(fetched.kind),
        fetched.name,
        fetched.version,
        without_password(fetched.origin),
        f"{fetched.path}{alias}",
        fetched.path.stat().st_size,
        digest(fetched.path),
    )


def _reason(error: Exception) -> str:
    """Give the line of an error that says most."""
    lines = [line.strip(": ") for line in str(error).splitlines() if line.strip()]
    telling = [line for line in lines if "unresolved dependency" in line or "Exception" in line]
    line = (telling or lines or [type(error).__name__])[0]
    return without_password(line)[:_TOLD_LENGTH]
