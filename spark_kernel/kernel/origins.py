"""Says which layer of the configuration has set each of Spark's settings, and which beat a cluster.

The order is: configuration files, the named cluster, the environment, the command line. Files say
what holds for every kernel, a cluster what holds on it, and the last two what holds for one kernel.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from traitlets.config import Config

from spark_kernel.kernel.config import ENVIRONMENT_PREFIX, SECTION, merge_conf

__all__ = ["ENVIRONMENT", "conf_origins"]

ENVIRONMENT = "the environment"
_OWN_NAMES = {"master": "spark.master", "app_name": "spark.app.name"}
"""Settings of the kernel's that are Spark's under another name."""


def conf_origins(layers: Iterable[tuple[str, Config]]) -> dict[str, str]:
    """Give the origin of each of Spark's settings.

    Parameters
    ----------
    layers
        What each is called, and what it sets; the last one counts.
    """
    origins: dict[str, str] = {}
    for place, layer in layers:
        section: Mapping[str, Any] = layer.get(SECTION, {})
        origins.update(dict.fromkeys(merge_conf([layer]), _told(place, "conf")))
        origins.update(
            {key: _told(place, name) for name, key in _OWN_NAMES.items() if section.get(name)}
        )
    return origins


def _told(place: str, name: str) -> str:
    return f"{ENVIRONMENT_PREFIX}{name.upper()}" if place == ENVIRONMENT else place
