"""What clients ask while a cell runs does not make the kernel look idle."""

from __future__ import annotations

from kernel_real.notebook import Notebook


def test_requests_on_control_leave_the_state_of_the_kernel_alone(shared: Notebook) -> None:
    cell = shared.submit("import time; time.sleep(1.5)")
    shared.wait_for(lambda: cell.contents("execute_input"), 10, "the start of the cell")
    before = len(shared.seen_states)
    assert shared.control("resource_info_request", {})["status"] == "ok"
    assert shared.control("spark_cancel_request", {"scope": "job", "id": 10**6})["status"] == "ok"
    shared.listen(0.3)
    assert not cell.is_done
    assert shared.seen_states[before:] == []
    shared.finish(cell)
