"""Shows the libraries of the session: ``%spark libraries``."""

from __future__ import annotations

from collections.abc import Sequence

from spark_kernel.display.render import aligned, render
from spark_kernel.protocol.mimebundle import MimeBundle, bundle

__all__ = ["libraries_table"]

_HEADS = ("Library", "Version", "Kind", "Size", "SHA-256", "From")


def libraries_table(rows: Sequence[Sequence[str]]) -> MimeBundle:
    """Show libraries as (name, version, kind, size, digest, origin)."""
    if not rows:
        return bundle("No library was added; `%spark add` adds one.")
    text = aligned([_HEADS, *rows])
    return bundle(text, render("libraries.html.j2", heads=_HEADS, rows=rows))
