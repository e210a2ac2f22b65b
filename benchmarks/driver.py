"""Looks into a running driver from this process, so that the kernel under test does not notice."""

from __future__ import annotations

import logging
import re
import time
from typing import Any

from py4j.java_gateway import GatewayParameters, JavaGateway

__all__ = ["WHERE", "Driver"]

_TIMEOUT_S = 20.0
_COLLECTIONS = 3
_CLEANING_S = 0.3
"""Spark lets go of broadcasts and shuffles only after a collection, in a thread of its own."""

WHERE = (
    "'%d %s' % (spark._sc._gateway.gateway_parameters.port, "
    "spark._sc._gateway.gateway_parameters.auth_token)"
)
"""What a kernel evaluates to tell where its driver is; see ``Driver.at``."""


# What is collected here after its driver has ended cannot be released there.
logging.getLogger("py4j").setLevel(logging.CRITICAL)


class Driver:
    """A connection of our own to the gateway of a kernel's driver.

    A look costs the driver a few calls of some 0.1 ms each, and the kernel process nothing.
    """

    def __init__(self, port: int, token: str) -> None:
        parameters = GatewayParameters(port=port, auth_token=token, read_timeout=_TIMEOUT_S)
        self._gateway = JavaGateway(gateway_parameters=parameters)
        self._jvm: Any = self._gateway.jvm
        self._context: Any = self._jvm.org.apache.spark.SparkContext.getOrCreate()
        self._tracker: Any = self._context.statusTracker()
        self._scheduler: Any = self._context.taskScheduler()

    @classmethod
    def at(cls, where: str) -> Driver:
        """Connect to what ``WHERE`` has given, as IPython shows it."""
        port, token = where.strip("'\"").split()
        return cls(int(port), token)

    def close(self) -> None:
        """Let go of the connection; the driver goes on."""
        self._gateway.close()

    @property
    def running_tasks(self) -> int:
        """How many tasks the scheduler knows to be on executors."""
        # The status tracker counts them by executor too, but is up to a heartbeat behind.
        by_executor = str(self._scheduler.runningTasksByExecutors().mkString(","))
        return sum(map(int, re.findall(r"-> (\d+)", by_executor)))

    @property
    def is_busy(self) -> bool:
        """Whether a task runs, or the status store has an active job."""
        return self.running_tasks > 0 or len(self._tracker.getActiveJobIds()) > 0

    def cancel_all(self) -> None:
        """Cancel every job."""
        self._context.cancelAllJobs()

    def last_job_ended(self) -> float:
        """Give when the latest job ended, in seconds since 1970, by the status store."""
        self._context.listenerBus().waitUntilEmpty(10_000)
        job = self._context.statusStore().jobsList(None).head()
        return float(job.completionTime().get().getTime()) / 1000

    def used_heap(self) -> int:
        """Give the bytes of the heap that a collection of the garbage has left in use."""
        for _ in range(_COLLECTIONS):
            self._jvm.java.lang.System.gc()
            time.sleep(_CLEANING_S)
        factory = self._jvm.java.lang.management.ManagementFactory
        pools = factory.getMemoryPoolMXBeans()
        # By number: py4j ends an iteration with an error, which PySpark's own handler refuses.
        after = [pools.get(number).getCollectionUsage() for number in range(pools.size())]
        return sum(int(usage.getUsed()) for usage in after if usage is not None)
