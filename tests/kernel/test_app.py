"""The configuration as the kernel's process reads it: all layers, and what is wrong with them."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from IPython.core.application import BaseIPythonApplication

from spark_kernel.cli.machine import KernelSettings
from spark_kernel.kernel.app import SparkKernelApp

Configure = Callable[..., SparkKernelApp]


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a user of their own: an empty home, folder ``jupyter`` and folder ``profile``."""
    for name in ("MASTER", "CONF", "FAST_START", "LOG_FOLDER", "CACHE_FOLDER"):
        monkeypatch.delenv(f"SPARK_KERNEL_{name}", raising=False)
    for variable in ("HOME", "JUPYTER_CONFIG_DIR", "IPYTHONDIR"):
        (tmp_path / variable.lower()).mkdir()
        monkeypatch.setenv(variable, str(tmp_path / variable.lower()))
    monkeypatch.chdir(tmp_path / "home")
    return tmp_path


@pytest.fixture
def configure(folders: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Configure]:
    """Read the configuration as the kernel does when it starts; no kernel is made."""
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)  # IPython puts in one of its own

    def read(*words: str, text: str = "") -> SparkKernelApp:
        (folders / "jupyter_config_dir" / "spark_kernel_config.py").write_text(text)
        app = SparkKernelApp(log=logging.getLogger("test"))
        BaseIPythonApplication.initialize(app, list(words))
        app.check_configuration()
        return app

    yield read
    SparkKernelApp.clear_instance()


def problem_of(app: SparkKernelApp) -> str:
    return "" if app.problem is None else str(app.problem)


def test_nothing_set_is_no_problem(configure):
    assert problem_of(configure()) == ""


def test_master_has_an_option_of_its_own(configure):
    app = configure("--master=yarn", "--start=off")
    assert app.config.SparkKernel == {"master": "yarn", "start_mode": "off"}
    assert app.problem is None


def test_each_layer_beats_the_one_before_it(configure, monkeypatch):
    text = "c.SparkKernel.master = 'file'\nc.SparkKernel.cluster_name = 'file'\n"
    assert configure(text=text).config.SparkKernel.master == "file"
    monkeypatch.setenv("SPARK_KERNEL_MASTER", "environment")
    section = configure(text=text).config.SparkKernel
    assert (section.master, section.cluster_name) == ("environment", "file")
    assert configure("--master=argument", text=text).config.SparkKernel.master == "argument"


def test_spark_settings_of_all_layers_are_merged(configure, monkeypatch):
    monkeypatch.setenv("SPARK_KERNEL_CONF", '{"spark.b": "environment", "spark.c": "environment"}')
    app = configure(
        "--SparkKernel.conf=spark.c=argument",
        text="c.SparkKernel.conf = {'spark.a': 'file', 'spark.b': 'file'}",
    )
    assert app.problem is None
    assert app.config.SparkKernel.conf == {
        "spark.a": "file",
        "spark.b": "environment",
        "spark.c": "argument",
    }


def test_what_is_set_for_every_python_kernel_holds_too(configure, folders):
    profile = folders / "ipythondir" / "profile_default"
    profile.mkdir()
    (profile / "ipython_kernel_config.py").write_text(
        "c.InteractiveShell.ast_node_interactivity = 'all'"
    )
    assert configure().config.InteractiveShell.ast_node_interactivity == "all"


def test_files_that_were_read_are_known(configure, folders):
    assert configure(text="c.SparkKernel.master = 'yarn'").files == [
        folders / "jupyter_config_dir" / "spark_kernel_config.py"
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--SparkKernel.mastr=yarn"], "did you mean master?"),
        (["--SparkKernel.start_mode=laxy"], "did you mean 'lazy'?"),
        (["--start=laxy"], "did you mean 'lazy'?"),
        (["--SparkKernel.stop_timeout_s=soon"], "c.SparkKernel.stop_timeout_s"),
        (["--SparkKernel.conf=driver.memory=2g"], "did you mean 'spark.driver.memory'?"),
        (["--SparkKernal.master=yarn"], "did you mean c.SparkKernel?"),
    ],
)
def test_mistake_on_the_command_line_names_the_nearest(configure, words, said):
    assert said in problem_of(configure(*words))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("c.SparkKernel.mastr = 'yarn'", "did you mean master?"),
        ("c.SparkKernel.master = 7", "c.SparkKernel.master cannot be 7"),
        ("c.SparkKernal.master = 'yarn'", "did you mean c.SparkKernel?"),
        ("c.SparkKernel.conf = {'driver.memory': '2g'}", "did you mean 'spark.driver.memory'?"),
        ("c.SparkKernel.conf = ['spark.a']", "c.SparkKernel.conf"),
        ("c.SparkKernel.master = ", "spark_kernel_config.py cannot be read"),
    ],
)
def test_mistake_in_a_file_names_the_nearest(configure, text, said):
    assert said in problem_of(configure(text=text))


def test_mistake_in_the_environment_names_the_nearest(configure, monkeypatch):
    monkeypatch.setenv("SPARK_KERNEL_MASTR", "yarn")
    assert "did you mean SPARK_KERNEL_MASTER?" in problem_of(configure())


def test_setting_of_ipykernel_in_our_section_is_no_mistake(configure):
    assert problem_of(configure("--SparkKernel.debug_just_my_code=False")) == ""


def test_mistake_is_logged_and_nothing_of_the_section_counts(configure, caplog):
    app = configure("--master=yarn", "--SparkKernel.mastr=yarn")
    assert "did you mean master?" in caplog.text
    assert "SparkKernel" not in app.config


def test_json_file_counts_like_the_other(configure, folders):
    path = folders / "jupyter_config_dir" / "spark_kernel_config.json"
    path.write_text(json.dumps({"SparkKernel": {"master": "yarn"}}))
    assert configure().config.SparkKernel.master == "yarn"


def test_each_of_sparks_settings_knows_its_layer_and_a_cluster_stands_between(
    configure, folders, monkeypatch
):
    monkeypatch.setenv("SPARK_KERNEL_CONF", '{"spark.b": "environment", "spark.c": "environment"}')
    monkeypatch.setenv("SPARK_KERNEL_MASTER", "local[3]")
    text = """
c.SparkKernel.conf = {"spark.a": "file", "spark.b": "file", "spark.c": "file"}
c.SparkKernel.clusters = {"one": {"master": "local[1]", "conf": {
    "spark.a": "cluster", "spark.b": "cluster", "spark.c": "cluster", "spark.d": "cluster"}}}
"""
    app = configure("--cluster=one", "--SparkKernel.conf=spark.c=line", text=text)
    assert problem_of(app) == ""
    file = str(folders / "jupyter_config_dir" / "spark_kernel_config.py")
    assert app.conf_origins == {
        "spark.a": file,
        "spark.b": "SPARK_KERNEL_CONF",
        "spark.c": "the command line",
        "spark.master": "SPARK_KERNEL_MASTER",
    }
    settings = KernelSettings.section_of(app.config, app).session_settings()
    values = {key: (settings.conf[key], settings.origins[key]) for key in settings.conf}
    assert values == {
        "spark.a": ("cluster", "cluster one"),
        "spark.b": ("environment", "SPARK_KERNEL_CONF"),
        "spark.c": ("line", "the command line"),
        "spark.d": ("cluster", "cluster one"),
        "spark.master": ("local[1]", "cluster one"),
    }
