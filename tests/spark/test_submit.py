"""Which setting counts where several places give one, and what spark-submit is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from spark_kernel.errors import ConfigurationError
from spark_kernel.spark.settings import SessionSettings
from spark_kernel.spark.submit import SubmitPlan, plan_submission

KEY = "spark.example"


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    """Give Spark's configuration folder, with nothing in it."""
    folder = tmp_path / "conf"
    folder.mkdir()
    return folder


@pytest.fixture
def plan(conf: Path):
    """Plan with settings, PYSPARK_SUBMIT_ARGS, spark-defaults.conf and further variables."""

    def make(
        settings: SessionSettings = SessionSettings(),  # noqa: B008  # frozen
        arguments: str | None = None,
        defaults: str | None = None,
        **environ: str,
    ) -> SubmitPlan:
        if defaults is not None:
            (conf / "spark-defaults.conf").write_text(defaults)
        if arguments is not None:
            environ["PYSPARK_SUBMIT_ARGS"] = arguments
        return plan_submission(settings, environ, conf)

    return make


def properties_file(folder: Path, text: str) -> Path:
    path = folder / "given.properties"
    path.write_text(text)
    return path


def with_conf(**values: str) -> SessionSettings:
    return SessionSettings(conf={f"spark.{key}": value for key, value in values.items()})


# -- precedence --------------------------------------------------------------------------------


def test_nothing_set_means_this_machine(plan):
    made = plan()
    assert (made.master, made.is_local) == ("local[*]", True)
    assert made.arguments == ()


def test_spark_defaults_count_where_nothing_else_is_set(plan):
    made = plan(defaults=f"spark.master spark://host:7077\n{KEY}  from defaults \n# comment\n")
    assert made.master == "spark://host:7077"
    assert made.effective[KEY] == "from defaults"
    assert made.is_with_defaults
    assert KEY not in made.properties, "Spark reads its own file itself"


def test_settings_of_the_kernel_beat_spark_defaults(plan):
    made = plan(with_conf(example="kernel"), defaults=f"{KEY} defaults")
    assert made.effective[KEY] == made.properties[KEY] == "kernel"


def test_submit_arguments_beat_the_kernel(plan):
    made = plan(with_conf(example="kernel"), f"--conf {KEY}=arguments", f"{KEY} defaults")
    assert made.effective[KEY] == "arguments"
    assert f"{KEY}=arguments" in made.arguments, "Spark has to be told so as well"


def test_master_of_its_own_trait_beats_the_one_among_the_settings(plan):
    made = plan(SessionSettings(master="yarn", conf={"spark.master": "local"}))
    assert made.master == made.properties["spark.master"] == "yarn"


def test_application_name_is_handed_on(plan):
    assert plan(SessionSettings(app_name="notebook")).properties["spark.app.name"] == "notebook"


def test_variable_master_counts_last(plan):
    assert plan(MASTER="spark://old:7077").master == "spark://old:7077"
    assert plan(MASTER="spark://old:7077", defaults="spark.master yarn").master == "yarn"


@pytest.mark.parametrize("text", ["--master yarn --conf {0}", "--conf {0} --master yarn"])
def test_option_beats_a_conf_of_the_same_setting_as_in_spark_submit(plan, text):
    assert plan(arguments=text.format("spark.master=local[2]")).master == "yarn"


def test_last_word_on_the_drivers_memory_counts_as_in_the_launcher(plan):
    key = "spark.driver.memory"
    one, other = f"--conf {key}=1g", "--driver-memory 2g"
    assert plan(arguments=f"{one} {other}").effective[key] == "2g"
    assert plan(arguments=f"{other} {one}").effective[key] == "1g"


# -- a properties file among the arguments -----------------------------------------------------


def test_properties_file_takes_the_place_of_spark_defaults(plan, tmp_path):
    path = properties_file(tmp_path, f"{KEY}=file\n")
    made = plan(arguments=f"--properties-file {path}", defaults=f"{KEY} defaults\nspark.other x")
    assert made.effective[KEY] == "file"
    assert "spark.other" not in made.effective
    assert not made.is_with_defaults
    assert "--load-spark-defaults" not in made.submit_arguments(tmp_path / "ours")


