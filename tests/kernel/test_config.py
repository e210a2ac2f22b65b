"""The configuration: its layers, and errors that name the nearest right thing."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import pytest
from traitlets.config import Config
from traitlets.config.loader import KVArgParseConfigLoader

from spark_kernel.errors import ConfigurationError
from spark_kernel.kernel.config import (
    SparkKernelSettings,
    check_config,
    environment_config,
    file_layers,
    merge_conf,
)
from spark_kernel.spark.settings import SessionSettings, StartMode

TRAITS = SparkKernelSettings.class_trait_names(config=True)


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no variable name the application."""
    for name in ("PYSPARK_SUBMIT_ARGS", "JPY_SESSION_NAME"):
        monkeypatch.delenv(name, raising=False)


def check(**values: Any) -> None:
    """Check what ``c.SparkKernel`` holds."""
    check_config(Config({"SparkKernel": values}), {"SparkKernel"}, [*TRAITS, "matplotlib"])


def refused(**values: Any) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as caught:
        check(**values)
    return caught.value


def settings(**values: Any) -> SessionSettings:
    """Make the settings of a session, as the kernel does."""
    holder = SparkKernelSettings()
    for name, value in values.items():
        setattr(holder, name, value)
    return holder.session_settings()


def from_command_line(*words: str) -> Config:
    """Read a command line as traitlets does."""
    return KVArgParseConfigLoader(list(words)).load_config()


def from_file(tmp_path: Path, text: str, name: str = "spark_kernel_config.py") -> Config:
    """Read one configuration file."""
    (tmp_path / name).write_text(text)
    ((path, config),) = file_layers([str(tmp_path)])
    assert path == tmp_path / name
    return config


# -- what the settings mean --------------------------------------------------------------------


def test_defaults_are_those_of_the_session():
    given, plain = settings(), SessionSettings()
    for name in ("master", "conf", "cluster_name", "java_home", "log_level", "start_mode"):
        assert getattr(given, name) == getattr(plain, name)
    for name in ("has_fast_start", "driver_start_timeout_s", "stop_timeout_s", "log_max_bytes"):
        assert getattr(given, name) == getattr(plain, name)


def test_every_setting_has_help_and_every_quantity_its_unit():
    for name, trait in SparkKernelSettings.class_traits(config=True).items():
        assert trait.help, name
        if name.endswith(("_s", "_bytes")):
            assert ("Seconds" if name.endswith("_s") else "Bytes") in trait.help


def test_settings_arrive_in_the_session():
    given = settings(
        master="yarn",
        cluster_name="prod",
        start_mode="LAZY",
        fast_start=False,
        log_level="warn",
        conf={"spark.a": True, "spark.b": 3, "spark.c": "text"},
    )
    assert (given.master, given.cluster_name) == ("yarn", "prod")
    assert given.start_mode is StartMode.LAZY
    assert not given.has_fast_start
    assert given.log_level.upper() == "WARN"
    assert given.conf == {"spark.a": "true", "spark.b": "3", "spark.c": "text"}


@pytest.mark.parametrize(
    "given",
    [
        {"master": "sc://host:abc/;token=opensesame"},
        {"conf": {"spark.remote": "sc://host:abc/;token=opensesame"}},
        {"clusters": {"a": {"master": "sc://host:abc/;token=opensesame"}}, "cluster": "a"},
        {
            "clusters": {"a": {"conf": {"spark.remote": "sc://host:abc/;token=opensesame"}}},
            "cluster": "a",
        },
    ],
)
def test_mistyped_address_of_a_server_is_a_mistake_in_the_configuration(given):
    with pytest.raises(ConfigurationError) as caught:
        settings(**given)
    assert "sc://HOST:PORT" in caught.value.hint
    assert "opensesame" not in str(caught.value)


def test_folders_are_the_users_own_unless_given(tmp_path):
    given = settings(log_folder=str(tmp_path / "logs"))
    assert given.log_folder == tmp_path / "logs"
    assert "spark-kernel" in str(given.cache_folder)
    assert given.cache_folder.is_absolute()


