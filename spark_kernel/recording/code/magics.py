"""What IPython's magics and ours do to names, as far as it is known."""

from __future__ import annotations

import re
from enum import Enum

__all__ = ["MagicKind", "cell_magic_kind", "line_magic_kind", "sql_magic"]


class MagicKind(Enum):
    """What a magic does."""

    HARMLESS = "harmless"
    """Nothing to any name; it only shows or sets how things are shown."""
    PYTHON = "python"
    """It runs the rest of its line, or its cell, as Python."""
    SQL = "sql"
    SESSION = "session"
    """It may change settings of Spark, or end its session."""
    OUTSIDE = "outside"
    """It shows something of which no record tells."""
    OPAQUE = "opaque"


_HARMLESS = {
    *("config", "matplotlib", "gui", "pinfo", "pinfo2", "psource", "pdoc", "pfile", "pdef"),
    *("lsmagic", "magic", "quickref", "colors", "xmode", "precision", "autosave", "notebook"),
    *("tb", "debug", "pdb", "page", "pprint", "autocall", "automagic", "autoindent"),
    *("unload_ext", "doctest_mode", "history", "hist", "logstart", "logstop", "logon", "logoff"),
}
_PYTHON = {"time", "timeit", "prun", "capture", "memit", "mprun", "lprun"}
_OUTSIDE = {
    *("pip", "conda", "mamba", "micromamba", "uv", "sx", "system", "sc", "ls", "ll", "lf", "lk"),
    *("ldir", "lx", "cat", "man", "more", "less", "pwd", "cd", "pushd", "popd", "dirs", "dhist"),
    *("env", "set_env", "who", "who_ls", "whos", "mkdir", "rmdir", "cp", "mv", "rm"),
}
_OUTSIDE_CELLS = {
    *("bash", "sh", "script", "system", "sx", "!", "cmd", "perl", "ruby", "python", "python2"),
    *("python3", "pypy"),
}
_SHOWN_CELLS = {"html", "HTML", "javascript", "js", "latex", "markdown", "svg", "SVG"}
_WRITTEN_CELLS = {"writefile", "file"}
_LOOKING = {
    *("", "status", "info", "jobs", "cancel", "progress", "rows", "conf", "libraries", "logs"),
    *("error", "provenance", "stale", "history"),
}
"""Commands of ``%spark`` that change nothing which a result depends on."""

_OPTION = re.compile(r"""\s*(--[A-Za-z][\w-]*)(?:(?:=|\s+)("[^"]*"|'[^']*'|(?!--)\S+))?""")


def line_magic_kind(name: str, line: str) -> MagicKind:
    """Tell what ``%name line`` does."""
    if name == "spark":
        command = line.split(maxsplit=1)[0] if line.split() else ""
        return MagicKind.HARMLESS if command in _LOOKING else MagicKind.SESSION
    if name == "sql":
        return MagicKind.SQL
    for names, kind in (
        (_HARMLESS, MagicKind.HARMLESS),
        (_PYTHON, MagicKind.PYTHON),
        (_OUTSIDE, MagicKind.OUTSIDE),
    ):
        if name in names:
            return kind
    return MagicKind.OPAQUE


def cell_magic_kind(name: str) -> MagicKind:
    """Tell what a cell that begins with ``%%name`` does."""
    if name == "sql":
        return MagicKind.SQL
    if name == "spark_conf":
        return MagicKind.SESSION
    if name in _PYTHON:
        return MagicKind.PYTHON
    if name in _SHOWN_CELLS | _WRITTEN_CELLS:
        return MagicKind.HARMLESS
    return MagicKind.OUTSIDE if name in _OUTSIDE_CELLS else MagicKind.OPAQUE


def sql_magic(line: str, cell: str | None) -> tuple[str, str]:
    """Give the SQL of ``%sql`` or ``%%sql``, and the name of ``--as``; empty without one."""
    name, position = "", 0
    while (option := _OPTION.match(line, position)) is not None:
        position = option.end()
        if option[1] == "--as" and option[2]:
            name = option[2].strip("\"'")
    return (line[position:] if cell is None else cell), name
