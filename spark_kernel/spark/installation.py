"""Finds the Spark to run: that of SPARK_HOME, or the one that pyspark brings along."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from spark_kernel.errors import SparkNotFoundError, SparkVersionError

__all__ = ["SparkInstallation", "find_spark"]


@dataclass(frozen=True)
class SparkInstallation:
    """A Spark on this machine.

    Parameters
    ----------
    is_own
        Whether it is the one inside the installed pyspark, whose layout is known, so that the
        driver can be started directly.
    """

    home: Path
    version: str
    is_own: bool

    @property
    def jars(self) -> Path:
        """The folder with Spark's jars."""
        return self.home / "jars"


def find_spark(environ: Mapping[str, str]) -> SparkInstallation:
    """Find Spark, and check that it fits the installed pyspark; nothing of it is imported.

    Raises
    ------
    SparkNotFoundError
        If there is no Spark, or SPARK_HOME names none.
    SparkVersionError
        If SPARK_HOME and pyspark are of different series.
    """
    package = _pyspark_package()
    if not environ.get("SPARK_HOME"):
        if package is None:
            raise SparkNotFoundError(
                "Neither pyspark nor SPARK_HOME was found.", "run `pip install pyspark`"
            )
        # `pip install pyspark` with PYSPARK_HADOOP_VERSION puts its Spark one folder deeper.
        home = next(p for p in (package / "spark-distribution", package) if p.is_dir())
        return SparkInstallation(home, _spark_version(home), is_own=True)
    return _external_spark(package)


def _external_spark(package: Path | None) -> SparkInstallation:
    import findspark

    home = Path(findspark.find())
    version = _spark_version(home)
    if package is None:
        findspark.init(str(home))
        return SparkInstallation(home, version, is_own=False)
    if home.resolve() == package.resolve():
        return SparkInstallation(home, version, is_own=True)
    installed = _pyspark_version(package)
    if version.split(".")[:2] != installed.split(".")[:2]:
        raise SparkVersionError(str(home), version, installed)
    return SparkInstallation(home, version, is_own=False)


def _pyspark_package() -> Path | None:
    spec = importlib.util.find_spec("pyspark")
    return Path(spec.origin).parent if spec is not None and spec.origin else None


def _pyspark_version(package: Path) -> str:
    match = re.search(
        r"__version__[^'\"]*['\"]([^'\"]+)", (package / "version.py").read_text("utf-8")
    )
    return match.group(1) if match else "unknown"


def _spark_version(home: Path) -> str:
    for jar in (home / "jars").glob("spark-core_*.jar"):
        match = re.fullmatch(r"spark-core_[\d.]+-(.+)\.jar", jar.name)
        if match:
            return match.group(1)
    raise SparkNotFoundError(
        f"{home} holds no Spark: there is no spark-core jar in its folder jars.",
        "set SPARK_HOME to the folder of a Spark distribution, or unset it",
    )
