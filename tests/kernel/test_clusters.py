"""Named clusters: read, checked with the nearest right name, secrets kept where they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from spark_kernel.errors import ConfigurationError
from spark_kernel.kernel.clusters import FILE_NAME, find_cluster, read_clusters, read_profile
from spark_kernel.kernel.config import SparkKernelSettings
from spark_kernel.protocol.events import Link
from spark_kernel.spark.profiles import EnvironmentChanges, rewritten

FILE = """
[analytics]
description = "The large one"
master = "spark://host:7077"
java_home = "/opt/java17"

[analytics.conf]
"spark.executor.memory" = "4g"
spark.executor.cores = 2
spark.speculation = true
spark.hadoop.fs.s3a.secret.key = { env = "S3_KEY" }

[analytics.environment]
HADOOP_CONF_DIR = "/etc/hadoop"

[analytics.links]
spark-ui = "https://hub/proxy/{port}{path}"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Give the path of a file of clusters."""
    path = tmp_path / FILE_NAME
    path.write_text(FILE)
    return path


def wrong(table: Any) -> ConfigurationError:
    """Give what is said of a cluster that is wrong."""
    with pytest.raises(ConfigurationError) as caught:
        read_profile("analytics", table)
    return caught.value


def test_cluster_is_read_in_full(file, monkeypatch):
    monkeypatch.setenv("S3_KEY", "opensesame")
    profile = find_cluster(read_clusters([str(file.parent)]), "analytics")
    assert profile.conf == {
        "spark.executor.memory": "4g",
        "spark.executor.cores": "2",
        "spark.speculation": "true",
        "spark.hadoop.fs.s3a.secret.key": "opensesame",
    }
    assert profile.secrets == {"spark.hadoop.fs.s3a.secret.key"}
    settings = SparkKernelSettings(
        clusters=read_clusters([str(file.parent)]),
        cluster="analytics",
        master="local[2]",
        conf={"spark.executor.memory": "1g", "spark.app.name": "mine"},
    ).session_settings()
    assert (settings.master, settings.cluster_name) == ("spark://host:7077", "analytics")
    assert (settings.java_home, settings.environment) == (
        "/opt/java17",
        {"HADOOP_CONF_DIR": "/etc/hadoop"},
    )
    assert settings.conf["spark.executor.memory"] == "4g"
    assert settings.conf["spark.app.name"] == "mine"


def test_more_specific_folder_counts(file, tmp_path):
    (tmp_path / "user").mkdir()
    (tmp_path / "user" / FILE_NAME).write_text('[analytics]\nmaster = "yarn"\n[small]\n')
    found = read_clusters([str(tmp_path / "user"), str(file.parent), str(tmp_path / "none")])
    assert set(found) == {"analytics", "small"}
    assert find_cluster(found, "analytics").master == "yarn"


def test_unknown_cluster_names_the_nearest(file):
    with pytest.raises(ConfigurationError, match="did you mean 'analytics'"):
        find_cluster(read_clusters([str(file.parent)]), "analytcs")
    with pytest.raises(ConfigurationError, match="there are analytics"):
        find_cluster(read_clusters([str(file.parent)]), "x")
    with pytest.raises(ConfigurationError, match=FILE_NAME):
        find_cluster({}, "analytics")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[analytics\n", "line 1"),
        ("master = 'yarn'\n", "outside of any cluster"),
    ],
)
def test_file_that_cannot_be_read_is_named(tmp_path, text, told):
    (tmp_path / FILE_NAME).write_text(text)
    with pytest.raises(ConfigurationError, match=told) as caught:
        read_clusters([str(tmp_path)])
    assert str(tmp_path / FILE_NAME) in str(caught.value)


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ({"mastr": "yarn"}, "did you mean 'master'?"),
        ({"jars": []}, "there are master"),
        ({"libraries": "a:b:1"}, "is no list of texts"),
        ({"master": 7077}, "is no text"),
        ({"conf": {"executor.memory": "4g"}}, "did you mean spark.executor.memory?"),
        ({"conf": ["spark.executor.memory"]}, "is no table"),
        ({"conf": {"spark.executor.cores": [1]}}, "neither text nor a number"),
        ({"environment": "A=1"}, "is no table"),
        ({"environment": {"A=B": "1"}}, "is nothing that a variable can be"),
        ({"environment": {"A": "1\0"}}, "is nothing that a variable can be"),
        ({"master": "sc://host:abc"}, "master of the cluster 'analytics' is no URL of a Spark"),
        ({"conf": {"spark.remote": "sc://host:abc"}}, "conf.spark.remote of the cluster"),
        ({"links": {"spark-u": "x"}}, "did you mean 'spark-ui'?"),
        ({"links": {"spark-ui": "https://{prt}"}}, "names {prt}"),
        ({"links": {"spark-ui": "https://{port"}}, "is no template"),
        ("yarn", "is no table"),
        ({"environment": {"TOKEN": {"env": "NOT_SET_HERE"}}}, "NOT_SET_HERE, which is not set"),
        ({"environment": {"TOKEN": {"vault": "x"}}}, "does not say where its secret is"),
        ({"environment": {"TOKEN": {"file": "/nonexistent/secret"}}}, "No such file"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(table, told):
    assert told in str(wrong(table))
    assert "'analytics'" in str(wrong(table))


def test_secret_in_a_file_is_read_only_if_it_is_the_users_alone(tmp_path, monkeypatch):
    path = tmp_path / "token"
    path.write_text("opensesame\n")
    path.chmod(0o644)
    table = {"environment": {"TOKEN": {"file": str(path)}}}
    error = wrong(table)
    assert f"chmod 600 {path}" in str(error)
    assert "opensesame" not in str(error)
    path.chmod(0o600)
    assert read_profile("analytics", table).environment == {"TOKEN": "opensesame"}
    monkeypatch.setattr("os.geteuid", lambda: path.stat().st_uid + 1)
    assert "which belongs to another user" in str(wrong(table))


def test_secrets_are_not_looked_up_for_a_list():
    table = {"conf": {"spark.x.token": {"env": "NOT_SET_HERE"}, "spark.y.password": "plain"}}
    profile = read_profile("analytics", table, with_secrets=False)
    assert profile.conf["spark.x.token"] == "***"
    assert profile.secrets == {"spark.x.token", "spark.y.password"}


def test_unquoted_key_may_end_like_a_reference_to_a_secret(tmp_path, monkeypatch):
    monkeypatch.setenv("S3_KEY", "opensesame")
    (tmp_path / FILE_NAME).write_text(r"""
