"""A cell may import any part of PySpark in the very moment in which the start does."""

from __future__ import annotations

import subprocess
import sys

import pytest

RACE = """
import sys, threading, time
from spark_kernel.spark.driver_factory import _import_pyspark

problems = []
threading.excepthook = lambda hook: problems.append(hook.exc_value)
starter = threading.Thread(target=_import_pyspark)
starter.start()
time.sleep(float(sys.argv[1]))
exec(sys.argv[2])
starter.join()
assert not problems, problems
"""


@pytest.mark.parametrize("delay_s", [0.0, 0.03, 0.06, 0.1])
@pytest.mark.parametrize(
    "statement",
    [
        "from pyspark import SparkConf, SparkContext",
        "from pyspark.sql import SparkSession",
        "import pyspark.sql.functions as F",
        "from pyspark.sql.types import StructType",
    ],
)
def test_import_in_a_cell_and_import_of_the_start_do_not_spoil_each_other(
    statement: str, delay_s: float
) -> None:
    run = subprocess.run(
        [sys.executable, "-c", RACE, str(delay_s), statement],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (run.returncode, run.stderr) == (0, "")
