"""What a server says of a setting, and whose matter that is; the server is played."""

from __future__ import annotations

import pytest
from pyspark.errors import PySparkException

from spark_kernel.errors import ConfigurationError
from spark_kernel.spark.connect.configuring import DEFAULTS, apply_settings


class Conf:
    """Settings of a session, some of which are refused."""

    def __init__(self, **said: str) -> None:
        self.taken: dict[str, str] = {}
        self._said = said

    def set(self, key: str, value: str) -> None:
        """Take a setting, or refuse it with what is to be said."""
        if key.rpartition(".")[2] in self._said:
            raise PySparkException(self._said[key.rpartition(".")[2]])
        self.taken[key] = value


STATIC = "[CANNOT_MODIFY_CONFIG] Cannot modify the value of the Spark config: spark.x.memory"
BAD = "[INVALID_CONF_VALUE] spark.x.partitions should be int, but was opensesame"


def test_settings_are_added_to_the_defaults_and_what_only_the_server_sets_is_named():
    conf = Conf(memory=STATIC, reportInterval=BAD)
    wanted = {"spark.x.memory": "3g", "spark.x.partitions": "7", "spark.master": "sc://host"}
    assert apply_settings(conf, wanted) == ["spark.x.memory"]
    assert conf.taken["spark.x.partitions"] == "7"
    assert "spark.master" not in conf.taken
    assert conf.taken.keys() & DEFAULTS.keys() == {"spark.sql.connect.serverStacktrace.enabled"}


def test_value_that_no_server_takes_is_a_mistake_in_the_configuration():
    with pytest.raises(ConfigurationError, match="was opensesame") as caught:
        apply_settings(Conf(partitions=BAD), {"spark.x.partitions": "opensesame"})
    assert "the value of spark.x.partitions" in caught.value.message


def test_secret_that_is_refused_is_not_repeated():
    with pytest.raises(ConfigurationError) as caught:
        apply_settings(Conf(password=BAD), {"spark.x.password": "opensesame"})
    assert "opensesame" not in str(caught.value)


def test_server_that_is_away_refuses_nothing():
    with pytest.raises(PySparkException):
        apply_settings(Conf(x="StatusCode.UNAVAILABLE"), {"spark.x": "1"})
