"""Checks of what is installed and set: Python, Spark, Java, configuration, kernelspecs."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from spark_kernel.cli.findings import Finding, Status
from spark_kernel.cli.kernelspecs import InstalledSpec
from spark_kernel.cli.machine import Machine, pyspark_version
from spark_kernel.errors import InstallationError, JavaNotFoundError
from spark_kernel.redaction import without_password

__all__ = [
    "check_configuration",
    "check_java",
    "check_kernelspecs",
    "check_labextension",
    "check_python",
    "check_spark",
]

_PYTHON_VERSIONS = ((3, 10), (3, 13))
_SPARK_VERSIONS = ((4, 0), (4, 3))
_PROCESS_TIMEOUT_S = 20.0
_LABEXTENSION = Path("@spark-kernel", "labextension", "package.json")


def check_python(version: tuple[int, ...]) -> Finding:
    """Check that Python is one that the kernel is tested with."""
    found = f"{'.'.join(map(str, version))} ({sys.executable})"
    least, most = _PYTHON_VERSIONS
    if least <= version[:2] <= most:
        return Finding("python", Status.OK, found)
    status = Status.ERROR if version[:2] < least else Status.WARNING
    advice = f"use Python {_dotted(least)} to {_dotted(most)}, with which the kernel is tested"
    return Finding("python", status, found, advice)


def check_spark(machine: Machine) -> Finding:
    """Check that there is a Spark, and that pyspark fits it."""
    spark = machine.spark
    origin = "pyspark's own" if spark.is_own else f"of SPARK_HOME, with pyspark {pyspark_version()}"
    found = f"{spark.version}, {origin} ({spark.home})"
    series = tuple(map(int, re.findall(r"\d+", spark.version)[:2]))
    least, most = _SPARK_VERSIONS
    if least <= series <= most:
        return Finding("spark", Status.OK, found)
    status = Status.ERROR if series < least else Status.WARNING
    advice = f"use Spark {_dotted(least)} to {_dotted(most)}, with which the kernel is tested"
    return Finding("spark", status, found, advice)


def check_java(machine: Machine) -> Finding:
    """Check that there is a Java for the driver, and that it really runs."""
    try:
        java = machine.java
    except JavaNotFoundError as error:
        found = "\n".join([f"none that Spark can use; it needs {error.needed}", *error.tried])
        # A Java that is configured is the only one that counts: another would not help.
        mend = "set c.SparkKernel.java_home to a Java that fits, or leave it out"
        advice = mend if machine.settings.java_home else f"run `{error.hint}`"
        return Finding("java", Status.ERROR, found, advice)
    found = f"{java.version} from {java.origin} ({java.home})"
    failure = _failure_of([str(java.executable), "-version"])
    if failure:
        advice = "install it anew, or set c.SparkKernel.java_home to another Java"
        return Finding("java", Status.ERROR, f"{found} does not run: {failure}", advice)
    if java.skipped:
        found = "\n".join([found, *(f"passed over: {line}" for line in java.skipped)])
        origins = ", ".join(line.partition(" (")[0] for line in java.skipped)
        return Finding("java", Status.WARNING, found, f"correct or remove {origins}")
    return Finding("java", Status.OK, found)


def check_configuration(machine: Machine) -> Finding:
    """Check what is set for the kernel, and for Spark where that is known before the start."""
    configuration = machine.configuration
    read = [str(path) for path in configuration.files]
    if configuration.problem is not None:
        problem = configuration.problem
        found = f"{problem.message}\n{_sources(read, machine)}".rstrip()
        return Finding("configuration", Status.ERROR, found, problem.hint)
    try:
        master = machine.plan.master
        defaults = machine.spark_conf_folder / "spark-defaults.conf"
    except InstallationError:  # that of another check
        return Finding("configuration", Status.OK, _sources(read, machine) or "nothing is set")
    if defaults.is_file():
        read.append(str(defaults))
    sources = _sources(read, machine) or "nothing is set"
    return Finding("configuration", Status.OK, f"master {without_password(master)}; {sources}")


def _sources(files: list[str], machine: Machine) -> str:
    submitted = ["PYSPARK_SUBMIT_ARGS"] if machine.environ.get("PYSPARK_SUBMIT_ARGS") else []
    sources = [*files, *machine.environment_settings, *submitted]
    return f"set by {', '.join(sources)}" if sources else ""


def check_kernelspecs(specs: Iterable[InstalledSpec]) -> list[Finding]:
    """Check that the kernel can be started by name."""
    findings = [_check_kernelspec(spec) for spec in specs if spec.is_ours]
    if findings:
        return findings
    found = "Jupyter finds none of this kernel"
    return [Finding("kernelspec", Status.ERROR, found, "run `spark-kernel install`")]


def check_labextension(folders: Iterable[str]) -> list[Finding]:
    """Check that the JupyterLab of this environment, if it has one, has our extension.

    Parameters
    ----------
    folders
        Where JupyterLab looks for extensions.
    """
    if importlib.util.find_spec("jupyterlab") is None:
        return []
    found = next(filter(Path.is_file, (Path(folder) / _LABEXTENSION for folder in folders)), None)
    if found is not None:
        return [Finding("labextension", Status.OK, f"installed ({found.parent})")]
    advice = (
        "install the wheel of spark-kernel, or from source with Node, and look at what pip says "
        "with -v; without it JupyterLab has neither the cluster in its status bar nor buttons"
    )
    return [Finding("labextension", Status.WARNING, "JupyterLab has none of this kernel", advice)]


def _check_kernelspec(spec: InstalledSpec) -> Finding:
    python = spec.argv[0]
    is_jupyters = os.sep not in python
    shown = "Jupyter's own Python" if is_jupyters else python
    master = f"master {without_password(spec.master)}" if spec.master else "master as configured"
    found = f"{spec.name}: {master}, {shown} ({spec.folder})"
    if is_jupyters or python == sys.executable:
        return Finding("kernelspec", Status.OK, found)
    if not Path(python).is_file():
        advice = f"run `spark-kernel uninstall {spec.name}`, or `install` it from where Python is"
        return Finding("kernelspec", Status.ERROR, f"{found}: there is no such Python", advice)
    question = "import importlib.util, sys; sys.exit(not importlib.util.find_spec('spark_kernel'))"
    if _failure_of([python, "-c", question], spec):
        advice = f"run `{python} -m pip install spark-kernel`, or uninstall the kernelspec"
        return Finding("kernelspec", Status.ERROR, f"{found} has no spark_kernel", advice)
    return Finding("kernelspec", Status.OK, found)


def _failure_of(command: list[str], spec: InstalledSpec | None = None) -> str:
    """Run a command, as a kernelspec would; give what it said if it failed, or nothing."""
    try:
        subprocess.run(
            command,
            capture_output=True,
            check=True,
            text=True,
            errors="replace",
            timeout=_PROCESS_TIMEOUT_S,
            stdin=subprocess.DEVNULL,
            cwd=os.sep,  # a Python would also import from the current folder
            env={**os.environ, **(spec.env if spec else {})},
        )
    except subprocess.CalledProcessError as error:
        said = (error.stderr or error.stdout).strip().splitlines()
        return said[-1] if said else f"exit status {error.returncode}"
    except (OSError, subprocess.SubprocessError) as error:
        return str(error)
    return ""


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))
