"""What is said of an application that its cluster ended."""

from __future__ import annotations

import pytest

from spark_kernel.spark.application_watch import describe_ended_application

SAID = "The Spark application was ended by its cluster"


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ([], ""),
        (["ERROR TransportResponseHandler: Still have 1 requests outstanding"], ""),
        (
            ["ERROR Backend: Application has been killed. Reason: Master removed it: KILLED"],
            ": Master removed it: KILLED",
        ),
        (
            ["ERROR Y: YARN application has exited unexpectedly with state KILLED! Check the logs"],
            ": YARN application has exited unexpectedly with state KILLED",
        ),
        (
            [
                "ERROR Y: YARN application has exited unexpectedly with state KILLED! Check",
                "ERROR Y: Diagnostics message: Application killed by user.",
                "WARN Y: another line",
            ],
            ": Application killed by user",
        ),
    ],
)
def test_reason_is_the_clusters_own(lines: list[str], reason: str) -> None:
    assert describe_ended_application(lines) == SAID + reason
