"""PySpark's singletons, in the moments in which it is only half there."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest

from spark_kernel.spark import pyspark_state

MODULES = (
    "pyspark.core.context",
    "pyspark.sql.session",
    "pyspark.sql.context",
    "pyspark.sql.udf",
)


@pytest.mark.parametrize("is_begun", [True, False])
def test_nothing_is_missed_while_another_thread_imports_pyspark(monkeypatch, is_begun):
    for name in MODULES:
        if is_begun:
            monkeypatch.setitem(sys.modules, name, ModuleType(name))
        else:
            monkeypatch.delitem(sys.modules, name, raising=False)
    assert pyspark_state.active_context() is None
    assert pyspark_state.existing_session() is None
    pyspark_state.forget()
