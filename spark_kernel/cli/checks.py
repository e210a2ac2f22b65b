"""The checks of ``spark-kernel doctor``, in the order in which they are shown."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable

from jupyter_core.paths import jupyter_path

from spark_kernel.cli.findings import Finding, Status
from spark_kernel.cli.kernelspecs import found_specs
from spark_kernel.cli.machine import Machine
from spark_kernel.cli.software_checks import (
    check_configuration,
    check_java,
    check_kernelspecs,
    check_labextension,
    check_python,
    check_spark,
)
from spark_kernel.cli.system_checks import check_archive, check_folders, check_ports
from spark_kernel.errors import SparkKernelError

__all__ = ["examine"]

_ISSUES = "https://github.com/spark-kernel/spark-kernel/issues"

_CHECKS: tuple[tuple[str, Callable[[Machine], Iterable[Finding]]], ...] = (
    ("python", lambda _: [check_python(sys.version_info[:3])]),
    ("spark", lambda machine: [check_spark(machine)]),
    ("java", lambda machine: [check_java(machine)]),
    ("configuration", lambda machine: [check_configuration(machine)]),
    ("kernelspec", lambda _: check_kernelspecs(found_specs().values())),
    ("labextension", lambda _: check_labextension(jupyter_path("labextensions"))),
    ("archive", lambda machine: [check_archive(machine)]),
    ("ports", lambda machine: [check_ports(machine)]),
    ("folders", check_folders),
)


def examine(machine: Machine) -> list[Finding]:
    """Run every check; one that breaks is a finding as well."""
    findings: list[Finding] = []
    for name, check in _CHECKS:
        try:
            findings += check(machine)
        except SparkKernelError as error:
            findings.append(Finding(name, Status.ERROR, error.message, error.hint))
        except Exception as error:
            found = f"this check itself failed. {type(error).__name__}: {error}"
            findings.append(Finding(name, Status.ERROR, found, f"please report it at {_ISSUES}"))
    return findings
