"""The address of a Spark Connect server: which is meant, how it is shown, whether it listens."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from spark_kernel.errors import ClusterUnreachableError, ConfigurationError, InstallationError
from spark_kernel.spark.importing import import_pyspark
from spark_kernel.spark.settings import SessionSettings

__all__ = [
    "MODE",
    "MODULES",
    "channel_builder",
    "check_listening",
    "check_url",
    "enable_classic",
    "endpoint",
    "remote_url",
    "shown",
]

SCHEME = "sc://"
MODE = "SPARK_CONNECT_MODE_ENABLED"
"""The variable by which PySpark knows that its functions make plans for a server."""

MODULES = (
    "pyspark.sql.session",
    "pyspark.sql.connect.client",
    "pyspark.sql.connect.session",
    "pyspark.sql.connect.functions",
)
"""What a session on a server needs of PySpark."""

_DEFAULT_PORT = 15002
_REACH_TIMEOUT_S = 3.0
_FORM = "it has the form sc://HOST:PORT/;use_ssl=true;token=...;user_id=..."


def remote_url(settings: SessionSettings, environ: Mapping[str, str]) -> str:
    """Give the URL of the server that a session is to be made on; empty for a driver of our own.

    A master that is configured counts, then ``spark.remote``, then SPARK_REMOTE.
    """
    master = settings.master or settings.conf.get("spark.master", "")
    found = master or settings.conf.get("spark.remote", "") or environ.get("SPARK_REMOTE", "")
    return found if found.startswith(SCHEME) else ""


def shown(url: str) -> str:
    """Give a URL without its parameters, among which a token may be."""
    return f"{SCHEME}{endpoint(url)}"


def endpoint(url: str) -> str:
    """Give host and port; of a URL that cannot be read, what stands in their place."""
    try:
        host, port = _host_and_port(url)
    except ConfigurationError:
        place = url.removeprefix(SCHEME).split(";", 1)[0].split("/", 1)[0]
        return place.rpartition("@")[2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def check_url(url: str) -> None:
    """Check that a URL, if it is one of a Spark Connect server, names a host and a port.

    Raises
    ------
    ConfigurationError
        If it does not; its parameters are not repeated, for a token may be among them.
    """
    if url.startswith(SCHEME):
        _host_and_port(url)


def _host_and_port(url: str) -> tuple[str, int]:
    try:
        parts = urlsplit(url.split(";", 1)[0])
        if not parts.hostname:
            raise ValueError("no host")
        return parts.hostname, parts.port or _DEFAULT_PORT
    except ValueError as error:
        raise ConfigurationError("The Spark Connect URL cannot be read.", _FORM) from error


def channel_builder(url: str) -> Any:
    """Make PySpark's builder of a channel to the server.

    Raises
    ------
    InstallationError
        If the packages are missing that Spark Connect needs.
    ConfigurationError
        If the URL cannot be read; it is not repeated, for it may hold a token.
    """
    # What gRPC's core has to say goes to standard error, which is the cell's.
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
    try:
        import_pyspark(*MODULES)
        from pyspark.sql.connect.client import DefaultChannelBuilder
    except ImportError as error:
        raise InstallationError(
            f"Spark Connect needs packages that are missing: {_first_line(error)}",
            "run `pip install 'spark-kernel[connect]'`",
        ) from error
    from pyspark.errors import PySparkException

    try:
        builder = DefaultChannelBuilder(url)
        _ = builder.metadata(), builder.session_id
    except (PySparkException, ValueError) as error:
        raise ConfigurationError("The Spark Connect URL cannot be read.", _FORM) from error
    return builder


def check_listening(url: str) -> None:
    """Check that somebody listens: PySpark itself would try for ten minutes.

    Raises
    ------
    ClusterUnreachableError
        If no connection can be made.
    """
    try:
        socket.create_connection(_host_and_port(url), timeout=_REACH_TIMEOUT_S).close()
    except OSError as error:
        said = getattr(error, "strerror", None) or error
        raise ClusterUnreachableError(
            f"The Spark Connect server cannot be reached ({endpoint(url)}: {said}).",
            "check that the server runs and that its address is right, then `%spark restart`",
        ) from error


def enable_classic() -> None:
    """Let PySpark's functions make expressions for a driver of our own."""
    os.environ.pop(MODE, None)


def _first_line(error: BaseException) -> str:
    return str(error).strip().split("\n", 1)[0]
