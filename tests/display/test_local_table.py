"""Tables of lists and of pandas: only of what is one, and of any text that Python holds."""

from __future__ import annotations

import json

import pytest
from pyspark.sql import Row

from spark_kernel.display.local_table import is_listed, list_table
from spark_kernel.display.table import table_view


@pytest.mark.parametrize(
    "between", [Row(b=3, a=4), Row(a=3, c=4), Row(a=3), Row(3, 4), (3, 4), 5, None]
)
def test_list_whose_rows_have_other_names_is_no_table(between: object):
    rows = [Row(a=1, b=2), between, Row(a=5, b=6)]
    assert is_listed(rows)
    assert list_table(rows, 100) is None
    first = list_table(rows, 1)
    assert first is not None
    assert [list(column.values) for column in first.columns] == [[1], [2]]


def test_half_of_a_pair_can_be_sent():
    table = list_table([Row(**{"a\udc00": "x\ud800", "list": ["\ud800"], "plain": "ä"})], 10)
    assert table is not None
    assert [column.name for column in table.columns] == ["a?", "list", "plain"]
    assert [column.values[0] for column in table.columns] == ["x?", "['\\ud800']", "ä"]
    json.dumps(table_view(table), ensure_ascii=False).encode()
