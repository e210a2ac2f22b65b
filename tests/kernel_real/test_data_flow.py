"""Which data a cell has read and written, as its executed plans tell."""

from __future__ import annotations

import ast
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kernel_real.notebook import Notebook, NotebookMaker

Told = tuple[list[dict[str, Any]], list[dict[str, Any]]]

PREPARE = """
import dataclasses, os
from spark_kernel.protocol.provenance import Dataset, DataKind
from spark_kernel.spark.data_flow import follow_data
from spark_kernel.spark.ownership import current_owner
flows = follow_data(sc)
def told():
    found = flows.taken([current_owner().tag])
    return [[plain(one) for one in side] for side in found]
def plain(dataset):
    return dataclasses.asdict(dataset) | {"kind": dataset.kind.value, "fingerprint": state(dataset)}
def state(dataset):
    return state_of(dataset.fingerprint)
def state_of(found):
    if found is None or found.version:
        return found and found.version
    modified = found.modified and round(found.modified.timestamp() * 1000)
    return [found.files, found.bytes, modified]
spark.range(20).selectExpr("id", "id % 2 AS k").write.mode("overwrite").parquet("numbers")
numbers = spark.read.parquet("numbers")
spark.range(5).write.mode("overwrite").option("header", True).csv("texts/a")
spark.range(5).write.mode("overwrite").option("header", True).csv("texts/b")
spark.range(4).selectExpr("id", "id % 2 AS part").write.mode("overwrite").partitionBy("part"
    ).saveAsTable("parted")
sc.parallelize(["a", "b"]).saveAsTextFile("lines")
flows.taken([current_owner().tag]) and None
"""
URL = "jdbc:derby:memory:people;create=true;user=ann;password=hunter2"
OWN_RELATION = """
import org.apache.spark.sql.execution.datasources.HadoopFsRelation;

public final class OwnRelation extends HadoopFsRelation {
  public OwnRelation(HadoopFsRelation of) {
    super(of.location(), of.partitionSchema(), of.dataSchema(), of.bucketSpec(), of.fileFormat(),
        of.options(), of.sparkSession());
  }
}
"""


@pytest.fixture(scope="module")
def notebook(new_notebook: NotebookMaker) -> Iterator[Notebook]:
    """Give a notebook that follows its data, with some data."""
    with new_notebook(arguments=["--master=local[1]"]) as made:
        made.value(PREPARE)
        yield made


def told(notebook: Notebook, code: str) -> Told:
    """Run a cell; gives what it has read and written."""
    found = ast.literal_eval(notebook.value(f"{code}\ntold()"))
    return found[0], found[1]


def names(datasets: list[dict[str, Any]], folder: Path) -> list[str]:
    """Give kind, name and format of each; files below the notebook's folder by their ends."""
    return sorted(
        f"{one['kind']} {one['name'].removeprefix(f'file://{folder}/')} {one['format']}".strip()
        for one in datasets
    )


