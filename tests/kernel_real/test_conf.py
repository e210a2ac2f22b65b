"""``%spark conf`` and ``%%spark_conf``: settings, where they come from, and changing them."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from kernel_real.notebook import Notebook, NotebookMaker

CLUSTERS = {
    "here": {
        "master": "local[2]",
        "conf": {
            "spark.my.own": "<b>mine</b>",
            "spark.my.door": {"env": "OPEN_THE_DOOR"},
            "spark.my.password": "opensesame",
            "spark.redaction.regex": "(?i)password|vault",
            "spark.my.vault": "hushhush",
            "spark.my.note": "the code of the vault is 4711",
        },
    }
}


@pytest.fixture(scope="module")
def notebook(new_notebook: NotebookMaker) -> Iterator[Notebook]:
    """Give a notebook on a named cluster with secrets."""
    environ = {
        "SPARK_KERNEL_CLUSTERS": json.dumps(CLUSTERS),
        "SPARK_KERNEL_CLUSTER": "here",
        "SPARK_KERNEL_CONF": json.dumps({"spark.from.environment": "1"}),
        "PYSPARK_SUBMIT_ARGS": "--conf spark.from.arguments=2 pyspark-shell",
        "OPEN_THE_DOOR": "knock knock",
    }
    with new_notebook(environ) as notebook:
        notebook.value("kept = 5\nspark.range(1).count()")
        yield notebook


def shown(notebook: Notebook, prefix: str = "") -> dict[str, tuple[str, str]]:
    """Give the settings in force as they are shown: value and origin, by key."""
    (display,) = notebook.run(f"%spark conf {prefix}").displays
    head, *lines = display["data"]["text/plain"].splitlines()
    value, origin = head.index("Value"), head.index("From")
    return {line[:value].strip(): (line[value:origin], line[origin:]) for line in lines}


def test_each_setting_says_where_it_comes_from(notebook: Notebook) -> None:
    found = {key: origin.strip() for key, (_, origin) in shown(notebook).items()}
    assert found["spark.my.own"] == "cluster here"
    assert found["spark.master"] == "cluster here"
    assert found["spark.from.environment"] == "SPARK_KERNEL_CONF"
    assert found["spark.from.arguments"] == "PYSPARK_SUBMIT_ARGS"
    assert found["spark.ui.showConsoleProgress"] == "the kernel's defaults"
    assert found["spark.app.id"] == "Spark"
    notebook.value("spark.conf.set('spark.sql.shuffle.partitions', 7)")
    value, origin = shown(notebook, "spark.sql.shuffle")["spark.sql.shuffle.partitions"]
    assert (value.strip(), origin.strip()) == ("7", "the notebook")


def test_secrets_are_hidden_and_markup_is_escaped(notebook: Notebook) -> None:
    (display,) = notebook.run("%spark conf spark.my").displays
    everything = json.dumps(display)
    assert "opensesame" not in everything
    assert "knock" not in everything
    assert "hushhush" not in everything  # by spark.redaction.regex, as Spark has it: keys ...
    assert "4711" not in everything  # ... and values
    assert "redacted" in shown(notebook, "spark.my.note")["spark.my.note"][0]
    told = json.dumps([notebook.statuses, notebook.banners, notebook.kernel_info()])
    told += json.dumps(notebook.control("resource_info_request", {}))
    for secret in ("opensesame", "knock knock", "hushhush", "4711"):
        assert secret not in told
    assert "<b>mine" not in display["data"]["text/html"]
    assert "&lt;b&gt;mine" in display["data"]["text/html"]


def test_what_can_change_live_does_and_the_rest_waits_for_its_session(notebook: Notebook) -> None:
    result = notebook.run(
        "%%spark_conf\n# two of a kind\nspark.sql.shuffle.partitions = 11\n"
        "spark.driver.memory=700m\nspark.executr.memory=1g"
    )
    assert result.status == "ok", result.error
    assert "Changed: spark.sql.shuffle.partitions" in result.stdout
    assert "For the next session: spark.driver.memory, spark.executr.memory" in result.stdout
    assert "did you mean spark.executor.memory?" in result.stdout
    assert notebook.value("spark.conf.get('spark.sql.shuffle.partitions')") == "'11'"
    assert "700m" not in notebook.run("%spark conf spark.driver").shown
    result = notebook.run(
        '%%spark_conf --restart\n{"spark.my.flag": true, "spark.app.name": "mine"}'
    )
    assert result.status == "ok", result.error
    assert notebook.value(
        "[spark.conf.get(key) for key in ('spark.my.flag', 'spark.driver.memory', "
        "'spark.sql.shuffle.partitions', 'spark.my.own')], kept"
    ) == ("(['true', '700m', '11', '<b>mine</b>'], 5)")
    assert notebook.value("sc.appName") == "'mine'"
    _, origin = shown(notebook, "spark.my.flag")["spark.my.flag"]
    assert origin.strip() == "%%spark_conf"


def test_change_is_taken_back_to_what_was_set_before(notebook: Notebook) -> None:
    notebook.value(
        "%%spark_conf\nspark.sql.shuffle.partitions=13\nspark.from.environment=changed\n"
        "spark.app.name=another"
    )
    assert notebook.value("spark.conf.get('spark.sql.shuffle.partitions')") == "'13'"
    refused = notebook.run("%%spark_conf\n-spark.sql.shuffle.partitions\n-spark.from.arguments")
    assert "spark.from.arguments was not changed by %%spark_conf" in refused.error
    assert notebook.value("spark.conf.get('spark.sql.shuffle.partitions')") == "'13'"
    result = notebook.run(
        '%%spark_conf --restart\n{"spark.sql.shuffle.partitions": null, '
        '"spark.from.environment": null, "spark.app.name": null}'
    )
    assert result.status == "ok", result.error
    assert "Changed: spark.sql.shuffle.partitions" in result.stdout
    found = shown(notebook, "spark.from.environment")["spark.from.environment"]
    assert [text.strip() for text in found] == ["1", "SPARK_KERNEL_CONF"]
    assert notebook.value("spark.conf.get('spark.sql.shuffle.partitions'), sc.appName") == (
        "('200', 'PySpark (cluster)')"
    )


def test_value_that_spark_does_not_take_changes_nothing(notebook: Notebook) -> None:
    ansi = notebook.value("spark.conf.get('spark.sql.ansi.enabled')")
    other = "false" if "true" in ansi else "true"
    result = notebook.run(
        f"%%spark_conf\nspark.sql.ansi.enabled={other}\nspark.sql.shuffle.partitions=abc"
    )
    assert result.error.startswith("ConfigurationError")
    assert "spark.sql.shuffle.partitions" in result.error
    assert len(result.traceback) <= 3
    assert notebook.value("spark.conf.get('spark.sql.ansi.enabled')") == ansi


@pytest.mark.parametrize(
    ("cell", "told"),
    [
        ("%%spark_conf\nspark.x", "line 1 is no setting"),
        ("%%spark_conf\n-spark.x=1", "line 1 is no setting"),
        ("%%spark_conf\n-", "line 1 is no setting"),
        ('%%spark_conf\n{"spark.x": null}', "was not changed by %%spark_conf"),
        ("%%spark_conf\n\n", "got no settings"),
        ("%%spark_conf\n{nonsense", "this is no JSON"),
        ("%%spark_conf\n{}", "got no settings"),
        ("%%spark_conf\nspark.master=local[4]", "%spark attach NAME"),
        ('%%spark_conf\n{"spark.x": [1]}', "neither text nor a number"),
        ("%%spark_conf\nexecutor.memory=1g", "did you mean 'spark.executor.memory'?"),
        ("%%spark_conf --now\nspark.x=1", "takes nothing but --restart"),
        ("%spark conf a b", "takes the beginning of a name"),
    ],
)
def test_what_makes_no_sense_is_refused(notebook: Notebook, cell: str, told: str) -> None:
    result = notebook.run(cell)
    assert told in result.error + result.stderr
    assert len(result.traceback) <= 4


def test_name_that_nothing_has_is_said(notebook: Notebook) -> None:
    assert "No setting has such a name" in notebook.run("%spark conf spark.nothing.of.it").shown