def test_properties_file_goes_into_ours_as_spark_reads_only_one(plan, tmp_path):
    path = properties_file(tmp_path, f"{KEY}=file\nspark.other=file\n")
    made = plan(with_conf(example="kernel"), f"--properties-file={path}")
    assert made.properties[KEY] == "kernel"
    assert made.properties["spark.other"] == "file"
    arguments = made.submit_arguments(tmp_path / "ours")
    assert arguments[:2] == ["--properties-file", str(tmp_path / "ours")]
    assert str(path) not in arguments


def test_spark_defaults_come_back_below_a_properties_file_on_demand(plan, tmp_path):
    path = properties_file(tmp_path, f"{KEY}=file\n")
    made = plan(
        arguments=f"--load-spark-defaults --properties-file {path}",
        defaults=f"{KEY} defaults\nspark.other defaults",
    )
    assert made.effective[KEY] == "file"
    assert made.effective["spark.other"] == "defaults"
    assert made.submit_arguments(tmp_path).count("--load-spark-defaults") == 1


def test_properties_files_are_those_of_java(plan, tmp_path):
    path = properties_file(tmp_path, "spark.a : colon\nspark.b=a\\\n  continued\nspark.c \\u00e9\n")
    made = plan(arguments=f"--properties-file {path}")
    assert [made.effective[f"spark.{key}"] for key in "abc"] == ["colon", "acontinued", "é"]


# -- the words of PYSPARK_SUBMIT_ARGS ----------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [f"--conf {KEY}=a=b", f"--conf={KEY}=a=b", f"-c {KEY}=a=b", f'--conf "{KEY} = a=b"'],
)
def test_conf_is_understood_in_every_spelling(plan, arguments):
    assert plan(arguments=arguments).effective[KEY] == "a=b"


def test_quoted_argument_stays_one(plan):
    made = plan(arguments=f"--name 'my notebook' --conf {KEY}=\"a b\" pyspark-shell")
    assert made.effective["spark.app.name"] == "my notebook"
    assert made.effective[KEY] == "a b"
    assert made.arguments == ("--name", "my notebook", "--conf", f"{KEY}=a b")


@pytest.mark.parametrize(
    ("option", "key"),
    [
        ("--master", "spark.master"),
        ("--name", "spark.app.name"),
        ("--driver-memory", "spark.driver.memory"),
        ("--driver-java-options", "spark.driver.extraJavaOptions"),
        ("--driver-class-path", "spark.driver.extraClassPath"),
        ("--driver-library-path", "spark.driver.extraLibraryPath"),
        ("--jars", "spark.jars"),
        ("--packages", "spark.jars.packages"),
        ("--py-files", "spark.submit.pyFiles"),
    ],
)
def test_option_that_stands_for_a_setting_is_known_before_the_start(plan, option, key):
    for arguments in (f"{option} value", f"{option}=value"):
        assert plan(arguments=arguments).effective[key] == "value"


def test_option_without_a_value_does_not_swallow_the_next(plan):
    made = plan(arguments=f"--verbose --conf {KEY}=1 --supervise --master yarn pyspark-shell")
    assert made.effective[KEY] == "1"
    assert made.master == "yarn"
    assert made.arguments[0] == "--verbose"


def test_option_that_we_do_not_know_is_handed_on_with_its_value(plan):
    arguments = ("--executor-memory", "2g", "--num-executors=3", "--queue", "q", "--name", "n")
    made = plan(arguments=" ".join(arguments))
    assert made.arguments == arguments
    assert made.effective["spark.app.name"] == "n"


def test_application_comes_last_and_once(plan, tmp_path):
    arguments = plan(arguments="--verbose pyspark-shell").submit_arguments(tmp_path)
    assert arguments[-1] == "pyspark-shell"
    assert arguments.count("pyspark-shell") == 1


def test_open_quote_is_an_error_that_names_the_variable(plan):
    with pytest.raises(ConfigurationError, match="PYSPARK_SUBMIT_ARGS") as caught:
        plan(arguments="--name 'my notebook")
    assert "quote" in caught.value.hint


# -- defaults of our own -----------------------------------------------------------------------


def test_local_driver_listens_on_loopback(plan):
    for master in ("local", "local[4]", "local[2, 3]"):
        made = plan(SessionSettings(master=master))
        assert made.properties["spark.driver.host"] == "127.0.0.1"
        assert made.properties["spark.driver.bindAddress"] == "127.0.0.1"


