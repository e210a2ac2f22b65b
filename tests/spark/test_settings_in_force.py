"""Which settings are hidden: by our own rules, and by the session's."""

from __future__ import annotations

import pytest

from spark_kernel.spark.settings import SessionSettings
from spark_kernel.spark.settings_in_force import coming_settings, hidden_by


@pytest.mark.parametrize(
    ("key", "value", "is_hidden"),
    [
        ("spark.my.vault", "x", True),
        ("spark.my.VAULT", "x", True),
        ("spark.my.note", "in the vault", True),
        ("spark.my.password", "x", True),
        ("spark.my.note", "x", False),
        ("spark.redaction.regex", "(?i)vault", False),
    ],
)
def test_regex_of_the_session_hides_by_key_and_value(key, value, is_hidden):
    assert hidden_by("(?i)vault")(key, value) is is_hidden


def test_without_a_regex_our_own_rules_count():
    assert hidden_by(None)("spark.my.password", "x")
    assert not hidden_by(None)("spark.my.vault", "x")


def test_regex_that_is_not_understood_hides_everything():
    assert hidden_by("\\p{Alpha}[")("spark.my.note", "x")


def test_what_the_next_session_is_told_is_known_before_there_is_one():
    conf = {"spark.b": "http://u:pw@h/", "spark.a.token": "x", "spark.c": "1"}
    told = coming_settings(
        SessionSettings(master="local[2]", conf=conf, origins={"spark.b": "a file"})
    )
    assert [(one.key, one.value) for one in told] == [
        ("spark.a.token", "*********(redacted)"),
        ("spark.b", "*********(redacted)"),
        ("spark.c", "1"),
        ("spark.master", "local[2]"),
    ]
    assert [one.origin for one in told][1:3] == ["a file", "the kernel's configuration"]
    assert all(one.is_chosen for one in told)
