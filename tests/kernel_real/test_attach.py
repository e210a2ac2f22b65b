"""Named clusters for real: a notebook moves between them, and the command tries them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from kernel_real.cluster import Cluster, standalone_cluster
from kernel_real.leftovers import MARK, kill_all
from kernel_real.notebook import Notebook, NotebookMaker
from spark_kernel.kernel.clusters import FILE_NAME

CONF = {
    "spark.driver.host": "127.0.0.1",
    "spark.executor.memory": "512m",
    "spark.cores.max": "1",
    "spark.executor.extraJavaOptions": "-Dwhere.am.i=on-the-executor",
    "spark.x.token": "opensesame",
}
WHERE = "java_method('java.lang.System', 'getProperty', 'where.am.i') AS place"
NO_PORT = "spark://127.0.0.1:1"


def clusters_with(cluster: Cluster) -> str:
    """Give the variable that names the clusters of this test."""
    return json.dumps(
        {
            "analytics": {
                "master": cluster.url,
                "conf": CONF,
                "environment": {"WHICH_CLUSTER": "analytics"},
                "links": {
                    "spark-ui": "https://hub/proxy/{port}/{application_id}",
                    "executor-log": "https://hub/{application_id}/{port}{path}",
                },
            },
            "here": {"master": "local[1]"},
            "gone": {"master": NO_PORT},
        }
    )


def check(environ: dict[str, str], name: str) -> subprocess.CompletedProcess[str]:
    """Run ``spark-kernel clusters check``."""
    command = [sys.executable, "-m", "spark_kernel.cli", "clusters", "check", name]
    return subprocess.run(
        command, env={**os.environ, **environ}, capture_output=True, text=True, timeout=120
    )


def check_moves(notebook: Notebook, url: str) -> None:
    """Move to a cluster, to one that is not there, and back."""
    notebook.value("kept = 42\nframe = spark.range(3)\nframe.count()")
    assert notebook.run("%spark attach").stdout.split() == ["analytics", "gone", "here"]
    assert "did you mean 'analytics'?" in notebook.run("%spark attach analytcs").error
    assert notebook.value("frame.count()") == "3"  # a mistake leaves the session as it was
    # A file that is written while the notebook runs.
    file = Path(os.environ["JUPYTER_CONFIG_DIR"], FILE_NAME)
    file.write_text("[late]\nmaster = 'local[1]'\nmastr = ''\n[here]\nmaster = 'nowhere'\n")
    try:
        assert "late" in notebook.run("%spark attach").stdout
        assert str(file) in notebook.run("%spark attach late").error
    finally:
        file.unlink()

    notebook.value("%spark attach analytics")
    status = notebook.status
    assert status["cluster"] == {"name": "analytics", "master": url, "deploy_mode": "client"}
    place = next(link["url"] for link in status["links"] if link["rel"] == "spark-ui")
    assert place.startswith("https://hub/proxy/")
    identifier = status["application"]["id"]
    assert place.endswith(identifier)
    assert notebook.value(f'spark.range(1).selectExpr("{WHERE}").first().place, kept') == (
        "('on-the-executor', 42)"
    )
    shown = notebook.run("%spark info").shown
    assert f"stdout: https://hub/{identifier}/" in shown
    assert f"/logPage/?appId={identifier}&executorId=0&logType=stderr" in shown
    assert notebook.value("import os; os.environ.get('WHICH_CLUSTER')") == "'analytics'"
    assert notebook.run("frame.count()").error.startswith("StaleSessionError")

    refused = notebook.run("%spark attach gone")
    assert "cannot be reached" in refused.error
    assert len(refused.traceback) <= 3
    notebook.value("%%spark_conf\nspark.my.own=stays")
    notebook.value("%spark attach here")
    assert notebook.value("spark.conf.get('spark.my.own')") == "'stays'"
    assert notebook.value("sc.master, kept, os.environ.get('WHICH_CLUSTER')") == (
        "('local[1]', 42, None)"
    )
    assert notebook.value("spark.range(3).count()") == "3"
    assert "opensesame" not in notebook.kernel_log


def test_notebook_moves_between_clusters_and_the_command_tries_them(
    new_notebook: NotebookMaker,
) -> None:
    folder, mark = new_notebook.next_place()
    try:
        with standalone_cluster(folder, mark) as cluster:
            cluster.add_worker()
            environ = {"SPARK_KERNEL_CLUSTERS": clusters_with(cluster)}
            with new_notebook({**environ, "SPARK_KERNEL_MASTER": "local[2]"}) as notebook:
                check_moves(notebook, cluster.url)
            good = check({**environ, MARK: mark}, "analytics")
            assert good.returncode == 0, good.stdout + good.stderr
            assert "A task ran on" in good.stdout
            assert "All is well" in good.stdout
            assert "opensesame" not in good.stdout + good.stderr
            bad = check({**environ, MARK: mark}, "gone")
            assert bad.returncode == 1
            assert "127.0.0.1:1" in bad.stderr
            assert "cannot be reached" in bad.stderr
            assert len((bad.stdout + bad.stderr).splitlines()) < 12
    finally:
        kill_all(mark)
