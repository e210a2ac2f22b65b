"""``spark-kernel uninstall``: removes what is ours, and nothing else."""

from __future__ import annotations

import os
import sys

from spark_kernel_command import WriteSpec, run, run_process


def test_removes_its_own_kernelspec(home):
    run("install", "--name", "analytics")
    folder = home / ".local" / "share" / "jupyter" / "kernels" / "analytics"
    assert folder.is_dir()
    finished = run_process("uninstall", "Analytics", "-y")
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout == f"Removed {folder}.\n"
    assert not folder.exists()


def test_asks_first(home):
    run("install", "--name", "analytics")
    folder = home / ".local" / "share" / "jupyter" / "kernels" / "analytics"
    refused = run("uninstall", "analytics", typed="n\n")
    assert refused.exit_code == 1
    assert folder.is_dir()
    assert run("uninstall", "analytics", typed="y\n").exit_code == 0
    assert not folder.exists()


def test_other_kernels_are_not_removed(write_kernelspec: WriteSpec):
    folder = write_kernelspec("ir", ["R", "--slave"])
    result = run("uninstall", "ir", "-y")
    assert result.exit_code == 1
    assert "is not a kernelspec of spark-kernel" in result.stderr
    assert "jupyter kernelspec remove ir" in result.stderr
    assert folder.is_dir()


def test_unknown_name_names_the_nearest(write_kernelspec: WriteSpec):
    write_kernelspec("analytics", [sys.executable, "-m", "spark_kernel"])
    result = run("uninstall", "analytcs")
    assert result.exit_code == 1
    assert "did you mean analytics?" in result.stderr


def test_unknown_name_lists_what_there_is(write_kernelspec: WriteSpec):
    write_kernelspec("analytics", [sys.executable, "-m", "spark_kernel"])
    assert "analytics" in run("uninstall", "xyzzy").stderr


def test_link_is_removed_and_not_what_it_leads_to(tmp_path, home, write_kernelspec: WriteSpec):
    folder = write_kernelspec("analytics", [sys.executable, "-m", "spark_kernel"])
    target = folder.rename(tmp_path / "elsewhere")
    folder.symlink_to(target)
    assert run("uninstall", "analytics", "-y").exit_code == 0
    assert not os.path.lexists(folder)
    assert (target / "kernel.json").is_file()


def test_another_of_the_same_name_is_said(tmp_path, monkeypatch):
    first = tmp_path / "first"
    run("install", "--name", "twice", "--user")
    run("install", "--name", "twice", "--prefix", str(first))
    monkeypatch.setenv("JUPYTER_PATH", str(first / "share" / "jupyter"))
    result = run("uninstall", "twice", "-y")
    assert f"Removed {first}" in result.stdout
    assert "Jupyter finds another twice now" in result.stdout
