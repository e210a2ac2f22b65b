"""Gives a new session on a server its settings, and knows whose matter it is if one is refused."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from spark_kernel.errors import ConfigurationError
from spark_kernel.redaction import holds_secret
from spark_kernel.spark.connect.failures import details_of, status_of

__all__ = ["DEFAULTS", "apply_settings"]

DEFAULTS = {
    # The server's own is too long to see a short job at all.
    "spark.connect.progress.reportInterval": "350ms",
    # As with a driver of our own: what the server was doing is of no use to most.
    "spark.sql.connect.serverStacktrace.enabled": "false",
}
"""Settings of each session, unless they are configured."""

_SAID_BEFORE = ("spark.remote", "spark.master", "spark.app.name")
_NOT_FOR_SESSIONS = re.compile(r"CANNOT_MODIFY|Cannot modify the value")


def apply_settings(conf: Any, wanted: Mapping[str, str]) -> list[str]:
    """Set what is configured.

    Parameters
    ----------
    conf
        PySpark's settings of the session.

    Returns
    -------
    The keys that only whoever starts the server can set.

    Raises
    ------
    ConfigurationError
        If the server does not take a value.
    """
    from pyspark.errors import PySparkException

    refused = []
    for key, value in {**DEFAULTS, **wanted}.items():
        if key in _SAID_BEFORE:
            continue
        try:
            conf.set(key, value)
        except PySparkException as error:
            if status_of(error) == "UNAVAILABLE":
                raise
            if key not in wanted:
                continue  # a default of ours, which an older server does not know
            if not _NOT_FOR_SESSIONS.search(str(error)):
                # Spark repeats the value, which may be a secret.
                said = "" if holds_secret(key, value) else f" {details_of(error)}."
                raise ConfigurationError(
                    f"The Spark Connect server does not take the value of {key}.{said}",
                    "correct the value where the kernel or the cluster is configured",
                ) from error
            refused.append(key)
    return refused
