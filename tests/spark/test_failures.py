"""A failed start in one short reason and a hint, from texts as Java and Spark write them."""

from __future__ import annotations

import re

import pytest

from spark_kernel.errors import ConfigurationError, DriverStartError, SparkStartError
from spark_kernel.spark.failures import (
    explain_application,
    explain_exception,
    explain_exit,
    explain_text,
)

LOG = "/logs/driver.log"

KNOWN = {
    "disk": (
        "java.io.IOException: No space left on device\n"
        "\tat java.base/java.io.FileOutputStream.writeBytes(Native Method)",
        "disk is full",
        "TMPDIR",
    ),
    "heap setting": (
        "Invalid maximum heap size: -Xmx2gigs\n"
        "Error: Could not create the Java Virtual Machine.\n"
        "Error: A fatal exception has occurred. Program will exit.",
        "-Xmx2gigs",
        "spark.driver.memory",
    ),
    "no memory": (
        "OpenJDK 64-Bit Server VM warning: INFO: os::commit_memory(0x1, 1, 0) failed; "
        "error='Not enough space' (errno=12)\n"
        "# There is insufficient memory for the Java Runtime Environment to continue.",
        "not enough memory",
        "lower spark.driver.memory",
    ),
    "heap too large for the machine": (
        "Error occurred during initialization of VM\n"
        "Could not reserve enough space for 999424000KB object heap",
        "Could not reserve enough space for 999424000KB object heap",
        "lower spark.driver.memory",
    ),
    "too little memory": (
        "26/01/02 03:04:05 ERROR SparkContext: Error initializing SparkContext.\n"
        "org.apache.spark.SparkIllegalArgumentException: [INVALID_DRIVER_MEMORY] System memory "
        "268435456 must be at least 471859200. Please increase heap size using the "
        '--driver-memory option or "spark.driver.memory" in Spark configuration.',
        "System memory 268435456 must be at least 471859200",
        "raise spark.driver.memory",
    ),
    "out of memory": (
        'Exception in thread "main" java.lang.OutOfMemoryError: Java heap space\n\tat a.b.C.d',
        "Java heap space",
        "raise spark.driver.memory",
    ),
    "port": (
        "java.net.BindException: Address already in use: Service 'sparkDriver' failed after 16 "
        "retries (starting from 7099)! Consider explicitly setting the appropriate port for the "
        "service 'sparkDriver' (for example spark.ui.port for SparkUI) to an available port or "
        "increasing spark.port.maxRetries.",
        "'sparkDriver' failed after 16 retries (starting from 7099)",
        "spark.driver.port",
    ),
    "address": (
        "java.net.BindException: Cannot assign requested address: Service 'sparkDriver' failed "
        "after 16 retries (on a random free port)! Consider explicitly setting the appropriate "
        "binding address for the service 'sparkDriver' (for example spark.driver.bindAddress for "
        "SparkDriver) to the correct binding address.",
        "Cannot assign requested address",
        "spark.driver.bindAddress",
    ),
    "kind of master": (
        "org.apache.spark.SparkException: Could not parse Master URL: 'mesos://host:5050'\n"
        "\tat org.apache.spark.SparkContext$.org$apache$spark$SparkContext$$createTaskScheduler",
        "mesos://host:5050",
        "spark://HOST:7077",
    ),
    "kind of master, by spark-submit": (
        'Exception in thread "main" org.apache.spark.SparkException: Master must either be yarn '
        "or start with spark, k8s, or local",
        "Master must either be yarn or start with spark, k8s, or local",
        "spark://HOST:7077",
    ),
    "dead master": (
        "26/01/02 03:04:05 ERROR StandaloneSchedulerBackend: Application has been killed. "
        "Reason: All masters are unresponsive! Giving up.",
        "All masters are unresponsive! Giving up.",
        "master runs",
    ),
    "secret of a standalone cluster": (
        "26/11/25 02:07:10 WARN StandaloneAppClient$ClientEndpoint: Failed to connect to master "
        "127.0.0.1:37867\norg.apache.spark.SparkException: Exception thrown in awaitResult: \n"
        "Caused by: java.lang.RuntimeException: javax.security.sasl.SaslException: DIGEST-MD5: "
        "digest response format violation. Mismatched response.\n"
        "26/11/25 02:07:30 ERROR StandaloneSchedulerBackend: Application has been killed. "
        "Reason: All masters are unresponsive! Giving up.",
        "does not accept this driver's secret",
        "spark.authenticate.secret",
    ),
    "rights of a queue": (
        "org.apache.hadoop.security.AccessControlException: User ada does not have permission to "
        "submit application_1764000000000_0001 to queue root.night",
        "User ada does not have permission to submit application_1764000000000_0001 to queue "
        "root.night",
        "spark.yarn.queue",
    ),
    "rights of a queue, by the fair scheduler": (
        "org.apache.hadoop.yarn.exceptions.YarnException: Failed to submit application_1 to YARN : "
        "User ada cannot submit applications to queue root.night",
        "User ada cannot submit applications to queue root.night",
        "spark.yarn.queue",
    ),
    "no ticket": (
        "Caused by: javax.security.sasl.SaslException: GSS initiate failed [Caused by "
        "GSSException: No valid credentials provided (Mechanism level: Failed to find any "
        "Kerberos tgt)]",
        "by Kerberos: GSS initiate failed",
        "kinit",
    ),
    "no Kerberos": (
        "org.apache.hadoop.security.AccessControlException: SIMPLE authentication is not enabled. "
        " Available:[TOKEN, KERBEROS]",
        "SIMPLE authentication is not enabled. Available:[TOKEN, KERBEROS]",
        "kinit",
    ),
    "rights in the file system": (
        "org.apache.hadoop.security.AccessControlException: Permission denied: user=ada, "
        'access=WRITE, inode="/user":hdfs:supergroup:drwxr-xr-x',
        'Permission denied: user=ada, access=WRITE, inode="/user"',
        "spark.yarn.stagingDir",
    ),
    "name": (
        "java.net.UnknownHostException: nowhere.example: Name or service not known",
        "nowhere.example",
        "check the name",
    ),
    "option of the JVM": (
        "Unrecognized VM option 'UseFancyGC'\nError: Could not create the Java Virtual Machine.",
        "Unrecognized VM option 'UseFancyGC'",
        "spark.driver.extraJavaOptions",
    ),
    "option of java": (
        "Unrecognized option: --fancy\nError: Could not create the Java Virtual Machine.",
        "Unrecognized option: --fancy",
        "spark.driver.extraJavaOptions",
    ),
    "library": (
        'Exception in thread "main" java.lang.RuntimeException: [unresolved dependency: '
        "com.example#nothing_2.13;1.0: not found]",
        "com.example#nothing_2.13;1.0: not found",
        "coordinates",
    ),
    "setting": (
        "java.lang.IllegalArgumentException: spark.executor.cores should be int, but was many",
        "spark.executor.cores should be int, but was many",
        "correct the setting",
    ),
    "number": (
        "java.lang.NumberFormatException: Failed to parse byte string: many. Size must be "
        "specified as bytes (b), kibibytes (k).",
        "Failed to parse byte string: many",
        "correct the setting",
    ),
}


