"""Fetches the files of libraries: from disk, from an address, or from the Python package index."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import string
import subprocess
import sys
import time
import urllib.request
import zipfile
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.parser import Parser
from errno import ENOSPC
from http.client import HTTPException, InvalidURL
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import Any
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from spark_kernel.errors import LibraryError
from spark_kernel.redaction import redacted, without_password

__all__ = ["PIP", "Fetched", "Tell", "digest", "fetch", "is_coordinate", "is_far", "kind_of"]

PIP = "pip:"
_COORDINATE = re.compile(r"[\w.-]+:[\w.-]+:[\w.-]+")
_SCHEME = re.compile(r"(?P<scheme>[A-Za-z][\w+.-]*)://")
_OWN_SCHEMES = ("http", "https", "file")
_VERSIONED = re.compile(r"(?P<name>.+?)-(?P<version>\d[\w.+-]*)")
_ARCHIVES = (".tar.gz", ".tgz", ".tar")
_PYTHON = (".py", ".zip", ".egg")
_BLOCK_BYTES = 1024 * 1024
_TELL_INTERVAL_S = 1.0
_CONNECT_TIMEOUT_S = 15.0
_PIP_TIMEOUT_S = 300.0
_TOLD_LENGTH = 300
_NATIVE_HINT = (
    "pack an environment that has it (venv-pack or conda-pack), `%spark add ENV.tar.gz#env`, and "
    "set spark.pyspark.python to ./env/bin/python"
)


Tell = Callable[[int, int | None], None]


@dataclass(frozen=True)
class Fetched:
    """A file of a library, copied; ``alias`` is the folder that an archive becomes."""

    kind: str
    name: str
    version: str
    origin: str
    path: Path
    alias: str = ""


def is_coordinate(what: str) -> bool:
    """Whether somebody names a Maven coordinate, ``group:artifact:version``."""
    return _COORDINATE.fullmatch(what) is not None and not what.startswith(PIP)


def is_far(what: str) -> bool:
    """Whether it is an address in a file system of Hadoop's, such as ``hdfs://``."""
    match = _SCHEME.match(what)
    return match is not None and match["scheme"].lower() not in _OWN_SCHEMES


def kind_of(what: str) -> tuple[str, str, str]:
    """Give kind, name and version of a file by its path or address.

    Raises
    ------
    LibraryError
        If it is a wheel, which has to be fetched to be taken.
    """
    place, _, alias = what.partition("#")
    name = place.rsplit("/", 1)[-1]
    stem, lower = name.rpartition(".")[0] or name, name.lower()
    if lower.endswith(".jar"):
        return "jar", *_name_and_version(stem)
    if lower.endswith(".whl"):
        raise LibraryError(
            f"{without_password(what)} is a wheel, which Spark itself cannot take.",
            "add it from a path or an http address, or add a .zip of its modules",
        )
    if lower.endswith(_ARCHIVES) or (alias and lower.endswith(".zip")):
        return "archive", name, ""
    if lower.endswith(_PYTHON):
        return "python", *_name_and_version(stem)
    return "file", name, ""


def fetch(what: str, folder: Path, tell: Tell) -> list[Fetched]:
    """Copy what a user names into a folder of our own; nothing of it stays where that fails.

    Parameters
    ----------
    tell
        Told of what takes long, at most once a second: the bytes so far, and all of them or None.

    Raises
    ------
    LibraryError
        If it cannot be had.
    """
    try:
        own = Path(mkdtemp(prefix="library-", dir=folder))
        try:
            return _fetched(what, own, tell)
        except BaseException:
            shutil.rmtree(own, ignore_errors=True)
            raise
    except (OSError, HTTPException) as error:
        said = getattr(error, "strerror", None) or str(error) or type(error).__name__
        is_full = isinstance(error, OSError) and error.errno == ENOSPC
        raise LibraryError(
            f"{without_password(what)} cannot be had: {redacted(said)[:_TOLD_LENGTH]}.",
            "free some space" if is_full else "check the path or the address",
        ) from error


