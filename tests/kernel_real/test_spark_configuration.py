"""What Spark itself reads counts as ever: arguments, defaults, spark-env.sh and SPARK_HOME."""

from __future__ import annotations

import json
import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest

from kernel_real.gated_java import any_java
from kernel_real.notebook import Notebook, NotebookMaker

PYSPARK = Path(str(find_spec("pyspark").origin)).parent  # type: ignore[union-attr]


def settings_of(notebook: Notebook, *names: str) -> list[str]:
    """Give the settings of the running context by the ends of their names."""
    code = "\n".join(f"print(sc.getConf().get('spark.test.{name}', 'nothing'))" for name in names)
    return notebook.run(code).stdout.split("\n")[:-1]


def test_arguments_beat_the_kernels_settings_which_beat_the_defaults(
    new_notebook: NotebookMaker, tmp_path: Path
) -> None:
    (tmp_path / "spark-defaults.conf").write_text(
        "# settings of the site\n"
        "spark.test.a defaults\nspark.test.b=defaults\nspark.test.c:  defaults\n"
        "spark.test.d  with spaces and = in it  \nspark.app.name  from the site\n"
    )
    environ = {
        "SPARK_CONF_DIR": str(tmp_path),
        "PYSPARK_SUBMIT_ARGS": "--conf spark.test.a=arguments --conf 'spark.test.e=two words' "
        "--driver-memory 650m --name 'by argument' pyspark-shell",
        "SPARK_KERNEL_CONF": '{"spark.test.a": "kernel", "spark.test.b": "kernel ü"}',
    }
    with new_notebook(environ) as notebook:
        assert notebook.value("sc.appName") == "'by argument'"
        assert settings_of(notebook, *"abcde") == [
            "arguments",
            "kernel ü",
            "defaults",
            "with spaces and = in it",
            "two words",
        ]
        assert "-Xmx650m" in notebook.driver.cmdline()
        assert "starting java directly" in notebook.driver_log.read_text()


def test_spark_env_is_run_and_seen_by_the_driver(
    new_notebook: NotebookMaker, tmp_path: Path
) -> None:
    (tmp_path / "spark-env.sh").write_text(
        "export FROM_SPARK_ENV='seen by the driver'\nexport SPARK_DRIVER_MEMORY=666m\n"
    )
    (tmp_path / "spark-defaults.conf").write_text("spark.test.a defaults\n")
    on_path = shutil.which("java")
    environ = {"SPARK_CONF_DIR": str(tmp_path)}
    if on_path:  # the Java of the machine, which has every module
        environ["SPARK_KERNEL_JAVA_HOME"] = str(Path(on_path).resolve().parents[1])
    with new_notebook(environ) as notebook:
        assert (
            notebook.value("sc._jvm.java.lang.System.getenv('FROM_SPARK_ENV')")
            == "'seen by the driver'"
        )
        assert settings_of(notebook, "a") == ["defaults"]
        assert "-Xmx666m" in notebook.driver.cmdline()
        log = notebook.driver_log.read_text()
        assert "through spark-submit" in log
        assert "spark-env.sh" in log


@pytest.mark.parametrize("is_of_cluster", [False, True], ids=["environment", "cluster"])
def test_external_spark_home_starts_through_its_own_spark_submit(
    new_notebook: NotebookMaker, tmp_path: Path, is_of_cluster: bool
) -> None:
    home = tmp_path / "spark home"
    home.mkdir()
    for name in ("jars", "python", "sbin"):
        if (PYSPARK / name).exists():
            (home / name).symlink_to(PYSPARK / name)
    shutil.copytree(PYSPARK / "bin", home / "bin")
    (home / "conf").mkdir()
    (home / "conf" / "spark-defaults.conf").write_text("spark.test.a of its own\n")
    environ = {"SPARK_HOME": str(home), "SPARK_KERNEL_JAVA_HOME": str(any_java().home)}
    if is_of_cluster:
        profile = {"environment": {"SPARK_HOME": str(home)}, "java_home": str(any_java().home)}
        environ = {
            "SPARK_KERNEL_CLUSTERS": json.dumps({"its-own": profile}),
            "SPARK_KERNEL_CLUSTER": "its-own",
        }
    with new_notebook(environ) as notebook:
        assert notebook.value("spark.range(100).selectExpr('sum(id)').first()[0]") == "4950"
        assert notebook.value("sc.parallelize(range(4), 2).map(lambda n: n + 1).sum()") == "10"
        assert settings_of(notebook, "a") == ["of its own"]
        assert f"through spark-submit: SPARK_HOME is {home}" in notebook.driver_log.read_text()
        assert notebook.run("sc._jvm.System.out.println('heard')").stdout == "heard\n"
