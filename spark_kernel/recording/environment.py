"""What results are compared with: the files, libraries and modules that are here now."""

from __future__ import annotations

import functools
import importlib.metadata
import json
import re
import socket
import sys
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path

from spark_kernel.protocol.provenance import Dataset, Fingerprint
from spark_kernel.recording.fingerprints import LocalFiles

__all__ = ["Environment", "Versions", "installed_version", "normalized"]

Versions = Callable[[str], str | None]
"""Gives the version of a library that is here; None where it is not."""

_MOST_MODULES = 500


class Environment:
    """What a notebook is checked against.

    Parameters
    ----------
    folder
        Where the notebook is, whose modules it may import; None if that is not known.
    version_of
        By default of what is installed for this Python.
    spark_version
        Of the Spark that is here; None if there is none.
    ask
        Gives the fingerprint of data that is not on this machine, or None; None if nobody can.
    """

    def __init__(
        self,
        folder: Path | None,
        version_of: Versions | None = None,
        spark_version: str | None = None,
        ask: Callable[[Dataset], Fingerprint | None] | None = None,
    ) -> None:
        self.folder = folder
        self.host = socket.gethostname()  # as the kernel records it
        self.files = LocalFiles()
        self.ask = ask
        self.version_of = functools.cache(version_of or installed_version)
        self.spark_version = spark_version or self.version_of("pyspark")
        self.now = datetime.now(timezone.utc)
        self._modified: dict[str, datetime | None] = {}

    def modified(self, module: str) -> datetime | None:
        """Tell when a module beside the notebook was last changed; None if there is none."""
        top = module.strip(".").split(".")[0]
        if top not in self._modified:
            self._modified[top] = self._look_at(top)
        return self._modified[top]

    def _look_at(self, top: str) -> datetime | None:
        if self.folder is None or not top:
            return None
        file, package = self.folder / f"{top}.py", self.folder / top
        files = [file] if file.is_file() else []
        if not files and package.is_dir():
            files = [
                one for _, one in zip(range(_MOST_MODULES), package.rglob("*.py"), strict=False)
            ]
        if not files:
            return None
        newest = max(one.stat().st_mtime for one in files)
        return datetime.fromtimestamp(newest, timezone.utc)

    def libraries_of(self, module: str) -> tuple[str, ...]:
        """Give the libraries that a module may belong to."""
        top = module.split(".")[0]
        if self.version_of(top) is not None:
            return (top,)
        return tuple(_distributions().get(top, ()))

    def is_standard(self, module: str) -> bool:
        """Whether a module comes with Python."""
        return module.split(".")[0] in sys.stdlib_module_names

    def is_editable(self, library: str) -> bool:
        """Whether a library's code may change without its version."""
        try:
            text = importlib.metadata.distribution(library).read_text("direct_url.json")
            content = json.loads(text) if text else {}
            return bool(content.get("dir_info", {}).get("editable"))
        except (importlib.metadata.PackageNotFoundError, ValueError, AttributeError, OSError):
            return False


def installed_version(name: str) -> str | None:
    """Give the version of an installed library; None if it is not."""
    try:
        return importlib.metadata.version(name)
    except (importlib.metadata.PackageNotFoundError, ValueError):
        return None


def normalized(name: str) -> str:
    """Write the name of a library as package indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


@functools.cache
def _distributions() -> dict[str, list[str]]:
    # Reads the files of every library: asked only for modules not called as their library.
    return dict(importlib.metadata.packages_distributions())