def _fetched(what: str, folder: Path, tell: Tell) -> list[Fetched]:
    if what.startswith(PIP):
        return list(_wheels(what.removeprefix(PIP), folder))
    place, _, alias = what.partition("#")
    if re.match(r"https?://", place):
        return [_classified(what, _download(place, folder, tell), alias)]
    path = Path(unquote(urlsplit(place).path) if place.startswith("file:") else place)
    return [_classified(what, _copied(path.expanduser(), folder, tell), alias)]


def digest(path: Path) -> str:
    """Give the SHA-256 of a file, which need not fit into memory."""
    found = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            found.update(block)
    return found.hexdigest()


def _copy(source: Any, target: Path, size: int | None, tell: Tell) -> Path:
    """Copy an open file, telling how far it is."""
    done, told = 0, time.monotonic()
    with target.open("wb") as file:
        while block := source.read(_BLOCK_BYTES):
            file.write(block)
            done += len(block)
            if time.monotonic() - told >= _TELL_INTERVAL_S:
                told = time.monotonic()
                tell(done, size)
            if size is not None and done > size:
                break  # it grows as fast as it is read; whoever called will see
    return target


def _copied(path: Path, folder: Path, tell: Tell) -> Path:
    if not path.exists():
        raise LibraryError(f"There is no {path}.", f"paths begin at {Path.cwd()}")
    own = _place_for(path.name, folder)
    if not path.is_dir():
        with path.open("rb") as source:
            before = os.fstat(source.fileno())
            _copy(source, own, before.st_size, tell)
            after = os.fstat(source.fileno())
        if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
            raise LibraryError(f"{path} changed while it was copied.", "add it once it is complete")
        shutil.copymode(path, own)
        return own
    if not (path / "__init__.py").is_file():
        raise LibraryError(
            f"{path} is a folder, but no Python package: it has no __init__.py.",
            "add its files, or an archive of it",
        )
    # Byte code is of one Python, and its times would make each copy another.
    with zipfile.ZipFile(own.with_suffix(".zip"), "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(path.rglob("*")):
            if file.is_file() and "__pycache__" not in file.parts:
                archive.write(file, file.relative_to(path.parent))
    return own.with_suffix(".zip")


def _download(address: str, folder: Path, tell: Tell) -> Path:
    shown = without_password(address)
    try:
        own = _place_for(unquote(urlsplit(address).path).rsplit("/", 1)[-1] or "library", folder)
        opened = urllib.request.build_opener(_Redirects).open(
            _request(address), timeout=_CONNECT_TIMEOUT_S
        )
    except (InvalidURL, ValueError):  # Python repeats what it takes for the port, or the host
        raise LibraryError(f"{shown} is no address.", "write https://HOST/PATH") from None
    with opened as source:
        told = source.headers["Content-Length"] or ""
        size = int(told) if told.isdecimal() else None
        _copy(source, own, size, tell)
    came = own.stat().st_size
    if size is not None and came != size:  # Python takes a connection that breaks off for the end
        raise LibraryError(f"{shown} broke off: {came:,} of {size:,} bytes came.", "try again")
    return own


def _request(address: str) -> urllib.request.Request:
    """Ask for an address, as whom it names before its host."""
    parts = urlsplit(address)
    user_info, has_user, host = parts.netloc.rpartition("@")
    path, query = (quote(part, safe=string.punctuation) for part in (parts.path, parts.query))
    request = urllib.request.Request(urlunsplit((parts.scheme, host, path, query, "")))
    if has_user:
        user, _, password = user_info.partition(":")
        credentials = f"{unquote(user)}:{unquote(password)}".encode()
        request.add_header("Authorization", f"Basic {b64encode(credentials).decode()}")
    return request


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirections; no other host is told a password."""

    def redirect_request(self, req: Any, *told: Any) -> urllib.request.Request | None:
        """Make the request for another address."""
        following = super().redirect_request(req, *told)
        if following is not None and (following.type, following.host) != (req.type, req.host):
            following.remove_header("Authorization")
        return following


def _place_for(name: str, folder: Path) -> Path:
    """Give a path in a folder of its own: the name is Spark's name for it."""
    number = sum(1 for _ in folder.glob("library-*"))
    while (folder / f"library-{number}").exists():
        number += 1
    (folder / f"library-{number}").mkdir()
    return folder / f"library-{number}" / name


def _classified(origin: str, path: Path, alias: str) -> Fetched:
    """Say what a file is by its name."""
    if path.name.lower().endswith(".whl"):
        return _wheel(origin, path)
    kind, name, version = kind_of(f"{path.name}#{alias}")
    return Fetched(kind, name, version, origin, path, alias if kind == "archive" else "")


def _name_and_version(stem: str) -> tuple[str, str]:
    match = _VERSIONED.fullmatch(stem)
    return (match["name"], match["version"]) if match else (stem, "")


def _wheel(origin: str, path: Path) -> Fetched:
    """Take a wheel of pure Python, under the name of a zip: Spark knows no wheels."""
    try:
        with zipfile.ZipFile(path) as wheel:
            names = wheel.namelist()
            told = next(name for name in names if name.endswith(".dist-info/WHEEL"))
            is_pure = Parser().parsestr(wheel.read(told).decode())["Root-Is-Purelib"] == "true"
            about = Parser().parsestr(wheel.read(told[: -len("WHEEL")] + "METADATA").decode())
    except (zipfile.BadZipFile, StopIteration, KeyError) as error:
        raise LibraryError(f"{path.name} is no wheel.", "check the file") from error
    if not is_pure:
        raise LibraryError(
            f"{path.name} holds native code, which executors cannot import from a zip.",
            _NATIVE_HINT,
        )
    return Fetched(
        "python", about["Name"], about["Version"], origin, path.rename(path.with_suffix(".zip"))
    )


def _wheels(requirement: str, folder: Path) -> Iterator[Fetched]:
    """Fetch a package and what it needs beyond what is installed here."""
    wanted = re.split(r"[=<>!~\[; ]", requirement, maxsplit=1)[0]
    if not re.fullmatch(r"[A-Za-z0-9][\w.-]*", wanted):
        shown = without_password(requirement)
        raise LibraryError(f"{shown!r} names no package.", "write --pip NAME==VERSION")
    with TemporaryDirectory(dir=folder) as downloads:
        _run_pip(requirement, downloads)
        fetched = [
            _wheel(f"pip {requirement}", Path(shutil.copy(path, _place_for(path.name, folder))))
            for path in sorted(Path(downloads).glob("*.whl"))
            if _is_wanted(path, wanted)
        ]
    yield from fetched


def _run_pip(requirement: str, downloads: str) -> None:
    """Let pip fetch a package with all that it needs."""
    shown = without_password(requirement)
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--only-binary=:all:"]
    command += ["--disable-pip-version-check", "--no-input", "--dest", downloads, requirement]
    try:
        ran = subprocess.run(
            command, capture_output=True, text=True, timeout=_PIP_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise LibraryError(
            f"pip could not get {shown} within {_PIP_TIMEOUT_S:.0f} s.",
            "check that its index can be reached",
        ) from None
    if ran.returncode == 0:
        return
    lines = [line for line in ran.stderr.splitlines() if line.startswith("ERROR")]
    said = redacted((lines or [ran.stderr.strip()])[-1])[:_TOLD_LENGTH]
    has_pip = not said.endswith("No module named pip")
    raise LibraryError(
        f"pip could not get {shown} as a wheel. {said}",
        "check name and version"
        if has_pip
        else f"`{sys.executable} -m ensurepip` gives this Python its pip, or add the wheel itself",
    )


def _is_wanted(wheel: Path, wanted: str) -> bool:
    """Whether it is the package that was named, or one that is not installed here."""
    name = wheel.name.split("-", 1)[0]
    if _normal(name) == _normal(wanted):
        return True
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return True
    return False


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
