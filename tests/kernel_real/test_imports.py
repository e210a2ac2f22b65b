"""A cell may import any part of PySpark in the very moment in which the start does."""

from __future__ import annotations

import subprocess
import sys

import pytest

RACE = """
import sys, threading, time
from spark_kernel.spark.importing import import_pyspark

problems = []
threading.excepthook = lambda hook: problems.append(hook.exc_value)
starter = threading.Thread(target=import_pyspark, args=sys.argv[3:])
starter.start()
time.sleep(float(sys.argv[1]))
exec(sys.argv[2])
starter.join()
assert not problems, problems
"""
CONNECT = ["pyspark.sql.session", "pyspark.sql.connect.client", "pyspark.sql.connect.session"]


@pytest.mark.parametrize("delay_s", [0.0, 0.03, 0.06, 0.1])
@pytest.mark.parametrize(
    ("statement", "modules"),
    [
        ("from pyspark import SparkConf, SparkContext", ["pyspark.sql.session"]),
        ("from pyspark.sql import SparkSession", ["pyspark.sql.session"]),
        ("import pyspark.sql.functions as F", ["pyspark.sql.session"]),
        ("from pyspark.sql.types import StructType", ["pyspark.sql.session"]),
        ("import pyspark.sql.functions as F", CONNECT),
        ("from pyspark.sql.connect.session import SparkSession", CONNECT),
    ],
)
def test_import_in_a_cell_and_import_of_the_start_do_not_spoil_each_other(
    statement: str, modules: list[str], delay_s: float
) -> None:
    run = subprocess.run(
        [sys.executable, "-c", RACE, str(delay_s), statement, *modules],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (run.returncode, run.stderr) == (0, "")
