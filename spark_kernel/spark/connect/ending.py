"""Gives a session on a server back; runs in the thread of whoever ends it, for a bounded time."""

from __future__ import annotations

import logging
import sys
import threading
from contextlib import suppress
from datetime import datetime
from typing import Any

from spark_kernel.spark.connect.failures import details_of
from spark_kernel.spark.connect.hooks import end_client
from spark_kernel.spark.ownership import disown

__all__ = ["give_back"]

_log = logging.getLogger(__name__)


def give_back(client: Any, timeout_s: float) -> None:
    """Let the server forget a session, unless it takes too long, and close the channel."""
    released = threading.Thread(target=_release, args=(client, timeout_s), daemon=True)
    disown(released).start()
    released.join(timeout_s)
    end_client(client, f"{datetime.now():%H:%M}")
    with suppress(Exception):
        client._channel.close()
    client._closed = True


def _release(client: Any, timeout_s: float) -> None:
    """Let the server forget a session; unlike PySpark's own, this does not try for minutes."""
    module = sys.modules["pyspark.sql.connect.proto"]
    request = module.ReleaseSessionRequest()
    request.session_id = client._session_id
    request.client_type = client._builder.userAgent
    if client._user_id:
        request.user_context.user_id = client._user_id
    try:
        client._stub.ReleaseSession(
            request, metadata=client._builder.metadata(), timeout=max(timeout_s, 0.1)
        )
    except Exception as error:
        _log.info("the session was not given back: %s", details_of(error))
