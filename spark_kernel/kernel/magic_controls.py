"""What magics may do with the kernel; called by the cell that runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spark_kernel.kernel.clusters import ClusterTable, read_clusters
from spark_kernel.magics.frames import FrameDisplay
from spark_kernel.protocol.mimebundle import MimeBundle
from spark_kernel.protocol.progress import JobProgress, QueryProgress
from spark_kernel.protocol.provenance import CellRecord
from spark_kernel.spark.session import KernelSession
from spark_kernel.spark.settings_in_force import with_changes

if TYPE_CHECKING:
    from spark_kernel.kernel.kernel import SparkKernel

__all__ = ["MagicControls"]


class MagicControls:
    """The kernel, as far as ``%spark`` needs it."""

    def __init__(self, kernel: SparkKernel) -> None:
        self._kernel = kernel

    @property
    def spark_session(self) -> KernelSession:
        """The session of the kernel."""
        return self._kernel.spark_session

    @property
    def frames(self) -> FrameDisplay:
        """Shows DataFrames."""
        return self._kernel.frames

    def require_spark(self) -> Any:
        """Give the session, waiting for it."""
        return self._kernel.require_spark()

    def resource_card(self) -> MimeBundle:
        """Show what the cluster has."""
        return self._kernel.resource_desk.card()

    def cancel(self, scope: str, identifier: Any = None) -> list[Any]:
        """Cancel something; gives the ids of what was cancelled."""
        return self._kernel.cancel_desk.cancel(scope, identifier)

    def running_jobs(self) -> tuple[list[JobProgress], list[QueryProgress], dict[int, str]]:
        """Give the jobs and queries that run, and whose cells the jobs are."""
        return self._kernel.cancel_desk.running_jobs()

    @property
    def progress_settings(self) -> tuple[bool, float]:
        """Whether progress is shown, and every how many seconds."""
        return self._kernel.sampler.is_enabled, self._kernel.sampler.interval_s

    def set_progress(self, is_enabled: bool, interval_s: float) -> None:
        """Change how progress is shown, from the next job on."""
        sampler = self._kernel.sampler
        sampler.is_enabled, sampler.interval_s = is_enabled, interval_s

    @property
    def is_provenance_on(self) -> bool:
        """Whether provenance mode is on."""
        return self._kernel.recorder.is_full

    def set_provenance(self, is_on: bool) -> None:
        """Switch provenance mode, from this cell on."""
        self._kernel.recorder.is_full = is_on

    def records(self) -> list[tuple[str, CellRecord]]:
        """Give the latest record of each cell with its source, the oldest first."""
        return self._kernel.recorder.recent()

    @property
    def cluster_names(self) -> list[str]:
        """The names of the clusters that there are."""
        self._reread_clusters()
        return sorted(self._kernel.clusters)

    def _reread_clusters(self) -> None:
        """Take in what has been written into the files of clusters meanwhile."""
        kernel = self._kernel
        named = {n: c for n, c in kernel.clusters.items() if not isinstance(c, ClusterTable)}
        kernel.clusters = {**read_clusters(kernel.cluster_folders), **named}

    def attach(self, cluster: str) -> None:
        """Move to another cluster and wait for it; Python variables stay."""
        self._reread_clusters()
        settings = self._kernel.session_settings(cluster)
        session = self.spark_session
        session.restart(with_changes(settings, session.settings))
        self._kernel.configuration_problem = None
        self.require_spark()

    def restart_spark(self) -> None:
        """Start Spark anew and wait for it."""
        if self._kernel.configuration_problem is not None:
            raise self._kernel.configuration_problem
        self.spark_session.restart()
        self.require_spark()
