"""The links to what a cluster shows of an application, as this browser can follow them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from spark_kernel.protocol.events import Link
from spark_kernel.spark.profiles import rewritten

__all__ = ["cluster_links", "executor_log_url", "history_link"]

_TITLES = {
    "spark-ui": "Spark UI",
    "cluster-manager": "Cluster manager",
    "application-master": "Application master",
    "history-server": "History server",
    "driver-log": "Driver log",
}


def cluster_links(
    found: Iterable[Link], templates: Mapping[str, str], application_id: str
) -> tuple[Link, ...]:
    """Give the links that were found, rewritten, and those that only a template tells.

    Parameters
    ----------
    templates
        What links become, by their ``rel``; one that needs no other link may stand alone.
    """
    links = {link.rel: rewritten(link, templates, application_id) for link in found}
    for rel, title in _TITLES.items():
        if rel in templates and rel not in links:
            made = rewritten(Link(rel, title, ""), templates, application_id)
            links[rel] = made
    order = list(_TITLES)
    return tuple(sorted(links.values(), key=lambda link: order.index(link.rel)))


def executor_log_url(url: str, templates: Mapping[str, str], application_id: str) -> str:
    """Give the address of an executor's log, as this browser can follow it."""
    return rewritten(Link("executor-log", "", url), templates, application_id).url


def history_link(settings: Mapping[str, str], application_id: str) -> Link | None:
    """Give the link to the history server where Spark is told of one, which is on YARN alone."""
    address = settings.get("spark.yarn.historyServer.address", "").strip().rstrip("/")
    if not address:
        return None
    url = address if "://" in address else f"http://{address}"
    return Link("history-server", _TITLES["history-server"], f"{url}/history/{application_id}")
