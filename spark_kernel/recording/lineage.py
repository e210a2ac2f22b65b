"""Runs of a notebook as OpenLineage events, made of the records of its cells.

The run of the notebook is a job's; each cell that ran is a job of its own with that run as parent.
No source is told and no text of an error: both may hold anything.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

import attr
from openlineage.client.event_v2 import (
    InputDataset,
    Job,
    OutputDataset,
    Run,
    RunEvent,
    RunState,
)
from openlineage.client.facet_v2 import (
    DatasetFacet,
    InputDatasetFacet,
    OutputDatasetFacet,
    RunFacet,
    dataset_version_dataset,
    error_message_run,
    input_statistics_input_dataset,
    job_type_job,
    output_statistics_output_dataset,
    parent_run,
    processing_engine_run,
    symlinks_dataset,
)

from spark_kernel import __version__
from spark_kernel.protocol.provenance import (
    CellRecord,
    Dataset,
    RunStatus,
    Totals,
    instant_text,
    record_content,
)
from spark_kernel.recording.cells import tags_of
from spark_kernel.recording.lineage_names import DatasetName, named

__all__ = ["NotebookLineage", "cell_name"]

_PRODUCER = f"https://github.com/spark-kernel/spark-kernel/tree/{__version__}"
_SCHEMA = "https://github.com/spark-kernel/spark-kernel/blob/main/docs/protocol.md#provenance"
_ENDS = {
    RunStatus.OK: RunState.COMPLETE,
    RunStatus.ERROR: RunState.FAIL,
    RunStatus.INTERRUPTED: RunState.ABORT,
    RunStatus.ABORTED: RunState.ABORT,
}


@attr.define
class RecordRunFacet(RunFacet):
    """What ``docs/protocol.md`` calls a record, or the summary of a notebook."""

    content: dict[str, Any]

    @staticmethod
    def _get_schema() -> str:
        return _SCHEMA


@dataclass(frozen=True)
class NotebookLineage:
    """Makes the events of one run of a notebook.

    Attributes
    ----------
    namespace, name
        Of the notebook as a job.
    run_id
        A UUID.
    """

    namespace: str
    name: str
    run_id: str

    def started(self, moment: datetime) -> RunEvent:
        """Say that the notebook has begun."""
        return self._of_notebook(RunState.START, moment, {})

    def cell(self, name: str, record: CellRecord) -> Iterator[RunEvent]:
        """Say that a cell has run: its start and its end; nothing for one that did not begin."""
        if record.started is None:
            return
        finished = record.finished or record.started
        run_id = str(uuid.uuid5(uuid.UUID(self.run_id), f"{name} {instant_text(record.started)}"))
        job = self._job(f"{self.name}.{name}", "CELL")
        yield _event(RunState.START, record.started, Run(run_id, self._facets(record)), job)
        facets = self._facets(record)
        facets["sparkKernel_record"] = _own(record_content(record))
        yield _event(
            _ENDS[record.status],
            finished,
            Run(run_id, facets),
            job,
            _inputs(record.inputs or (), record.totals),
            _outputs(record.outputs or (), record.totals),
        )

    def finished(self, summary: Mapping[str, Any], records: Sequence[CellRecord]) -> RunEvent:
        """Say that the notebook has ended.

        Parameters
        ----------
        summary
            That of the notebook's metadata.
        """
        status = RunStatus(summary.get("status"))
        ends = [record.finished for record in records if record.finished]
        failed = next((one for one in reversed(records) if one.error_name), None)
        facets: dict[str, RunFacet] = {}
        if records:
            facets = {**_engine(records[-1])}
        if failed is not None and status is not RunStatus.OK:
            facets["errorMessage"] = _error(failed)
        told = {name: value for name, value in summary.items() if name != "settings"}
        facets["sparkKernel_notebook"] = _own(told)
        moment = max(ends, default=datetime.now(timezone.utc))
        inputs, outputs = _over_all(records)
        return self._of_notebook(_ENDS[status], moment, facets, _inputs(inputs), _outputs(outputs))

    def _of_notebook(
        self,
        state: RunState,
        moment: datetime,
        facets: dict[str, RunFacet],
        inputs: list[InputDataset] | None = None,
        outputs: list[OutputDataset] | None = None,
    ) -> RunEvent:
        job = self._job(self.name, "NOTEBOOK")
        return _event(state, moment, Run(self.run_id, facets), job, inputs, outputs)

    def _job(self, name: str, kind: str) -> Job:
        facet = job_type_job.JobTypeJobFacet("BATCH", "SPARK_KERNEL", kind, producer=_PRODUCER)
        return Job(self.namespace, name, {"jobType": facet})

    def _facets(self, record: CellRecord) -> dict[str, RunFacet]:
        parent = parent_run.ParentRunFacet(
            parent_run.Run(self.run_id),
            parent_run.Job(self.namespace, self.name),
            producer=_PRODUCER,
        )
        facets: dict[str, RunFacet] = {"parent": parent, **_engine(record)}
        if record.error_name:
            facets["errorMessage"] = _error(record)
        return facets


def cell_name(cell: Mapping[str, Any], index: int) -> str:
    """Name a cell as a job: by its id, which stays when cells are moved.

    A cell of parameters is another in each run, and is named by what it is.
    """
    if "injected-parameters" in tags_of(cell):
        return "injected-parameters"
    return str(cell.get("id") or f"cell-{index + 1}")


def _event(
    state: RunState,
    moment: datetime,
    run: Run,
    job: Job,
    inputs: list[InputDataset] | None = None,
    outputs: list[OutputDataset] | None = None,
) -> RunEvent:
    return RunEvent(
        eventType=state,
        eventTime=instant_text(moment) or "",
        run=run,
        job=job,
        inputs=inputs or [],
        outputs=outputs or [],
        producer=_PRODUCER,
    )


def _own(content: Mapping[str, Any]) -> RecordRunFacet:
    return RecordRunFacet(dict(content), producer=_PRODUCER)


def _engine(record: CellRecord) -> dict[str, RunFacet]:
    if record.spark is None or not record.spark.version:
        return {}
    facet = processing_engine_run.ProcessingEngineRunFacet(
        record.spark.version, "spark", __version__, producer=_PRODUCER
    )
    return {"processing_engine": facet}


def _error(record: CellRecord) -> RunFacet:
    return error_message_run.ErrorMessageRunFacet(record.error_name, "PYTHON", producer=_PRODUCER)


def _over_all(records: Iterable[CellRecord]) -> tuple[list[Dataset], list[Dataset]]:
    """Give what a run read from outside, and what it wrote: not what it handed to itself."""
    inputs: list[Dataset] = []
    outputs: list[Dataset] = []
    for record in records:
        written = {name for name, _ in named(outputs)}
        inputs += [found for name, found in named(record.inputs or ()) if name not in written]
        outputs += record.outputs or ()
    return inputs, outputs


def _inputs(datasets: Iterable[Dataset], totals: Totals | None = None) -> list[InputDataset]:
    found = named(datasets)
    facets: dict[str, InputDatasetFacet] = {}
    if totals is not None and len(found) == 1:  # of several, nobody knows who read how much
        facets["inputStatistics"] = input_statistics_input_dataset.InputStatisticsInputDatasetFacet(
            rowCount=totals.input_records, size=totals.input_bytes, producer=_PRODUCER
        )
    return [
        InputDataset(name.namespace, name.name, facets, facets=_dataset_facets(name, dataset))
        for name, dataset in found
    ]


def _outputs(datasets: Iterable[Dataset], totals: Totals | None = None) -> list[OutputDataset]:
    found = named(datasets)
    facets: dict[str, OutputDatasetFacet] = {}
    if totals is not None and len(found) == 1:
        facets["outputStatistics"] = (
            output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet(
                rowCount=totals.output_records, size=totals.output_bytes, producer=_PRODUCER
            )
        )
    return [
        OutputDataset(name.namespace, name.name, facets, facets=_dataset_facets(name, dataset))
        for name, dataset in found
    ]


def _dataset_facets(name: DatasetName, dataset: Dataset) -> dict[str, DatasetFacet]:
    facets: dict[str, DatasetFacet] = {}
    if dataset.fingerprint is not None and dataset.fingerprint.version:
        facets["version"] = dataset_version_dataset.DatasetVersionDatasetFacet(
            dataset.fingerprint.version, producer=_PRODUCER
        )
    if name.also is not None:
        other = symlinks_dataset.Identifier(*name.also, type="TABLE")
        facets["symlinks"] = symlinks_dataset.SymlinksDatasetFacet([other], producer=_PRODUCER)
    return facets
