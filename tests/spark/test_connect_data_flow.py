"""What plans that go to a Spark Connect server name as read and written."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pyspark.sql.connect.proto as proto
import pytest

from spark_kernel.protocol.provenance import DataKind
from spark_kernel.spark.connect.data_flow import ConnectDataFlows, follow_data, note_request


def table(name: str) -> proto.Relation:
    """Give the plan of a table or view."""
    return proto.Relation(read=proto.Read(named_table={"unparsed_identifier": name}))


def source(kind: str, *paths: str, **options: str) -> proto.Relation:
    """Give the plan of a data source."""
    data: Any = {"format": kind, "paths": paths, "options": options}
    return proto.Relation(read=proto.Read(data_source=data))


def view(name: str, relation: proto.Relation) -> proto.Plan:
    """Give the plan that makes a temporary view."""
    made = proto.CreateDataFrameViewCommand(input=relation, name=name)
    return proto.Plan(command=proto.Command(create_dataframe_view=made))


def taken(*plans: proto.Plan) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Give kind and name of what some plans read and write."""
    flows = ConnectDataFlows(SimpleNamespace())
    for plan in plans:
        flows.note(plan, "tag")
    read, written = flows.taken(["tag", "other"])
    assert read is not None and written is not None
    assert flows.taken(["tag"]) == ((), ())
    assert all(one.fingerprint is None for one in (*read, *written))
    return [(d.kind.value, d.name) for d in read], [(d.kind.value, d.name) for d in written]


def test_sources_are_named_wherever_they_stand_in_the_plan() -> None:
    joined = proto.Join(left=table("a.b"), right=source("csv", "/x/*.csv", header="true"))
    plan = proto.Plan(root=proto.Relation(join=joined))
    assert sorted(taken(plan)[0]) == [("file", "/x/*.csv"), ("table", "a.b")]


def test_jdbc_and_custom_sources_tell_no_option() -> None:
    jdbc = source("jdbc", url="jdbc:h2:mem:x;PASSWORD=hunter2", dbtable="t", password="hunter2")
    custom = source("mine", secret="hunter2")
    found = taken(proto.Plan(root=jdbc), proto.Plan(root=custom))
    assert found[0] == [("jdbc", "jdbc:h2:mem:x#t"), ("other", "mine")]


def test_statements_are_read_as_relations_and_as_commands() -> None:
    query = proto.Relation(sql=proto.SQL(query="SELECT * FROM s"))
    insert = proto.Relation(sql=proto.SQL(query="INSERT INTO t SELECT 1"))
    command = proto.Command(sql_command=proto.SqlCommand(input=insert))
    assert taken(proto.Plan(root=query), proto.Plan(command=command)) == (
        [("table", "s")],
        [("table", "t")],
    )


def test_view_is_known_with_what_it_stands_on() -> None:
    made = view("v", source("parquet", "/p"))
    read, written = taken(made, proto.Plan(root=table("v")))
    assert read == [("file", "/p"), ("other", "v")]
    assert written == [("other", "v")]


def test_writes_name_their_targets() -> None:
    files = proto.WriteOperation(input=table("s"), source="orc", path="/out")
    tables = proto.WriteOperation(
        input=table("s"), table={"table_name": "t", "save_method": "TABLE_SAVE_METHOD_INSERT_INTO"}
    )
    newer = proto.WriteOperationV2(input=table("s"), table_name="c.d.t2")
    plans = [
        proto.Plan(command=proto.Command(write_operation=files)),
        proto.Plan(command=proto.Command(write_operation=tables)),
        proto.Plan(command=proto.Command(write_operation_v2=newer)),
    ]
    read, written = taken(*plans)
    assert read == [("table", "s")]
    assert written == [("file", "/out"), ("table", "t"), ("table", "c.d.t2")]


def test_data_in_the_plan_is_no_source() -> None:
    local = proto.Relation(local_relation=proto.LocalRelation(data=b"x" * 100))
    numbers = proto.Relation(range=proto.Range(end=3, step=1))
    assert taken(proto.Plan(root=local), proto.Plan(root=numbers)) == ([], [])


@pytest.mark.parametrize(
    "relation",
    [
        proto.Relation(cached_remote_relation=proto.CachedRemoteRelation(relation_id="1")),
        proto.Relation(unknown=proto.Unknown()),
    ],
)
def test_what_hides_its_source_is_unknown(relation: proto.Relation) -> None:
    assert taken(proto.Plan(root=relation))[0] == [("other", "unknown source")]


def test_numbers_are_bounded() -> None:
    flows = ConnectDataFlows(SimpleNamespace())
    for number in range(60):
        flows.note(proto.Plan(root=table(f"t{number}")), "tag")
    for number in range(600):
        flows.note(proto.Plan(root=table("t")), f"tag{number}")
    read, _ = flows.taken(["tag599"])
    assert read is not None and len(read) == 1
    assert flows.taken(["tag0"]) == ((), ())
    for number in range(60):
        flows.note(proto.Plan(root=table(f"t{number}")), "many")
    read, _ = flows.taken(["many"])
    assert read is not None and len(read) == 51
    assert read[-1].kind is DataKind.OTHER and read[-1].note == "and 10 more"


def test_requests_are_looked_at_only_while_somebody_follows() -> None:
    client = SimpleNamespace()
    request = SimpleNamespace(plan=proto.Plan(root=table("t")))
    note_request(client, request, "tag")
    flows = follow_data(client)
    note_request(client, request, "tag")
    note_request(client, SimpleNamespace(plan=None), "tag")  # a failure stays here
    flows.stop()
    note_request(client, SimpleNamespace(plan=proto.Plan(root=table("u"))), "tag")
    read, _ = flows.taken(["tag"])
    assert read is not None and [one.name for one in read] == ["t"]
