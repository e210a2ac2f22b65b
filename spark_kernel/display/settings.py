"""Shows the settings in force: ``%spark conf``."""

from __future__ import annotations

from collections.abc import Sequence

from spark_kernel.display.jobs import one_line
from spark_kernel.display.render import aligned, render
from spark_kernel.protocol.mimebundle import MimeBundle, bundle

__all__ = ["settings_table"]

_HEADS = ("Setting", "Value", "From")
_TEXT_WIDTH = 60
_HTML_WIDTH = 400


def settings_table(settings: Sequence[tuple[str, str, str]]) -> MimeBundle:
    """Show settings as (key, value, where it comes from); a long value is cut."""
    if not settings:
        return bundle("No setting has such a name.")
    rows = [(key, one_line(value, _TEXT_WIDTH), origin) for key, value, origin in settings]
    text = aligned([_HEADS, *rows])
    cut = [(key, one_line(value, _HTML_WIDTH), origin) for key, value, origin in settings]
    return bundle(text, render("settings.html.j2", heads=_HEADS, rows=cut))
