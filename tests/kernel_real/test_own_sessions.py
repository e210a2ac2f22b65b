"""Sessions that the notebook makes itself work as they do in plain PySpark."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kernel_real.notebook import Notebook, NotebookMaker

IMPORTS = "from pyspark import SparkConf, SparkContext\nfrom pyspark.sql import SparkSession\n"
APP_NAME = "<b>R&D</b> of 'us'"


@pytest.fixture(scope="module")
def own(new_notebook: NotebookMaker) -> Iterator[Notebook]:
    """Give a notebook of which every test finds a session, and leaves one."""
    with new_notebook(arguments=["--master=local[2]"]) as notebook:
        notebook.value(IMPORTS + "spark.range(1).count()")
        yield notebook


def test_builder_gives_the_running_session_and_applies_sql_settings(own: Notebook) -> None:
    result = own.run(
        "built = SparkSession.builder.config('spark.sql.shuffle.partitions', 7).getOrCreate()\n"
        "built is spark, built.conf.get('spark.sql.shuffle.partitions')"
    )
    assert result.text == "(True, '7')"
    assert result.stderr == ""


def test_settings_that_come_too_late_are_named_in_a_warning(own: Notebook) -> None:
    result = own.run(
        "SparkSession.builder.appName('late').config('spark.executor.memory', '3g')"
        ".config('spark.sql.ansi.enabled', 'false').config('my.own.key', 1).getOrCreate() is spark"
    )
    assert result.text == "True"
    warning, *source = result.stderr.splitlines()
    assert "LateSettingWarning" in warning
    assert "spark.executor.memory=3g" in warning
    assert "spark.app.name=late" in warning
    assert "c.SparkKernel.conf" in warning
    assert "ansi" not in warning
    assert "my.own.key" not in warning
    assert "getOrCreate()" in source[0]  # it points at the user's own line


def test_settings_that_are_in_force_already_are_not_warned_of(own: Notebook) -> None:
    result = own.run(
        "SparkSession.builder.master('local[2]').appName(sc.appName).getOrCreate() is spark"
    )
    assert result.text == "True"
    assert result.stderr == ""


def test_context_of_a_late_configuration_is_warned_of(own: Notebook) -> None:
    result = own.run("SparkContext.getOrCreate(SparkConf().set('spark.cores.max', '3')) is sc")
    assert result.text == "True"
    assert "LateSettingWarning" in result.stderr
    assert "spark.cores.max=3" in result.stderr


def test_new_session_shares_the_context_and_not_the_views(own: Notebook) -> None:
    code = (
        "spark.range(2).createOrReplaceTempView('mine')\n"
        "other = spark.newSession()\n"
        "(other is spark, other.sparkContext is sc, other.catalog.tableExists('mine'),"
        " spark.catalog.tableExists('mine'), other.range(3).count())"
    )
    assert own.value(code) == "(False, True, False, True, 3)"


def test_second_context_is_refused_as_in_pyspark(own: Notebook) -> None:
    result = own.run("SparkContext('local[1]', 'second')")
    assert result.error.startswith("ValueError: ")
    assert "Cannot run multiple SparkContexts at once" in result.error
    assert own.value("sc.parallelize(range(4)).sum()") == "6"


def test_stopping_and_building_anew_moves_the_names_along(own: Notebook) -> None:
    driver = own.driver.pid
    before = own.status["application"]["id"]
    own.value("old = spark\nspark.stop()")
    assert own.wait_for_state("stopped")["application"] is None
    assert own.run("spark.range(3).count()").status == "error"  # as in plain PySpark
    result = own.run(
        f"again = SparkSession.builder.appName({APP_NAME!r})"
        ".config('spark.executor.memory', '777m').getOrCreate()\n"
        "again is old, again.range(3).count()"
    )
    assert result.text == "(False, 3)"
    assert result.stderr == ""
    ready = own.wait_for_state("ready")
    assert ready["application"]["name"] == APP_NAME
    assert ready["application"]["id"] != before
    code = "spark is again, sc is again.sparkContext, sc.getConf().get('spark.executor.memory')"
    assert own.value(code) == "(True, True, '777m')"
    assert own.driver.pid == driver


def test_session_is_shown_with_application_master_and_ui_and_escaped(own: Notebook) -> None:
    own.value(f"spark.stop()\nspark = SparkSession.builder.appName({APP_NAME!r}).getOrCreate()")
    status = own.wait_for_state("ready")
    ui = next(link["url"] for link in status["links"] if link["rel"] == "spark-ui")
    shown = own.run("spark").data
    assert f"app={APP_NAME!r}" in shown["text/plain"]
    assert "master='local[2]'" in shown["text/plain"]
    assert f"ui={ui}" in shown["text/plain"]
    html = shown["text/html"]
    assert "&lt;b&gt;R&amp;D&lt;/b&gt;" in html
    assert "<b>R" not in html
    assert "local[2]" in html
    assert f'href="{ui}"' in html
    assert own.value("repr(spark)[:14]") == "'<SparkSession '"


def test_late_driver_setting_of_a_new_session_is_named(own: Notebook) -> None:
    result = own.run(
        "spark.stop()\n"
        "spark = SparkSession.builder.config('spark.driver.memory', '5g').getOrCreate()\n"
        "spark.range(3).count()"
    )
    assert result.text == "3"
    assert "LateSettingWarning" in result.stderr
    assert "spark.driver.memory=5g" in result.stderr


def test_context_made_by_hand_after_a_stop_is_the_one_of_the_names(own: Notebook) -> None:
    own.value("spark.stop()\nmine = SparkContext('local[1]', 'by hand')")
    assert own.wait_for_state("ready")["cluster"]["master"] == "local[1]"
    assert own.value("sc is mine, sc.appName, spark.range(5).count()") == "(True, 'by hand', 5)"


def test_context_made_in_the_first_cell_replaces_the_kernels_own(
    new_notebook: NotebookMaker,
) -> None:
    with new_notebook() as notebook:
        result = notebook.run(
            IMPORTS + "mine = SparkContext(conf=SparkConf().setMaster('local[1]')"
            ".setAppName('first').set('spark.ui.enabled', 'false'))\n"
            "mine.appName, mine.master, mine.parallelize(range(5)).sum()"
        )
        assert result.error == ""
        assert result.text == "('first', 'local[1]', 10)"
        assert notebook.value("sc is mine, spark.sparkContext is mine") == "(True, True)"
        assert notebook.wait_for_state("ready")["application"]["name"] == "first"


def test_lazy_start_counts_what_the_notebook_sets_for_the_driver(
    new_notebook: NotebookMaker,
) -> None:
    with new_notebook({"SPARK_KERNEL_START_MODE": "lazy"}) as notebook:
        assert notebook.value("1 + 1") == "2"
        notebook.ask(notebook.client.complete("spark.ran"))
        assert notebook.find_processes("java") == []
        assert notebook.state in ("", "stopped")
        result = notebook.run(
            IMPORTS + "spark = SparkSession.builder.config('spark.driver.memory', '654m')"
            ".appName('lazy').getOrCreate()\n"
            "spark.range(3).count()"
        )
        assert result.text == "3"
        assert result.stderr == ""
        assert "-Xmx654m" in notebook.driver.cmdline()
        assert notebook.value("sc.appName, spark.sparkContext is sc") == "('lazy', True)"


def test_lazy_start_begins_when_a_cell_names_spark(new_notebook: NotebookMaker) -> None:
    with new_notebook({"SPARK_KERNEL_START_MODE": "lazy"}) as notebook:
        assert notebook.value("1 + 1") == "2"
        assert notebook.find_processes("java") == []
        result = notebook.run("spark.range(3).count()")
        assert result.text == "3"
        assert "ready" in result.shown


def test_start_mode_off_leaves_spark_to_the_notebook(new_notebook: NotebookMaker) -> None:
    with new_notebook(arguments=["--start=off"]) as notebook:
        refused = notebook.run("spark.range(3)")
        assert refused.error.startswith("SparkStoppedError: ")
        assert "%spark restart" in refused.error
        assert len(refused.traceback) <= 3
        assert notebook.find_processes("java") == []
        assert (
            notebook.value(
                IMPORTS + "spark = SparkSession.builder.master('local[1]').getOrCreate()\n"
                "spark.range(3).count(), spark.sparkContext.master"
            )
            == "(3, 'local[1]')"
        )
        assert notebook.state == "ready"
        assert notebook.value("%spark restart\nspark.range(4).count()") == "4"