@pytest.mark.parametrize("name", ["log_folder", "cache_folder"])
def test_folder_may_be_relative_or_start_with_a_tilde(name, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    assert getattr(settings(**{name: "~/kept"}), name) == tmp_path / "home" / "kept"
    assert getattr(settings(**{name: "kept"}), name) == tmp_path / "kept"


def test_application_is_named_as_the_notebook(monkeypatch):
    assert settings().app_name == "PySpark (cluster)"
    monkeypatch.setenv("JPY_SESSION_NAME", "/home/ada/my flights.ipynb")
    assert settings().app_name == "my flights"
    assert settings(app_name="mine").app_name == "mine"


def test_name_that_the_user_gave_spark_itself_counts(monkeypatch):
    assert settings(conf={"spark.app.name": "mine"}).app_name == ""
    for arguments in ("--name mine pyspark-shell", "--conf spark.app.name=mine pyspark-shell"):
        monkeypatch.setenv("PYSPARK_SUBMIT_ARGS", arguments)
        assert settings().app_name == ""


# -- mistakes ----------------------------------------------------------------------------------


def test_good_configuration_is_no_error():
    check(master="yarn", conf={"spark.a": "1"}, stop_timeout_s=5, start_mode="off", fast_start=True)


@pytest.mark.parametrize(
    ("name", "near"),
    [("mastr", "master"), ("java", "java_home"), ("startmode", "start_mode"), ("confs", "conf")],
)
def test_unknown_name_is_an_error_that_names_the_nearest(name, near):
    error = refused(**{name: "x"})
    assert f"c.SparkKernel.{name}" in error.message
    assert error.hint == f"did you mean {near}?"


def test_name_that_is_like_none_lists_all():
    error = refused(zzzzz="x")
    assert all(name in error.hint for name in TRAITS)


def test_name_that_is_ipykernels_is_not_ours_to_judge():
    check(matplotlib="inline")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("master", 7),
        ("fast_start", "yes"),
        ("stop_timeout_s", "soon"),
        ("log_max_bytes", 1.5),
        ("java_home", None),
        ("start_mode", 3),
    ],
)
def test_value_of_a_wrong_type_is_an_error_that_tells_the_right_one(name, value):
    error = refused(**{name: value})
    assert f"c.SparkKernel.{name} cannot be {value!r}" in error.message
    assert error.hint


@pytest.mark.parametrize(
    "conf", [["spark.a=s3cr3t"], "spark.a=s3cr3t", {1: "s3cr3t"}, {1: "x", "spark.a": "s3cr3t"}]
)
def test_settings_that_are_no_dictionary_are_refused_but_not_repeated(conf):
    error = refused(conf=conf)
    assert "c.SparkKernel.conf is no dictionary" in error.message
    assert "spark.driver.memory" in error.hint
    assert "s3cr3t" not in str(error)


@pytest.mark.parametrize("name", ["stop_timeout_s", "driver_start_timeout_s", "log_max_bytes"])
def test_quantity_below_zero_is_an_error(name):
    assert name in refused(**{name: -1}).message


@pytest.mark.parametrize(
    ("name", "value", "near"),
    [
        ("start_mode", "laxy", "lazy"),
        ("start_mode", "eagre", "eager"),
        ("log_level", "WRAN", "WARN"),
    ],
)
def test_value_that_is_none_of_the_choices_names_the_nearest(name, value, near):
    error = refused(**{name: value})
    assert repr(value) in error.message
    assert error.hint == f"did you mean {near!r}?"


def test_spark_setting_without_its_prefix_is_an_error_that_adds_it():
    error = refused(conf={"driver.memory": "2g"})
    assert "'driver.memory'" in error.message
    assert error.hint == "did you mean 'spark.driver.memory'?"


def test_spark_setting_of_no_value_is_an_error():
    assert "spark.driver.memory" in refused(conf={"spark.driver.memory": None}).message


def test_value_of_a_mistyped_key_is_not_repeated():
    error = refused(conf={"fs.s3a.secret.key": "s3cr3t"})
    assert "s3cr3t" not in str(error)


@pytest.mark.parametrize("section", ["SparkKernal", "Sparkkernel", "SparkKernels", "PySparkKernel"])
def test_misspelt_section_is_an_error_that_names_the_right_one(section):
    config = Config({section: {"master": "yarn"}})
    with pytest.raises(ConfigurationError, match=section) as caught:
        check_config(config, {"SparkKernel", "IPKernelApp"}, TRAITS)
    assert caught.value.hint == "did you mean c.SparkKernel?"


