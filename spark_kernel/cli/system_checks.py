"""Checks of what this machine gives: ports, folders, the archive for fast starts."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from dataclasses import replace
from pathlib import Path

from spark_kernel.cli.findings import Finding, Status
from spark_kernel.cli.machine import Machine
from spark_kernel.errors import InstallationError, SparkKernelError
from spark_kernel.spark.launch import needs_ordinary_way

__all__ = ["check_archive", "check_folder", "check_folders", "check_ports"]

_UI_PORT = 4040
_UI_PORT_RETRIES = 128
_LAST_PORT = 65535
_LEAST_TEMPORARY_BYTES = 1_000_000_000
_LEAST_CACHE_BYTES = 500_000_000


def check_archive(machine: Machine) -> Finding:
    """Tell whether the next start is a fast one."""
    store = machine.archives
    total = f"{store.folder} holds {_size(store.total_bytes())}"
    if not store.is_enabled:
        return Finding("archive", Status.OK, f"switched off (c.SparkKernel.fast_start); {total}")
    try:
        unused = needs_ordinary_way(machine.spark, machine.spark_conf_folder)
        archive = store.archive_for(machine.java, machine.spark)
    except InstallationError:
        found = f"not known without Spark and Java; {total}"
        return Finding("archive", Status.WARNING, found, "mend Spark and Java first")
    if unused:
        return Finding("archive", Status.OK, f"not used, since {unused}; {total}")
    if archive.is_usable:
        ready = f"ready, {_size(archive.size_bytes)} ({archive.path.name}); {total}"
        return Finding("archive", Status.OK, ready)
    if archive.failure:
        advice = "run `spark-kernel warm` to try again, or set c.SparkKernel.fast_start = False"
        return Finding("archive", Status.WARNING, f"none: {archive.failure}; {total}", advice)
    none = "none yet: it is made after a first session, or by `spark-kernel warm`"
    return Finding("archive", Status.OK, f"{none}; {total}")


def check_ports(machine: Machine) -> Finding:
    """Check that the kernel can talk to its driver, and tell where Spark's UI will be."""
    failure = _bind_failure(0)
    if failure is not None:
        found = f"no port of 127.0.0.1 can be opened: {failure.strerror}"
        advice = "check the loopback interface, and what this container or sandbox forbids"
        return Finding("ports", Status.ERROR, found, advice)
    first = _ui_port(machine)
    if first == 0:
        return Finding("ports", Status.OK, "Spark's UI takes any that is free")
    ports = range(first, min(first + _UI_PORT_RETRIES, _LAST_PORT) + 1)
    free = next((port for port in ports if _bind_failure(port) is None), None)
    if free is None:
        found = f"{ports[0]} to {ports[-1]} are all taken: Spark's UI, and so Spark, cannot start"
        return Finding("ports", Status.ERROR, found, "stop old kernels, or set spark.ui.port")
    taken = f"; {free - first} from {first} on are taken" if free > first else ""
    return Finding("ports", Status.OK, f"the next Spark UI is at {free}{taken}")


def _ui_port(machine: Machine) -> int:
    try:
        return int(machine.plan.effective.get("spark.ui.port", _UI_PORT))
    except (SparkKernelError, ValueError):  # those of another check, or Spark's
        return _UI_PORT


def _bind_failure(port: int) -> OSError | None:
    with socket.socket() as opened:
        # As Java does it: a port whose connections were just closed is free.
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            opened.bind(("127.0.0.1", port))
        except OSError as error:
            return error
    return None


def check_folders(machine: Machine) -> list[Finding]:
    """Check the folders that the kernel and the driver write to."""
    settings = machine.settings
    logs, caches = settings.log_folder, settings.cache_folder
    findings = [
        _check_temporary_folder(),
        check_folder("log folder", logs, 2 * settings.log_max_bytes, _set_folder("log_folder")),
    ]
    if settings.has_fast_start:
        advice = _set_folder("cache_folder")
        finding = check_folder("cache folder", caches, _LEAST_CACHE_BYTES, advice)
        if finding.status is Status.ERROR:  # the kernel works without, only slower
            finding = replace(finding, status=Status.WARNING)
        findings.append(finding)
    return findings


def _check_temporary_folder() -> Finding:
    """Check the folder of the driver's temporary files, Spark's native libraries among them."""
    name, advice = "temp folder", "set TMPDIR to a folder on another disk"
    try:
        folder = Path(tempfile.gettempdir())
    except FileNotFoundError as error:
        return Finding(name, Status.ERROR, str(error.strerror), advice)
    finding = check_folder(name, folder, _LEAST_TEMPORARY_BYTES, advice)
    noexec = getattr(os, "ST_NOEXEC", 0)  # Linux alone tells it
    if finding.status is Status.OK and os.statvfs(folder).f_flag & noexec:
        found = f"{finding.found}, mounted noexec: Java cannot load native libraries from it"
        return Finding(name, Status.WARNING, found, advice)
    return finding


def check_folder(name: str, folder: Path, least_bytes: int, advice: str) -> Finding:
    """Check that files can be written to a folder, or to the place where it will be made."""
    try:
        place = next(path for path in (folder, *folder.parents) if path.exists())
        with tempfile.TemporaryFile(dir=place) as file:
            file.write(b"x")
        free_bytes = shutil.disk_usage(place).free
    except OSError as error:
        found = f"{folder} cannot be written to: {error.strerror}"
        return Finding(name, Status.ERROR, found, advice)
    found = f"{folder}, {_size(free_bytes)} free"
    if free_bytes < least_bytes:
        found += f"; {_size(least_bytes)} may be needed"
        return Finding(name, Status.WARNING, found, f"free some space, or {advice}")
    return Finding(name, Status.OK, found)


def _set_folder(setting: str) -> str:
    return f"set c.SparkKernel.{setting} to another folder"


def _size(size_bytes: int) -> str:
    if size_bytes >= 10**9:
        return f"{size_bytes / 10**9:.1f} GB"
    return f"{size_bytes / 10**6:.0f} MB"
