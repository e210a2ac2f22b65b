"""Shows the session: its startup stages in a waiting cell, its card, and the kernel's banner."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import unquote, urlsplit

from spark_kernel.display.render import render
from spark_kernel.protocol.events import (
    CONNECT,
    STAGE_TITLES,
    Link,
    SessionState,
    SessionStatus,
    StageName,
    StageRecord,
)
from spark_kernel.protocol.mimebundle import MimeBundle, bundle

__all__ = [
    "banner_text",
    "is_web",
    "link_rows",
    "session_card",
    "session_facts",
    "shown_link",
    "status_text",
    "waiting_view",
]

_DONE, _RUNNING, _FAILED = "done", "running", "failed"
_MARKS = {_DONE: "✓", _RUNNING: "…", _FAILED: "✗"}


def waiting_view(status: SessionStatus, waited_s: float, is_over: bool) -> MimeBundle:
    """Show a waiting cell how far Spark is; one line once the wait is over.

    Parameters
    ----------
    waited_s
        Seconds that this cell has waited.
    """
    if is_over:
        line = _outcome(status, waited_s)
        return bundle(line, render("waited.html.j2", line=line, stages=_rows(status)))
    rows = _rows(status)
    text = "\n".join(f"{_MARKS[mark]} {title}{time}" for mark, title, time in rows)
    return bundle(
        f"Waiting for Spark ({waited_s:.0f} s)\n{text}",
        render("waiting.html.j2", rows=rows, waited_s=waited_s),
    )


def session_card(status: SessionStatus) -> MimeBundle:
    """Show the session as ``%spark status`` and a session as last value do."""
    rows = session_facts(status)
    width = max(12, *(len(name) + 1 for name, _ in rows))
    text = "\n".join(f"{name:<{width}}{value}" for name, value in rows)
    links = link_rows(status)
    text += "".join(f"\n{title:<12}{place}" for title, place, _ in links)
    return bundle(text, render("session.html.j2", rows=rows, links=links))


def status_text(status: SessionStatus) -> str:
    """Say in one line how things stand."""
    return f"{status.cluster.name}: {status.state.value} ({status.message})"


def banner_text(status: SessionStatus, kernel_version: str) -> str:
    """Make the banner: which cluster, which versions, where to look, or why not."""
    versions = status.versions
    known = [
        f"{title} {versions[name]}"
        for name, title in (("spark", "Spark"), ("java", "Java"), ("python", "Python"))
        if name in versions
    ]
    lines = [f"PySpark (cluster) {kernel_version}" + (f": {', '.join(known)}" if known else "")]
    master = status.cluster.master
    where = f" ({master})" if master != status.cluster.name else ""
    if status.state is SessionState.READY and status.application:
        application = status.application
        lines.append(f"Attached to {status.cluster.name}{where} as {application.id}")
    elif status.error is not None:
        lines.append(f"Spark on {status.cluster.name}{where}: {status.state.value}")
        lines.append(f"{status.error.name}: {status.error.message}")
        if status.error.hint:
            lines.append(f"Hint: {status.error.hint}")
    else:
        lines.append(f"Spark on {status.cluster.name}{where}: {status.message}")
    lines += [f"{link.text}: {shown_link(link)}" for link in status.links]
    is_connect = status.cluster.deploy_mode == CONNECT
    names = "`spark` is" if is_connect else "`spark` and `sc` are"
    lines.append(f"{names} there; `%spark?` tells more")
    return "\n".join(lines)


def _outcome(status: SessionStatus, waited_s: float) -> str:
    if status.state is SessionState.READY:
        return f"{_MARKS[_DONE]} {status.message} (waited {waited_s:.1f} s)"
    if status.state.is_pending:
        return f"{_MARKS[_RUNNING]} No longer waiting for Spark, which goes on starting"
    return f"{_MARKS[_FAILED]} {status.message}"


def _rows(status: SessionStatus) -> list[tuple[str, str, str]]:
    """Give each stage as (mark, what is said, how long it took)."""
    rows = []
    for position, record in enumerate(status.stages):
        is_last = position == len(status.stages) - 1
        title = (
            status.message if is_last and status.state.is_pending else STAGE_TITLES[record.stage]
        )
        if is_last and record.stage is StageName.RUNTIME_STARTED:
            title = STAGE_TITLES[record.stage]
        rows.append((_mark(status, record, is_last), title, _duration(record)))
    return rows


def _mark(status: SessionStatus, record: StageRecord, is_last: bool) -> str:
    if is_last and status.error is not None:
        return _FAILED
    return _RUNNING if record.duration_s is None else _DONE


def _duration(record: StageRecord) -> str:
    return "" if not record.duration_s else f" ({record.duration_s:.1f} s)"


def link_rows(status: SessionStatus) -> list[tuple[str, str, bool]]:
    """Give each link as (title, what a person reads, whether a browser may follow it)."""
    return [(link.text, shown_link(link), is_web(link.url)) for link in status.links]


def session_facts(
    status: SessionStatus, versions: Mapping[str, str] | None = None
) -> list[tuple[str, str]]:
    """Give what is known of a session as rows of a table.

    Parameters
    ----------
    versions
        What else is known of them.
    """
    cluster = status.cluster
    is_told = status.state is SessionState.READY
    rows = [("State", status.message if is_told else f"{status.state.value}: {status.message}")]
    if status.error is not None and status.error.hint:
        rows.append(("Hint", status.error.hint))
    rows.append(("Cluster", cluster.name))
    if cluster.master != cluster.name:
        rows.append(("Master", cluster.master))
    if status.application is not None:
        rows.append(("Application", f"{status.application.name} ({status.application.id})"))
    known = {**status.versions, **(versions or {})}
    named = [f"{name.capitalize()} {value}" for name, value in known.items()]
    if named:
        rows.append(("Versions", ", ".join(named)))
    return rows


def is_web(url: str) -> bool:
    """Whether a browser may follow it; a path on the kernel's machine is shown as text."""
    return url.startswith(("http://", "https://"))


def shown_link(link: Link) -> str:
    """Give what a person reads: a file's path in place of its URL."""
    parts = urlsplit(link.url)
    return unquote(parts.path) if parts.scheme == "file" else link.url