def test_section_of_somebody_else_is_left_alone():
    config = Config({"IPKernelApp": {"x": 1}, "InteractiveShell": {"y": 1}, "NotebookApp": {}})
    check_config(config, {"SparkKernel", "IPKernelApp"}, TRAITS)


# -- the command line --------------------------------------------------------------------------


def test_command_line_is_checked_like_a_file():
    check(
        **from_command_line("--SparkKernel.master=yarn", "--SparkKernel.stop_timeout_s=3")[
            "SparkKernel"
        ]
    )
    given = from_command_line("--SparkKernel.start_mode=laxy")["SparkKernel"]
    assert refused(**given).hint == "did you mean 'lazy'?"
    given = from_command_line("--SparkKernel.stop_timeout_s=soon")["SparkKernel"]
    assert "soon" in refused(**given).message
    given = from_command_line("--SparkKernel.mastr=yarn")["SparkKernel"]
    assert refused(**given).hint == "did you mean master?"


def test_spark_settings_on_the_command_line_are_read_in_both_spellings():
    one = from_command_line("--SparkKernel.conf=spark.a=1", "--SparkKernel.conf=spark.b=x=y")
    assert merge_conf([one]) == {"spark.a": "1", "spark.b": "x=y"}
    other = from_command_line("--SparkKernel.conf={'spark.a': '1'}")
    assert merge_conf([other]) == {"spark.a": "1"}


# -- the environment ---------------------------------------------------------------------------


def test_environment_gives_values_of_the_right_types():
    config = environment_config(
        {
            "SPARK_KERNEL_MASTER": "yarn",
            "SPARK_KERNEL_CONF": '{"spark.a": "1", "spark.b": true}',
            "SPARK_KERNEL_FAST_START": "0",
            "SPARK_KERNEL_STOP_TIMEOUT_S": "2.5",
            "SPARK_KERNEL_LOG_MAX_BYTES": "1000",
            "SPARK_KERNEL_START_MODE": "lazy",
            "SPARK_HOME": "/opt/spark",
            "MY_SPARK_KERNEL_MASTER": "no",
        }
    )["SparkKernel"]
    assert config == {
        "master": "yarn",
        "conf": {"spark.a": "1", "spark.b": True},
        "fast_start": False,
        "stop_timeout_s": 2.5,
        "log_max_bytes": 1000,
        "start_mode": "lazy",
    }
    check(**config)


def test_empty_environment_sets_nothing():
    assert not environment_config({"PATH": "/bin"})
    # Of those who run notebooks, and put into the environment of their kernels:
    assert not environment_config({"SPARK_KERNEL_LINEAGE": "http://host:5000"})


def test_unknown_variable_is_an_error_that_names_the_nearest():
    with pytest.raises(ConfigurationError, match="SPARK_KERNEL_MASTR") as caught:
        environment_config({"SPARK_KERNEL_MASTR": "yarn"})
    assert caught.value.hint == "did you mean SPARK_KERNEL_MASTER?"


def test_variable_that_is_like_none_lists_all():
    with pytest.raises(ConfigurationError) as caught:
        environment_config({"SPARK_KERNEL_ZZZZZ": "x"})
    assert all(f"SPARK_KERNEL_{name.upper()}" in caught.value.hint for name in TRAITS)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CONF", "{spark.a: 1"),
        ("CONF", "spark.a=1"),
        ("STOP_TIMEOUT_S", "soon"),
        ("FAST_START", "?"),
    ],
)
def test_variable_of_a_wrong_type_is_named(name, value):
    with pytest.raises(ConfigurationError, match=f"SPARK_KERNEL_{name}") as caught:
        environment_config({f"SPARK_KERNEL_{name}": value})
    assert caught.value.hint


def test_json_that_is_no_object_is_refused():
    config = environment_config({"SPARK_KERNEL_CONF": '["spark.a"]'})
    assert "conf" in refused(**config["SparkKernel"]).message


def test_settings_in_the_environment_are_not_repeated_when_they_cannot_be_read():
    with pytest.raises(ConfigurationError) as caught:
        environment_config({"SPARK_KERNEL_CONF": '{"spark.hadoop.fs.s3a.secret.key": "s3cr3t"'})
    assert "s3cr3t" not in str(caught.value)


# -- files -------------------------------------------------------------------------------------


