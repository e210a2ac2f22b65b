"""Records of cells in notebooks: written by whatever runs one, read by who asks what is stale.

``record`` and ``summarize`` are hooks of nbclient; ``enable(c)`` is all that nbconvert needs.
"""

from spark_kernel.recording.hooks import enable, record, summarize

__all__ = ["enable", "record", "summarize"]
