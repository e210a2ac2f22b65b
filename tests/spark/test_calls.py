"""What stands around each call into the driver, as far as it goes without one."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from spark_kernel.protocol.events import Cell
from spark_kernel.spark.calls import CallTracker
from spark_kernel.spark.ownership import CellRun, owned_by

CALL = "c\no1\ncollectToPython\ne\n"


class Client:
    """A py4j client of a driver that has no connection; keeps which objects are let go of."""

    address, port = "127.0.0.1", 1
    gateway_property = SimpleNamespace(enable_memory_management=True, auto_field=False, pool=None)

    def __init__(self) -> None:
        self.forgotten: list[str] = []

    def get_thread_connection(self) -> None:
        """Give no connection: nothing of these tests goes over one."""

    def garbage_collect_object(self, target_id: str, enqueue: bool = True) -> None:
        """Note what the driver would be told."""
        self.forgotten.append(target_id)


@pytest.fixture
def run() -> CellRun:
    """Give the run of a cell that is interrupted while a call of it is under way."""
    return CellRun(Cell({"header": {}}), "In [1]: frame.collect()")


def call(client: Client, run: CellRun, answer: Callable[[], str]) -> Any:
    """Make a call for a cell."""
    tracker = CallTracker(lambda owner: None, lambda owner: KeyboardInterrupt())
    with owned_by(run.owner):
        return tracker.send(client, lambda command: answer(), CALL)


@pytest.mark.parametrize("answer", ["yro77", "yto77", "yao77"])
def test_result_that_an_interrupt_takes_from_its_cell_is_let_go_of(run, answer):
    client = Client()

    def interrupted() -> str:
        run.renew()
        return answer

    with pytest.raises(KeyboardInterrupt):
        call(client, run, interrupted)
    assert client.forgotten == ["o77"]


@pytest.mark.parametrize("answer", ["xro77", "xsno", "yi5", "yv", "", "nonsense"])
def test_answer_without_an_object_is_not_in_the_way_of_an_interrupt(run, answer):
    client = Client()

    def interrupted() -> str:
        run.renew()
        return answer

    with pytest.raises(KeyboardInterrupt):
        call(client, run, interrupted)


def test_result_of_a_cell_that_goes_on_is_kept(run):
    client = Client()
    assert call(client, run, lambda: "yro77") == "yro77"
    assert client.forgotten == []
