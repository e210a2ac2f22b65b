"""Why a preview failed, in a line: what a worker raised, or what Spark says first, no secret."""

from __future__ import annotations

import pytest

from spark_kernel.spark.preview import reason_of

WORKER = """[PYTHON_EXCEPTION] An exception was thrown from the Python worker: Traceback \
(most recent call last):
  File "<stdin>", line 1, in <lambda>
ZeroDivisionError: integer division or modulo by zero
 SQLSTATE: 38000
"""
REASONS = [
    (WORKER, "ZeroDivisionError: integer division or modulo by zero"),
    ("[A.B] It is so. SQLSTATE: 42P01;\n'Project ['x]", "[A.B] It is so."),
    ("connect to jdbc:x, password=hunter22 was refused", "password=***"),
    ("no user bob:hunter22 at https://bob:hunter22@host/", "https://bob:***@host/"),
    ("", "ValueError"),
    ("x" * 1000, "x…"),
]


@pytest.mark.parametrize(("text", "expected"), REASONS)
def test_reason_is_a_line_without_secrets(text: str, expected: str):
    reason = reason_of(ValueError(text))
    assert expected in reason
    assert "\n" not in reason
    assert "SQLSTATE" not in reason
    assert len(reason) < 310
