"""Records in the cells of a notebook: written, replaced, found and taken out."""

from __future__ import annotations

import copy
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_output
from recorded import RECORD, cell, later, notebook, progress, quiet_line, reply

from spark_kernel.protocol.provenance import KEY, RunStatus, record_content
from spark_kernel.protocol.record_reading import record_of
from spark_kernel.recording.cells import cell_record, records, session_of, strip, write_record


def test_record_stands_in_the_cell_without_what_is_for_the_notebook():
    one = cell()
    assert write_record(one, reply(RECORD, **{"spark.master": "local"}))
    assert one.metadata[KEY] == {**record_content(RECORD), "cell_id": one.id}
    nbformat.validate(notebook(one))


def test_session_of_a_reply_is_told_apart():
    assert session_of(reply(RECORD, a="b")) == {"settings": {"a": "b"}}
    assert session_of(None) == session_of({KEY: {"session": 3}}) == {}


def test_cell_without_an_id_keeps_that_of_its_request():
    one: dict[str, Any] = {"cell_type": "code", "source": "1 + 1"}
    write_record(one, reply(RECORD))
    assert one["metadata"][KEY]["cell_id"] == "request-1"


def test_later_run_replaces_the_record():
    one = cell()
    write_record(one, reply(RECORD))
    write_record(one, reply(later(60)))
    assert cell_record(one).started == later(60).started


def test_record_outside_provenance_mode_is_written_for_whoever_asks():
    one = cell()
    assert write_record(one, reply(later(0, is_full=False, inputs=None)))
    assert cell_record(one).is_full is False


HOSTILE = [None, 3, [], {}, {KEY: None}, {KEY: "x"}, {KEY: {"status": "ok"}}, {"spark_kernel": [1]}]


@pytest.mark.parametrize("metadata", HOSTILE, ids=map(str, range(len(HOSTILE))))
def test_reply_without_a_record_takes_away_that_of_an_earlier_run(metadata):
    one = cell()
    write_record(one, reply(RECORD))
    assert not write_record(one, metadata)
    assert KEY not in one.metadata


def test_newer_record_of_an_output_counts_where_the_client_leaves_cells_alone():
    one = cell("1 + 1", quiet_line(later(60)))
    write_record(one, reply(RECORD))
    assert cell_record(one).started == later(60).started


def test_record_of_a_cell_whose_outputs_were_cleared_does_not_count():
    one = cell()
    write_record(one, reply(RECORD))
    one.execution_count, one.outputs = None, []
    assert cell_record(one) is None


def test_aborted_cell_has_its_record_without_a_count():
    one = cell()
    one.execution_count = None
    write_record(one, reply(later(0, status=RunStatus.ABORTED, started=None)))
    assert cell_record(one).status is RunStatus.ABORTED


def test_records_are_those_of_code_cells_in_order():
    first, second = cell("a"), cell("b")
    write_record(second, reply(RECORD))
    found = records(notebook(first, second))
    assert [(one["source"], record is not None) for one, record in found] == [
        ("a", False),
        ("b", True),
    ]


HOSTILE_NOTEBOOKS: list[dict[str, Any]] = [
    {},
    {"cells": None, "metadata": 3},
    {
        "cells": [
            None,
            3,
            {"cell_type": "code"},
            {"cell_type": "code", "metadata": [], "outputs": 1},
        ]
    },
    {"cells": [{"cell_type": "code", "metadata": {KEY: {"source_sha256": []}}, "outputs": [None]}]},
    {"cells": [{"cell_type": "code", "outputs": [{"metadata": {KEY: 1}, "data": None}]}]},
]


@pytest.mark.parametrize("content", HOSTILE_NOTEBOOKS, ids=map(str, range(len(HOSTILE_NOTEBOOKS))))
def test_hostile_notebook_is_read_and_stripped(content):
    content = copy.deepcopy(content)
    assert all(record is None for _, record in records(content))
    strip(content)
    assert KEY not in str(content)


def test_stripping_leaves_the_notebook_as_a_kernel_without_records_makes_it():
    plain = [cell("a", new_output("stream", name="stdout", text="x")), cell("b"), cell("c")]
    expected = notebook(*plain)
    recorded = copy.deepcopy(expected)
    for one in recorded.cells[1:]:
        write_record(one, reply(RECORD))
    recorded.cells[1].outputs.append(quiet_line(RECORD))
    shown = progress(RECORD)
    recorded.cells[2].outputs.append(shown)
    recorded.metadata[KEY] = {"version": "1.0"}
    assert strip(recorded) == 4
    assert recorded.cells[2].outputs == [{**shown, "metadata": {}}]
    recorded.cells[2].outputs = []
    assert recorded == expected
    assert strip(recorded) == 0
    nbformat.validate(recorded)


def test_stripping_keeps_what_others_put_beside_records():
    shown = quiet_line(RECORD)
    shown.data["image/png"] = "AAAA"
    shown.metadata["image/png"] = {"width": 3}
    one = cell("a", shown, tags=["x"])
    strip(notebook(one))
    assert one.outputs[0].metadata == {"image/png": {"width": 3}}
    assert one.metadata == {"tags": ["x"]}


def test_written_record_is_read_back_whole():
    one = cell()
    write_record(one, reply(RECORD))
    assert record_of(one.metadata[KEY]) == later(
        0, cell_id=one.id, finished=RECORD.finished, duration_s=1.5
    )
