"""How findings are shown."""

from __future__ import annotations

import json

import click
import pytest

from spark_kernel.cli.findings import Finding, Status, as_json, as_text, overall_status

GOOD = Finding("spark", Status.OK, "4.3.0")
DOUBTFUL = Finding("java", Status.WARNING, "17\npassed over: JAVA_HOME", "correct JAVA_HOME")
BAD = Finding("kernelspec", Status.ERROR, "none", "run `spark-kernel install`")


@pytest.mark.parametrize(
    ("findings", "status"),
    [([], "ok"), ([GOOD], "ok"), ([DOUBTFUL, GOOD], "warning"), ([BAD, DOUBTFUL], "error")],
)
def test_overall_status_is_the_worst(findings, status):
    assert overall_status(findings).value == status


def test_json_has_a_status_and_all_fields():
    assert json.loads(as_json([GOOD, BAD])) == {
        "status": "error",
        "checks": [
            {"name": "spark", "status": "ok", "found": "4.3.0", "advice": ""},
            {
                "name": "kernelspec",
                "status": "error",
                "found": "none",
                "advice": "run `spark-kernel install`",
            },
        ],
    }


def test_text_has_a_mark_and_advice_for_each():
    assert click.unstyle(as_text([GOOD, DOUBTFUL, BAD], "utf-8")).splitlines() == [
        "✓ spark       4.3.0",
        "! java        17",
        "              passed over: JAVA_HOME",
        "              → correct JAVA_HOME",
        "✗ kernelspec  none",
        "              → run `spark-kernel install`",
        "",
        "1 of 3 checks failed: the kernel will not work as it should.",
    ]


def test_terminal_without_the_marks_gets_plain_ones():
    lines = click.unstyle(as_text([GOOD, DOUBTFUL, BAD], "ascii")).splitlines()
    assert lines[0] == "ok spark       4.3.0"
    assert lines[-3] == "               -> run `spark-kernel install`"


def test_long_findings_are_wrapped_and_paths_stay_whole():
    path = "/" + "x" * 120
    finding = Finding("java", Status.OK, f"{'word ' * 40} {path}")
    lines = as_text([finding], "utf-8").splitlines()
    assert path in [line.strip() for line in lines]
    assert all(len(click.unstyle(line)) <= 100 for line in lines if path not in line)
