"""Reads a plan that goes to a Spark Connect server: what it names as read and written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spark_kernel.protocol.provenance import DataKind, Dataset
from spark_kernel.spark.data_names import jdbc_name, shown_uri
from spark_kernel.spark.sql_data import ON_SERVER, SqlData, data_of_sql, unknown

__all__ = ["data_of_plan"]

_NODES = 5000
_SKIPPED = ("spark.connect.DataType", "spark.connect.RelationCommon", "spark.connect.LocalRelation")
_OPAQUE = {
    "spark.connect.CachedRemoteRelation": "a checkpoint",
    "spark.connect.Unknown": "a part of the plan is not known",
    "spark.connect.MlRelation": "a model",
    "spark.connect.MlCommand": "a model",
    "spark.connect.PipelineCommand": "a pipeline",
    "spark.connect.Plan.CompressedOperation": "a large plan",
    "spark.connect.ExecuteExternalCommand": "a command of another system",
    "spark.connect.RelationChanges": "the changes of a table",
    "google.protobuf.Any": "an extension",
}


def data_of_plan(plan: Any) -> SqlData:
    """Read a plan; a part that hides what it stands on is told as an unknown source."""
    reader = _Reader()
    reader.read(plan)
    return SqlData(tuple(dict.fromkeys(reader.inputs)), tuple(dict.fromkeys(reader.outputs)))


class _Reader:
    def __init__(self) -> None:
        self.inputs: list[Dataset] = []
        self.outputs: list[Dataset] = []

    def read(self, plan: Any) -> None:
        left = [plan]
        seen = 0
        while left:
            node = left.pop()
            seen += 1
            if seen > _NODES:
                self.inputs.append(unknown("source", "the plan is too large to be read to its end"))
                return
            kind = node.DESCRIPTOR.full_name
            if kind in _SKIPPED:
                continue
            if kind in _OPAQUE:
                self.inputs.append(unknown("source", _OPAQUE[kind]))
                continue
            visit = _VISITS.get(kind.rpartition(".")[2])
            if visit is not None:
                visit(self, node)
            left.extend(_parts(node))

    def visit_table(self, node: Any) -> None:
        name = node.unparsed_identifier
        place, _, path = name.partition(".`")
        if path and place.isidentifier():
            self.inputs.append(
                Dataset(DataKind.FILE, shown_uri(path.rstrip("`")), place.lower(), note=ON_SERVER)
            )
        else:
            self.inputs.append(_table(name))

    def visit_source(self, node: Any) -> None:
        self.inputs.extend(_source(node.format, list(node.paths), node.options))

    def visit_sql(self, node: Any) -> None:
        found = data_of_sql(node.query)
        self.inputs += found.inputs
        self.outputs += found.outputs

    def visit_sql_command(self, node: Any) -> None:
        if node.sql:
            found = data_of_sql(node.sql)
            self.inputs += found.inputs
            self.outputs += found.outputs

    def visit_view(self, node: Any) -> None:
        name = f"global_temp.{node.name}" if node.is_global else node.name
        self.outputs.append(Dataset(DataKind.OTHER, name, "view"))

    def visit_write(self, node: Any) -> None:
        if node.HasField("table"):
            self.outputs.append(_table(node.table.table_name, node.source))
        else:
            paths = [node.path] if node.path else []
            self.outputs += _source(node.source, paths, node.options)

    def visit_write_v2(self, node: Any) -> None:
        self.outputs.append(_table(node.table_name, node.provider))

    def visit_merge(self, node: Any) -> None:
        self.inputs.append(_table(node.target_table_name))
        self.outputs.append(_table(node.target_table_name))

    def visit_stream(self, node: Any) -> None:
        if node.table_name:
            self.outputs.append(_table(node.table_name))
        else:
            self.outputs += _source(node.format, [node.path] if node.path else [], node.options)

    def visit_new_table(self, node: Any) -> None:
        self.outputs.append(_table(node.table_name, node.source))

    def visit_dropped_view(self, node: Any) -> None:
        self.outputs.append(Dataset(DataKind.OTHER, node.view_name, "view", note="dropped"))


_VISITS = {
    "NamedTable": _Reader.visit_table,
    "DataSource": _Reader.visit_source,
    "SQL": _Reader.visit_sql,
    "SqlCommand": _Reader.visit_sql_command,
    "CreateDataFrameViewCommand": _Reader.visit_view,
    "WriteOperation": _Reader.visit_write,
    "WriteOperationV2": _Reader.visit_write_v2,
    "MergeIntoTableCommand": _Reader.visit_merge,
    "WriteStreamOperationStart": _Reader.visit_stream,
    "CreateTable": _Reader.visit_new_table,
    "CreateExternalTable": _Reader.visit_new_table,
    "DropTempView": _Reader.visit_dropped_view,
}
"""What to do with each kind of message; names are those of Spark's protocol."""


def _parts(node: Any) -> list[Any]:
    """Give the messages that a message holds."""
    found: list[Any] = []
    for field, value in node.ListFields():
        if field.message_type is None or field.message_type.GetOptions().map_entry:
            continue
        if isinstance(value, type(node)) or hasattr(value, "DESCRIPTOR"):
            found.append(value)
        else:
            found.extend(value)
    return found


def _table(name: str, source: str = "") -> Dataset:
    plain = name.replace("`", "")
    return Dataset(DataKind.TABLE, plain, source.lower(), note=ON_SERVER)


def _source(source: str, paths: list[str], options: Mapping[str, str]) -> list[Dataset]:
    """Name what a data source reads or writes; no option but those that name it is looked at."""
    given = {key.lower(): value for key, value in options.items()}
    kind = source.lower()
    if given.get("url", "").startswith("jdbc:"):
        name = jdbc_name(given["url"], given.get("dbtable", ""))
        return [Dataset(DataKind.JDBC, name, "jdbc", note=ON_SERVER)]
    places = paths or ([given["path"]] if "path" in given else [])
    if places:
        return [
            Dataset(DataKind.FILE, shown_uri(place), kind, note=ON_SERVER) for place in places[:50]
        ]
    return [Dataset(DataKind.OTHER, kind or "default source", kind, note=ON_SERVER)]
