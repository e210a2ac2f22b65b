"""The plain settings of a session."""

from __future__ import annotations

import dataclasses

import pytest

from spark_kernel.spark.settings import SessionSettings, StartMode


def test_settings_cannot_be_changed_under_a_running_session():
    with pytest.raises(dataclasses.FrozenInstanceError):
        SessionSettings().master = "yarn"  # type: ignore[misc]


def test_two_sessions_do_not_share_their_settings():
    assert SessionSettings().conf is not SessionSettings().conf


@pytest.mark.parametrize("name", ["eager", "lazy", "off"])
def test_start_modes_are_those_of_the_configuration(name):
    assert StartMode(name).value == name