def files_below(folder: Path) -> list[int]:
    """Count files as a fingerprint does: without hidden ones."""
    found = [
        path.stat()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith(("_", "."))
    ]
    newest = max(one.st_mtime_ns // 1_000_000 for one in found)
    return [len(found), sum(one.st_size for one in found), newest]


TABLE = "table spark_catalog.default.parted parquet"
FILE = "file numbers parquet"

READS = [
    ("numbers.count()", [FILE]),
    ("spark.read.option('header', True).csv('texts/*/*.csv').count()", ["file texts/*/*.csv csv"]),
    (
        "spark.read.option('inferSchema', True).csv(['texts/a', 'texts/b']).count()",
        ["file texts/a csv", "file texts/b csv"],
    ),
    ("spark.read.option('inferSchema', True).csv('texts/a')", ["file texts/a csv"]),
    ("spark.table('parted').where('part = 1').count()", [TABLE]),
    ("spark.sql('SELECT * FROM parquet.`numbers`').collect()", [FILE]),
    ("numbers.where('id IN (SELECT id FROM parted)').count()", [FILE, TABLE]),
    ("numbers.join(spark.table('parted'), 'id').count()", [FILE, TABLE]),
    ("numbers.select('id').union(spark.table('parted').select('id')).collect()", [FILE, TABLE]),
    ("numbers.toPandas()", [FILE]),
    ("list(numbers.toLocalIterator())", [FILE]),
    ("numbers.rdd.map(lambda row: row.id).sum()", [FILE]),
    ("numbers.rdd.map(lambda row: (row.id,)).toDF(['id']).count()", [FILE]),
    ("numbers.foreach(lambda row: None)", [FILE]),
    ("numbers._jdf.rdd().count()", [FILE]),
    ("numbers.localCheckpoint().count()", [FILE]),
    ("sc.textFile('lines').map(len).collect()", ["file lines text"]),
    ("sc.textFile('lines').map(lambda x: (x, 1)).groupByKey().count()", ["file lines text"]),
    ("sc.textFile('lines').map(lambda x: (x,)).toDF(['a']).count()", ["file lines text"]),
    ("sc.wholeTextFiles('lines').count()", ["file lines text"]),
    ("spark.range(3).count()", []),
    ("spark.createDataFrame([(1,)], 'a int').collect()", []),
    ("sc.parallelize([1, 2]).map(str).count()", []),
    ("spark.sql('SHOW TABLES').collect(), spark.sql('EXPLAIN SELECT * FROM parted')", []),
]


@pytest.mark.parametrize(("code", "expected"), READS, ids=[code for code, _ in READS])
def test_sources_are_named_however_they_are_read(
    notebook: Notebook, code: str, expected: list[str]
) -> None:
    inputs, outputs = told(notebook, code)
    assert names(inputs, notebook.folder) == expected
    assert outputs == []
    for one in inputs:
        place = one["location"] or one["name"]
        path = Path(place.removeprefix("file://"))
        assert one["fingerprint"] == files_below(path.parents[1] if "*" in place else path)


@pytest.mark.parametrize("kind", ["csv", "json", "orc", "parquet"])
def test_written_files_have_the_fingerprint_with_which_they_are_read(
    notebook: Notebook, kind: str
) -> None:
    _, written = told(notebook, f"spark.range(3).write.mode('overwrite').{kind}('out_{kind}')")
    assert names(written, notebook.folder) == [f"file out_{kind} {kind}"]
    assert written[0]["fingerprint"] == files_below(notebook.folder / f"out_{kind}")
    read, _ = told(notebook, f"spark.read.{kind}('out_{kind}').count()")
    assert read == written


def test_table_is_followed_from_its_making_to_its_end(notebook: Notebook) -> None:
    name = "table spark_catalog.default.made"
    for code, read in [
        ("CREATE TABLE made USING orc AS SELECT id FROM parted", [TABLE]),
        ("INSERT INTO made VALUES (7)", []),
        ("INSERT OVERWRITE made SELECT id FROM parquet.`numbers`", [FILE]),
        ("ALTER TABLE made ADD COLUMNS (other INT)", []),
        ("TRUNCATE TABLE made", []),
    ]:
        inputs, outputs = told(notebook, f"spark.sql({code!r})")
        assert names(inputs, notebook.folder) == read
        assert names(outputs, notebook.folder) == [f"{name} orc"]
        if "TRUNCATE" not in code:
            place = notebook.folder / "spark-warehouse" / "made"
            assert outputs[0]["fingerprint"] == files_below(place)
    _, outputs = told(notebook, "spark.sql('DROP TABLE made')")
    assert names(outputs, notebook.folder) == [name]
    assert outputs[0]["note"] == "dropped"


def test_views_are_named_with_what_they_stand_on(notebook: Notebook) -> None:
    inputs, outputs = told(notebook, "numbers.createOrReplaceTempView('seen')")
    assert names(inputs, notebook.folder) == [FILE]
    assert names(outputs, notebook.folder) == ["other seen view"]
    inputs, _ = told(
        notebook, "spark.sql('WITH q AS (SELECT * FROM seen) SELECT * FROM q').count()"
    )
    assert names(inputs, notebook.folder) == [FILE, "other seen view"]
    _, outputs = told(notebook, "numbers.createOrReplaceGlobalTempView('wide')")
    assert names(outputs, notebook.folder) == ["other global_temp.wide view"]
    told(notebook, "spark.sql('CREATE OR REPLACE VIEW kept AS SELECT id FROM parted')")
    inputs, _ = told(notebook, "spark.table('kept').count()")
    assert names(inputs, notebook.folder) == ["table spark_catalog.default.kept view", TABLE]
    _, outputs = told(notebook, "spark.sql('DROP VIEW seen')")
    assert outputs[0]["note"] == "dropped"


def test_cached_frame_names_the_files_that_filled_the_cache(notebook: Notebook) -> None:
    folder = notebook.folder
    told(notebook, "spark.range(3).write.parquet('grows')")
    before = files_below(folder / "grows")
    told(notebook, "kept = spark.read.parquet('grows').cache(); kept.count()")
    file = next((folder / "grows").glob("*.parquet"))
    shutil.copy(file, file.with_name("part-more.parquet"))
    assert files_below(folder / "grows") != before
    for code in (
        "assert spark.read.parquet('grows').count() == 3",
        "kept.groupBy('id').count().collect()",
        "spark.read.parquet('grows').write.mode('overwrite').parquet('grown')",
    ):
        inputs, _ = told(notebook, code)
        assert names(inputs, folder) == ["file grows parquet"]
        assert inputs[0]["fingerprint"] == before
    notebook.value("kept.unpersist() and None")
    inputs, _ = told(notebook, "spark.read.parquet('grows').count()")
    assert inputs[0]["fingerprint"] == files_below(folder / "grows")


def test_file_that_is_read_in_two_states_has_no_fingerprint(notebook: Notebook) -> None:
    code = """
    for _ in range(2):
        spark.range(3).write.mode("append").parquet("twice")
        spark.read.parquet("twice").count()
    """
    inputs, _ = told(notebook, "if True:" + code)
    assert inputs[0]["fingerprint"] is None
    assert inputs[0]["note"] == "read in more than one state"


def test_table_that_is_read_into_itself_has_the_state_before_or_none(notebook: Notebook) -> None:
    told(notebook, "spark.range(3).write.mode('overwrite').saveAsTable('own')")
    before = files_below(notebook.folder / "spark-warehouse" / "own")
    inputs, _ = told(notebook, "spark.table('own').write.insertInto('own')")
    assert inputs[0]["fingerprint"] == before
    inputs, _ = told(notebook, "spark.sql('INSERT INTO own SELECT * FROM own')")
    assert inputs[0]["fingerprint"] is None
    assert inputs[0]["note"] == "written by the same statement"


def test_jdbc_tells_no_secret(notebook: Notebook) -> None:
    write = f"spark.range(3).write.mode('overwrite').jdbc({URL!r}, 'people')"
    read = f"spark.read.jdbc({URL!r}, 'people').count()"
    query = f"""spark.read.jdbc({URL!r}, "(SELECT 'hunter2' AS a FROM people) t").count()"""
    _, written = told(notebook, write)
    assert names(written, notebook.folder) == ["jdbc jdbc:derby:memory:people#people jdbc"]
    inputs, _ = told(notebook, f"{read}\n{query}")
    assert names(inputs, notebook.folder) == [
        "jdbc jdbc:derby:memory:people#people jdbc",
        "jdbc jdbc:derby:memory:people#query jdbc",
    ]
    assert "hunter2" not in str([written, inputs])


def test_a_write_through_a_catalog_names_its_table(notebook: Notebook) -> None:
    kind = "org.apache.spark.sql.execution.datasources.v2.jdbc.JDBCTableCatalog"
    notebook.value(
        f"spark.conf.set('spark.sql.catalog.derby', '{kind}'); "
        f"spark.conf.set('spark.sql.catalog.derby.url', '{URL}'); "
        "spark.conf.set('spark.sql.catalog.derby.driver', 'org.apache.derby.jdbc.EmbeddedDriver'); "
        "spark.sql('CREATE TABLE derby.APP.T (id BIGINT)') and None; told() and None"
    )
    _, outputs = told(notebook, "spark.range(3).writeTo('derby.APP.T').append()")
    assert names(outputs, notebook.folder) == ["jdbc jdbc:derby:memory:people#APP.T jdbc"]


def test_relations_of_others_that_are_files_are_named_as_files(notebook: Notebook) -> None:
    """As Delta's, which is a class of its own."""
    inputs, _ = told(
        notebook,
        "compiler = sc._jvm.org.codehaus.janino.SimpleCompiler()\n"
        "compiler.setParentClassLoader(sc._jsc.sc().getClass().getClassLoader())\n"
        f"compiler.cook('OwnRelation.java', {OWN_RELATION!r})\n"
        "own = compiler.getClassLoader().loadClass('OwnRelation').getConstructors()[0]\n"
        "arguments = sc._gateway.new_array(sc._jvm.Object, 1)\n"
        "arguments[0] = numbers._jdf.queryExecution().analyzed().relation()\n"
        "spark._jsparkSession.baseRelationToDataFrame(own.newInstance(arguments)).count()",
    )
    assert names(inputs, notebook.folder) == ["file numbers parquet"]


def test_a_log_of_delta_that_a_cell_reads_by_itself_is_named(notebook: Notebook) -> None:
    notebook.value("numbers.limit(1).write.json('table/_delta_log') and None; told() and None")
    inputs, _ = told(notebook, "spark.read.json('table/_delta_log').count()")
    assert names(inputs, notebook.folder) == ["file table/_delta_log json"]


def test_rdd_that_is_saved_names_its_place(notebook: Notebook) -> None:
    inputs, outputs = told(notebook, "sc.textFile('lines').map(str.upper).saveAsTextFile('upper')")
    assert names(inputs, notebook.folder) == ["file lines text"]
    assert names(outputs, notebook.folder) == ["file upper text"]
    assert outputs[0]["fingerprint"] == files_below(notebook.folder / "upper")


def test_streams_name_source_and_sink(notebook: Notebook) -> None:
    inputs, outputs = told(
        notebook,
        "query = (spark.readStream.schema(numbers.schema).parquet('numbers').writeStream"
        ".format('memory').queryName('streamed').start())\n"
        "query.processAllAvailable(); query.stop()",
    )
    assert FILE in names(inputs, notebook.folder)
    assert names(outputs, notebook.folder) == ["other streamed view"]
    inputs, outputs = told(
        notebook,
        "query = (spark.readStream.format('rate').load().writeStream.format('parquet')"
        ".option('checkpointLocation', 'checkpoints').start('flowed'))\nquery.stop()",
    )
    assert names(inputs, notebook.folder) == ["other rate rate"]
    assert names(outputs, notebook.folder) == ["file flowed parquet"]


def test_what_hides_its_source_is_never_taken_for_nothing(notebook: Notebook) -> None:
    """A lineage that was cut before anybody followed the data."""
    notebook.value("flows.stop()\ncut = numbers.localCheckpoint()\nflows = follow_data(sc)")
    inputs, _ = told(notebook, "cut.count()")
    assert names(inputs, notebook.folder) == ["other unknown source"]
    inputs, _ = told(notebook, "cut.rdd.map(str).count()")
    assert names(inputs, notebook.folder) == ["other unknown source"]


def test_hooks_in_a_thread_and_failures_belong_to_their_cell(notebook: Notebook) -> None:
    code = """import threading
thread = threading.Thread(target=lambda: numbers.count())
thread.start(), thread.join()
try:
    spark.read.parquet("nothing")
except Exception:
    pass"""
    inputs, outputs = told(notebook, code)
    assert names(inputs, notebook.folder) == [FILE]
    assert outputs == []


def test_each_owner_is_told_its_own_and_only_once(notebook: Notebook) -> None:
    notebook.value("numbers.count(); mine = current_owner().tag")
    notebook.value("spark.table('parted').count(); others = current_owner().tag")
    first = ast.literal_eval(notebook.value("[plain(one) for one in flows.taken([mine])[0]]"))
    assert names(first, notebook.folder) == [FILE]
    both = "[plain(one) for one in flows.taken([mine, others])[0]]"
    assert names(ast.literal_eval(notebook.value(both)), notebook.folder) == [TABLE]


def test_numbers_are_bounded(notebook: Notebook) -> None:
    code = "for i in range(53):\n    spark.range(1).write.mode('overwrite').csv(f'many/{i}')"
    _, outputs = told(notebook, code)
    assert len(outputs) == 51
    assert "3 mentions" in outputs[-1]["note"]
    os.makedirs(notebook.folder / "big")  # noqa: PTH103
    for number in range(10_001):
        (notebook.folder / "big" / f"{number}.txt").touch()
    inputs, _ = told(notebook, "sc.textFile('big/1.txt').count()")  # empty, so without a task
    assert names(inputs, notebook.folder) == ["other unknown source"]
    inputs, _ = told(notebook, "flows.java.noteOutput('big', 'text', current_owner().tag)")[::-1]
    assert inputs[0]["note"] in ("more than 10,000 files", "took too long to list")
    inputs, _ = told(notebook, "flows.java.noteOutput('big', 'text', current_owner().tag)")[::-1]
    assert inputs[0]["note"] == "too large to be listed again"


def test_state_now_is_told_for_files_tables_and_views(notebook: Notebook) -> None:
    code = """
numbers.count(), spark.table('parted').count(), spark.table('kept').count()
found, _ = flows.taken([current_owner().tag])
[[one.name, state(one) == state_of(flows.fingerprint(one))] for one in found]
"""
    shown = ast.literal_eval(notebook.value(code))
    assert len(shown) == 3
    assert all(is_equal for _, is_equal in shown)
    (notebook.folder / "numbers" / "part-new.parquet").write_bytes(b"")
    changed = notebook.value(
        "[state(one) == state_of(flows.fingerprint(one))"
        " for one in found if one.kind is DataKind.FILE]"
    )
    assert changed == "[False]"
    (notebook.folder / "numbers" / "part-new.parquet").unlink()
    gone = "flows.fingerprint(Dataset(DataKind.TABLE, 'spark_catalog.default.nothing'))"
    assert notebook.value(f"{gone} is None") == "True"


def test_nothing_is_left_when_it_is_stopped(notebook: Notebook) -> None:
    queues = "'spark-kernel-data' in str(sc._jsc.sc().listenerBus().activeQueues())"
    assert notebook.value(queues) == "True"
    assert notebook.value(f"flows.stop()\n{queues}") == "False"
    assert notebook.value("spark.read.parquet('numbers').count()") == "20"
    assert notebook.value("flows = follow_data(sc)\nnumbers.rdd.count()") == "20"
