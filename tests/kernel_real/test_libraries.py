"""Libraries that are added while Spark runs: usable at once, again after a restart, or refused."""

from __future__ import annotations

import functools
import http.server
import json
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from kernel_real.notebook import Notebook, NotebookMaker

MAKE_JAR = """
import zipfile

def make_jar(path, word, name="Greeter"):
    compiler = spark._jvm.org.codehaus.janino.SimpleCompiler()
    loader = spark._jvm.java.lang.Thread.currentThread().getContextClassLoader()
    compiler.setParentClassLoader(loader)
    compiler.cook("package org.example; public class " + name
        + " { public static String greet() { return \\"" + word + "\\"; } }")
    codes = compiler.getBytecodes()
    with zipfile.ZipFile(path, "w") as jar:
        for key in codes.keySet().toArray():
            jar.writestr(key.replace(".", "/") + ".class", bytes(codes.get(key)))
"""
GREETED = "java_method('org.example.{}', 'greet') AS word"


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder that is ``viewfs://shelf/`` to the notebook's Spark."""
    return tmp_path_factory.mktemp("shelf")


@pytest.fixture(scope="module")
def notebook(new_notebook: NotebookMaker, shelf: Path) -> Iterator[Notebook]:
    """Give a notebook with libraries to add in its folder."""
    conf = {"spark.hadoop.fs.viewfs.mounttable.shelf.linkFallback": shelf.as_uri()}
    with new_notebook({"SPARK_KERNEL_CONF": json.dumps(conf)}) as notebook:
        (notebook.folder / "sources").mkdir()  # what lies beside the notebook is found anyway
        notebook.value(MAKE_JAR)
        yield notebook


def add(notebook: Notebook, words: str) -> str:
    """Add something that can be; gives what is shown."""
    result = notebook.run(f"%spark add {words}")
    assert result.status == "ok", result.error
    return result.shown


def refused(notebook: Notebook, words: str) -> str:
    """Add something that cannot be; gives what is said, which is short."""
    before = notebook.run("%spark libraries").shown
    result = notebook.run(f"%spark add {words}")
    assert result.status == "error"
    assert len(result.traceback) <= 6
    assert notebook.run("%spark libraries").shown == before
    return result.error


def on_executors(notebook: Notebook, expression: str) -> str:
    """Evaluate in a task of Python."""
    return notebook.value(f"sc.parallelize([0], 1).map(lambda _: {expression}).first()")


def test_module_is_there_at_once_here_and_on_executors(notebook: Notebook) -> None:
    (notebook.folder / "sources" / "helpers.py").write_text("def answer():\n    return 42\n")
    assert "helpers (" in add(notebook, "sources/helpers.py")
    assert notebook.value("import helpers; helpers.answer()") == "42"
    assert on_executors(notebook, "__import__('helpers').answer()") == "42"
    assert "there already" in add(notebook, "sources/helpers.py")


def test_package_folder_and_wheel_work_like_a_module(notebook: Notebook) -> None:
    package = notebook.folder / "sources" / "tools"
    (package / "inner").mkdir(parents=True)
    (package / "__init__.py").write_text("word = 'tools'\n")
    (package / "inner" / "__init__.py").write_text("word = 'inner'\n")
    assert "tools (" in add(notebook, "sources/tools")
    assert on_executors(notebook, "__import__('tools.inner').inner.word") == "'inner'"
    make_wheel(notebook.folder, "wheeled", "1.2", is_pure=True)
    assert "wheeled 1.2 (" in add(notebook, "wheeled-1.2-py3-none-any.whl")
    assert on_executors(notebook, "__import__('wheeled').version") == "'1.2'"


def test_module_is_there_in_functions_of_python_on_executors(notebook: Notebook) -> None:
    (notebook.folder / "sources" / "shouts.py").write_text(
        "def shout(word):\n    return word + '!'\n"
    )
    add(notebook, "sources/shouts.py")
    notebook.value(
        "from pyspark.sql.functions import udf\n"
        "@udf('string')\ndef shouted(number):\n"
        "    import shouts\n    return shouts.shout(str(number))"
    )
    assert notebook.value("spark.range(7, 8, 1, 1).select(shouted('id')).first()[0]") == "'7!'"


