"""Which data the code of cells reads and writes on a Spark Connect server, as its plans name it.

A server tells nothing of the plans that it makes: names stand as the notebook has written them, and
there are no fingerprints. A view is known, with what it stands on, if the notebook has made it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from spark_kernel.protocol.provenance import DataKind, Dataset, Fingerprint
from spark_kernel.spark.connect.plan_data import data_of_plan

__all__ = ["ConnectDataFlows", "follow_data", "note_request"]

_log = logging.getLogger(__name__)
_FLOWS = "_spark_kernel_data_flows"
_KEPT_TAGS = 500
_KEPT_VIEWS = 500
_LIMIT = 50

_Found = tuple[dict[Dataset, None], dict[Dataset, None]]


class ConnectDataFlows:
    """The data of one session on a server, by the owners whose code reads and writes it."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._lock = threading.Lock()
        self._found: dict[str, _Found] = {}
        self._views: dict[str, tuple[Dataset, ...]] = {}

    def note(self, plan: Any, tag: str) -> None:
        """Take what a plan names that is sent for an owner."""
        data = data_of_plan(plan)
        with self._lock:
            inputs, outputs = self._found.setdefault(tag, ({}, {}))
            read = tuple(self._resolved(data.inputs))
            inputs.update(dict.fromkeys(read))
            outputs.update(dict.fromkeys(data.outputs))
            for one in data.outputs:
                if one.format == "view" and one.kind is DataKind.OTHER:
                    self._views[one.name] = read
            for kept, most in ((self._found, _KEPT_TAGS), (self._views, _KEPT_VIEWS)):
                while len(kept) > most:
                    del kept[next(iter(kept))]

    def _resolved(self, datasets: Iterable[Dataset]) -> Iterable[Dataset]:
        """Put in views that are known, with what they stand on, for what looks like tables."""
        for one in datasets:
            if one.kind is DataKind.TABLE and one.name in self._views:
                yield replace(one, kind=DataKind.OTHER, format="view", note="")
                yield from self._views[one.name]
            else:
                yield one

    def taken(
        self, tags: Sequence[str]
    ) -> tuple[tuple[Dataset, ...] | None, tuple[Dataset, ...] | None]:
        """Give what has been read and written under some tags, and forget it."""
        inputs: dict[Dataset, None] = {}
        outputs: dict[Dataset, None] = {}
        with self._lock:
            for tag in tags:
                read, written = self._found.pop(tag, ({}, {}))
                inputs.update(read)
                outputs.update(written)
        return _bounded(inputs), _bounded(outputs)

    def fingerprint(self, dataset: Dataset) -> Fingerprint | None:
        """Give nothing: a server lists no files for us."""
        return None

    def stop(self) -> None:
        """Look at no plan any more."""
        vars(self._client).pop(_FLOWS, None)


def follow_data(client: Any) -> ConnectDataFlows:
    """Follow what goes through PySpark's client from now on."""
    flows = ConnectDataFlows(client)
    setattr(client, _FLOWS, flows)
    return flows


def note_request(client: Any, request: Any, tag: str) -> None:
    """Look at a request for an owner, if anybody follows the data of its session."""
    flows = vars(client).get(_FLOWS)
    if flows is not None:
        try:
            flows.note(request.plan, tag)
        except Exception as error:  # never in the way of the cell
            _log.info("what is read or written is not known: %s", type(error).__name__)


def _bounded(datasets: dict[Dataset, None]) -> tuple[Dataset, ...]:
    found = tuple(datasets)
    if len(found) <= _LIMIT:
        return found
    rest = Dataset(DataKind.OTHER, "…", note=f"and {len(found) - _LIMIT} more")
    return (*found[:_LIMIT], rest)