@pytest.mark.parametrize(
    "master", ["spark://h:7077", "yarn", "k8s://h:6443", "local-cluster[2,1,512]"]
)
def test_driver_of_a_cluster_can_be_reached(plan, master):
    made = plan(SessionSettings(master=master))
    assert not made.is_local
    assert "spark.driver.host" not in made.effective
    assert "spark.driver.bindAddress" not in made.effective


def test_address_from_the_environment_is_respected(plan):
    assert "spark.driver.host" not in plan(SPARK_LOCAL_IP="10.0.0.7").effective


@pytest.mark.parametrize("where", ["defaults", "settings", "arguments"])
def test_own_default_gives_way_to_whoever_set_it(plan, where):
    key = "spark.ui.showConsoleProgress"
    assert plan().properties[key] == "false"
    given = {
        "defaults": lambda: plan(defaults=f"{key} true"),
        "settings": lambda: plan(SessionSettings(conf={key: "true"})),
        "arguments": lambda: plan(arguments=f"--conf {key}=true"),
    }[where]()
    assert given.effective[key] == "true"
    assert given.properties.get(key) != "false", "it would beat spark-defaults.conf"


def test_many_kernels_find_a_port_on_one_machine(plan):
    assert int(plan().properties["spark.port.maxRetries"]) > 16


# -- what is refused ---------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["settings", "arguments", "defaults"])
def test_driver_away_from_the_notebook_is_refused(plan, where):
    key = "spark.submit.deployMode"
    with pytest.raises(ConfigurationError, match="'cluster'") as caught:
        {
            "settings": lambda: plan(SessionSettings(conf={key: "cluster"})),
            "arguments": lambda: plan(arguments="--deploy-mode cluster"),
            "defaults": lambda: plan(defaults=f"{key} cluster"),
        }[where]()
    assert key in caught.value.hint


def test_deploy_mode_client_is_fine(plan):
    assert plan(arguments="--deploy-mode client").effective["spark.submit.deployMode"] == "client"


def test_spark_connect_is_refused_wherever_it_is_asked_for(plan):
    asked = [
        lambda: plan(SPARK_REMOTE="sc://host"),
        lambda: plan(SessionSettings(conf={"spark.remote": "local"})),
        lambda: plan(arguments="--remote sc://host"),
    ]
    for ask in asked:
        with pytest.raises(ConfigurationError, match="Spark Connect"):
            ask()


def test_settings_for_kubernetes_pass_through_as_they_are(plan):
    given = {
        "spark.kubernetes.namespace": "analytics",
        "spark.kubernetes.container.image": "registry.example.org/spark:4.3.0",
        "spark.kubernetes.driver.pod.name": "notebook-1",
        "spark.driver.host": "notebook-1.analytics.svc",
        "spark.driver.bindAddress": "0.0.0.0",
    }
    made = plan(SessionSettings(master="k8s://https://kubernetes.default.svc", conf=given))
    assert made.master == "k8s://https://kubernetes.default.svc"
    assert not made.is_local
    assert {key: made.properties[key] for key in given} == given
    assert {key: made.effective[key] for key in given} == given


def test_missing_properties_file_is_named(plan, tmp_path):
    with pytest.raises(ConfigurationError, match=r"gone\.properties"):
        plan(arguments=f"--properties-file {tmp_path / 'gone.properties'}")


def test_properties_file_that_is_a_folder_is_named(plan, tmp_path):
    with pytest.raises(ConfigurationError, match=str(tmp_path)):
        plan(arguments=f"--properties-file {tmp_path}")


@pytest.mark.parametrize("data", [b"spark.a \xff\xfe", b"spark.a \\u12"], ids=["bytes", "escape"])
def test_unreadable_spark_defaults_are_named(plan, conf, data):
    (conf / "spark-defaults.conf").write_bytes(data)
    with pytest.raises(ConfigurationError, match=r"spark-defaults\.conf cannot be read"):
        plan()


def test_what_was_added_comes_behind_what_a_list_has(tmp_path):
    (tmp_path / "spark-defaults.conf").write_text("spark.jars /site.jar\n")
    added = {"spark.jars": ("/one.jar", "/two.jar"), "spark.jars.packages": ("a:b:1",)}
    plan = plan_submission(SessionSettings(added=added), {}, tmp_path)
    assert plan.properties["spark.jars"] == "/site.jar,/one.jar,/two.jar"
    assert plan.properties["spark.jars.packages"] == "a:b:1"
    assert plan.origins["spark.jars"] == "%spark add"