def test_address_of_a_file_system_of_hadoop_is_handed_to_spark(
    notebook: Notebook, shelf: Path
) -> None:
    notebook.value(f"make_jar('{shelf}/remote-1.0.jar', 'from afar', 'Remote')")
    (shelf / "remote_module.py").write_text("word = 'module'\n")
    assert "remote 1.0" in add(notebook, "viewfs://shelf/remote-1.0.jar")
    assert notebook.value("spark._jvm.org.example.Remote.greet()") == "'from afar'"
    add(notebook, "viewfs://shelf/remote_module.py")
    assert on_executors(notebook, "__import__('remote_module').word") == "'module'"
    assert notebook.value("import remote_module; remote_module.word") == "'module'"


def test_several_modules_are_handed_over_all_or_none(notebook: Notebook) -> None:
    sources = notebook.folder / "sources"
    (sources / "early.py").write_text("word = 'first'\n")
    code = (
        "import os, sys, contextlib\nfrom spark_kernel.spark import attach\n"
        "from spark_kernel.spark.handed_out import all_or_nothing\n"
        "with contextlib.suppress(KeyboardInterrupt), all_or_nothing(sc):\n"
        "    attach.hand_over(spark, 'python', os.path.abspath('sources/early.py'))\n"
        "    raise KeyboardInterrupt\n"
        "'early' in str(sc.listFiles)"
    )
    assert notebook.value(code) == "False"
    (sources / "early.py").write_text("word = 'second'\n")
    add(notebook, "sources/early.py")
    assert on_executors(notebook, "__import__('early').word") == "'second'"


def test_jar_is_there_in_sql_and_in_the_driver(notebook: Notebook) -> None:
    notebook.value("make_jar('greeter-1.0.jar', 'hello')")
    shown = add(notebook, "greeter-1.0.jar")
    assert "greeter 1.0 (" in shown
    assert "Extensions, catalogs and plugins that it brings need a new session" in shown
    assert notebook.value("spark._jvm.org.example.Greeter.greet()") == "'hello'"
    assert (
        notebook.value(
            f'spark.range(0, 3, 1, 3).selectExpr("{GREETED.format("Greeter")}").first().word'
        )
        == "'hello'"
    )


def test_maven_coordinate_comes_with_what_it_needs_but_for_what_is_excluded(
    notebook: Notebook,
) -> None:
    repository = notebook.folder / "repository"
    for artifact, needs in (("first", "second third"), ("second", ""), ("third", "")):
        notebook.value(f"make_jar('{artifact}.jar', '{artifact}', '{artifact.title()}')")
        publish(repository, notebook.folder / f"{artifact}.jar", artifact, needs.split())
    words = f"org.example:first:1.0 --repository {repository.as_uri()} --exclude org.example:third"
    assert "org.example:first 1.0" in add(notebook, words)
    assert notebook.value("spark._jvm.org.example.First.greet()") == "'first'"
    assert notebook.value("spark._jvm.org.example.Second.greet()") == "'second'"
    assert notebook.run("spark._jvm.org.example.Third.greet()").status == "error"


def test_file_and_archive_are_where_spark_puts_them(notebook: Notebook) -> None:
    (notebook.folder / "table.csv").write_text("a,b\n")
    add(notebook, "table.csv")
    assert on_executors(notebook, "open(__import__('pyspark').SparkFiles.get('table.csv')).read()")
    notebook.value(
        "import tarfile\nwith tarfile.open('env.tar.gz', 'w:gz') as t: t.add('table.csv')"
    )
    add(notebook, "env.tar.gz#env")
    where = "__import__('pyspark').SparkFiles.get('env')"
    assert on_executors(notebook, f"__import__('os').listdir({where})") == "['table.csv']"


