"""What is interrupted: the cells of section 2 of the issue, as code."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["INTERRUPT_CASES", "InterruptCase"]

_SQL = "spark.range(0, 10**13, 1, 4).selectExpr('sum(hash(id))').collect()"
_ROWS = "spark.range(0, 10**12, 1, 4000).where('hash(id) % 10000 = 0')"


@dataclass(frozen=True)
class InterruptCase:
    """One kind of cell.

    Parameters
    ----------
    setup, teardown
        Cells before the first and after the last repetition.
    has_tasks
        Whether the interrupt waits for a task that runs, and the end of all tasks is measured.
    moment_s
        Between these two, at random, the interrupt comes: after the first task, or else after
        the cell was sent.
    is_in_subshell
        Whether the cell runs in a subshell while the main shell is idle.
    may_start_late
        Whether the driver may go on after the interrupt, and begin a job that nobody wants.
    fills_heap
        Whether the driver keeps what nobody has fetched; the next case has new kernels.
    """

    title: str
    code: str
    setup: str = ""
    teardown: str = ""
    has_tasks: bool = True
    moment_s: tuple[float, float] = (0.0, 0.3)
    is_in_subshell: bool = False
    may_start_late: bool = False
    fills_heap: bool = False


def _to_pandas(uses_arrow: bool) -> InterruptCase:
    option = "spark.sql.execution.arrow.pyspark.enabled"
    return InterruptCase(
        f"`toPandas` {'with' if uses_arrow else 'without'} Arrow",
        f"taken = {_ROWS}.toPandas()",
        setup=f"spark.conf.set('{option}', '{str(uses_arrow).lower()}')",
        teardown=f"spark.conf.unset('{option}')",
        moment_s=(0.0, 1.0),
    )


INTERRUPT_CASES = (
    InterruptCase(
        "RDD action with Python workers",
        "spark.sparkContext.range(8, numSlices=8).map(lambda _: time.sleep(60)).count()",
        setup="import time",
    ),
    InterruptCase("SQL", _SQL),
    InterruptCase(
        "Python UDF",
        "spark.range(0, 10**6, 1, 4).select(slow('id')).write.format('noop').mode('append').save()",
        setup=(
            "import time\n"
            "from pyspark.sql import functions as F\n"
            "slow = F.udf(lambda x: time.sleep(0.1) or x, 'long')"
        ),
    ),
    InterruptCase(
        "pandas UDF",
        "spark.range(0, 10**7, 1, 4).select(slow('id')).write.format('noop').mode('append').save()",
        setup=(
            "import time\n"
            "import pandas as pd\n"
            "from pyspark.sql import functions as F\n"
            "@F.pandas_udf('long')\n"
            "def slow(x: pd.Series) -> pd.Series:\n"
            "    time.sleep(5)\n"
            "    return x"
        ),
    ),
    _to_pandas(uses_arrow=True),
    _to_pandas(uses_arrow=False),
    InterruptCase(
        "`collect` of a large result",
        # Each that is interrupted while the driver serializes leaves its rows, some 80 bytes each,
        # in the driver: more would fill the 1 GB that it has by default.
        "taken = spark.range(0, 300_000, 1, 40).selectExpr('id', 'hash(id) AS h').collect()",
        moment_s=(0.0, 0.8),
        fills_heap=True,
    ),
    InterruptCase(
        "broadcast join, slow build side",
        "spark.range(10**6).join(F.broadcast(slow), 'id').count()",
        setup=(
            "from pyspark.sql import functions as F\n"
            "slow = spark.range(0, 10**13, 1, 4).where('hash(id) = 1')"
        ),
    ),
    InterruptCase(
        "loop of short jobs", "while True: spark.range(100).selectExpr('sum(id)').collect()"
    ),
    InterruptCase(
        "ten threads",
        f"threads = [Thread(target=lambda: {_SQL}, daemon=True) for _ in range(10)]\n"
        "for thread in threads: thread.start()\n"
        "for thread in threads: thread.join()",
        setup="from threading import Thread",
    ),
    InterruptCase(
        "`await` cell", f"await asyncio.to_thread(lambda: {_SQL})", setup="import asyncio"
    ),
    InterruptCase("subshell", _SQL, is_in_subshell=True),
    InterruptCase(
        "`time.sleep`",
        "time.sleep(60)",
        setup="import time",
        has_tasks=False,
        moment_s=(0.3, 0.6),
    ),
    InterruptCase("plain Python", "while True: pass", has_tasks=False, moment_s=(0.3, 0.6)),
    InterruptCase(
        "`awaitTermination`",
        "query.awaitTermination()",
        setup=(
            "query = (spark.readStream.format('rate').load().writeStream.format('noop')"
            ".trigger(processingTime='1 second').start())"
        ),
        teardown="query.stop()",
        has_tasks=False,
        moment_s=(0.3, 0.6),
    ),
    InterruptCase(
        "long planning, no job yet",
        "large.where('a > 3').collect()",
        setup=(
            "large = spark.sql(' UNION ALL '.join(f'SELECT id, id + {i} AS a FROM range(10) '"
            " f'WHERE id > {i}' for i in range(120)))\n"
            "for _ in range(3): large = large.union(large)"
        ),
        has_tasks=False,
        moment_s=(0.2, 0.5),
        may_start_late=True,
    ),
)
"""In the order in which they are measured."""
