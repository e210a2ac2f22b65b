"""Which data the code of cells reads and writes, as its executed plans tell.

In provenance mode only: without it there is no listener, and no cost.

``DataFlow.java`` is our half in the driver: a listener of Spark's, in a queue of its own, which
takes plain values from each plan as its execution ends. What it gave once, it forgets.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from spark_kernel.protocol.provenance import Dataset, Fingerprint
from spark_kernel.spark.data_hooks import FLOWS, install_data_hooks
from spark_kernel.spark.data_names import read_dataset, read_fingerprint
from spark_kernel.spark.driver_classes import load_classes
from spark_kernel.spark.ownership import OWNER_PREFIX

__all__ = ["DataFlows", "Found", "follow_data"]

_WAIT_MS = 500
_CLASSES = (
    "Fields",
    "FileSums",
    "FileListing",
    "DataSeen",
    "Relations",
    "RddReader",
    "PlanReader",
    "StateNow",
    "DataMarker",
    "DataOfTag",
    "DataFlow",
)

Found = tuple[tuple[Dataset, ...] | None, tuple[Dataset, ...] | None]
"""Inputs and outputs; None where they cannot be known."""


class DataFlows:
    """The data of one Spark context, by the owners whose code reads and writes it.

    Attributes
    ----------
    java
        The object in the driver; its methods are documented there.
    """

    def __init__(self, java: Any, context: Any) -> None:
        self.java = java
        self._context = context

    def taken(self, tags: Sequence[str]) -> Found:
        """Give what has been read and written under some tags, and forget it.

        Waits until Spark's listener has heard of everything that has happened so far.
        """
        found = json.loads(self.java.taken(",".join(tags), _WAIT_MS))
        return _datasets(found["inputs"]), _datasets(found["outputs"])

    def fingerprint(self, dataset: Dataset) -> Fingerprint | None:
        """Look at some data as it is now; None where that cannot be told in reasonable time."""
        content = self.java.fingerprint(
            dataset.kind.value, dataset.name, dataset.format, dataset.location
        )
        return read_fingerprint(json.loads(content))

    def stop(self) -> None:
        """Let Spark's listener go."""
        vars(self._context).pop(FLOWS, None)
        self.java.stop()


def follow_data(context: Any) -> DataFlows:
    """Follow what a classic context reads and writes from now on; some 0.3 s for each driver."""
    loaded = load_classes(context, *_CLASSES)
    arguments = context._gateway.new_array(context._jvm.java.lang.Object, 2)
    arguments[0] = context._jsc.sc()
    arguments[1] = OWNER_PREFIX
    flows = DataFlows(loaded.getConstructors()[0].newInstance(arguments), context)
    setattr(context, FLOWS, flows)
    install_data_hooks(context)
    return flows


def _datasets(found: Sequence[Mapping[str, Any]]) -> tuple[Dataset, ...]:
    return tuple(read_dataset(one) for one in found)
