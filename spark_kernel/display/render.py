"""The only Jinja environment: every piece of HTML is a template, and everything is escaped."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment

__all__ = ["aligned", "render"]


@cache
def _environment() -> Environment:
    # Imported when the first piece is drawn: many notebooks never draw one.
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("spark_kernel.display"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def render(template: str, **values: object) -> str:
    """Render a template of ``display/templates``."""
    return _environment().get_template(template).render(**values)


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Set rows of text as columns."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(value.ljust(width) for value, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )
