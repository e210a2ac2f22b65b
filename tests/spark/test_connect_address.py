"""Which server is meant, and how its address is shown."""

from __future__ import annotations

import pytest

from spark_kernel.errors import ConfigurationError
from spark_kernel.redaction import without_password
from spark_kernel.spark.connect.address import channel_builder, check_url, remote_url, shown
from spark_kernel.spark.settings import SessionSettings
from spark_kernel.spark.startup import expected_cluster

URL = "sc://host:15002/;use_ssl=true;token=opensesame;user_id=me"


@pytest.mark.parametrize(
    ("settings", "environ", "found"),
    [
        (SessionSettings(master=URL), {}, URL),
        (SessionSettings(conf={"spark.master": URL}), {}, URL),
        (SessionSettings(conf={"spark.remote": URL}), {}, URL),
        (SessionSettings(), {"SPARK_REMOTE": URL}, URL),
        (SessionSettings(master="local[2]"), {"SPARK_REMOTE": URL}, ""),
        (SessionSettings(), {"SPARK_REMOTE": "local"}, ""),
        (SessionSettings(), {}, ""),
    ],
)
def test_configured_master_counts_before_the_environment(settings, environ, found):
    assert remote_url(settings, environ) == found


@pytest.mark.parametrize(
    ("url", "place"),
    [
        (URL, "sc://host:15002"),
        ("sc://host", "sc://host:15002"),
        ("sc://[::1]:7/;token=x", "sc://[::1]:7"),
    ],
)
def test_address_is_shown_without_its_parameters(url, place):
    assert shown(url) == place
    cluster = expected_cluster(SessionSettings(master=url))
    assert (cluster.name, cluster.master, cluster.deploy_mode) == (place, place, "connect")


def test_token_is_hidden_wherever_a_url_is_shown():
    assert without_password(URL) == "sc://host:15002/;use_ssl=true;token=***;user_id=me"


@pytest.mark.parametrize("url", ["sc://host/path", "sc://host/;token", "sc://host:port"])
def test_url_that_cannot_be_read_is_refused_without_being_repeated(url):
    with pytest.raises(ConfigurationError) as caught:
        channel_builder(url + ";token=opensesame")
    assert "opensesame" not in str(caught.value)
    assert "sc://HOST:PORT" in caught.value.hint


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("sc://host:port/;token=opensesame", "sc://host:port"),
        ("sc://host:99999;token=opensesame", "sc://host:99999"),
        ("sc://[::1/;token=opensesame", "sc://[::1"),
        ("sc://me:opensesame@host:port", "sc://host:port"),
        ("sc://", "sc://"),
    ],
)
def test_mistyped_address_is_refused_and_yet_can_be_shown(url, place):
    assert shown(url) == place
    assert expected_cluster(SessionSettings(master=url)).name == place
    with pytest.raises(ConfigurationError) as caught:
        check_url(url)
    assert "opensesame" not in str(caught.value)
    check_url("local[2]")
