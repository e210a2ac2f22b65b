"""What is fresh, stale or unknown: each rule by itself, and that nothing is fresh by mistake."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from books import LONG_AGO, Book, Change, dataset_of, view, write_old
from hypothesis import given
from hypothesis import strategies as st

from spark_kernel.protocol.provenance import (
    DataKind,
    Dataset,
    Fingerprint,
    KernelRecord,
    LibraryRecord,
    RunStatus,
    SparkRecord,
)
from spark_kernel.protocol.staleness import Verdict, report_content

SOURCES = (
    "from pyspark.sql import functions as F",
    "flights = spark.read.csv('data/in.csv')",
    "least = 3",
    "late = flights.filter(F.col('delay') > least)",
    "late.write.parquet('data/out')",
    "late.count()",
)


@pytest.fixture
def book(tmp_path: Path) -> Book:
    """Give a notebook that read a file and wrote a folder, and was run from top to bottom."""
    read = write_old(tmp_path / "data" / "in.csv", "a,b\n1,2\n")
    made = Book.of(tmp_path, *SOURCES)
    made.restart()
    made.cells[4].inputs = made.cells[5].inputs = (read,)
    written = write_old(tmp_path / "data" / "out" / "part-0", "x", LONG_AGO + timedelta(hours=1))
    made.cells[4].outputs = (written.parent,)
    made.run_all()
    return made


def test_nothing_changed_is_fresh(book: Book) -> None:
    report = book.judge()
    assert [cell.reasons for cell in report.cells] == [()] * 6
    assert report.verdict is Verdict.FRESH


def test_it_stays_fresh_when_run_again_from_top_to_bottom(book: Book) -> None:
    book.restart()
    book.run_all()
    assert book.verdicts() == "ffffff"


# -- the run -----------------------------------------------------------------------------------


def test_a_cell_that_never_ran_is_unknown_and_so_is_what_stands_on_it(book: Book) -> None:
    book.cells[2].record = book.cells[2].count = None
    assert book.verdicts() == "ffuuuu"
    assert book.kinds(3) == {"no_record"}
    assert "upstream_unknown" in book.kinds(4)


def test_cleared_outputs_are_no_run(book: Book) -> None:
    book.cells[5].count = None
    assert book.kinds(6) == {"no_record"}


@pytest.mark.parametrize("status", [RunStatus.ERROR, RunStatus.INTERRUPTED])
def test_a_run_that_did_not_end_well_is_unknown(book: Book, status: RunStatus) -> None:
    last = book.cells[5]
    assert last.record is not None
    last.record = replace(last.record, status=status, error_name="ValueError")
    assert book.kinds(6) == {"not_finished"}
    assert "ValueError" in book.cell(6).reasons[0].text


def test_an_aborted_cell_is_unknown(book: Book) -> None:
    last = book.cells[5]
    assert last.record is not None
    last.record = replace(
        last.record, status=RunStatus.ABORTED, started=None, finished=None, execution_count=None
    )
    last.count = None
    assert book.cell(6).verdict is Verdict.UNKNOWN
    assert "not_finished" in book.kinds(6)


def test_a_run_without_provenance_mode_is_unknown(book: Book) -> None:
    book.run(6, is_full=False, inputs=None, outputs=None)
    assert book.kinds(6) == {"not_provenance", "unseen_runs"}


def test_a_changed_source_is_stale_also_without_provenance_mode(book: Book) -> None:
    book.run(6, is_full=False, inputs=None, outputs=None)
    book.cells[5].source += "\n"
    assert book.cell(6).verdict is Verdict.STALE
    assert book.cell(6).reasons[0].kind.value == "source_changed"


def test_a_run_that_left_no_record_behind_is_noticed_by_its_count(book: Book) -> None:
    book.cells[5].count = 9
    assert book.kinds(6) == {"other_run"}


def test_a_run_that_left_no_record_behind_is_noticed_by_its_time(book: Book) -> None:
    path = book.write()
    content = json.loads(path.read_text())
    content["cells"][6]["metadata"]["execution"] = {"iopub.execute_input": "2026-03-01T00:00:00Z"}
    assert "other_run" in _kinds_of(book, content)


def test_a_run_that_left_no_record_behind_is_noticed_by_its_outputs(book: Book) -> None:
    content = json.loads(book.write().read_text())
    content["cells"][6]["outputs"][0]["metadata"] = {}
    assert "other_run" in _kinds_of(book, content)


def test_a_record_that_only_the_outputs_carry_counts(book: Book) -> None:
    content = json.loads(book.write().read_text())
    for cell in content["cells"]:
        cell["metadata"] = {}
    assert _kinds_of(book, content) == set()


def test_a_run_in_the_future_is_unknown(book: Book) -> None:
    book.clock += timedelta(days=100_000)
    book.restart()
    book.run_all()
    assert book.verdicts() == "uuuuuu"


# -- inputs and outputs ------------------------------------------------------------------------


def test_a_changed_input_is_stale_and_says_what_changed(book: Book) -> None:
    write_old(book.folder / "data" / "in.csv", "a,b\n1,2\n3,4\n", LONG_AGO + timedelta(days=1))
    assert book.verdicts() == "ffffss"
    text = book.cell(6).reasons[0].text
    assert text == "data/in.csv changed: modified 2026-01-02 12:00:00, 12 instead of 8 bytes"


def test_an_input_with_another_time_alone_is_stale(book: Book) -> None:
    write_old(book.folder / "data" / "in.csv", "a,b\n1,2\n", LONG_AGO - timedelta(days=2))
    assert book.kinds(6) == {"input_changed"}


def test_an_input_that_is_gone_is_stale_here_and_unknown_on_another_machine(book: Book) -> None:
    (book.folder / "data" / "in.csv").unlink()
    assert book.kinds(6) == {"input_gone"}
    assert book.cell(6).verdict is Verdict.STALE
    assert book.cells[5].record is not None
    book.cells[5].record = replace(book.cells[5].record, host="elsewhere")
    assert book.cell(6).verdict is Verdict.UNKNOWN


def test_one_more_file_of_a_pattern_is_stale(book: Book) -> None:
    write_old(book.folder / "logs" / "1.csv", "a")
    fingerprint = Fingerprint(1, 1, LONG_AGO - timedelta(days=1))
    pattern = Dataset(DataKind.FILE, f"file:{book.folder}/logs/*.csv", "csv", fingerprint)
    book.restart()
    book.cells[5].inputs = (pattern,)
    book.run_all()
    assert book.verdicts() == "ffffff"
    write_old(book.folder / "logs" / "2.csv", "b")
    assert book.cell(6).reasons[0].text == "logs/*.csv changed: 2 files instead of 1"


@pytest.mark.parametrize(
    "dataset",
    [
        Dataset(DataKind.FILE, "hdfs://host/data", "csv", Fingerprint(1, 1, LONG_AGO)),
        Dataset(DataKind.TABLE, "lake.t", "delta", Fingerprint(version="3")),
        Dataset(DataKind.TABLE, "t", "delta", Fingerprint(version="3"), "file:/tmp"),
        Dataset(DataKind.FILE, "file:/tmp", "csv", None, note="more than 10,000 files"),
        Dataset(DataKind.FILE, "file:/tmp", "csv", Fingerprint()),
        Dataset(DataKind.JDBC, "jdbc:x", "jdbc", None),
        Dataset(DataKind.OTHER, "network"),
        Dataset(DataKind.OTHER, "unknown source", note="an RDD"),
    ],
)
def test_an_input_that_cannot_be_checked_is_unknown(book: Book, dataset: Dataset) -> None:
    book.restart()
    book.cells[5].inputs = (dataset,)
    book.run_all()
    assert book.kinds(6) == {"input_unknown"}


def test_inputs_that_could_not_be_recorded_are_unknown(book: Book) -> None:
    assert book.cells[5].record is not None
    book.cells[5].record = replace(book.cells[5].record, inputs=None)
    assert book.kinds(6) == {"input_unknown"}


def test_spark_is_asked_for_what_is_not_on_this_machine(book: Book) -> None:
    version = Dataset(DataKind.TABLE, "lake.t", "delta", Fingerprint(version="3"))
    book.restart()
    book.cells[5].inputs = (version,)
    book.run_all()
    assert book.kinds(6, ask=lambda _: Fingerprint(version="3")) == set()
    assert book.kinds(6, ask=lambda _: Fingerprint(version="4")) == {"input_changed"}
    assert book.kinds(6, ask=lambda _: None) == {"input_unknown"}


def test_a_spark_that_fails_to_tell_leaves_it_unknown(book: Book) -> None:
    def fail(_: Dataset) -> Fingerprint:
        raise ConnectionError("gone")

    book.restart()
    book.cells[5].inputs = (Dataset(DataKind.FILE, "hdfs:/x", "csv", Fingerprint(1, 1, LONG_AGO)),)
    book.run_all()
    assert book.kinds(6, ask=fail) == {"input_unknown"}


def test_an_input_written_while_the_cell_ran_is_unknown(book: Book) -> None:
    path = book.folder / "data" / "in.csv"
    moment = book.clock + timedelta(seconds=52)
    os.utime(path, (moment.timestamp(), moment.timestamp()))
    book.restart()
    book.run_all()
    assert book.kinds(6) == {"input_unknown"}


def test_an_input_written_in_the_second_before_is_unknown_where_times_are_of_seconds(
    book: Book,
) -> None:
    path = book.folder / "data" / "in.csv"
    for milliseconds, kinds in ((0, {"input_unknown"}), (200, set())):
        book.clock = LONG_AGO.replace(microsecond=500_000) + timedelta(days=milliseconds + 1)
        began = book.clock.replace(microsecond=milliseconds * 1000) + timedelta(seconds=50)
        os.utime(path, ns=(0, round(began.timestamp() * 1000) * 1_000_000))
        book.restart()
        book.run_all()
        assert book.kinds(6) == kinds


def test_an_output_that_something_else_overwrote_is_stale(book: Book) -> None:
    write_old(book.folder / "data" / "out" / "part-1", "y", LONG_AGO)
    assert book.verdicts() == "ffffsf"
    assert book.cell(5).reasons[0].text.startswith("data/out was overwritten by something else")


def test_an_output_that_is_gone_is_stale(book: Book) -> None:
    (book.folder / "data" / "out" / "part-0").unlink()
    (book.folder / "data" / "out").rmdir()
    assert book.kinds(5) == {"output_gone"}


def test_an_output_that_a_cell_below_wrote_again_is_superseded(book: Book) -> None:
    written = write_old(book.folder / "data" / "out" / "part-1", "y", book.clock)
    book.cells[5].outputs = (written.parent,)
    book.restart()
    book.run_all()
    first = book.cells[4].record
    assert first is not None
    assert first.outputs is not None
    book.cells[4].record = replace(
        first, outputs=(replace(first.outputs[0], fingerprint=Fingerprint(1, 1, LONG_AGO)),)
    )
    assert book.kinds(5) == set()
    write_old(book.folder / "data" / "out" / "part-2", "z")
    assert book.kinds(6) == {"output_changed"}


def test_an_output_that_nobody_can_look_at_is_unknown(book: Book) -> None:
    book.restart()
    book.cells[4].outputs = (Dataset(DataKind.JDBC, "jdbc:x", "jdbc"),)
    book.run_all()
    assert book.kinds(5) == {"output_unknown"}


def test_what_a_stale_cell_wrote_makes_its_readers_stale(tmp_path: Path) -> None:
    write_old(tmp_path / "t" / "part-0", "1")
    book = Book.of(tmp_path, "a = 1\nspark.range(a).write.parquet('t')", "spark.read.parquet('t')")
    book.restart()
    book.cells[0].outputs = book.cells[1].inputs = (tmp_path / "t",)
    book.run_all()
    assert book.verdicts() == "ff"
    book.cells[0].source = book.cells[0].source.replace("1", "2")
    assert book.verdicts() == "ss"


# -- other cells -------------------------------------------------------------------------------


def test_a_changed_cell_makes_stale_what_stands_on_it(book: Book) -> None:
    book.cells[2].source = "least = 4"
    assert book.verdicts() == "ffssss"
    assert book.kinds(4) == {"upstream_stale"}
    assert book.cell(4).reasons[0].text == "least comes from [3], which is stale"


def test_an_upstream_that_ran_later_makes_stale(book: Book) -> None:
    book.run(3)
    assert book.verdicts() == "fffsss"
    assert book.cell(4).reasons[0].text == "least comes from [3], which ran later"


def test_an_unrelated_cell_that_ran_again_changes_nothing(book: Book) -> None:
    book.run(6)
    assert book.verdicts()[:5] == "fffff"


def test_a_cell_that_may_change_a_value_and_ran_later_leaves_it_unknown(tmp_path: Path) -> None:
    book = Book.of(tmp_path, "a = []", "a.append(1)", "print(a)")
    assert book.verdicts() == "fff"
    book.run(2)
    assert book.verdicts() == "fuu"  # it may have appended twice


def test_a_cell_of_another_kernel_is_unknown(book: Book) -> None:
    book.restart()
    book.run(1, 2, 4)
    assert "other_session" in book.kinds(4)
    assert book.cell(4).verdict is Verdict.UNKNOWN


def test_records_without_a_session_are_unknown(book: Book) -> None:
    for cell in book.cells:
        assert cell.record is not None
        cell.record = replace(cell.record, kernel=KernelRecord())
    assert book.verdicts() == "fffuuu"


def test_a_cell_below_that_had_run_first_is_out_of_order(tmp_path: Path) -> None:
    book = Book.of(tmp_path, "a = 1", "print(a)", "a = 2")
    book.restart()
    book.run(1, 3, 2)
    assert book.verdicts() == "fuf"
    assert book.kinds(2) == {"out_of_order"}


def test_a_cell_above_that_had_run_in_between_is_out_of_order(tmp_path: Path) -> None:
    book = Book.of(tmp_path, "a = 1", "a = 2", "print(a)")
    book.restart()
    book.run(2, 1, 3)
    assert book.kinds(3) == {"out_of_order"}


def test_a_second_import_of_the_same_is_in_any_order(tmp_path: Path) -> None:
    book = Book.of(tmp_path, "import json", "json.dumps(1)", "import json")
    book.restart()
    book.run(1, 3, 2)
    assert book.verdicts() == "fff"


def test_a_cell_that_is_gone_shows_in_the_counts(tmp_path: Path) -> None:
    book = Book.of(tmp_path, "a = 1", "a = 2", "print(a)")
    del book.cells[1]
    assert book.verdicts() == "fu"
    assert book.kinds(2) == {"unseen_runs"}


def test_a_cell_that_was_edited_and_run_again_is_not_fresh_by_its_latest_run(
    tmp_path: Path,
) -> None:
    book = Book.of(tmp_path, "a = 1", "a = a + 1")
    book.run(2)
    assert book.kinds(2) == {"unseen_runs"}


def test_a_name_that_no_cell_above_gives_is_unknown(tmp_path: Path) -> None:
    book = Book.of(tmp_path, "print(a)", "a = 1")
    assert book.cell(1).reasons[0].text == "no cell above gives a"
    assert book.kinds(1) == {"unbound_name"}


def test_times_and_counts_that_disagree_leave_it_unknown(book: Book) -> None:
    first = book.cells[2].record
    assert first is not None
    book.cells[2].record = replace(first, execution_count=50)
    book.cells[2].count = 50
    assert "out_of_order" in book.kinds(4)


def test_a_view_of_a_record_ties_its_cells(tmp_path: Path) -> None:
    book = Book.of(tmp_path, "f = spark.range(3)\nf.createTempView(name())", "spark.sql(text())")
    for cell, number in ((book.cells[0], 0), (book.cells[1], 1)):
        cell.source = cell.source.replace("name()", "'v'").replace("text()", "'SELECT 1'")
        cell.outputs, cell.inputs = ((view("V"),), ()) if number == 0 else ((), (view("v"),))
    book.restart()
    book.run_all()
    assert book.verdicts() == "ff"
    book.run(1)
    assert book.verdicts() == "fs"
    del book.cells[0]
    assert "unbound_name" in book.kinds(1)


def test_what_only_an_import_of_an_unknown_cell_is_used_of_is_fresh(tmp_path: Path) -> None:
    book = Book.of(tmp_path, "import time\nbegan = time.time()", "time.sleep(0)", "print(began)")
    assert book.verdicts() == "ufu"


def test_a_setting_that_the_notebook_does_not_hold_is_unknown(book: Book) -> None:
    book.run(2, config_sha256="cd" * 32)
    assert "unseen_runs" in book.kinds(2)


def test_settings_that_differ_between_cells_are_noted(tmp_path: Path) -> None:
    book = Book.of(tmp_path, "a = 1", "spark.conf.set('x', 'y')", "spark.range(a).count()")
    book.restart()
    book.run(1)
    book.run(2, 3, config_sha256="cd" * 32)
    assert book.verdicts() == "fff"
    assert book.cell(3).notes == ("Spark was set otherwise than for [1]",)


# -- what no record tells of -------------------------------------------------------------------


@pytest.mark.parametrize(
    "source",
    [
        *("import time\ntime.time()", "from datetime import datetime as d\nd.now()"),
        *("import random\nrandom.random()", "import numpy as np\nnp.random.rand()"),
        *("import uuid\nuuid.uuid4()", "import requests\nrequests.get('x')", "input()"),
        *("open('x').read()", "import pandas as pd\npd.read_csv('x')", "!ls", "%%bash\nls"),
        *("import os\nos.environ['X']", "import subprocess as s\ns.run('x')", "_", "Out[1]"),
        *("%sql SELECT current_date()", "spark.sql('SELECT rand()')", "exec('a')", "%run x.py"),
        *("spark.range(3).sample(0.5)", "spark.range(3).randomSplit([1.0, 2.0])"),
        "from pyspark.sql import functions as F\nspark.range(3).select(F.rand())",
        "spark.range(3).filter('rand() > 0.5')",
        "from urllib.request import urlopen\nurlopen('x')",
        "from pathlib import Path\nPath('x').read_text()",
    ],
)
def test_time_chance_and_the_outside_are_unknown(tmp_path: Path, source: str) -> None:
    assert Book.of(tmp_path, source).verdicts() == "u"


@pytest.mark.parametrize(
    "source",
    [
        *("import random\nrandom.seed(1)\nrandom.random()", "import time\ntime.sleep(0)"),
        "import random\nrandom.Random(3)",
        "from pyspark.sql import functions as F\nspark.range(3).select(F.rand(3), F.col('id'))",
        "spark.range(3).sample(0.5, seed=3)",
        "open('x', 'w').write('y')",
        "import os\nos.path.join('a', 'b')",
        "from datetime import datetime, timedelta\ndatetime(2026, 1, 1) - timedelta(days=1)",
        "from pyspark.sql.functions import *\nspark.range(3).select(col('id'))",
        "%matplotlib inline",
        "from IPython.display import HTML\nHTML('x')",
    ],
)
def test_what_looks_like_it_and_is_not_is_fresh(tmp_path: Path, source: str) -> None:
    assert Book.of(tmp_path, source).verdicts() == "f"


def test_a_file_that_python_read_is_explained_by_its_record(tmp_path: Path) -> None:
    read = dataset_of(write_old(tmp_path / "x.txt", "1"))
    book = Book.of(tmp_path, "open('x.txt').read()")
    book.restart()
    book.cells[0].inputs = (replace(read, format="python"),)
    book.run_all()
    assert book.verdicts() == "f"
    write_old(tmp_path / "x.txt", "22")
    assert book.kinds(1) == {"input_changed"}
    book.cells[0].source = "open('y.txt').read()"
    book.run_all()
    assert "outside" in book.kinds(1)


def test_an_import_from_beside_the_notebook_counts_by_its_time(tmp_path: Path) -> None:
    helpers = write_old(tmp_path / "helpers.py", "x = 1")
    book = Book.of(tmp_path, "import helpers", "helpers.x")
    assert book.verdicts() == "ff"
    os.utime(helpers)
    assert book.verdicts() == "uu"


def test_an_import_that_is_not_here_or_whose_version_was_not_recorded_is_unknown(
    tmp_path: Path,
) -> None:
    book = Book.of(tmp_path, "import no_such_module", "import numpy")
    assert [cell.reasons[0].text for cell in book.judge().cells] == [
        "the module no_such_module is not here",
        "the version of numpy was not recorded",
    ]


# -- versions ----------------------------------------------------------------------------------


def test_another_version_of_a_library_is_stale(book: Book) -> None:
    versions = {"pyspark": "9.9", "pandas": "1.0"}
    assert book.verdicts(version_of=versions.get) == "ssssss"
    assert book.cell(6, version_of=versions.get).reasons[0].kind.value == "library_changed"


def test_a_library_that_is_not_here_or_has_no_version_is_unknown(book: Book) -> None:
    assert book.cells[5].record is not None
    libraries = (*book.cells[5].record.libraries, LibraryRecord("no-such", "1"))
    book.cells[5].record = replace(book.cells[5].record, libraries=libraries)
    assert book.kinds(6) == {"library_unknown"}
    book.cells[5].record = replace(book.cells[5].record, libraries=(LibraryRecord("pyspark"),))
    assert book.kinds(6) == {"library_unknown"}


def test_another_version_of_spark_is_stale_and_of_a_server_unknown(book: Book) -> None:
    last = book.cells[5]
    assert last.record is not None
    last.record = replace(last.record, spark=SparkRecord("1.0"), libraries=())
    assert (book.cell(6).verdict, book.kinds(6)) == (Verdict.STALE, {"spark_changed"})
    last.record = replace(last.record, libraries=(LibraryRecord("pyspark", "4.3.0"),))
    assert book.cell(6).verdict is Verdict.UNKNOWN


def test_another_version_of_the_kernel_is_no_reason(book: Book) -> None:
    last = book.cells[5]
    assert last.record is not None
    kernel = replace(last.record.kernel, version="0.0.1")
    libraries = (*last.record.libraries, LibraryRecord("spark-kernel", "0.0.1"))
    last.record = replace(last.record, kernel=kernel, libraries=libraries)
    assert book.kinds(6) == set()


# -- all together ------------------------------------------------------------------------------


def test_cells_without_code_or_a_result_are_left_out(tmp_path: Path) -> None:
    book = Book.of(tmp_path, "%spark stale", "  \n", "1")
    assert [cell.number for cell in book.judge().cells] == [2]


def test_report_has_the_names_that_are_documented(book: Book) -> None:
    book.cells[2].source = "least = 4"
    content = report_content(book.judge())
    assert content["verdict"] == "stale"
    assert content["counts"] == {"fresh": 2, "stale": 4, "unknown": 0}
    assert content["cells"][2] == {
        "number": 3,
        "cell_id": "c3",
        "execution_count": 3,
        "title": "least = 4",
        "verdict": "stale",
        "reasons": [
            {
                "verdict": "stale",
                "kind": "source_changed",
                "text": "its source changed since it ran",
            }
        ],
        "notes": [],
    }


def _edit(book: Book) -> None:
    book.cells[3].source += " # edited"


def _touch_input(book: Book) -> None:
    write_old(book.folder / "data" / "in.csv", "c")


def _touch_output(book: Book) -> None:
    write_old(book.folder / "data" / "out" / "part-9", "c")


def _remove(book: Book) -> None:
    del book.cells[3]


def _forget(book: Book) -> None:
    book.cells[3].record = book.cells[3].count = None


def _insert(book: Book) -> None:
    book.cells.insert(3, type(book.cells[0])("least = 7"))


def _swap(book: Book) -> None:
    book.cells[2], book.cells[5] = book.cells[5], book.cells[2]


CHANGES: tuple[Change, ...] = (
    *(_edit, _touch_input, _touch_output, _remove, _forget, _insert, _swap),
    *(lambda book: book.run(3), lambda book: book.run(4)),
)


@pytest.mark.parametrize("change", CHANGES)
def test_any_change_leaves_something_that_is_not_fresh(book: Book, change: Change) -> None:
    change(book)
    assert book.judge().verdict is not Verdict.FRESH


@given(
    order=st.permutations(range(1, 6)),
    again=st.lists(st.integers(1, 5), max_size=4),
)
def test_what_is_fresh_has_the_value_that_a_run_from_top_to_bottom_gives(
    tmp_path_factory: pytest.TempPathFactory, order: list[int], again: list[int]
) -> None:
    sources = ("a = [1]", "b = a + [2]", "a.append(3)", "c = a + b", "a = c")
    book = Book.of(tmp_path_factory.mktemp("book"), *sources)
    book.restart()
    values: dict[int, object] = {}
    names: dict[str, list[int]] = {"a": [0], "b": [0], "c": [0]}
    for number in [*order, *again]:
        book.run(number)
        exec(sources[number - 1], names)
        values[number] = [list(names[name]) for name in "abc"]
    expected: dict[str, list[int]] = {}
    for number, source in enumerate(sources, 1):
        exec(source, expected)
        if book.cell(number).verdict is Verdict.FRESH:
            name = {1: "a", 2: "b", 3: "a", 4: "c", 5: "a"}[number]
            assert values[number]["abc".index(name)] == expected[name]  # type: ignore[index]


def _kinds_of(book: Book, content: dict[str, object]) -> set[str]:
    """Give the kinds of the reasons against the last cell of an edited file."""
    from spark_kernel.recording.environment import Environment
    from spark_kernel.recording.notebooks import read_notebook
    from spark_kernel.recording.staleness import judge

    path = book.folder / "edited.ipynb"
    path.write_text(json.dumps(content))
    report = judge(read_notebook(path), Environment(book.folder))
    return {reason.kind.value for reason in report.cells[-1].reasons}
