"""The command itself: help, version, mistakes."""

from __future__ import annotations

import subprocess
import sys

from spark_kernel_command import run, run_process

from spark_kernel import __version__


def test_version_is_that_of_the_package():
    finished = run_process("--version")
    assert finished.stdout.split()[-1] == __version__


def test_help_names_every_command():
    finished = run_process("--help")
    assert finished.returncode == 0
    assert all(name in finished.stdout for name in ("install", "uninstall", "doctor"))


def test_runs_as_a_module():
    finished = subprocess.run(
        [sys.executable, "-m", "spark_kernel.cli", "--help"], capture_output=True, text=True
    )
    assert finished.stdout.startswith("Usage: spark-kernel")


def test_help_imports_nothing_heavy():
    script = (
        "import sys, spark_kernel.cli\n"
        "print([m for m in ('IPython', 'ipykernel', 'jupyter_client', 'zmq', 'pyspark')"
        " if m in sys.modules])"
    )
    finished = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert finished.stdout.strip() == "[]"


def test_mistyped_command_names_the_nearest():
    result = run("docter")
    assert result.exit_code == 2
    assert "Did you mean 'doctor'?" in result.stderr


def test_unknown_command_points_to_the_help():
    assert "See `spark-kernel --help`." in run("xyzzy").stderr


def test_mistyped_option_names_the_nearest():
    assert "--display-name" in run("install", "--displayname", "x").stderr
