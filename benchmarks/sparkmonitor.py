"""Plain ipykernel with sparkmonitor from PyPI, in a virtual environment of its own.

The environment sees the packages of ours, so that Spark, ipykernel and Python are the same for
both, and holds sparkmonitor alone.
"""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Mapping
from pathlib import Path

import platformdirs
import pyspark

from benchmarks.cases import Case

__all__ = ["VERSION", "sparkmonitor_case"]

VERSION = "3.3.0"
_KERNEL = "sparkmonitor"
_START = """
from pyspark.sql import SparkSession
assert "JupyterSparkMonitorListener" in conf.get("spark.extraListeners")
spark = SparkSession.builder.config(conf=conf).getOrCreate()
"""


def sparkmonitor_case(environ: Mapping[str, str]) -> Case:
    """Give the case, having made its environment if that is not there yet.

    Parameters
    ----------
    environ
        That of plain ipykernel.
    """
    folder = platformdirs.user_cache_path("spark-kernel-benchmarks") / f"sparkmonitor-{VERSION}"
    python = folder / "bin" / "python"
    ready = folder / "ready"
    if not ready.exists():
        venv.create(folder, clear=True, with_pip=True)
        install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([python, *install, f"sparkmonitor=={VERSION}"], check=True)
        ready.touch()
    (_site_packages(folder) / "ours.pth").write_text(sysconfig.get_path("purelib"))
    kernels = folder / "kernels"
    _write_kernelspec(kernels / _KERNEL, python)
    # The extension looks for Spark in SPARK_HOME alone; a profile folder of its own keeps out
    # whatever the user's has.
    spark_home = str(Path(pyspark.__file__).parent)
    own = {"SPARK_HOME": spark_home, "IPYTHONDIR": str(folder / "ipython")}
    return Case(
        "sparkmonitor",
        _KERNEL,
        _START,
        environ={**environ, **own},
        kernel_folder=kernels,
        comm_target="SparkMonitor",
    )


def _site_packages(folder: Path) -> Path:
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    return folder / "lib" / version / "site-packages"


def _write_kernelspec(folder: Path, python: Path) -> None:
    extension = "--IPKernelApp.extra_extensions=sparkmonitor.kernelextension"
    argv = [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}", extension]
    spec = {"argv": argv, "display_name": _KERNEL, "language": "python"}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "kernel.json").write_text(json.dumps(spec))