def test_more_specific_folder_comes_last(tmp_path):
    for name in ("user", "env", "system"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "spark_kernel_config.py").write_text(f"c.SparkKernel.master = '{name}'")
    layers = file_layers([str(tmp_path / name) for name in ("user", "env", "nowhere", "system")])
    assert [config.SparkKernel.master for _, config in layers] == ["system", "env", "user"]


def test_json_file_is_read_too(tmp_path):
    text = json.dumps({"SparkKernel": {"master": "yarn"}})
    assert from_file(tmp_path, text, "spark_kernel_config.json").SparkKernel.master == "yarn"


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("spark_kernel_config.py", "c.SparkKernel.master = ", "SyntaxError"),
        ("spark_kernel_config.py", "import no_such_module", "no_such_module"),
        ("spark_kernel_config.py", "1 / 0", "ZeroDivisionError"),
        ("spark_kernel_config.json", "{", "JSONDecodeError"),
    ],
)
def test_file_that_cannot_be_read_is_named_with_the_reason(tmp_path, name, text, said):
    (tmp_path / name).write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        file_layers([str(tmp_path)])
    assert str(tmp_path / name) in caught.value.message
    assert said in caught.value.message


# -- Spark's settings from several layers ------------------------------------------------------


def test_layers_add_to_each_other_and_the_last_wins(tmp_path):
    system = Config({"SparkKernel": {"conf": {"spark.a": "system", "spark.b": "system"}}})
    user = from_file(tmp_path, "c.SparkKernel.conf = {'spark.b': 'user', 'spark.c': 'user'}")
    environment = environment_config({"SPARK_KERNEL_CONF": '{"spark.c": "environment"}'})
    command_line = from_command_line("--SparkKernel.conf=spark.d=command line")
    assert merge_conf([system, user, environment, command_line]) == {
        "spark.a": "system",
        "spark.b": "user",
        "spark.c": "environment",
        "spark.d": "command line",
    }


def test_update_in_a_file_adds_to_what_came_before(tmp_path):
    system = Config({"SparkKernel": {"conf": {"spark.a": "1", "spark.b": "1"}}})
    text = "c.SparkKernel.conf.update({'spark.b': '2'})"
    assert merge_conf([system, from_file(tmp_path, text)]) == {"spark.a": "1", "spark.b": "2"}
    assert merge_conf([from_file(tmp_path, text)]) == {"spark.b": "2"}


def test_single_keys_can_be_set_in_a_file(tmp_path):
    text = "c.SparkKernel.conf['spark.a'] = '1'\nc.SparkKernel.conf['spark.b'] = '2'\n"
    with_keys = "c.SparkKernel.conf = {}\n" + text
    assert merge_conf([from_file(tmp_path, with_keys)]) == {"spark.a": "1", "spark.b": "2"}


def test_layers_themselves_are_not_changed():
    layer = Config({"SparkKernel": {"conf": {"spark.a": "1"}}})
    merge_conf([layer, Config({"SparkKernel": {"conf": {"spark.b": "2"}}})])
    assert layer.SparkKernel.conf == {"spark.a": "1"}


def test_layer_without_settings_is_passed_over():
    assert merge_conf([Config(), Config({"SparkKernel": {"master": "yarn"}})]) == {}


def test_layer_of_a_wrong_type_is_left_to_the_check():
    wrong = Config()
    wrong.SparkKernel.conf = ["spark.a"]
    assert merge_conf([Config({"SparkKernel": {"conf": {"spark.a": "1"}}}), wrong]) == {}
    assert "conf" in refused(**wrong.SparkKernel).message


# -- the documentation -------------------------------------------------------------------------


def test_every_setting_is_documented():
    text = Path(inspect.getfile(SparkKernelSettings)).parents[2] / "docs" / "configuration.md"
    page = text.read_text("utf-8")
    assert [name for name in TRAITS if f"`{name}`" not in page] == []


def test_secrets_of_clusters_are_not_repeated_in_a_message():
    wrong = '{"a": {"conf": {"spark.x.password": "opensesame"}},}'
    with pytest.raises(ConfigurationError) as caught:
        environment_config({"SPARK_KERNEL_CLUSTERS": wrong})
    assert "opensesame" not in str(caught.value)
    config = Config({"SparkKernel": {"clusters": [{"conf": {"spark.x.password": "opensesame"}}]}})
    with pytest.raises(ConfigurationError) as caught:
        check_config(config, ["SparkKernel"], SparkKernelSettings.class_trait_names(config=True))
    assert "opensesame" not in str(caught.value)
