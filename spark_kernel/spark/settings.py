"""What the user asked of the session; plain values, already checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path

__all__ = ["SessionSettings", "StartMode"]


class StartMode(str, Enum):
    """When the session starts."""

    EAGER = "eager"
    """As soon as the kernel process does."""
    LAZY = "lazy"
    """On first use."""
    OFF = "off"
    """When the notebook makes a session of its own, or on ``%spark restart``."""


@dataclass(frozen=True)
class SessionSettings:
    """Settings of one session.

    Parameters
    ----------
    master
        Spark's master URL; empty leaves it to Spark's own settings, and at last to ``local[*]``.
    app_name
        Name of the Spark application; empty leaves it to Spark's own settings.
    conf
        Spark settings by their own names.
    cluster_name
        What to call the cluster; empty stands for its master.
    java_home
        Home of the driver's Java; empty means that it is looked for.
    log_level
        Level of the driver log, as ``SparkContext.setLogLevel`` takes it; empty leaves it.
    driver_start_timeout_s
        Seconds that the driver JVM may take until it can be talked to.
    stop_timeout_s
        Seconds that the driver JVM may take to end by itself.
    log_max_bytes
        Size at which the driver log is rotated; one older part is kept.
    environment
        Variables that hold while this cluster does.
    origins
        Where settings of ``conf`` come from, by their keys; for what is not in it, from the
        kernel's configuration.
    replaced
        What the notebook has changed, by its keys: the value and the origin before, if any.
    libraries
        What every session is given: paths, addresses, Maven coordinates, ``pip:NAME==VERSION``.
    added
        What the notebook has added for the class path of a driver, by settings of Spark that are
        lists: it comes behind what those have.
    secrets
        Keys of ``conf`` whose values are never shown, whatever their names.
    link_templates
        What links become, by their ``rel``.
    """

    master: str = ""
    app_name: str = ""
    conf: Mapping[str, str] = field(default_factory=dict)
    cluster_name: str = ""
    java_home: str = ""
    log_level: str = ""
    start_mode: StartMode = StartMode.EAGER
    has_fast_start: bool = True
    is_restarted_on_loss: bool = True
    driver_start_timeout_s: float = 120.0
    stop_timeout_s: float = 2.0
    log_max_bytes: int = 64 * 1024 * 1024
    log_folder: Path = Path()
    cache_folder: Path = Path()
    environment: Mapping[str, str] = field(default_factory=dict)
    origins: Mapping[str, str] = field(default_factory=dict)
    replaced: Mapping[str, tuple[str | None, str]] = field(default_factory=dict)
    libraries: tuple[str, ...] = ()
    added: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    secrets: frozenset[str] = frozenset()
    link_templates: Mapping[str, str] = field(default_factory=dict)

    def with_conf(self, conf: Mapping[str, str], origin: str) -> SessionSettings:
        """Give settings with these of Spark's on top; a name of the application among them counts.

        Parameters
        ----------
        origin
            Where they come from.
        """
        return replace(
            self,
            app_name="" if "spark.app.name" in conf else self.app_name,
            conf={**self.conf, **conf},
            origins={**self.origins, **dict.fromkeys(conf, origin)},
        )