def test_address_is_fetched_and_its_password_not_shown(notebook: Notebook) -> None:
    (notebook.folder / "sources" / "far_away.py").write_text("distance = 7\n")
    handler = functools.partial(QuietHandler, directory=str(notebook.folder / "sources"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        address = f"http://127.0.0.1:{server.server_port}"
        add(notebook, f"{address}/far_away.py")
        said = refused(notebook, f"{address}/nothing.py")
        server.shutdown()
        thread.join()
    assert "404" in said
    assert notebook.value("import far_away; far_away.distance") == "7"
    said = refused(notebook, f"{address.replace('//', '//ada:opensesame@')}/far_away.py")
    assert "opensesame" not in said


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    """Serves files without a word."""

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("nothing.jar", "There is no nothing.jar"),
        ("viewfs://shelf/nothing-1.0.jar", "Spark did not take"),
        ("nosuch://shelf/a.jar", 'No FileSystem for scheme "nosuch"'),
        ("nosuch://shelf/a.py", 'No FileSystem for scheme "nosuch"'),
        ("hdfs://shelf/a-1.0-py3-none-any.whl", "is a wheel"),
        ("org.example:nothing:1.0 --repository file:///nowhere", "Spark did not take"),
        ("org.example:nothing:1.0 --repository http://127.0.0.1:1/", "Spark did not take"),
        ("--pip 'no/name'", "names no package"),
        ("plain", "no Python package"),
        ("native-1.0-py3-none-any.whl", "holds native code"),
        ("broken.whl", "is no wheel"),
        ("greeter-2.0.jar", "greeter 1.0 is there already"),
        ("sources/helpers.py --wrong", "No such option"),
        ("", "Missing argument"),
    ],
)
def test_what_cannot_be_added_is_said_shortly_and_changes_nothing(
    notebook: Notebook, words: str, told: str
) -> None:
    (notebook.folder / "plain").mkdir(exist_ok=True)
    (notebook.folder / "broken.whl").write_text("no zip")
    make_wheel(notebook.folder, "native", "1.0", is_pure=False)
    notebook.value("make_jar('greeter-2.0.jar', 'goodbye')")
    assert told in refused(notebook, words)


def test_list_says_what_and_wherefrom_and_outlives_a_restart(notebook: Notebook) -> None:
    (notebook.folder / "sources" / "helpers.py").write_text(
        "raise RuntimeError('changed meanwhile')\n"
    )
    before = notebook.run("%spark libraries").shown
    for told in (
        "helpers",
        "greeter",
        "1.0",
        "org.example:first",
        "maven",
        "env.tar.gz",
        "wheeled",
    ):
        assert told in before
    notebook.statuses.clear()
    notebook.value("%spark restart")
    assert "libraries_uploading" in [status["stage"] for status in notebook.statuses]
    assert notebook.run("%spark libraries").shown == before
    assert on_executors(notebook, "__import__('helpers').answer()") == "42"
    assert notebook.value("spark._jvm.org.example.Greeter.greet()") == "'hello'"
    assert notebook.run("%spark libraries forget greeter").status == "ok"
    notebook.value("%spark restart")
    add(notebook, "greeter-2.0.jar")
    assert notebook.value("spark._jvm.org.example.Greeter.greet()") == "'goodbye'"


def test_session_that_the_notebook_makes_itself_gets_them_too(notebook: Notebook) -> None:
    made = notebook.run(
        "from pyspark.sql import SparkSession\nspark.stop()\n"
        "spark = SparkSession.builder.appName('mine').getOrCreate()\nsc = spark.sparkContext\n"
        "spark.conf.get('spark.app.name')"
    )
    assert made.text == "'mine'"
    assert on_executors(notebook, "__import__('helpers').answer()") == "42"
    assert "greeter" in notebook.value("spark.sql('LIST JARS').collect()")
    assert notebook.value("spark is SparkSession.getActiveSession()") == "True"
    notebook.value("%spark restart")


