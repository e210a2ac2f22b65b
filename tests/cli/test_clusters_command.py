"""``spark-kernel clusters``, and kernelspecs of named clusters."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from spark_kernel_command import run

FILE = """
[analytics]
description = "The large one"
master = "spark://user:opensesame@host:7077"
conf = { "spark.executor.memory" = "4g", "spark.x.token" = { env = "NOT_SET_HERE" } }

[broken]
mastr = "yarn"
"""


@pytest.fixture
def clusters(home: Path) -> None:
    """Give the user a file of clusters."""
    (home / ".jupyter").mkdir()
    (home / ".jupyter" / "spark_clusters.toml").write_text(FILE)


def test_list_names_each_and_what_is_wrong(clusters):
    result = run("clusters", "list")
    assert result.exit_code == 0
    assert "analytics  spark://user:***@host:7077  The large one" in result.output
    assert "did you mean 'master'?" in result.output


def test_list_says_how_to_name_one_where_there_is_none():
    result = run("clusters", "list")
    assert result.exit_code == 0
    assert "spark_clusters.toml" in result.output


def test_show_hides_secrets(clusters, home):
    result = run("clusters", "show", "analytics")
    assert result.exit_code == 0
    assert f"from: {home / '.jupyter' / 'spark_clusters.toml'}" in result.output
    assert "conf spark.executor.memory: 4g" in result.output
    assert "conf spark.x.token: ***" in result.output
    assert "opensesame" not in result.output


@pytest.mark.parametrize("command", [("clusters", "show"), ("clusters", "check")])
def test_unknown_cluster_names_the_nearest(clusters, command):
    result = run(*command, "analytcs")
    assert result.exit_code == 1
    assert "did you mean 'analytics'?" in result.output


def test_check_needs_the_secrets(clusters):
    result = run("clusters", "check", "analytics")
    assert result.exit_code == 1
    assert "NOT_SET_HERE, which is not set" in result.output


def test_kernelspec_of_a_cluster_holds_its_name_alone(clusters, tmp_path):
    result = run("install", "--cluster", "analytics", "--prefix", str(tmp_path))
    assert result.exit_code == 0, result.output
    folder = tmp_path / "share" / "jupyter" / "kernels" / "analytics"
    spec = json.loads((folder / "kernel.json").read_text())
    assert spec["display_name"] == "PySpark (analytics)"
    assert spec["argv"][-1] == "--SparkKernel.cluster=analytics"
    assert spec["argv"][0] == sys.executable
    assert "host" not in (folder / "kernel.json").read_text()


def test_kernelspec_of_an_unknown_or_wrong_cluster_is_not_made(clusters, tmp_path):
    for name, told in (("analytcs", "did you mean"), ("broken", "did you mean 'master'?")):
        result = run("install", "--cluster", name, "--prefix", str(tmp_path))
        assert result.exit_code == 1
        assert told in result.output
    assert not (tmp_path / "share").exists()


def test_names_that_lead_to_one_kernelspec_do_not_replace_each_other(home, tmp_path):
    (home / ".jupyter").mkdir()
    (home / ".jupyter" / "spark_clusters.toml").write_text('["the one"]\n[The-One]\n')
    place = ("--prefix", str(tmp_path))
    assert run("install", "--cluster", "the one", *place).exit_code == 0
    refused = run("install", "--cluster", "The-One", *place)
    assert refused.exit_code == 1
    assert "the kernelspec of the cluster 'the one'" in refused.output
    assert run("install", "--cluster", "the one", *place).exit_code == 0
    assert run("install", "--cluster", "The-One", "--name", "second", *place).exit_code == 0


def test_show_names_the_libraries(home):
    (home / ".jupyter").mkdir()
    text = '[a]\nlibraries = ["https://me:opensesame@host/a.jar"]\n'
    (home / ".jupyter" / "spark_clusters.toml").write_text(text)
    result = run("clusters", "show", "a")
    assert "libraries: https://me:***@host/a.jar" in result.output
