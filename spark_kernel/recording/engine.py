"""The engine ``spark_kernel`` of papermill: its own, with the records of a run in the notebook.

papermill finds it by its entry point: ``papermill --engine spark_kernel IN OUT``.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable
from typing import Any

from jupyter_client.manager import AsyncKernelManager
from papermill.engines import NBClientEngine  # type: ignore[import-untyped]

from spark_kernel.recording.cells import strip
from spark_kernel.recording.hooks import PROVENANCE_VARIABLE, Recorder
from spark_kernel.recording.lineage_run import LINEAGE_VARIABLE, RunLineage, follow_run

__all__ = ["ENGINE", "PlainKernelManager", "ProvenanceKernelManager", "SparkKernelEngine"]

ENGINE = "spark_kernel"
"""The name of the engine."""


class ProvenanceKernelManager(AsyncKernelManager):
    """Starts kernels in provenance mode, unless the environment says otherwise.

    Attributes
    ----------
    is_recorded
        Without it they are in no such mode, whatever the environment says.
    """

    is_recorded = True

    async def start_kernel(self, **options: Any) -> None:  # type: ignore[override]
        """Start the kernel; whoever runs the notebook calls it."""
        await super().start_kernel(**{"env": self._environment(), **options})

    def _environment(self) -> dict[str, str]:
        # A kernel would take the variable of the lineage for a setting of its own.
        own = {name: value for name, value in os.environ.items() if name != LINEAGE_VARIABLE}
        if self.is_recorded:
            return {PROVENANCE_VARIABLE: "1", **own}
        return {**own, PROVENANCE_VARIABLE: "0"}


class PlainKernelManager(ProvenanceKernelManager):
    """Starts kernels without provenance mode."""

    is_recorded = False


class SparkKernelEngine(NBClientEngine):  # type: ignore[misc]  # papermill has no types
    """Runs a notebook as papermill does, and writes its records."""

    @classmethod
    def execute_managed_notebook(
        cls,
        nb_man: Any,
        kernel_name: str,
        *,
        is_recorded: bool = True,
        lineage: str = "",
        on_cell_executed: Callable[..., Any] | None = None,
        **options: Any,
    ) -> Any:
        """Run the cells; papermill calls it, with the options that its caller gave.

        Parameters
        ----------
        is_recorded
            Without it the notebook gets no records, and loses those of earlier runs.
        lineage
            Where the run is told as OpenLineage events: a file or the URL of a server; empty for
            what the environment says.
        on_cell_executed
            A hook that is called after the record is written.
        """
        strip(nb_man.nb)  # also of cells that this run will not come to
        run_id = str(uuid.uuid4())
        recorder = Recorder(run_id)
        follower = None
        if is_recorded:
            follower = follow_run(lineage, options.get("input_path"), run_id)
        following = _Following(recorder if is_recorded else None, follower, on_cell_executed)
        manager = ProvenanceKernelManager if is_recorded else PlainKernelManager
        options = {"kernel_manager_class": manager, **options}
        is_failed = True
        try:
            executed = super().execute_managed_notebook(
                nb_man, kernel_name, on_cell_executed=following.cell_executed, **options
            )
            is_failed = False
        finally:
            if is_recorded:
                recorder.summarize(nb_man.nb, is_failed=is_failed)
            if follower is not None:
                follower.finish(nb_man.nb, is_failed=is_failed)
        return executed


class _Following:
    """What happens when a cell has been executed: recorded, told, and then the caller's hook."""

    def __init__(
        self,
        recorder: Recorder | None,
        lineage: RunLineage | None,
        then: Callable[..., Any] | None,
    ) -> None:
        self._recorder = recorder
        self._lineage = lineage
        self._then = then

    def cell_executed(self, *, cell: Any, cell_index: int, execute_reply: Any) -> Any:
        """Do so; what the caller's hook returns may have to be awaited."""
        if self._recorder is not None:
            self._recorder.record(cell, execute_reply)
        if self._lineage is not None:
            self._lineage.cell(cell, cell_index, execute_reply)
        if self._then is not None:
            return self._then(cell=cell, cell_index=cell_index, execute_reply=execute_reply)
        return None
