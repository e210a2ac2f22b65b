"""What can be configured of provenance."""

from __future__ import annotations

from traitlets import Bool, HasTraits

__all__ = ["ProvenanceTraits"]


class ProvenanceTraits(HasTraits):
    """The part of ``c.SparkKernel`` that is about provenance."""

    provenance = Bool(
        False,
        help="""Whether cells keep in the notebook who ran them, when, for how long, on which data
        and with which versions. Every run then changes the file. `%spark provenance` changes
        it.""",
    ).tag(config=True)
