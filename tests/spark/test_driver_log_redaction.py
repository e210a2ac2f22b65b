"""Secrets are not shown in a log, whether they look like some or the session says so."""

from __future__ import annotations

import re

import pytest

from spark_kernel.spark.driver_log_redaction import LogRedaction


def shown(line: str, conf: dict[str, str] | None = None, *secrets: str) -> str:
    (line,) = LogRedaction(conf or {}, secrets).lines([line])
    return line


def test_what_looks_like_a_secret_is_hidden():
    assert "hunter2" not in shown("26/01/01 WARN X: password=hunter2, user=me")
    assert shown("26/01/01 WARN X: all is well") == "26/01/01 WARN X: all is well"


def test_values_of_secret_settings_are_hidden_wherever_they_stand():
    conf = {
        "spark.vault": "s3cr3t-value",
        "fs.secret.key": "AAAABBBB",
        "spark.app.name": "notebook",
    }
    line = "s3cr3t-value and (AAAABBBB) of notebook"
    assert shown(line, conf, "spark.vault") == "*** and (***) of notebook"


def test_own_regex_names_keys_and_values():
    conf = {"spark.redaction.regex": "(?i)vault|AKIA[A-Z]+"}
    assert shown("the.Vault.key = abc, x=1", conf) == "the.Vault.key = ***, x=1"
    assert shown('{"vault": "abc"}', conf) == '{"vault": "***"}'
    assert shown("found AKIAXYZ here", conf) == "found *** here"


def test_regex_that_python_does_not_understand_is_told():
    with pytest.raises(re.error):
        LogRedaction({"spark.redaction.regex": "(?<!a*)b("})