[analytics.conf]
spark.authenticate.secret.file = "/run/secret"
spark.executorEnv.env = 'test'
spark.hadoop.fs.s3a.secret.key = { env = "S3_KEY" }
spark.x.key = {'env'='S3_KEY'}
"spark.y.key".env = "S3_KEY"
""")
    assert find_cluster(read_clusters([str(tmp_path)]), "analytics").conf == {
        "spark.authenticate.secret.file": "/run/secret",
        "spark.executorEnv.env": "test",
        "spark.hadoop.fs.s3a.secret.key": "opensesame",
        "spark.x.key": "opensesame",
        "spark.y.key": "opensesame",
    }


def test_variables_of_a_cluster_go_with_it(monkeypatch):
    monkeypatch.setenv("HADOOP_CONF_DIR", "/before")
    monkeypatch.delenv("SPARK_HOME", raising=False)
    changes = EnvironmentChanges()
    changes.apply({"HADOOP_CONF_DIR": "/one", "SPARK_HOME": "/spark"})
    import os

    assert (os.environ["HADOOP_CONF_DIR"], os.environ["SPARK_HOME"]) == ("/one", "/spark")
    changes.apply({"HADOOP_CONF_DIR": "/two"})
    assert os.environ["HADOOP_CONF_DIR"] == "/two"
    assert "SPARK_HOME" not in os.environ
    changes.apply({})
    assert os.environ["HADOOP_CONF_DIR"] == "/before"


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("https://hub/proxy/{port}{path}", "https://hub/proxy/4040/jobs/"),
        ("https://hub/{application_id}/{host}", "https://hub/app-1/driver.example.org"),
        ("https://hub/?to={url}", "https://hub/?to=http://driver.example.org:4040/jobs/"),
    ],
)
def test_link_goes_where_its_template_says(template, expected):
    link = Link("spark-ui", "Spark UI", "http://driver.example.org:4040/jobs/")
    assert rewritten(link, {"spark-ui": template}, "app-1").url == expected
    assert rewritten(link, {"driver-log": template}, "app-1") is link


def test_name_and_master_among_a_clusters_settings_count():
    conf = {"spark.app.name": "theirs", "spark.master": "local[3]"}
    given = SparkKernelSettings(
        clusters={"here": {"conf": conf}, "empty": {}}, cluster="here", master="local[7]"
    )
    settings = given.session_settings()
    assert (settings.master, settings.app_name) == ("local[3]", "")
    assert settings.origins["spark.master"] == "cluster here"
    unnamed = given.session_settings("empty")
    assert unnamed.master == "local[7]"
    assert "spark.master" not in unnamed.origins
