"""Before Spark is ready: what needs it waits, and nothing else does."""

from __future__ import annotations

import pytest

from kernel_real.conftest import GatedNotebook
from kernel_real.notebook import Notebook, Result

PENDING = ("starting", "restarting")


def test_kernel_info_is_answered_and_says_that_spark_is_starting(held: Notebook) -> None:
    info = held.kernel_info()
    assert held.state in PENDING
    assert "spark status" in info["supported_features"]
    assert "Preparing the driver" in info["banner"]
    assert any("PySpark (cluster)" in link["text"] for link in info["help_links"])
    assert all(link["url"].startswith("http") for link in info["help_links"])


def test_cell_without_spark_runs_at_once(held: Notebook) -> None:
    assert held.value("1 + 1") == "2"
    assert held.state in PENDING


def test_importing_pyspark_and_making_a_schema_does_not_wait(held: Notebook) -> None:
    code = "from pyspark.sql import functions as F, types as T\nT.StructType().add('a', 'integer')"
    assert "IntegerType" in held.value(code)
    assert held.state in PENDING


def test_defining_a_function_that_will_need_spark_does_not_wait(held: Notebook) -> None:
    held.value("def unused():\n    return spark.range(1)")
    assert held.state in PENDING


def test_names_are_shown_without_waiting_through_a_container(held: Notebook) -> None:
    assert "'spark'" in held.value("[name for name in ('spark', 'sc') if name in globals()]")
    assert held.state in PENDING


def test_completion_and_inspection_of_spark_do_not_block(held: Notebook) -> None:
    client = held.client
    assert held.ask(client.complete("spark."))["status"] == "ok"
    assert held.ask(client.inspect("spark", detail_level=0))["status"] == "ok"
    assert held.ask(client.complete("sc.paral"))["status"] == "ok"
    assert held.state in PENDING


@pytest.mark.parametrize("way", ["interrupt", "interrupt_by_signal"])
def test_interrupting_the_wait_ends_the_cell_and_not_the_start(held: Notebook, way: str) -> None:
    java = held.find_processes("bin/java")[0]
    waiting = held.submit("spark.range(3).count()")
    held.wait_for(lambda: waiting.displays, 30, "the display of the wait")
    getattr(held, way)()
    held.finish(waiting)
    assert waiting.error.startswith("KeyboardInterrupt")
    assert len(waiting.traceback) <= 3
    assert "goes on" in waiting.shown
    assert held.state in PENDING
    assert java.is_running()
    assert held.value("1 + 1") == "2"


def test_interrupting_a_wait_inside_a_function_is_as_short(held: Notebook) -> None:
    held.value("def needing():\n    return spark.range(3).count()")
    waiting = held.submit("needing()")
    held.wait_for(lambda: waiting.displays, 30, "the display of the wait")
    held.interrupt()
    held.finish(waiting)
    assert waiting.error.startswith("KeyboardInterrupt")
    assert len(waiting.traceback) <= 3
    assert held.state in PENDING


def open_and_finish(gated: GatedNotebook, waiting: Result) -> Result:
    """Let Spark start once the cell has shown that it waits."""
    gated.notebook.wait_for(lambda: waiting.displays, 30, "the display of the wait")
    assert waiting.reply is None
    gated.java.open()
    return gated.notebook.finish(waiting)


def test_waiting_cell_shows_the_stages_in_one_display_that_ends_as_one_line(
    gated: GatedNotebook, held: Notebook
) -> None:
    waiting = open_and_finish(gated, held.submit("spark.range(3).count()"))
    assert waiting.text == "3"
    kinds = [m["header"]["msg_type"] for m in waiting.messages]
    displays = waiting.displays
    assert {d["transient"]["display_id"] for d in displays} == {
        displays[0]["transient"]["display_id"]
    }
    assert kinds.count("display_data") == 1
    assert kinds.count("update_display_data") == len(displays) - 1 > 1
    assert kinds[-1] == "status"  # idle comes after everything else
    assert "Preparing the driver" in displays[0]["data"]["text/plain"]
    last = displays[-1]["data"]
    assert len(last["text/plain"].splitlines()) == 1
    assert "ready" in last["text/plain"]
    assert "<details" in last["text/html"]
    assert kinds.index("execute_result") > max(
        i for i, kind in enumerate(kinds) if kind == "update_display_data"
    )


def test_banner_is_pushed_as_it_changes_until_spark_is_ready(
    gated: GatedNotebook, held: Notebook
) -> None:
    gated.java.open()
    ready = held.wait_for_state("ready")
    held.wait_for(lambda: "Attached" in held.banners[-1]["banner"], 10, "the last banner")
    banner = held.banners[-1]["banner"]
    assert ready["application"]["id"] in banner
    assert "local[*]" in banner
    assert all(link["url"].removeprefix("file://") in banner for link in ready["links"])
    assert held.banners[-1]["links"] == ready["links"]
    assert held.kernel_info()["banner"] == banner


@pytest.mark.parametrize(
    ("preparation", "code", "result"),
    [
        ("def earlier():\n    return spark.range(4).count()", "earlier()", "4"),
        ("import needs_session", "needs_session.count()", "5"),
        (
            "",
            "import sys\nsys.modules.pop('needs_active', 0)\nfrom needs_active import COUNT\nCOUNT",
            "6",
        ),
        ("from pyspark.sql import functions as F", "str(F.col('a') + 1)", "\"Column<'+(a, 1)'>\""),
    ],
    ids=["function defined earlier", "builder in a module", "active() on import", "column"],
)
def test_cell_waits_wherever_the_need_for_spark_is(
    gated: GatedNotebook, held: Notebook, preparation: str, code: str, result: str
) -> None:
    held.value(preparation)
    assert held.state in PENDING
    waiting = open_and_finish(gated, held.submit(code))
    assert waiting.error == ""
    assert waiting.text == result


def test_thread_of_the_notebook_waits_too(gated: GatedNotebook, held: Notebook) -> None:
    held.value(
        "import threading\n"
        "found = []\n"
        "thread = threading.Thread(target=lambda: found.append(spark.range(7).count()))\n"
        "thread.start()"
    )
    assert held.value("found, thread.is_alive()") == "([], True)"
    gated.java.open()
    assert held.value("thread.join(90); found") == "[7]"