@pytest.mark.parametrize(("text", "said", "hint"), KNOWN.values(), ids=KNOWN)
def test_known_cause_becomes_one_line_and_a_hint(text, said, hint):
    found = explain_text(f"26/01/02 03:04:05 INFO SparkContext: Running Spark\n{text}\nbye")
    assert found is not None
    assert said in found[0]
    assert hint in found[1]
    assert "\n" not in found[0]
    assert "java.lang." not in found[0]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "26/01/02 03:04:05 WARN NativeCodeLoader: Unable to load native-hadoop library",
        "26/01/02 03:04:05 WARN Utils: Service 'SparkUI' could not bind on port 4040. "
        "Attempting port 4041.",
        "26/01/02 03:04:05 INFO MemoryStore: MemoryStore started with capacity 434.4 MiB",
    ],
)
def test_what_every_log_holds_is_no_cause(text):
    assert explain_text(text) is None


def test_endless_text_is_cut_where_it_is_quoted():
    found = explain_text("java.lang.IllegalArgumentException: " + "x" * 5000)
    assert found is not None
    assert 200 < len(found[0]) < 500
    assert found[0].endswith("…")


# -- a driver that ended -----------------------------------------------------------------------


def test_ended_driver_is_explained_from_its_log():
    error = explain_exit(1, ["starting", "Invalid maximum heap size: -Xmx1x", "bye"], LOG)
    assert "-Xmx1x" in error.message
    assert (error.exit_status, error.log_path) == (1, LOG)


