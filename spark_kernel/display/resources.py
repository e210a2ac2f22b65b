"""Shows what the cluster has and what is in use: ``%spark info``."""

from __future__ import annotations

from spark_kernel.display.jobs import joined, more_text, plural, size_text
from spark_kernel.display.render import render
from spark_kernel.display.session import is_web, link_rows, session_facts
from spark_kernel.protocol.events import SessionStatus
from spark_kernel.protocol.mimebundle import MimeBundle, bundle
from spark_kernel.protocol.resources import ExecutorResources, SparkResources

__all__ = ["resource_card"]

_LISTED = 20
_OLD_S = 5.0
_HEADS = ("Executor", "Host", "Cores in use", "Failed tasks", "Storage memory", "Disk", "Logs")
_UNKNOWN = "-"


def resource_card(
    status: SessionStatus, found: SparkResources | None, age_s: float | None
) -> MimeBundle:
    """Show cluster, versions, use, links and executors.

    Parameters
    ----------
    found
        What the application has; None where there is none.
    age_s
        Seconds since that was so, which is told where it is long ago; None tells nothing.
    """
    facts = session_facts(status, found.versions if found else {})
    links = link_rows(status)
    shown = list(found.executors[:_LISTED]) if found else []
    more: list[str] = []
    if found is not None:
        facts += _use(found)
        if found.user:
            facts.append(("User", joined((found.user, f"since {found.started or _UNKNOWN}"))))
        hidden = len(found.executors) - len(shown) + found.omitted_executors
        more += more_text(hidden, "executor")
        if age_s is not None and age_s > _OLD_S:
            more.append(f"As of {age_s:.0f} s ago: the driver has not answered since.")
    lines = [f"{name:<20}{value}" for name, value in facts]
    lines += [f"{title:<20}{place}" for title, place, _ in links]
    lines += [_line(executor) for executor in shown]
    rows = [(_cells(executor), _logs(executor)) for executor in shown]
    html = render(
        "resources.html.j2", rows=facts, links=links, heads=_HEADS, executors=rows, more=more
    )
    return bundle("\n".join([*lines, *more]), html)


def _use(found: SparkResources) -> list[tuple[str, str]]:
    """Say how much of everything is in use."""
    metrics = found.metrics
    rows = []
    executors = metrics.get("executors", (None, None))[0]
    cores, all_cores = metrics.get("cores", (None, None))
    if executors is not None and all_cores is not None:
        total = f"{plural(int(executors), 'executor')} with {plural(int(all_cores), 'core')}"
        rows.append(("Has", joined((total, f"{int(cores or 0):,} in use"))))
    jobs, tasks = metrics.get("active_jobs", (None, None))[0], metrics.get("active_tasks", (0, 0))
    if jobs is not None:
        running = f"{plural(int(jobs), 'job')}, {plural(int(tasks[0] or 0), 'task')}"
        rows.append(("Runs", running))
    for title, name in (("Storage memory", "storage_memory"), ("Driver heap", "heap")):
        used, most = metrics.get(name, (None, None))
        if used is not None and most is not None:
            rows.append((title, f"{size_text(int(used))} of {size_text(int(most))}"))
    return rows


def _cells(executor: ExecutorResources) -> tuple[str, ...]:
    used, most = size_text(executor.memory_used_bytes), size_text(executor.memory_max_bytes)
    return (
        executor.id if executor.is_active else f"{executor.id} (gone)",
        executor.host,
        f"{executor.active_tasks:,} of {executor.cores:,}",
        f"{executor.failed_tasks:,}",
        f"{used} of {most}",
        size_text(executor.disk_used_bytes),
    )


def _logs(executor: ExecutorResources) -> list[tuple[str, str]]:
    return [(name, url) for name, url in executor.logs.items() if url and is_web(url)]


def _line(executor: ExecutorResources) -> str:
    name, host, cores, failed, memory, disk = _cells(executor)
    facts = joined((host, f"{cores} cores", f"{failed} failed tasks", memory, f"{disk} on disk"))
    logs = "".join(f"\n{'':<22}{title}: {url}" for title, url in _logs(executor))
    return f"{'Executor ' + name:<20}{facts}{logs}"
