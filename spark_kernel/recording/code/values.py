"""What kind of value an expression has, as far as its form tells."""

from __future__ import annotations

import ast
from collections.abc import Callable

from spark_kernel.recording.code.cell import BindingKind

__all__ = ["chain_of", "kind_of"]

_CONSTANT_MAKERS = {"bool", "bytes", "chr", "float", "hash", "int", "len", "ord", "repr", "str"}
_READS = {
    *("createDataFrame", "csv", "emptyRDD", "jdbc", "json", "load", "orc", "parallelize"),
    *("parquet", "range", "sql", "table", "text", "textFile", "wholeTextFiles", "xml"),
}
_READER_PARTS = {"format", "option", "options", "read", "readStream", "schema", "sparkContext"}
_FRAME_METHODS = {
    *("agg", "alias", "cache", "checkpoint", "coalesce", "colRegex", "crossJoin", "crosstab"),
    *("cube", "describe", "distinct", "drop", "dropDuplicates", "drop_duplicates", "dropna"),
    *("exceptAll", "fillna", "filter", "flatMap", "groupBy", "groupby", "groupByKey", "hint"),
    *("intersect", "intersectAll", "join", "limit", "localCheckpoint", "map", "mapInArrow"),
    *("mapInPandas", "mapPartitions", "mapValues", "melt", "na", "offset", "orderBy", "persist"),
    *("pivot", "rdd", "reduceByKey", "repartition", "repartitionByRange", "replace", "rollup"),
    *("sample", "sampleBy", "select", "selectExpr", "sort", "sortBy", "sortByKey", "stat"),
    *("subtract", "sum", "avg", "min", "max", "mean", "summary", "toDF", "transform"),
    *("union", "unionAll", "unionByName", "unpersist", "unpivot", "where", "withColumn"),
    *("withColumnRenamed", "withColumns", "withColumnsRenamed", "withWatermark", "zipWithIndex"),
}
_CONSTANT_METHODS = {"count", "isEmpty"}


def chain_of(node: ast.expr) -> tuple[str, ...]:
    """Give a name with all attributes behind it, through calls and subscripts.

    The first is empty where there is no name at the beginning, as in ``"a".join``.
    """
    parts: list[str] = []
    while True:
        if isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        elif isinstance(node, ast.Call):
            node = node.func
        elif isinstance(node, ast.Subscript | ast.Await | ast.Starred):
            node = node.value
        else:
            break
    root = node.id if isinstance(node, ast.Name) else ""
    return (root, *reversed(parts))


def kind_of(node: ast.expr, of_name: Callable[[str], BindingKind | None]) -> BindingKind:
    """Tell what an expression gives.

    Parameters
    ----------
    of_name
        Gives the kind of a variable; None of a builtin.
    """
    match node:
        case ast.Constant() | ast.JoinedStr():
            return BindingKind.CONSTANT
        case ast.Name(id=name):
            return of_name(name) or BindingKind.OTHER
        case ast.Tuple(elts=parts):
            return _all_constant(parts, of_name)
        case ast.UnaryOp(operand=part):
            return _all_constant([part], of_name)
        case ast.BinOp(left=left, right=right):
            return _all_constant([left, right], of_name)
        case ast.Compare(left=left, comparators=others):
            return _all_constant([left, *others], of_name)
        case ast.BoolOp(values=parts):
            return _all_constant(parts, of_name)
        case ast.IfExp(body=body, orelse=orelse):
            kinds = {kind_of(body, of_name), kind_of(orelse, of_name)}
            return kinds.pop() if len(kinds) == 1 else BindingKind.OTHER
        case ast.Call(func=ast.Name(id=name)) if name in _CONSTANT_MAKERS and not of_name(name):
            return BindingKind.CONSTANT
        case ast.Call() | ast.Attribute() | ast.Subscript():
            return _kind_of_chain(node, of_name)
    return BindingKind.OTHER


def _all_constant(
    parts: list[ast.expr], of_name: Callable[[str], BindingKind | None]
) -> BindingKind:
    kinds = [kind_of(part, of_name) for part in parts]
    if all(kind is BindingKind.CONSTANT for kind in kinds):
        return BindingKind.CONSTANT
    return BindingKind.OTHER


def _kind_of_chain(node: ast.expr, of_name: Callable[[str], BindingKind | None]) -> BindingKind:
    root, *parts = chain_of(node)
    if parts[:1] == ["builder"] and parts[-1] in ("getOrCreate", "create"):
        return BindingKind.FRAME
    if not parts or not isinstance(node, ast.Call) or of_name(root) is not BindingKind.FRAME:
        return BindingKind.OTHER
    last = parts[-1]
    allowed = _FRAME_METHODS | _READER_PARTS | _READS
    if not set(parts[:-1]) <= allowed:
        return BindingKind.OTHER
    if last in _CONSTANT_METHODS:
        grouped = {"groupBy", "groupby", "rollup", "cube", "pivot"} & set(parts)
        return BindingKind.FRAME if grouped else BindingKind.CONSTANT
    is_frame = last in _FRAME_METHODS or last in _READS
    return BindingKind.FRAME if is_frame else BindingKind.OTHER
