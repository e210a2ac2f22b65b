"""Compiles our Java into the driver, with Janino, the compiler of Spark's own generated code.

So the Java is written as Janino takes it: no lambdas, no generics.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

__all__ = ["load_classes"]

_LOADED = "_spark_kernel_classes"
_PACKAGE = "org.sparkkernel"


def load_classes(context: Any, *names: str) -> Any:
    """Compile classes of ours into the driver of a context, once for each driver.

    Parameters
    ----------
    names
        Each is that of a file here too, and may use those before it.

    Returns
    -------
    The last of them, as a ``java.lang.Class``.
    """
    gateway, jvm = context._gateway, context._jvm
    # Once for each driver: py4j keeps methods by the name of their class, not by its loader.
    loaded = vars(gateway).setdefault(_LOADED, {})  # getattr would name a method in Java
    loader = context._jsc.sc().getClass().getClassLoader()
    for name in names:
        if name not in loaded:
            compiler = jvm.org.codehaus.janino.SimpleCompiler()
            compiler.setParentClassLoader(loader)
            compiler.cook(f"{name}.java", _source(name))
            loaded[name] = compiler.getClassLoader().loadClass(f"{_PACKAGE}.{name}")
        loader = loaded[name].getClassLoader()
    return loaded[names[-1]]


@cache
def _source(name: str) -> str:
    return files(__package__).joinpath(f"{name}.java").read_text("utf-8")
