"""What ``%spark add`` and ``%spark libraries`` do."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import Any

import click
from IPython.core.error import UsageError
from IPython.display import display

from spark_kernel.display.jobs import size_text
from spark_kernel.display.libraries import libraries_table
from spark_kernel.redaction import without_password
from spark_kernel.spark.libraries import Libraries, Library, LibraryKind
from spark_kernel.spark.library_files import PIP
from spark_kernel.spark.session import KernelSession

__all__ = ["add", "show"]

_DIGEST_LENGTH = 12
_LATER = "Extensions, catalogs and plugins that it brings need a new session: `%spark restart`"


@click.command(add_help_option=False)
@click.argument("what", nargs=-1, required=True)
@click.option("--pip", is_flag=True)
@click.option("--restart", is_flag=True)
@click.option("--repository", multiple=True)
@click.option("--exclude", multiple=True)
def _arguments(**values: Any) -> dict[str, Any]:
    """Parse the rest of a line."""
    return values


def add(
    session: KernelSession, require: Callable[[], Any], words: str, restart: Callable[[], None]
) -> None:
    """Add libraries to the running session, each shown with its size as it goes.

    Parameters
    ----------
    require
        Gives the session, waiting for it.
    words
        What stands behind the command.
    restart
        Makes the session that ``--restart`` asks for.
    """
    try:
        given = _arguments.main(shlex.split(words), "%spark add", standalone_mode=False)
    except (click.ClickException, ValueError) as error:
        said = error.format_message() if isinstance(error, click.ClickException) else str(error)
        raise UsageError(f"%spark add: {said}") from None
    require()
    libraries = session.libraries
    for what in given["what"]:
        named = f"{PIP}{what}" if given["pip"] else what
        shown = without_password(what)
        handle = display({"text/plain": f"Fetching {shown} …"}, raw=True, display_id=True)

        def tell(done: int, size: int | None, shown: str = shown, handle: Any = handle) -> None:
            told = f"{size_text(done)} of {size_text(size)}" if size else size_text(done)
            handle.update({"text/plain": f"Fetching {shown}: {told} …"}, raw=True)

        new = libraries.prepare(named, tell, given["repository"], given["exclude"])
        names = ", ".join(map(_told, new))
        if new:
            handle.update({"text/plain": f"Uploading {names} …"}, raw=True)
            libraries.give(session.driver, new)
        told = f"✓ Added {names}" if new else f"{shown} is there already"
        if not (given["restart"] or session.driver.is_remote) and any(map(_is_java, new)):
            told += f"\n{_LATER}"
        handle.update({"text/plain": told}, raw=True)
    if given["restart"]:
        print("Starting a session that has it from its start on")
        restart()


def show(libraries: Libraries, words: list[str]) -> None:
    """List the libraries, or leave one out of the sessions to come."""
    if words and words[0] == "forget" and len(words) == 2:
        if not libraries.forget(words[1]):
            raise UsageError(f"no library is called {words[1]!r}; `%spark libraries` lists them")
        print(f"From the next session on without {words[1]}: `%spark restart` makes it.")
        return
    if words:
        raise UsageError("%spark libraries takes nothing, or `forget NAME`")
    rows = [
        (
            library.name,
            library.version,
            library.kind.value,
            size_text(library.size_bytes) if library.sha256 else "",
            library.sha256[:_DIGEST_LENGTH],
            library.origin,
        )
        for library in libraries.listed
    ]
    display(libraries_table(rows), raw=True)


def _is_java(library: Library) -> bool:
    return library.kind in (LibraryKind.JAR, LibraryKind.MAVEN)


def _told(library: Library) -> str:
    name = f"{library.name} {library.version}".strip()
    return f"{name} ({size_text(library.size_bytes)})" if library.sha256 else name
