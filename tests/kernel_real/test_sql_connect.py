"""SQL cells and charts on Spark Connect."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kernel_real.connect_server import notebook_on_a_server
from kernel_real.notebook import Notebook, NotebookMaker


@pytest.fixture(scope="module")
def remote(new_notebook: NotebookMaker) -> Iterator[Notebook]:
    """Give a notebook on a server."""
    with notebook_on_a_server(new_notebook) as made:
        yield made


def test_cell_of_sql_runs_on_the_server(remote: Notebook) -> None:
    remote.value("least, flags = 2, (1, 2)")
    result = remote.run(
        "%%sql --as kept\nCREATE OR REPLACE TEMP VIEW numbers AS SELECT id FROM range(6);\n"
        "SELECT 1;\nSELECT id, :flags AS flags FROM numbers WHERE id > :least"
    )
    assert [line.split(" · ")[1].split(",")[0] for line in result.stdout.splitlines()] == [
        "Created view numbers",
        "Query",
        "Query",
    ]
    assert "flags" in result.shown
    assert remote.value("[_ is kept, kept.count()]") == "[True, 3]"


def test_parameter_that_cannot_be_bound_is_named(remote: Notebook) -> None:
    remote.value("frame = spark.range(1)")
    result = remote.run("%sql SELECT :frame")
    assert "`frame.createOrReplaceTempView('frame')` makes it a table" in result.error


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("%%sql\nSELECT 1;\nSELECT id,\n  nme FROM range(2)", "AnalysisException"),
        ("%%sql\nSELECT 1;\nSELECT 1,\n  FRM x y z", "ParseException"),
        ("%%sql\nSELECT 1;\nSELECT 1,\n  id / (id - id) FROM range(2)", "ArithmeticException"),
    ],
)
def test_failing_statement_is_marked(remote: Notebook, code: str, error: str) -> None:
    result = remote.run(code)
    assert result.error.startswith(error)
    place = remote.value("import sys\nplace = sys.last_value._spark_kernel_sql\n"
                         "(place.statement_number, place.of, place.line)")  # fmt: skip
    assert place == "(2, 2, 2)"


def test_names_are_completed_from_the_server(remote: Notebook) -> None:
    remote.value("spark.range(1).createOrReplaceTempView('numbers')")
    code = "%%sql\nSELECT * FROM num"

    def matches() -> list[str]:
        return list(remote.ask(remote.client.complete(code, len(code)))["matches"])

    remote.wait_for(lambda: "numbers" in matches(), 30, "the name")


CHARTS = {
    "bar": "x='g', y='n'",
    "line": "x='at', y='n', color='g'",
    "area": "x='d', y=['n', 'x']",
    "scatter": "x='n', y='x', color='g'",
    "hist": "x='d'",
    "box": "x='g', y='x'",
    "heatmap": "x='at', y='g', color='n', agg='avg'",
}
FRAME = """
df = spark.range(4000).selectExpr(
    "id AS n", "if(id % 9 = 0, null, concat('g', id % 50)) AS g", "id / 7 AS x",
    "cast(id % 500 AS decimal(10, 2)) / 4 AS d", "timestamp_seconds(id * 3600) AS at")
"""


@pytest.mark.parametrize("kind", CHARTS)
def test_every_kind_is_drawn(remote: Notebook, kind: str) -> None:
    remote.value(FRAME)
    result = remote.run(f"display(df, chart={kind!r}, {CHARTS[kind]})")
    assert result.status == "ok", result.error
    drawn = [c["data"] for c in result.displays if "image/png" in c["data"]]
    assert len(drawn) == 1


def test_data_of_a_cell_is_named_as_its_plans_name_it(remote: Notebook) -> None:
    remote.value(
        "from spark_kernel.spark.connect.data_flow import follow_data\n"
        "from spark_kernel.spark.ownership import current_owner\n"
        "flows = follow_data(spark.client)\n"
        "def told():\n"
        "    found = flows.taken([current_owner().tag])\n"
        "    return [[f'{one.kind.value} {one.name} {one.format}' for one in side]"
        " for side in found]"
    )
    written = "spark.range(3).write.mode('overwrite').parquet('/tmp/spark-kernel-connect-data')"
    place = "file /tmp/spark-kernel-connect-data parquet"
    try:
        assert remote.value(f"{written}\ntold()") == f"[[], ['{place}']]"
        made = (
            "spark.read.parquet('/tmp/spark-kernel-connect-data').createOrReplaceTempView('seen')"
        )
        assert remote.value(f"{made}\ntold()") == f"[['{place}'], ['other seen view']]"
        query = "spark.sql('SELECT * FROM seen').collect()"
        assert remote.value(f"{query}\ntold()") == f"[['other seen view', '{place}'], []]"
        assert remote.value("spark.range(3).collect()\ntold()") == "[[], []]"
    finally:
        remote.value(
            "import shutil; shutil.rmtree('/tmp/spark-kernel-connect-data', ignore_errors=True)\n"
            "flows.stop()"
        )
