"""A named cluster as a value: what a session on it is told beyond the user's own settings."""

from __future__ import annotations

import os
import string
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from spark_kernel.protocol.events import Link
from spark_kernel.spark.settings import SessionSettings

__all__ = ["PLACEHOLDERS", "ClusterProfile", "EnvironmentChanges", "placeholders_of", "rewritten"]

PLACEHOLDERS = ("url", "host", "port", "path", "application_id")
"""What a template of a link may name."""


@dataclass(frozen=True)
class ClusterProfile:
    """A cluster that a notebook can be attached to by its name.

    Parameters
    ----------
    conf
        Spark's settings, with secrets in place.
    environment
        Variables of the driver, with secrets in place.
    links
        Templates of links by their ``rel``.
    secrets
        Keys of ``conf`` and names of variables whose values are secret.
    """

    name: str
    master: str = ""
    description: str = ""
    java_home: str = ""
    conf: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    libraries: tuple[str, ...] = ()
    secrets: frozenset[str] = frozenset()

    def applied_to(self, settings: SessionSettings, kept: Collection[str] = ()) -> SessionSettings:
        """Give settings for this cluster: what it says beats what was set for any.

        Parameters
        ----------
        kept
            Keys of Spark's settings that beat it nevertheless; never its master.
        """
        # One of these alone may say the master, and both beat what was set for any cluster.
        master = self.master or self.conf.get("spark.master", "")
        conf = {key: value for key, value in self.conf.items() if key not in kept}
        if master:
            conf["spark.master"] = master
        merged = settings.with_conf(conf, f"cluster {self.name}")
        return replace(
            merged,
            master=master or settings.master,
            cluster_name=self.name,
            java_home=self.java_home or settings.java_home,
            environment=dict(self.environment),
            libraries=(*settings.libraries, *self.libraries),
            secrets=self.secrets,
            link_templates=dict(self.links),
        )


class EnvironmentChanges:
    """Sets variables of this process for one cluster, and takes them back for the next."""

    def __init__(self) -> None:
        self._before: dict[str, str | None] = {}

    def apply(self, wanted: Mapping[str, str]) -> None:
        """Set these variables, and give those of an earlier call their former values."""
        for name, value in self._before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        self._before = {name: os.environ.get(name) for name in wanted}
        os.environ.update(wanted)


def placeholders_of(template: str) -> set[str]:
    """Give the names in braces of a template; raises ValueError if it is none."""
    return {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}


def rewritten(link: Link, templates: Mapping[str, str], application_id: str) -> Link:
    """Give a link as a browser behind a proxy has to follow it.

    Parameters
    ----------
    templates
        Templates by ``rel``; a link without one stays.
    """
    template = templates.get(link.rel)
    if template is None:
        return link
    parts = urlsplit(link.url)
    url = template.format(
        url=link.url,
        host=parts.hostname or "",
        port=parts.port or "",
        # With the query: it says whose log a standalone worker shows.
        path=f"{parts.path}?{parts.query}" if parts.query else parts.path,
        application_id=application_id,
    )
    return replace(link, url=url)
