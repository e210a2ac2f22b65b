"""Shows a streaming DataFrame: how fast it goes, and its latest rows."""

from __future__ import annotations

from spark_kernel.display.render import render
from spark_kernel.protocol.mimebundle import MimeBundle, bundle
from spark_kernel.protocol.stream import StreamView

__all__ = ["stream_view"]


def stream_view(view: StreamView) -> MimeBundle:
    """Show the latest rows of a stream."""
    head, stop = _head(view), ""
    if view.is_active:
        stop = f"`%spark cancel {view.query_id}` stops it"
    names = [name for name, _ in view.columns]
    lines = [head, "\t".join(names), *("\t".join(row) for row in view.rows)]
    text = "\n".join(line for line in [*lines, stop] if line)
    return bundle(text, render("stream.html.j2", view=view, head=head, stop=stop))


def _head(view: StreamView) -> str:
    facts = ["Stream" if view.is_active else "Stream ended"]
    if view.error:
        facts = [f"Stream failed: {view.error}"]
    if view.batch_id is None:
        return " · ".join([*facts, "no batch yet" if view.is_active else "no batch"])
    facts.append(f"batch {view.batch_id:,}")
    rates = ((view.input_rows_per_s, "in"), (view.processed_rows_per_s, "processed"))
    facts += [f"{rate:,.0f} rows/s {what}" for rate, what in rates if rate is not None]
    facts.append("last rows of the result" if view.is_whole else "latest rows")
    if view.omitted_columns:
        facts.append(f"{view.omitted_columns} more columns")
    return " · ".join(facts)
