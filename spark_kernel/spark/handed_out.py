"""What the driver hands out to executors, and how that is taken back where it went wrong.

Spark notes a file before it has copied it: where the copy fails, as on a full disk, every task from
then on tries to fetch it, and fails.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote

__all__ = ["all_or_nothing"]

_log = logging.getLogger(__name__)


@contextmanager
def all_or_nothing(context: Any) -> Iterator[None]:
    """Take back what was added meanwhile if that ends with an error, or is interrupted."""
    before, includes = _keys(context), list(context._python_includes)
    try:
        yield
    except BaseException:
        context._python_includes[:] = includes
        try:
            _withdraw(context, before)
        except Exception as error:  # the driver is gone, or of a Spark that keeps it elsewhere
            _log.info("nothing was taken back: %s", str(error).split("\n", 1)[0])
        raise


def _tables(context: Any) -> Iterator[Any]:
    """Yield the tables of addresses: of files, archives and jars, for each group of jobs."""
    scala_context = context._jsc.sc()
    for added in (
        scala_context.addedFiles(),
        scala_context.addedArchives(),
        scala_context.addedJars(),
    ):
        yield from _listed(added.valuesIterator())


def _keys(context: Any) -> set[str]:
    return {key for table in _tables(context) for key in _listed(table.keysIterator())}


def _withdraw(context: Any, before: set[str]) -> None:
    from pyspark import SparkFiles

    added = set()
    for table in _tables(context):
        for key in _listed(table.keysIterator()):
            if key not in before:
                table.remove(key)
                added.add(key)
    server = _file_server(context)
    for key in added:
        server.removeFile(_file_name(key))
        server.removeJar(_file_name(key))
    # Spark would refuse another file of the name of one that the driver has for itself.
    for name in {_local_name(key) for key in added} - {_local_name(key) for key in before}:
        _remove(Path(SparkFiles.getRootDirectory()) / name)


def _file_name(key: str) -> str:
    return unquote(key.split("#")[0].rsplit("/", 1)[-1])


def _local_name(key: str) -> str:
    """Give what a file is called where it arrives; an archive becomes a folder."""
    return key.partition("#")[2] or _file_name(key)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _file_server(context: Any) -> Any:
    """Give what serves files to executors: it would refuse another file of the same name.

    By a handle, for all methods of SparkEnv together cannot be loaded.
    """
    jvm, scala_context = context._jvm, context._jsc.sc()
    load = scala_context.getClass().getClassLoader().loadClass
    invoke = jvm.java.lang.invoke
    returned = invoke.MethodType.methodType(load("org.apache.spark.rpc.RpcEnv"))
    environment = load("org.apache.spark.SparkEnv")
    handle = invoke.MethodHandles.publicLookup().findVirtual(environment, "rpcEnv", returned)
    arguments = jvm.java.util.ArrayList()
    arguments.add(scala_context.env())
    return handle.invokeWithArguments(arguments).fileServer()


def _listed(iterator: Any) -> list[Any]:
    found = []
    while iterator.hasNext():
        found.append(iterator.next())
    return found
