"""Runs one kernel from launch to end and measures what a person would feel."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
from jupyter_client.manager import KernelManager

from benchmarks.cases import Case

__all__ = ["measure"]

_TIMEOUT_S = 180.0
_JOB = "spark.range(1000).selectExpr('sum(id)').collect()"
_TRIVIAL_ROUNDS = 200
_JOB_ROUNDS = 30
_WARM_UP_ROUNDS = 15
_IDLE_S = 10.0
_SCHEMA = """
import time
from pyspark.sql import functions as F
wide = spark.range(1).select(*[F.lit(i).alias(f"column_{i}") for i in range(200)])
def took():
    start = time.perf_counter()
    frame = wide.select("*")
    assert len(frame.schema) == 200
    return time.perf_counter() - start
sorted(took() for _ in range(40))[20]
"""


def measure(case: Case) -> dict[str, float]:
    """Give the seconds (and the share of a core) of one kernel's life, by figure."""
    manager = KernelManager(kernel_name=case.kernel)
    figures: dict[str, float] = {}
    with Path(os.devnull).open("w") as nowhere:
        launched = time.perf_counter()
        manager.start_kernel(env={**os.environ, **case.environ}, stderr=nowhere)
        client = manager.client()
        client.start_channels()
        try:
            client.wait_for_ready(timeout=_TIMEOUT_S)
            figures["kernel_info"] = time.perf_counter() - launched
            _execute(client, "1+1")
            figures["one_plus_one"] = time.perf_counter() - launched
            _execute(client, case.prelude + _JOB)
            figures["first_job"] = time.perf_counter() - launched
            if case.is_full:
                figures |= _cells(client)
                figures["idle_share"] = _idle_share(_process_id(manager))
        finally:
            client.stop_channels()
            ended = time.perf_counter()
            manager.shutdown_kernel()
            figures["shutdown"] = time.perf_counter() - ended
    return figures


def _cells(client: Any) -> dict[str, float]:
    _repeat(client, _JOB, _WARM_UP_ROUNDS)
    return {
        "trivial_cell": statistics.median(_repeat(client, "1+1", _TRIVIAL_ROUNDS)),
        "short_job": statistics.median(_repeat(client, _JOB, _JOB_ROUNDS)),
        "wide_schema": float(_execute(client, _SCHEMA)),
    }


def _repeat(client: Any, code: str, rounds: int) -> list[float]:
    return [_timed(lambda: _execute(client, code)) for _ in range(rounds)]


def _timed(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def _execute(client: Any, code: str) -> str:
    """Run a cell; gives its value as text."""
    values = [""]

    def take(message: dict[str, Any]) -> None:
        if message["msg_type"] == "execute_result":
            values.append(message["content"]["data"]["text/plain"])

    reply = client.execute_interactive(code, timeout=_TIMEOUT_S, output_hook=take)
    if reply["content"]["status"] != "ok":
        raise RuntimeError(f"{code!r} failed: {reply['content'].get('evalue')}")
    return values[-1]


def _process_id(manager: KernelManager) -> int:
    provisioner: Any = manager.provisioner
    return int(provisioner.process.pid)


def _idle_share(pid: int) -> float:
    """Give the share of a core that the kernel process itself uses while nothing happens."""
    process = psutil.Process(pid)
    before = process.cpu_times()
    time.sleep(_IDLE_S)
    after = process.cpu_times()
    return (after.user + after.system - before.user - before.system) / _IDLE_S
