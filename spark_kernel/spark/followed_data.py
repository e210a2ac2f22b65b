"""Follows, in provenance mode alone, which data the session of the moment reads and writes."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from spark_kernel.protocol.provenance import Dataset, Fingerprint
from spark_kernel.spark.calls import CallTracker

if TYPE_CHECKING:
    from spark_kernel.spark.backend import Jobs
    from spark_kernel.spark.connect.data_flow import ConnectDataFlows
    from spark_kernel.spark.data_flow import DataFlows, Found
    from spark_kernel.spark.session import KernelSession

__all__ = ["FollowedData"]

_log = logging.getLogger(__name__)


class FollowedData:
    """What cells read and write through Spark, from one session to the next.

    Parameters
    ----------
    session
        Whose data it is.
    calls
        Knows the jobs of the present session, and with that whether it is another.
    """

    def __init__(self, session: KernelSession, calls: CallTracker) -> None:
        self._session = session
        self._calls = calls
        self._jobs: Jobs | None = None
        self._flows: DataFlows | ConnectDataFlows | None = None

    def follow(self) -> None:
        """Follow the present session, if there is one and nobody does yet."""
        jobs = self._calls.cell_jobs
        if jobs is None or jobs is self._jobs:
            return
        self._jobs, self._flows = jobs, None
        try:
            existing = self._session.driver.existing()
            if self._session.driver.is_remote:
                from spark_kernel.spark.connect import data_flow as remote

                self._flows = remote.follow_data(existing["spark"].client)
            else:
                from spark_kernel.spark import data_flow

                self._flows = data_flow.follow_data(existing["sc"])
        except Exception:
            _log.warning("which data is read and written is not known", exc_info=True)

    def stop(self) -> None:
        """Follow nothing any more."""
        flows, self._flows, self._jobs = self._present(), None, None
        if flows is not None:
            flows.stop()

    def taken(self, tags: Sequence[str]) -> Found:
        """Give what some owners have read and written, and forget it; None if nobody followed."""
        flows = self._present()
        return (None, None) if flows is None else flows.taken(tags)

    def fingerprint(self, dataset: Dataset) -> Fingerprint | None:
        """Look at some data as it is now; None where that cannot be told."""
        self.follow()
        flows = self._present()
        return None if flows is None else flows.fingerprint(dataset)

    def _present(self) -> DataFlows | ConnectDataFlows | None:
        return self._flows if self._jobs is self._calls.cell_jobs else None