def test_extension_that_a_jar_brings_is_read_by_the_session_that_is_offered(
    notebook: Notebook,
) -> None:
    notebook.value(
        "compiler = spark._jvm.org.codehaus.janino.SimpleCompiler()\n"
        "compiler.setParentClassLoader(spark._jvm.java.lang.Thread.currentThread()"
        ".getContextClassLoader())\n"
        "compiler.cook('package org.example; public class Extension"
        " extends scala.runtime.AbstractFunction1 { public Object apply(Object given)"
        ' { System.setProperty("extension.was", "read"); return null; } }\')\n'
        "code = bytes(compiler.getBytecodes().get('org.example.Extension'))\n"
        "with zipfile.ZipFile('extension-1.0.jar', 'w') as jar:\n"
        "    jar.writestr('org/example/Extension.class', code)"
    )
    notebook.value("%%spark_conf\nspark.sql.extensions=org.example.Extension")
    result = notebook.run("%spark add --restart extension-1.0.jar")
    assert result.status == "ok", result.error
    assert "need a new session" not in result.shown
    was_read = "spark._jvm.java.lang.System.getProperty('extension.was')"
    assert notebook.value(was_read) == "'read'"
    assert on_executors(notebook, "__import__('helpers').answer()") == "42"


def test_configured_libraries_and_packages_of_an_index(
    new_notebook: NotebookMaker, tmp_path: Path
) -> None:
    make_wheel(tmp_path, "indexed", "1.2", is_pure=True, needs="click, inner-one")
    make_wheel(tmp_path, "inner_one", "3.0", is_pure=True)
    make_wheel(tmp_path, "click", "8.9", is_pure=True)  # installed here already
    make_wheel(tmp_path, "native", "1.0", is_pure=False)
    environ = {
        "SPARK_KERNEL_LIBRARIES": json.dumps(["ready.py"]),
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(tmp_path),
    }
    with new_notebook(environ, files={"ready.py": "word = 'ready'\n"}) as notebook:
        assert on_executors(notebook, "__import__('ready').word") == "'ready'"
        stages = [stage["stage"] for stage in notebook.status["stages"]]
        assert "libraries_uploading" in stages
        shown = add(notebook, "--pip indexed==1.2")
        assert "indexed 1.2 (" in shown
        assert "inner-one 3.0 (" in shown
        assert "click" not in shown
        assert on_executors(notebook, "__import__('indexed').version") == "'1.2'"
        assert on_executors(notebook, "__import__('inner_one').version") == "'3.0'"
        assert "holds native code" in refused(notebook, "--pip native==1.0")
        assert "pip could not get nothing==1.0" in refused(notebook, "--pip nothing==1.0")


def test_configured_library_that_is_missing_is_told(new_notebook: NotebookMaker) -> None:
    with new_notebook({"SPARK_KERNEL_LIBRARIES": json.dumps(["missing.py"])}) as notebook:
        assert "There is no missing.py" in notebook.run("spark.range(1).count()").error


def make_wheel(folder: Path, name: str, version: str, *, is_pure: bool, needs: str = "") -> None:
    """Make a wheel of one module."""
    about = f"{name}-{version}.dist-info"
    needed = "".join(f"Requires-Dist: {one.strip()}\n" for one in needs.split(",") if one)
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{name}.py", f"version = {version!r}\n")
        pure = str(is_pure).lower()
        wheel.writestr(
            f"{about}/WHEEL",
            f"Wheel-Version: 1.0\nRoot-Is-Purelib: {pure}\nTag: py3-none-any\n",
        )
        shown_name = name.replace("_", "-")
        wheel.writestr(
            f"{about}/METADATA",
            f"Metadata-Version: 2.1\nName: {shown_name}\nVersion: {version}\n{needed}",
        )
        wheel.writestr(f"{about}/RECORD", "")


def publish(repository: Path, jar: Path, artifact: str, needs: list[str]) -> None:
    """Put a jar into a Maven repository."""
    folder = repository / "org" / "example" / artifact / "1.0"
    folder.mkdir(parents=True)
    (folder / f"{artifact}-1.0.jar").write_bytes(jar.read_bytes())
    dependencies = "".join(
        f"<dependency><groupId>org.example</groupId><artifactId>{name}</artifactId>"
        "<version>1.0</version></dependency>"
        for name in needs
    )
    (folder / f"{artifact}-1.0.pom").write_text(
        "<project><modelVersion>4.0.0</modelVersion><groupId>org.example</groupId>"
        f"<artifactId>{artifact}</artifactId><version>1.0</version>"
        f"<dependencies>{dependencies}</dependencies></project>"
    )
