"""``spark-kernel install``: what is written, where, and what is refused."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from spark_kernel_command import WriteSpec, run, run_process

from spark_kernel.cli import kernelspecs
from spark_kernel.errors import KernelspecError
from spark_kernel.kernel.app import SparkKernelApp
from spark_kernel.kernel.config import check_config
from spark_kernel.kernel.kernel import SparkKernel

KERNELS = Path("share", "jupyter", "kernels")
LOGOS = ["logo-32x32.png", "logo-64x64.png", "logo-svg.svg"]


def read(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "kernel.json").read_text())


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def parse(argv: list[str]) -> dict[str, Any]:
    """Parse a command line as the kernel does, and check it as the kernel does."""
    app = SparkKernelApp()
    app.parse_command_line([w.replace("{connection_file}", "/tmp/c.json") for w in argv[3:]])
    sections = {parent.__name__ for cls in app.classes for parent in cls.mro()}
    check_config(app.config, sections, SparkKernel.class_trait_names(config=True))
    assert app.connection_file == "/tmp/c.json"
    return dict(app.config.SparkKernel)


def test_default_kernelspec_is_the_users_own(home):
    result = run("install")
    folder = home / ".local" / KERNELS / "pyspark_cluster"
    assert result.exit_code == 0, result.output
    assert str(folder) in result.stdout
    assert read(folder) == {
        "argv": [sys.executable, "-m", "spark_kernel", "-f", "{connection_file}"],
        "display_name": "PySpark (cluster)",
        "language": "python",
        "interrupt_mode": "message",
        "metadata": {"debugger": True, "supported_encryption": ["curve"]},
    }


def test_logos_come_along_and_nothing_else_stays(tmp_path):
    run("install", "--prefix", str(tmp_path))
    kernels = tmp_path / KERNELS
    assert names_in(kernels) == ["pyspark_cluster"]
    assert names_in(kernels / "pyspark_cluster") == ["kernel.json", *LOGOS]


def test_jupyter_finds_an_installed_kernelspec(tmp_path, monkeypatch):
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "share" / "jupyter"))
    installed = run_process("install", "--name", "Analytics", "--prefix", str(tmp_path))
    assert installed.returncode == 0, installed.stderr
    assert "jupyter console --kernel analytics" in installed.stdout
    listed = subprocess.run(
        [sys.executable, "-m", "jupyter_client.kernelspecapp", "list", "--json"],
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(listed.stdout)["kernelspecs"]["analytics"]
    assert found["resource_dir"] == str(tmp_path / KERNELS / "analytics")
    assert found["spec"]["display_name"] == "PySpark (Analytics)"
    assert found["spec"]["interrupt_mode"] == "message"


def test_name_display_name_and_master_are_recorded(tmp_path):
    run("install", "--prefix", str(tmp_path), "--name", "analytics", "--master", "spark://h:7077")
    spec = read(tmp_path / KERNELS / "analytics")
    assert spec["display_name"] == "PySpark (analytics)"
    assert parse(spec["argv"]) == {"master": "spark://h:7077", "cluster_name": "analytics"}
    run("install", "--prefix", str(tmp_path), "--name", "other", "--display-name", "Günther's")
    assert read(tmp_path / KERNELS / "other")["display_name"] == "Günther's"


def test_settings_reach_the_kernel_to_the_letter(tmp_path):
    settings = {
        "spark.driver.extraJavaOptions": "-Da=b,c -Dd='e f'",
        "spark.jars.packages": "org.x:a:1,org.x:b:2",
        "spark.sql.session.timeZone": "",
        "spark.a.json": '{"key": [1, 2]}',
        "spark.a.list": "[1, 2]",
        "spark.a.padded": "é ",
    }
    arguments = [f"--conf={key}={value}" for key, value in settings.items()]
    assert run("install", "--prefix", str(tmp_path), *arguments).exit_code == 0
    argv = read(tmp_path / KERNELS / "pyspark_cluster")["argv"]
    assert parse(argv) == {"conf": settings}


def test_only_one_place_can_be_chosen(tmp_path):
    result = run("install", "--user", "--prefix", str(tmp_path))
    assert result.exit_code == 2
    assert "only one of --user, --sys-prefix and --prefix" in result.stderr


def test_sys_prefix_is_the_environment_of_the_command(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "venv"))
    assert run("install", "--sys-prefix").exit_code == 0
    assert (tmp_path / "venv" / KERNELS / "pyspark_cluster" / "kernel.json").is_file()


def test_place_that_jupyter_does_not_know_is_said(tmp_path):
    result = run("install", "--name", "far", "--prefix", str(tmp_path))
    assert f"add {tmp_path / 'share' / 'jupyter'} to JUPYTER_PATH" in result.stdout


def test_kernelspec_hidden_by_another_place_is_said(tmp_path, monkeypatch):
    first = tmp_path / "first"
    run("install", "--name", "twice", "--prefix", str(first))
    monkeypatch.setenv("JUPYTER_PATH", str(first / "share" / "jupyter"))
    result = run("install", "--name", "twice", "--user")
    assert f"Jupyter finds {first / KERNELS / 'twice'} first" in result.stdout


@pytest.mark.parametrize("name", ["", "..", ".hidden", "a/b", "a b", "-x", "ümlaut", "x\n"])
def test_bad_name_is_refused(name, tmp_path):
    result = run("install", f"--name={name}", "--prefix", str(tmp_path))
    assert result.exit_code == 1
    assert "cannot be the name of a kernelspec" in result.stderr
    assert not list(tmp_path.rglob("kernel.json"))


def test_unwritable_place_is_an_error_without_traceback(tmp_path):
    (tmp_path / "file").write_text("")
    finished = run_process("install", "--prefix", str(tmp_path / "file"))
    assert finished.returncode == 1
    assert finished.stderr.startswith("Error: The kernelspec cannot be written to ")
    assert "Not a directory" in finished.stderr
    assert "Hint: use --user" in finished.stderr
    assert "Traceback" not in finished.stderr


def test_setting_without_value_is_refused(tmp_path):
    result = run("install", "--prefix", str(tmp_path), "--conf", "spark.executor.memory")
    assert result.exit_code == 1
    assert "--conf spark.executor.memory=VALUE" in result.stderr


def test_setting_that_is_not_sparks_is_refused(tmp_path):
    result = run("install", "--prefix", str(tmp_path), "--conf", "executor.memory=4g")
    assert result.exit_code == 1
    assert "did you mean spark.executor.memory?" in result.stderr


@pytest.mark.parametrize(
    "setting",
    [
        "spark.hadoop.fs.s3a.secret.key=hunter2",
        "spark.hadoop.fs.s3a.access.key=hunter2",
        "spark.hadoop.fs.azure.account.key.me.dfs.core.windows.net=hunter2",
        "spark.ssl.keyStorePassword=hunter2",
        "spark.driver.extraJavaOptions=-Djavax.net.ssl.trustStorePassword=hunter2",
        "spark.jars.repositories=https://me:hunter2@repo.example.org/maven",
        "spark.my.url=jdbc:postgresql://db/x?user=me&password=hunter2",
    ],
)
def test_secret_is_refused_and_not_repeated(setting, tmp_path):
    result = run("install", "--prefix", str(tmp_path), "--conf", setting)
    assert result.exit_code == 1
    assert "spark_kernel_config.py" in result.stderr
    assert "hunter2" not in result.output
    assert not list(tmp_path.rglob("kernel.json"))


@pytest.mark.parametrize(
    "master", ["k8s://https://me:hunter2@host:6443", "my://host?password=hunter2"]
)
def test_master_with_a_password_is_refused_and_not_repeated(master, tmp_path):
    result = run("install", "--prefix", str(tmp_path), "--master", master)
    assert result.exit_code == 1
    assert "SPARK_KERNEL_MASTER" in result.stderr
    assert "hunter2" not in result.output


@pytest.mark.parametrize(
    "setting",
    [
        "spark.hadoop.fs.s3a.aws.credentials.provider=org.x.WebIdentityTokenProvider",
        "spark.jars.repositories=https://repo.example.org:8443/maven@stable",
        "spark.sql.extensions=org.x.SecretSauce",
    ],
)
def test_setting_that_only_sounds_secret_is_taken(setting, tmp_path):
    assert run("install", "--prefix", str(tmp_path), "--conf", setting).exit_code == 0


def test_our_own_kernelspec_is_replaced(tmp_path):
    for master in ("spark://old:7077", "spark://new:7077"):
        assert run("install", "--prefix", str(tmp_path), "--master", master).exit_code == 0
    folder = tmp_path / KERNELS / "pyspark_cluster"
    assert "--SparkKernel.master=spark://new:7077" in read(folder)["argv"]
    assert names_in(folder.parent) == ["pyspark_cluster"]


@pytest.mark.parametrize("text", ['{"argv": ["R", "--slave"]}', "{broken", "[]"])
def test_other_kernels_are_not_replaced(text, tmp_path):
    folder = tmp_path / KERNELS / "ir"
    folder.mkdir(parents=True)
    (folder / "kernel.json").write_text(text)
    result = run("install", "--name", "ir", "--prefix", str(tmp_path))
    assert result.exit_code == 1
    assert "is the kernelspec of another kernel" in result.stderr
    assert (folder / "kernel.json").read_text() == text


def test_other_kernels_are_not_hidden_from_elsewhere(tmp_path, write_kernelspec: WriteSpec):
    write_kernelspec("ir", ["R", "--slave"])
    assert run("install", "--name", "ir", "--prefix", str(tmp_path)).exit_code == 1
    assert run("install", "--name", "python3", "--prefix", str(tmp_path)).exit_code == 1
    assert not list(tmp_path.glob("share/**/kernel.json"))


def test_failure_half_way_leaves_the_good_kernelspec(tmp_path, monkeypatch):
    run("install", "--prefix", str(tmp_path), "--master", "spark://good:7077")

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(kernelspecs, "_put_in_place", fail)
    result = run("install", "--prefix", str(tmp_path), "--master", "spark://bad:7077")
    assert result.exit_code == 1
    assert "No space left on device" in result.stderr
    folder = tmp_path / KERNELS / "pyspark_cluster"
    assert "--SparkKernel.master=spark://good:7077" in read(folder)["argv"]
    assert names_in(folder.parent) == ["pyspark_cluster"]


def test_kernel_json_is_put_in_place_last(tmp_path, monkeypatch):
    moved = []
    rename = Path.replace

    def record(self, target):
        moved.append(Path(target).name)
        return rename(self, target)

    run("install", "--prefix", str(tmp_path))
    monkeypatch.setattr(Path, "replace", record)
    run("install", "--prefix", str(tmp_path))
    assert sorted(moved[:-1]) == LOGOS
    assert moved[-1] == "kernel.json"


def test_kernelspec_works_without_logos(tmp_path, monkeypatch):
    monkeypatch.setattr(kernelspecs, "_logos", list)
    assert run("install", "--prefix", str(tmp_path)).exit_code == 0
    assert names_in(tmp_path / KERNELS / "pyspark_cluster") == ["kernel.json"]


def test_unreadable_list_of_kernelspecs_is_an_error(tmp_path, monkeypatch):
    def fail(_):
        raise PermissionError(13, "Permission denied", "/some/kernels")

    monkeypatch.setattr(kernelspecs.KernelSpecManager, "find_kernel_specs", fail)
    with pytest.raises(KernelspecError, match="cannot be listed"):
        kernelspecs.found_specs()
