"""Talks to ``CellJobs.java``, our half in the driver, which is compiled there when Spark starts.

Everything that watches or cancels jobs is one call each, also where it takes Spark many.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from spark_kernel.protocol.events import Link
from spark_kernel.spark.ownership import OWNER_PREFIX
from spark_kernel.spark.profiles import rewritten

__all__ = ["CellJobs", "load_cell_jobs", "ui_link", "ui_url"]

_CLASS = "org.sparkkernel.CellJobs"
_LOADED = "_spark_kernel_cell_jobs"


class CellJobs:
    """The jobs of one Spark context, by the cells that own them.

    Attributes
    ----------
    java
        The object in the driver; its methods are documented there.
    ui_url
        Base of the links to jobs and stages; empty where there is no UI.
    is_local
        Whether the driver runs the tasks itself.
    """

    def __init__(
        self, java: Any, ui_url: str, is_local: bool, log_url: Callable[[str], str] = str
    ) -> None:
        self.java = java
        self._log_url = log_url
        self.ui_url = ui_url
        self.is_local = is_local

    def settle(self, timeout_ms: int) -> None:
        """Wait until Spark's listeners have heard of everything that has happened so far."""
        self.java.settle(timeout_ms)

    def sample(
        self, first_new: int, running: Sequence[int], job_limit: int, stage_limit: int
    ) -> dict[str, Any]:
        """Give what has happened to the jobs of cells; see ``CellJobs.sample`` in Java."""
        ids = ",".join(map(str, running))
        return dict(json.loads(self.java.sample(first_new, ids, job_limit, stage_limit)))

    def running(self, limit: int) -> dict[str, Any]:
        """Give all jobs that run, and the streaming queries that cells have started."""
        return dict(json.loads(self.java.running(limit)))

    def resources(self, executor_limit: int) -> dict[str, Any]:
        """Give what the application has; see ``CellJobs.resources`` in Java."""
        found = dict(json.loads(self.java.resources(executor_limit)))
        for executor in found["executors"]:
            logs = executor["logs"]
            executor["logs"] = {name: self._log_url(url) for name, url in logs.items()}
        return found

    def task(self, stage: int, attempt: int, kind: str) -> dict[str, Any] | None:
        """Give the task of a stage that tells most: "running", "longest" or "failed"."""
        found: dict[str, Any] | None = json.loads(self.java.task(stage, attempt, kind))
        return found

    def failure(self, tags: Sequence[str]) -> dict[str, Any] | None:
        """Give the task that ended the latest failed job of some owners, and why; or None."""
        found: dict[str, Any] | None = json.loads(self.java.failure(",".join(tags)))
        return found

    def record(self, tags: Sequence[str], limit: int) -> dict[str, Any]:
        """Give what the jobs of some owners did; see ``CellJobs.record`` in Java."""
        return dict(json.loads(self.java.record(",".join(tags), limit)))

    def settings(self) -> dict[str, str]:
        """Give the settings of the context and of the session, in one call."""
        return dict(json.loads(self.java.settings()))

    def cancel(self, tag: str, reason: str) -> bool:
        """Cancel all jobs of an owner; whether there were any."""
        return bool(self.java.cancel(tag, reason))

    def cancel_job(self, job: int, reason: str) -> bool:
        """Cancel one job; whether it ran."""
        return bool(self.java.cancelJob(job, reason))

    def cancel_stage(self, stage: int, reason: str) -> bool:
        """Cancel one stage, and with it the jobs that need it; whether it ran."""
        return bool(self.java.cancelStage(stage, reason))

    def cancel_all(self, reason: str) -> str:
        """Cancel every job of the application; gives their ids, by commas."""
        return str(self.java.cancelAll(reason))

    def stop_query(self, query: str) -> str:
        """Stop a streaming query, by id or name; gives its id, or nothing."""
        return str(self.java.stopQuery(query) or "")

    def abandon(self, properties: Any, tag: str) -> None:
        """Let a call that was given up start nothing more."""
        self.java.abandon(properties, tag)


def load_cell_jobs(context: Any, ui_url: str, log_url: Callable[[str], str] = str) -> CellJobs:
    """Compile our half into the driver of a context, and start it; 0.1 to 0.3 s.

    Parameters
    ----------
    ui_url
        Where a browser finds Spark's UI, or empty.
    log_url
        Gives the address of an executor's log as a browser finds it.
    """
    gateway, jvm = context._gateway, context._jvm
    scala_context = context._jsc.sc()
    # Once for each driver: py4j keeps methods by the name of their class, not by its loader.
    loaded = vars(gateway).get(_LOADED)  # getattr would name a method in Java
    if loaded is None:
        compiler = jvm.org.codehaus.janino.SimpleCompiler()
        compiler.setParentClassLoader(scala_context.getClass().getClassLoader())
        compiler.cook(_source())
        loaded = compiler.getClassLoader().loadClass(_CLASS)
        setattr(gateway, _LOADED, loaded)
    arguments = gateway.new_array(jvm.java.lang.Object, 2)
    arguments[0] = scala_context
    arguments[1] = OWNER_PREFIX
    java = loaded.getConstructors()[0].newInstance(arguments)
    return CellJobs(java, ui_url.rstrip("/"), bool(scala_context.isLocal()), log_url)


@cache
def _source() -> str:
    return files(__package__).joinpath("CellJobs.java").read_text("utf-8")


def ui_link(context: Any, templates: Mapping[str, str]) -> Link | None:
    """Give the link to Spark's UI, or None where there is none.

    Parameters
    ----------
    templates
        What links become, by their ``rel``.
    """
    url = ui_url(context)
    if not url:
        return None
    link = Link("spark-ui", "Spark UI", url)
    return rewritten(link, templates, str(context.applicationId))


def ui_url(context: Any) -> str:
    """Give the address at which a browser finds Spark's UI, through a proxy where there is one."""
    url = context.uiWebUrl
    if not url:
        return ""
    conf = dict(context.getConf().getAll())
    application = str(context.applicationId)
    for key, value in conf.items():
        if key.endswith(".AmIpFilter.param.PROXY_URI_BASES"):  # YARN's proxy
            return str(value).split(",")[0].rstrip("/")
    if conf.get("spark.ui.reverseProxy") == "true" and conf.get("spark.ui.reverseProxyUrl"):
        return f"{conf['spark.ui.reverseProxyUrl'].rstrip('/')}/proxy/{application}"
    return str(url)
