"""What goes to and fro between the notebook and its driver: replies, output, log, workers."""

from __future__ import annotations

import stat
from pathlib import Path

import psutil
import pytest

from kernel_real.notebook import Notebook
from spark_kernel.spark.driver_log import DriverLog

LONG_SCHEMA = """
from pyspark.sql.types import LongType, StringType, StructType
wide = StructType()
for number in range(201):
    kind = StringType() if number % 2 else LongType()
    wide = wide.add(f"column_{number}_ä", kind, number % 3 == 0)
frame = spark.createDataFrame([], wide)
"""


def test_long_schema_arrives_whole(shared: Notebook) -> None:
    shared.value(LONG_SCHEMA)
    said = "said = frame._jdf.schema().json()\n"
    assert (
        shared.value(
            said + "len(said) > 8192, StructType.fromJson(__import__('json').loads(said)) == wide"
        )
        == "(True, True)"
    )
    assert shared.value("frame.schema == wide, len(frame.schema)") == "(True, 201)"


@pytest.mark.parametrize("size", [0, 1, 8191, 8192, 8193, 65_536, 1_000_000])
def test_text_of_any_length_comes_back_equal(shared: Notebook, size: int) -> None:
    code = (
        f"text = ''.join(chr(0x21 + n % 90) for n in range({size}))\n"
        "sc._jvm.java.lang.StringBuilder(text).toString() == text,"
        " sc._jvm.java.util.Base64.getEncoder().encodeToString(text.encode()) =="
        " __import__('base64').b64encode(text.encode()).decode()"
    )
    assert shared.value(code) == "(True, True)"


def test_unicode_and_line_ends_come_back_equal(shared: Notebook) -> None:
    code = (
        "text = 'Grüße, 日本語, \\U0001f680\\n\\r\\t\\\\ \"quoted\" \\x7f' * 2000\n"
        "row = spark.createDataFrame([(text,)], ['t']).first()\n"
        "sc._jvm.java.lang.StringBuilder(text).toString() == text, row.t == text"
    )
    assert shared.value(code) == "(True, True)"


def test_threads_talk_to_the_driver_at_the_same_time(shared: Notebook) -> None:
    code = (
        "from concurrent.futures import ThreadPoolExecutor\n"
        "def length(n):\n"
        "    return len(sc._jvm.java.lang.StringBuilder(str(n % 10) * n).toString())\n"
        "with ThreadPoolExecutor(8) as pool:\n"
        "    found = list(pool.map(length, range(8000, 8400)))\n"
        "found == list(range(8000, 8400))"
    )
    assert shared.value(code) == "True"


def test_output_of_the_driver_reaches_the_running_cell_and_only_it(shared: Notebook) -> None:
    cells = [
        shared.submit(f"sc._jvm.java.lang.System.out.println('from the JVM, {n}: ä')")
        for n in range(20)
    ]
    printed = [shared.finish(cell).stdout for cell in cells]
    assert printed == [f"from the JVM, {n}: ä\n" for n in range(20)]
    assert shared.run("1 + 1").stdout == ""


def test_output_of_python_and_driver_keeps_the_text_whole(shared: Notebook) -> None:
    result = shared.run(
        "for n in range(200):\n    sc._jvm.System.out.println(f'line {n} ' + 'x' * 500)\n"
        "spark.range(3).show()"
    )
    lines = [line for line in result.stdout.splitlines() if line.startswith("line ")]
    assert lines == [f"line {n} " + "x" * 500 for n in range(200)]
    assert "|  2|" in result.stdout


def test_warnings_of_the_driver_go_to_its_log_and_to_no_cell(shared: Notebook) -> None:
    result = shared.run(
        "logger = sc._jvm.org.apache.logging.log4j.LogManager.getLogger('a test')\n"
        "logger.warn('a warning of log4j')\n"
        "sc._jvm.java.lang.System.err.println('to standard error')\n"
        "spark.range(1).count()"
    )
    assert result.stdout == result.stderr == ""
    log = shared.driver_log.read_text()
    assert "a warning of log4j" in log
    assert "to standard error" in log


def test_driver_log_is_private_and_named_in_the_links(shared: Notebook) -> None:
    log = shared.driver_log
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    assert stat.S_IMODE(log.parent.stat().st_mode) == 0o700
    assert str(log) in shared.kernel_info()["banner"]


def test_log_of_a_running_driver_outlives_many_newer_ones(shared: Notebook) -> None:
    log = shared.driver_log
    newer = [log.with_name(f"driver-9999{number:04}-000000-1.log") for number in range(25)]
    for path in newer:
        path.touch()
    own = DriverLog(log.parent, 1_000)
    try:
        assert shared.run("%spark logs 1").stdout.strip() in log.read_text()
    finally:
        for path in (own.path, *newer):
            path.unlink(missing_ok=True)


def test_secrets_are_on_no_command_line(shared: Notebook) -> None:
    secret = shared.value("sc._gateway.gateway_parameters.auth_token").strip("'")
    assert len(secret) > 20
    for process in shared.processes:
        assert secret not in " ".join(process.cmdline())


def test_python_workers_run_the_kernels_interpreter(shared: Notebook) -> None:
    code = (
        "import sys\n"
        "worker = sc.parallelize([0], 1).map(lambda _: __import__('sys').executable).first()\n"
        f"worker == sys.executable, worker == {shared.process.cmdline()[0]!r}"
    )
    assert shared.value(code) == "(True, True)"


def test_every_port_is_open_to_this_machine_alone(shared: Notebook) -> None:
    shared.value("sc.parallelize(range(4), 2).map(lambda n: n).sum()")
    pids = {process.pid for process in shared.processes}
    assert {shared.process.pid, shared.driver.pid} <= pids
    listening = [
        connection
        for connection in psutil.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN and connection.pid in pids
    ]
    assert {c.pid for c in listening} >= {shared.process.pid, shared.driver.pid}
    open_to_others = [
        c for c in listening if not c.laddr.ip.removeprefix("::ffff:").startswith(("127.", "::1"))
    ]
    assert open_to_others == []


def test_driver_is_no_party_to_the_interrupts_of_the_kernel(shared: Notebook) -> None:
    driver = shared.driver
    shared.interrupt_by_signal()
    assert shared.value("spark.range(5).count()") == "5"
    assert driver.is_running()
    assert Path(f"/proc/{driver.pid}").exists()
