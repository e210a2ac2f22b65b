"""Which results of a notebook are out of date, as clients ask: from the cells that they send."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from recording.recorded import later

from spark_kernel.kernel.stale_request import StaleDesk
from spark_kernel.protocol.provenance import KEY, record_content

desk = StaleDesk(lambda name: None)


def sent(identifier: str, count: int, source: str, ran: str = "") -> dict[str, Any]:
    """Give a cell that ran as the count says, with the source that ran if it is another."""
    digest = hashlib.sha256((ran or source).encode()).hexdigest()
    record = later(10 * count, execution_count=count, source_sha256=digest, libraries=())
    return {
        "id": identifier,
        "source": source,
        "execution_count": count,
        "metadata": {KEY: record_content(record)},
    }


def kinds(*cells: Any) -> dict[str, list[str]]:
    """Give the kinds of reasons of each cell that is out of date."""
    reply = desk.reply({"cells": list(cells)})
    assert reply["status"] == "ok", reply
    return {
        one["id"]: [reason["kind"] for reason in one["reasons"]]
        for one in reply["cells"]
        if one["verdict"] == "stale"
    }


def test_cell_below_one_that_ran_later_is_out_of_date():
    assert kinds(sent("a", 3, "x = 2"), sent("b", 2, "y = x + 1"), sent("c", 4, "z = 1")) == {
        "b": ["upstream_newer"]
    }


def test_cell_below_one_that_was_changed_is_out_of_date_with_it():
    found = kinds(sent("a", 1, "x = 3", ran="x = 2"), sent("b", 2, "y = x + 1"))
    assert found == {"a": ["source_changed"], "b": ["upstream_stale"]}


def test_what_is_not_known_is_not_called_out_of_date():
    assert kinds({"id": "a", "source": "x = 2"}, sent("b", 2, "y = x + 1")) == {}


@pytest.mark.parametrize("cells", [None, 7, "x", [{}] * 1_001, [{"source": "x" * 2_000_001}]])
def test_request_that_makes_no_sense_is_an_error(cells):
    reply = desk.reply({"cells": cells})
    assert (reply["status"], reply["ename"]) == ("error", "StaleRequestError")


def test_cells_that_make_no_sense_are_left_out():
    assert kinds(7, None, {"id": 7, "source": ["x = 1"]}, {"metadata": 7, "source": "("}) == {}
