"""Warnings for settings that come too late: the right ones, with the way to set them in time."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest
from pyspark import SparkConf

from spark_kernel.errors import LateSettingWarning
from spark_kernel.spark.late_settings import (
    warn_late_for_context,
    warn_late_for_driver,
    warn_late_for_session,
)

MEMORY = "spark.driver.memory"
KNOWN = {"spark.executor.cores", MEMORY, "spark.sql.warehouse.dir"}
"""What the JVM of the fake session has in its register of settings."""


def conf_of(values: Mapping[str, str]) -> SparkConf:
    """Make a SparkConf that asks no JVM."""
    return SparkConf(loadDefaults=False).setAll(list(values.items()))


def context_with(values: Mapping[str, str]) -> Any:
    return SimpleNamespace(getConf=lambda: conf_of(values))


def session_with(values: Mapping[str, str]) -> Any:
    """Make a session as far as the check looks at one."""
    register = SimpleNamespace(findEntry=lambda key: key if key in KNOWN else None)
    config = SimpleNamespace(ConfigEntry=register)
    spark = SimpleNamespace(internal=SimpleNamespace(config=config))
    jvm = SimpleNamespace(org=SimpleNamespace(apache=SimpleNamespace(spark=spark)))
    context = SimpleNamespace(getConf=lambda: conf_of(values), _jvm=jvm)
    runtime = SimpleNamespace(isModifiable=lambda key: key == "spark.sql.shuffle.partitions")
    return SimpleNamespace(sparkContext=context, conf=runtime)


def said_by(check: Any, *arguments: Any) -> str:
    """Run a check; gives its one warning, or nothing."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        check(*arguments)
    assert all(warning.category is LateSettingWarning for warning in caught)
    assert len(caught) <= 1
    return str(caught[0].message) if caught else ""


# -- for the driver ----------------------------------------------------------------------------


def test_setting_of_a_running_jvm_is_named_with_what_is_in_force():
    said = said_by(warn_late_for_driver, conf_of({MEMORY: "4g"}), {MEMORY: "1g"})
    assert f"{MEMORY}=4g" in said
    assert "1g is in force" in said
    assert "c.SparkKernel.conf" in said
    assert "restart the kernel" in said


def test_setting_that_was_never_made_is_said_to_be_not_set():
    assert "not set" in said_by(warn_late_for_driver, conf_of({MEMORY: "4g"}), {})


def test_same_value_again_is_no_reason_to_warn():
    assert said_by(warn_late_for_driver, conf_of({MEMORY: "4g"}), {MEMORY: "4g"}) == ""
    assert said_by(warn_late_for_driver, conf_of({MEMORY: "4G"}), {MEMORY: "4g"}) == ""


def test_setting_that_counts_after_the_launch_is_no_reason_to_warn():
    conf = conf_of({"spark.executor.memory": "4g", "spark.sql.shuffle.partitions": "7"})
    assert said_by(warn_late_for_driver, conf, {}) == ""


def test_all_late_settings_share_one_warning():
    asked = {MEMORY: "4g", "spark.jars.packages": "a:b:1"}
    said = said_by(warn_late_for_driver, conf_of(asked), {})
    assert all(f"{key}={value}" in said for key, value in asked.items())


def test_no_stop_helps_a_setting_of_the_jvm():
    said = said_by(warn_late_for_context, conf_of({MEMORY: "4g"}), context_with({MEMORY: "1g"}))
    assert "spark.stop()" not in said


# -- for a context -----------------------------------------------------------------------------


def test_setting_that_a_running_context_did_not_take_is_named():
    asked, running = {"spark.executor.cores": "4"}, {"spark.executor.cores": "2"}
    said = said_by(warn_late_for_context, conf_of(asked), context_with(running))
    assert "spark.executor.cores=4 (2 is in force)" in said
    assert "spark.stop()" in said


def test_setting_that_is_in_force_is_no_reason_to_warn():
    values = {"spark.executor.cores": "4", "spark.app.name": "mine"}
    assert said_by(warn_late_for_context, conf_of(values), context_with(values)) == ""


# -- for a session -----------------------------------------------------------------------------


def test_option_that_a_session_cannot_change_is_named():
    options = {"spark.sql.warehouse.dir": "/mine", "spark.master": "yarn"}
    session = session_with({"spark.master": "local[*]"})
    said = said_by(warn_late_for_session, options, session)
    assert "spark.sql.warehouse.dir=/mine (not set)" in said
    assert "spark.master=yarn (local[*] is in force)" in said


def test_option_that_a_session_takes_is_no_reason_to_warn():
    options = {"spark.sql.shuffle.partitions": 7, "spark.executor.cores": 4}
    session = session_with({"spark.executor.cores": "4"})
    assert said_by(warn_late_for_session, options, session) == ""


def test_truth_is_the_same_in_python_and_java():
    session = session_with({"spark.executor.cores": "true"})
    assert said_by(warn_late_for_session, {"spark.executor.cores": True}, session) == ""


def test_key_of_the_users_own_is_no_reason_to_warn():
    assert said_by(warn_late_for_session, {"spark.my.team": "blue"}, session_with({})) == ""


# -- the user's cell ---------------------------------------------------------------------------


def test_warning_points_to_the_line_of_the_user():
    with pytest.warns(LateSettingWarning) as caught:
        warn_late_for_driver(conf_of({MEMORY: "4g"}), {})
    assert caught[0].filename == __file__


def test_warning_that_the_user_made_an_error_is_one():
    with warnings.catch_warnings():
        warnings.simplefilter("error", LateSettingWarning)
        with pytest.raises(LateSettingWarning):
            warn_late_for_driver(conf_of({MEMORY: "4g"}), {})


def test_check_that_fails_leaves_the_cell_alone(caplog):
    assert said_by(warn_late_for_session, {"spark.master": "yarn"}, object()) == ""
    assert "could not be checked" in caplog.text
