"""What a person can do about an error of Spark's: a table, and a few answers that look closer."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

__all__ = ["Clues", "find_hint"]

_OF_WORKER = "PYTHON_EXCEPTION"
_NAMES = re.compile(r"`((?:[^`]|``)+)`")
_PROPOSED = re.compile(r"Did you mean one of the following\? \[([^\]]*)\]")
_PACKAGES = {
    "delta": "io.delta:delta-spark_2.13:VERSION",
    "iceberg": "org.apache.iceberg:iceberg-spark-runtime-4.0_2.13:VERSION",
    "avro": "org.apache.spark:spark-avro_2.13:VERSION",
    "kafka": "org.apache.spark:spark-sql-kafka-0-10_2.13:VERSION",
}


@dataclass(frozen=True)
class Clues:
    """What a hint is found by.

    Parameters
    ----------
    condition
        Spark's name of the error, or empty.
    text
        What Spark and the worker say, with the classes of Java's exceptions, without frames.
    known_names
        Names of columns or tables that would have been right.
    """

    condition: str
    text: str
    known_names: Sequence[str] = ()


@dataclass(frozen=True)
class _Hint:
    condition: str
    pattern: re.Pattern[str] | None
    answer: str | Callable[[Clues], str]


def _of(condition: str, answer: str | Callable[[Clues], str]) -> _Hint:
    return _Hint(condition, None, answer)


def _said(pattern: str, answer: str | Callable[[Clues], str]) -> _Hint:
    return _Hint("", re.compile(pattern), answer)


def find_hint(clues: Clues) -> str:
    """Give what to do about an error; empty where nothing is known."""
    for hint in _HINTS:
        if _fits(hint, clues):
            answer = hint.answer if isinstance(hint.answer, str) else hint.answer(clues)
            if answer:
                return answer
    return ""


def _fits(hint: _Hint, clues: Clues) -> bool:
    if hint.condition and not f"{clues.condition}.".startswith(f"{hint.condition}."):
        return False
    if clues.condition == _OF_WORKER and not hint.condition:
        return False  # what the user's own function says is not about Spark
    return hint.pattern is None or hint.pattern.search(clues.text) is not None


def _nearest(clues: Clues, what: str) -> str:
    missing = _NAMES.search(clues.text)
    if missing is None:
        return ""
    wanted = missing[1].rpartition("`.`")[2]
    proposed = _PROPOSED.search(clues.text)
    # Spark quotes each part of a name: `t`.`id`.
    names = [name.replace("`", "") for name in proposed[1].split(", ")] if proposed else []
    names += [name for name in clues.known_names if name not in names]
    lower = {name.rpartition(".")[2].lower(): name for name in reversed(names)}
    near = difflib.get_close_matches(wanted.lower(), list(lower), n=1, cutoff=0.5)
    if near:
        return f"did you mean `{lower[near[0]]}`?"
    return "" if proposed else what


def _column(clues: Clues) -> str:
    return _nearest(clues, "`df.printSchema()` shows which columns there are")


def _attribute(clues: Clues) -> str:
    return (
        _nearest(clues, "`df.columns` gives the names of the columns") if clues.known_names else ""
    )


def _table(clues: Clues) -> str:
    return _nearest(clues, "`spark.catalog.listTables()` lists what there is")


def _source(clues: Clues) -> str:
    named = re.search(r"data source: ([\w.]+)", clues.text)
    package = _PACKAGES.get(named[1].strip(".").rpartition(".")[2].lower()) if named else None
    if package is None:
        return "`%spark add GROUP:ARTIFACT:VERSION` adds the package of a data source"
    return f"its package is missing: `%spark add {package}`"


def _worker(clues: Clues) -> str:
    kind = re.search(r"^([\w.]+)(?=[:\n]|$)", clues.text)
    match kind[1].rpartition(".")[2] if kind else "":
        case "ModuleNotFoundError" | "ImportError":
            return (
                "a module that the workers lack: `%spark add` takes a .py file, a folder, a zip "
                "or `--pip NAME==VERSION`"
            )
        case "MemoryError":
            return (
                "the Python worker ran out of memory: take smaller batches "
                "(spark.sql.execution.arrow.maxRecordsPerBatch) or more partitions, or raise "
                "spark.executor.memoryOverhead (spark.executor.pyspark.memory where it is set)"
            )
        case "NameError":
            return "is the name misspelt, or defined only after the function was sent?"
        case "PySparkRuntimeError" | "PySparkTypeError" if "[RESULT_" in clues.text:
            return "what the function returns must fit the schema that was given with it"
        case kind_name if kind_name.startswith("PySpark"):
            return ""
        case "TypeError" if "NoneType" in clues.text:
            return "null comes as None: test for it in the function, or filter before"
    return "some row made the function fail: handle it there, or filter such rows before"


def _tolerant(clues: Clues) -> str:
    named = re.search(r"Use `(\w+)`", clues.text)
    return f"`{named[1]}` gives null for what cannot be read" if named else ""


_HEAP = (
    "the driver's heap is full: collect less (limit, aggregate, write instead), "
    "or raise spark.driver.memory and `%spark restart`"
)
_EXECUTOR_MEMORY = (
    "an executor ran out of memory: use more partitions (repartition, "
    "spark.sql.shuffle.partitions), or raise spark.executor.memory or its memoryOverhead"
)
_ALIAS = 'give the frames an alias before the join (`a = df.alias("a")`) and use `col("a.name")`'

_PATH = (
    "check the path and its scheme (file:/, hdfs:/, s3a:/): a relative one is resolved by Spark's "
    "default file system, not by the notebook's folder"
)

_HINTS = (
    _of("UNRESOLVED_COLUMN", _column),
    _of("FIELD_NOT_FOUND", _column),
    _of("COLUMN_NOT_FOUND", _column),
    _of("ATTRIBUTE_NOT_SUPPORTED", _attribute),
    _of("TABLE_OR_VIEW_NOT_FOUND", _table),
    _of("VIEW_NOT_FOUND", _table),
    _of("SCHEMA_NOT_FOUND", "`spark.catalog.listDatabases()` lists the schemas"),
    _of("UNRESOLVED_ROUTINE", "`SHOW FUNCTIONS` lists them; a Python function needs "
        "`spark.udf.register` first"),
    _of("AMBIGUOUS_COLUMN_REFERENCE", _ALIAS),
    _of("AMBIGUOUS_REFERENCE", "say which one: join with on=\"name\", or give the frames an alias "
        "(`a = df.alias(\"a\")`) and use `col(\"a.name\")`"),
    _of("AMBIGUOUS_COLUMN_OR_FIELD", _ALIAS),
    _said(r"[Cc]olumn .{0,300}(?:is|are) ambiguous", _ALIAS),
    _of("DATATYPE_MISMATCH", "make the types agree with `.cast(\"type\")`; `df.printSchema()` "
        "shows them"),
    _of("CAST_INVALID_INPUT", "`.try_cast(\"type\")` gives null for what cannot be cast"),
    _of("CAST_OVERFLOW", "`.try_cast(\"type\")` gives null for what does not fit"),
    _of("DIVIDE_BY_ZERO", "`try_divide(a, b)` gives null, or filter the zeros before"),
    _of("CANNOT_PARSE_TIMESTAMP", _tolerant),
    _of(
        "UNRESOLVED_COLUMN_AMONG_FIELD_NAMES",
        "`unionByName(other, allowMissingColumns=True)` fills what one side lacks",
    ),
    _of("NUMERIC_VALUE_OUT_OF_RANGE", "use a larger type, or `try_cast`"),
    _of("ARITHMETIC_OVERFLOW", "cast to a larger type first, or use `try_add`, `try_multiply`"),
    _of("PARSE_SYNTAX_ERROR", "look at the word that is marked, and at the one before it"),
    _of("MISSING_AGGREGATION", "group by the column too, or aggregate it (`first`, `max`, "
        "`any_value`)"),
    _of("PATH_NOT_FOUND", _PATH),
    _said(r"Input path does not exist", _PATH),
    _said(r"FileAlreadyExistsException", "an RDD replaces nothing: remove it first, or choose "
          "another place"),
    _of("PATH_ALREADY_EXISTS", "`.mode(\"overwrite\")` replaces it, `.mode(\"append\")` "
        "adds to it"),
    _of("TABLE_OR_VIEW_ALREADY_EXISTS", "`.mode(\"overwrite\")` or `createOrReplaceTempView` "
        "replaces it"),
    _of("LOCATION_ALREADY_EXISTS", "remove the folder, or choose another name for the table"),
    _of("DATA_SOURCE_NOT_FOUND", _source),
    _of("UNABLE_TO_INFER_SCHEMA", "the folder may hold no data: check the path, or give "
        "`.schema(...)`"),
    _of("CANNOT_MODIFY_CONFIG", "it counts from the start of a session on: `%%spark_conf "
        "--restart` sets it"),
    _of("CANNOT_MODIFY_STATIC_CONFIG", "it counts from the start of a session on: `%%spark_conf "
        "--restart` sets it"),
    _of("INVALID_HANDLE", "the server has ended this session: `%spark restart` begins another"),
    _of("NO_ACTIVE_SESSION", "the session has ended: `%spark restart` begins another"),
    _of("OPERATION_CANCELED", "somebody cancelled it; run the cell again if that was a mistake"),
    _of("SPARK_JOB_CANCELLED", "somebody cancelled it; run the cell again if that was a mistake"),
    _said(r"CONTEXT_ONLY_VALID_ON_DRIVER|SPARK-5063|RDD_TRANSFORM_ONLY_VALID_ON_DRIVER",
          "the function uses `spark`, `sc`, a DataFrame or an RDD: workers have none. Collect "
          "what it needs first, or join"),
    _said(r"Could not serialize object|PicklingError|cannot pickle|CANNOT_PICKLE|"
          r"STREAMING_CONNECT_SERIALIZATION_ERROR",
          "the function holds something that cannot be sent (a lock, connection or file): make "
          "it inside the function, or once a partition with mapInPandas or mapPartitions"),
    _said(r"bigger than (?:spark\.driver\.)?maxResultSize|spark\.driver\.maxResultSize",
          "collect less (limit, aggregate, write instead), or raise spark.driver.maxResultSize "
          "in `%%spark_conf --restart`"),
    _said(r"Could not execute broadcast in|BROADCAST.{0,100}TIMEOUT|spark\.sql\.broadcastTimeout",
          "raise spark.sql.broadcastTimeout, or do without the broadcast "
          "(spark.sql.autoBroadcastJoinThreshold = -1)"),
    _said(r"Not enough memory to build and broadcast|Cannot broadcast the table",
          "the table is too large to broadcast: set spark.sql.autoBroadcastJoinThreshold to -1, "
          "or raise spark.driver.memory"),
    _said(r"(?:with|exit) (?:code|status) (?:137|143|52)\b|[Cc]ontainer killed|"
          r"Container.{0,300}memory limits|OOMKilled|UNABLE_TO_ACQUIRE_MEMORY|"
          r"SPILL_OUT_OF_MEMORY|AGGREGATE_OUT_OF_MEMORY",
          _EXECUTOR_MEMORY),
    _said(r"(?s)Lost task .{0,500}OutOfMemoryError", _EXECUTOR_MEMORY),
    _said(r"OutOfMemoryError", _HEAP),
    _said(r"Python worker exited unexpectedly|Python worker failed to connect back|EOFException",
          "the Python worker ended by itself: often for want of memory, or a crash of a native "
          "library; spark.python.worker.faulthandler.enabled=true tells where"),
    _said(r"FetchFailed|MetadataFetchFailed",
          "shuffle data was lost with its executor: look at that executor's log; more memory, or "
          "dynamic allocation with an external shuffle service, keeps it"),
    _said(r"ExecutorLostFailure|[Ll]ost executor|Remote RPC client disassociated|"
          r"executor .{0,300} exited|Executor heartbeat timed out",
          "an executor was lost: its log tells why; often it is memory "
          "(spark.executor.memoryOverhead)"),
    _said(r"AccessControlException|Permission denied|INSUFFICIENT_PERMISSIONS|AccessDenied|"
          r"Mkdirs failed to create|403 Forbidden",
          "Spark may not read or write there: check the owner of the path, and who the "
          "application runs as (`%spark info`)"),
    _said(r"No FileSystem for scheme|UNSUPPORTED_FILE_SYSTEM",
          "the connector of that file system is missing: `%spark add` its package, such as "
          "org.apache.hadoop:hadoop-aws:VERSION"),
    _said(r"Connection refused|StatusCode\.UNAVAILABLE|failed to connect to all addresses|"
          r"Answer from Java side is empty",
          "Spark does not answer: `%spark status` tells how it is, `%spark restart` starts it "
          "anew"),
    _of(_OF_WORKER, _worker),
)  # fmt: skip
