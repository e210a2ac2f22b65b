"""Secrets are planted wherever a notebook meets them; no record and no message holds one."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from kernel_real.notebook import Notebook, NotebookMaker

SECRETS = [f"planted-{number}-Xq7vT2mKz9" for number in range(9)]
SETTING, VARIABLE, URL, QUERY, OPTION, LITERAL, USERINFO, PLAIN, FILE = SECRETS

CELLS = f"""
spark.conf.set("spark.hadoop.fs.s3a.secret.key", "{SETTING}")
---
import os
os.environ["AWS_SECRET_ACCESS_KEY"] = "{VARIABLE}"
token = "{VARIABLE}"
---
url = "jdbc:derby:memory:shop;create=true;user=ana;password={URL}"
spark.range(3).write.jdbc(url, "orders", mode="overwrite")
spark.read.jdbc(url, "orders").count()
---
spark.read.format("jdbc").option("url", url).option("query", "SELECT * FROM orders").option(
    "password", "{OPTION}").load().collect()
---
spark.sql("SET spark.my.password={QUERY}")
spark.sql("SELECT '{LITERAL}' AS password, 'token={LITERAL}' AS other").collect()
---
spark.range(5).write.mode("overwrite").parquet("out")
spark.read.option("token", "{OPTION}").parquet("out").createOrReplaceTempView("seen")
spark.sql("SELECT * FROM seen").count()
---
spark.read.parquet("s3a://ana:{USERINFO}@bucket/data?sig={USERINFO}")
---
open("notes.txt", "w").write("{FILE}")
with open("notes.txt") as notes:
    notes.read()
---
raise RuntimeError("password={PLAIN}")
""".strip().split("\n---\n")


@pytest.fixture(scope="module")
def notebook(new_notebook: NotebookMaker) -> Iterator[Notebook]:
    """Give a notebook in provenance mode whose configuration and environment hold secrets."""
    settings = {
        "spark.ui.enabled": "false",
        "spark.hadoop.fs.s3a.access.key": SETTING,
        "spark.my.password": SETTING,
        "spark.executorEnv.API_TOKEN": SETTING,
    }
    environ = {
        "SPARK_KERNEL_PROVENANCE": "1",
        "SPARK_KERNEL_CONF": json.dumps(settings),
        "DATABASE_PASSWORD": VARIABLE,
    }
    with new_notebook(environ) as notebook:
        notebook.wait_for_state("ready")
        yield notebook


def test_no_secret_is_in_any_record_or_summary(notebook: Notebook) -> None:
    told = []
    for code in CELLS:
        result = notebook.run(code)
        told.append(notebook.metadata_of(result)["spark_kernel"])
        told += [shown["metadata"] for shown in result.displays if shown["metadata"]]
    text = json.dumps(told)
    assert [secret for secret in SECRETS if secret in text] == []
    # The records are not empty for it: they say what was read, and where.
    names = [data["name"] for record in told for data in record.get("inputs") or []]
    assert any("jdbc:derby:memory:shop" in name for name in names)
    assert any(name.endswith("/out") for name in names)
    errors = [record["error"] for record in told if record.get("error")]
    assert {"name": "RuntimeError"} in errors


def test_sum_of_the_settings_does_not_depend_on_a_secret(notebook: Notebook) -> None:
    def config_sum(value: str) -> str:
        notebook.run(f'spark.conf.set("spark.my.password", "{value}")')
        result = notebook.run("spark.range(1).count()")
        return str(notebook.metadata_of(result)["spark_kernel"]["config_sha256"])

    assert config_sum("first-secret-value") == config_sum("another-secret-value")