def test_unknown_reason_gives_the_exit_status_and_the_last_line_of_the_log():
    error = explain_exit(7, ["one", "the very reason", "  ", ""], LOG)
    assert "exit status 7" in error.message
    assert error.message.endswith("Its log ends with: the very reason")
    assert LOG in error.hint


def test_note_of_the_kernels_own_is_not_quoted():
    error = explain_exit(7, ["the very reason", "[spark-kernel] this way failed"], LOG)
    assert error.message.endswith("the very reason")


def test_empty_log_is_not_quoted():
    error = explain_exit(7, [], LOG)
    assert "exit status 7" in error.message
    assert "log ends" not in error.message


@pytest.mark.parametrize(("signal", "said"), [(9, "SIGKILL"), (15, "terminated")])
def test_signal_is_told_in_words(signal, said):
    assert said in explain_exit(-signal, [], LOG).message


def test_signal_without_words_is_still_told():
    assert "-11" in explain_exit(-11, [], LOG).message


def test_last_line_is_bounded():
    assert len(explain_exit(1, ["x" * 10_000], LOG).message) < 500


# -- an exception while the session was made ---------------------------------------------------


class JavaError(Exception):
    """As a Py4JJavaError: its text is made by the JVM, with the whole stack."""

    java_exception = object()


STACK = """An error occurred while calling None.org.apache.spark.api.java.JavaSparkContext.
: {java}
\tat org.apache.spark.SparkContext.<init>(SparkContext.scala:400)
\tat java.base/java.lang.Thread.run(Thread.java:840)
Caused by: java.net.ConnectException: Connection refused
\tat java.base/sun.nio.ch.Net.pollConnect(Native Method)
\t... 1 more
"""


def test_java_exception_is_told_without_its_stack():
    error = explain_exception(JavaError(STACK.format(java="a.b.OddException: it broke")), LOG)
    assert isinstance(error, SparkStartError)
    assert error.message == "it broke"
    assert LOG in error.hint


def test_known_java_exception_gets_its_hint():
    text = STACK.format(java="java.lang.IllegalArgumentException: requirement failed: no cores")
    error = explain_exception(JavaError(text), LOG)
    assert error.message == "Spark refused a setting: requirement failed: no cores"
    assert "correct the setting" in error.hint


def test_cause_below_the_exception_is_seen():
    text = STACK.format(java="a.b.OddException: it broke").replace(
        "java.net.ConnectException: Connection refused",
        "java.io.IOException: No space left on device",
    )
    assert "disk is full" in explain_exception(JavaError(text), LOG).message


@pytest.mark.parametrize(
    "said", [STACK.format(java="a.b.C: " + "x" * 5000), "", "one line", "\n\n", "x" * 5000]
)
def test_whatever_java_says_the_message_is_short_and_not_empty(said):
    error = explain_exception(JavaError(said), LOG)
    assert 0 < len(error.message) < 500
    assert not re.search(r"^\s*at ", error.message, re.MULTILINE)


def test_python_exception_is_told_in_its_own_words():
    assert explain_exception(ConnectionRefusedError("nobody there"), LOG).message == "nobody there"


def test_python_exception_without_words_is_named():
    assert explain_exception(KeyError(), LOG).message == "KeyError"


def test_error_of_our_own_is_left_as_it_is():
    for error in (ConfigurationError("a", "b"), DriverStartError("c")):
        assert explain_exception(error, LOG) is error


# -- an application that its cluster ended -----------------------------------------------------


def test_application_that_ended_during_the_start_is_explained_from_the_log():
    ended = RuntimeError("Cannot call methods on a stopped SparkContext.")
    log = [*KNOWN["secret of a standalone cluster"][0].splitlines(), "INFO bye"]
    known = explain_application(ended, log)
    assert known is not None
    assert "does not accept this driver's secret" in known.message
    dead = explain_application(SparkStartError("The application ended while it waited"), log[-2:])
    assert dead is not None
    assert "All masters are unresponsive" in dead.message


def test_log_explains_no_other_error_and_nothing_that_it_does_not_know():
    log = KNOWN["dead master"][0].splitlines()
    assert explain_application(RuntimeError("it broke"), log) is None
    ended = RuntimeError("Cannot call methods on a stopped SparkContext.")
    assert explain_application(ended, [KNOWN["setting"][0]]) is None
