"""A session on a Spark Connect server: made, watched, and given back.

PySpark's client reconnects by itself, for minutes. When the channel breaks, a thread of ours,
``spark-connect``, finds out within seconds whether the server still knows the session.
"""

from __future__ import annotations

import importlib
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from spark_kernel.errors import ClusterUnreachableError, SparkKernelError, SparkStartError
from spark_kernel.protocol.events import CONNECT, Application, Cluster, Link, StageName
from spark_kernel.spark.backend import Attached
from spark_kernel.spark.calls import CallTracker
from spark_kernel.spark.cluster_links import cluster_links
from spark_kernel.spark.connect import address
from spark_kernel.spark.connect.configuring import DEFAULTS, apply_settings
from spark_kernel.spark.connect.ending import give_back
from spark_kernel.spark.connect.failures import (
    NoContext,
    details_of,
    says_dropped,
    start_error,
    status_of,
)
from spark_kernel.spark.connect.operations import (
    Operations,
    active_queries,
    ask,
    stop_query_of,
)
from spark_kernel.spark.failures import RESTART_HINT
from spark_kernel.spark.ownership import disown
from spark_kernel.spark.settings import SessionSettings
from spark_kernel.spark.startup import StatusBoard

__all__ = ["ConnectServer"]

_log = logging.getLogger(__name__)
_RETRIES = 15
_LONGEST_PAUSE_MS = 1000
_FIRST_ANSWER_S = 20.0
"""A server that has just started, on a busy machine, takes its time for its first session."""

_GONE_AFTER_S = 4.0
_PROBE_PAUSE_S = 0.5
_UNHEARD_S = 300.0
"""After so long without a word, the server may have dropped the session."""

_FACTS = """
SELECT current_user() AS user,
       java_method('java.lang.System', 'getProperty', 'java.version') AS java,
       java_method('scala.util.Properties', 'versionNumberString') AS scala,
       java_method('org.apache.hadoop.util.VersionInfo', 'getVersion') AS hadoop
"""


class ConnectServer:
    """The session of a kernel on a server.

    Parameters
    ----------
    on_end
        Called with what has happened when the session ends by itself.
    is_cancelled
        Set when the start that is under way is no longer wanted.
    calls
        Knows the cells that wait for the server.
    """

    is_remote = True
    pid = None
    log_path = ""
    archive_wanted_for = None

    def __init__(
        self,
        settings: SessionSettings,
        board: StatusBoard,
        on_end: Callable[[str], None],
        is_cancelled: threading.Event,
        calls: CallTracker | None = None,
    ) -> None:
        self._settings = settings
        self._board = board
        self._on_end = on_end
        self._is_cancelled = is_cancelled
        self._calls = calls
        self._url = address.remote_url(settings, os.environ)
        self._session: Any = None
        self._at_start: dict[str, str] = {}
        self._refused: list[str] = []
        self._opening = threading.Lock()
        self._opening_client: Any = None
        self._watching = threading.Lock()
        self._heard = 0.0
        # From now on: what a cell makes before the session is there is meant for it.
        os.environ[address.MODE] = "1"

    # -- what there is not -----------------------------------------------------------------

    @property
    def is_running(self) -> bool:
        """Whether there is a session."""
        return self._session is not None

    @property
    def launch_settings(self) -> Mapping[str, str]:
        """Nothing: the server was started by somebody else."""
        return {}

    @property
    def origins(self) -> Mapping[str, str]:
        """Where the settings come from that were sent to the server."""
        told = self._settings.origins
        return {
            **dict.fromkeys(DEFAULTS, "the kernel's defaults"),
            **{key: told.get(key, "the kernel's configuration") for key in self._settings.conf},
        }

    @property
    def log_links(self) -> tuple[Link, ...]:
        """Nothing: the log is the server's."""
        return ()

    def log_tail(self, lines: int = 200) -> list[str]:
        """Nothing: the log is the server's."""
        return []

    def note(self, text: str) -> None:
        """Write into the kernel's own log."""
        _log.warning("%s", text)

    def drain_output(self) -> None:
        """Nothing: what user code prints there stays there."""

    def handed_out(self) -> str:
        """Nothing that the server tells."""
        return ""

    def remark(self) -> str:
        """Say which settings the server did not take."""
        if not self._refused:
            return ""
        named = ", ".join(self._refused[:3]) + (" …" if len(self._refused) > 3 else "")
        return f"It does not let a session set {named}: that is for whoever starts the server"

    # -- the start -------------------------------------------------------------------------

    def use(self, settings: SessionSettings) -> None:
        """Take other settings; they count for the next session."""
        self._settings = settings
        self._url = address.remote_url(settings, os.environ)

    def open(self) -> Any:
        """Make a session on the server; gives PySpark's."""
        board = self._board
        where = board.status.cluster.place
        board.enter(StageName.CLUSTER_ATTACHING, f"Attaching to cluster {where}")
        builder = address.channel_builder(self._url)
        address.check_listening(self._url)
        from pyspark.sql.connect.session import SparkSession

        os.environ[address.MODE] = "1"
        with self._opening:
            session = SparkSession(connection=builder)
            self._opening_client = session.client
            try:
                self._prepare(session)
                self._refuse_cancelled()
            except BaseException:
                # Nobody else knows of it: also a start that is no longer wanted leaves nothing.
                give_back(session.client, self._settings.stop_timeout_s)
                raise
            self._session = session
        client = session.client
        SparkSession._default_session = session
        SparkSession._active_session.session = session
        client._channel.subscribe(self._channel_changed)
        return session

    def _prepare(self, session: Any) -> None:
        """Let the server make a session, with the settings that it is to have."""
        from pyspark.sql.connect.client.retries import DefaultPolicy

        client = session.client
        # PySpark's own pauses grow to a minute; whether the server is gone we find out ourselves.
        client.set_retry_policies(
            [DefaultPolicy(max_retries=_RETRIES, max_backoff=_LONGEST_PAUSE_MS)]
        )
        try:
            self._refuse_cancelled()
            ask(client, _FIRST_ANSWER_S)
            self._refuse_cancelled()
            version = str(session.version)
            self._refused = apply_settings(session.conf, self._settings.conf)
            self._at_start = dict(session.conf.getAll)
        except SparkKernelError:
            raise
        except Exception as error:
            raise start_error(error, address.endpoint(self._url)) from error
        self._board.describe(versions={"spark": version})

    def _refuse_cancelled(self) -> None:
        if self._is_cancelled.is_set():
            raise SparkStartError("The start was cancelled.", RESTART_HINT)

    def attached(self, opened: Any) -> Attached:
        """Say what the session is attached to, and watch its operations from now on."""
        found = self._facts(opened)
        known = self._at_start
        identifier = known.get("spark.app.id", "")
        name = self._settings.cluster_name or address.shown(self._url)
        self._follow(opened, found)
        return Attached(
            Cluster(name, address.shown(self._url), CONNECT),
            Application(identifier, known.get("spark.app.name", "")),
            {"spark": str(opened.version), **found["versions"]},
            cluster_links((), self._settings.link_templates, identifier),
        )

    def _facts(self, session: Any) -> dict[str, Any]:
        """Ask for what a server can be asked for; it needs no job."""
        told: dict[str, Any] = {}
        try:
            told = session.sql(_FACTS).collect()[0].asDict()
        except Exception as error:
            _log.info("the server did not tell of itself: %s", details_of(error))
        started = self._at_start.get("spark.app.startTime", "")
        return {
            "user": told.get("user"),
            "started": int(started) if started.isdecimal() else None,
            "versions": {key: told[key] for key in ("java", "scala", "hadoop") if told.get(key)},
            "metrics": {},
            "executors": [],
            "omitted": 0,
        }

    def follow(self, opened: Any) -> None:
        """Watch the operations of a session; None where there is none any more."""
        if self._calls is not None and opened is None:
            self._calls.cell_jobs = None

    def _follow(self, session: Any, facts: Mapping[str, Any]) -> None:
        if self._calls is not None:
            self._calls.cell_jobs = Operations(
                session.client,
                facts,
                lambda name: stop_query_of(session, name),
                lambda: active_queries(session.client),
            )

    def explain(self, error: BaseException) -> BaseException:
        """Give the error as it is: there is no log to look into."""
        return error

    # -- what is handed out ----------------------------------------------------------------

    def existing(self) -> dict[str, Any]:
        """Give the session; it has no context."""
        return {"spark": self._session, "sc": None}

    def current_session(self) -> Any:
        """Give the session."""
        return self._session

    def build(self, session: Any, how: str, options: Mapping[str, str]) -> Any:
        """Give the session with some options set, or another one on the same server."""
        builder = type(session).builder.config(map=dict(options)).remote(self._url)
        return getattr(builder, how)()

    def context_of(self, session: Any) -> Any:
        """Give what says that there is no context."""
        return NoContext()

    def bind_thread(self, *, has_libraries: bool) -> None:
        """Make the session the active one of the calling thread."""
        type(self._session)._active_session.session = self._session

    def settings_at_start(self) -> dict[str, str]:
        """Give the settings that the session began with."""
        return dict(self._at_start)

    def hand_over(self, libraries: Sequence[tuple[str, str]]) -> None:
        """Give the session libraries, as artifacts of its own; a server takes none back."""
        for kind, place in libraries:
            self._hand_over(kind, place)

    def _hand_over(self, kind: str, place: str) -> None:
        session = self._session
        if kind == "maven" or (kind == "jar" and "://" in place):  # the server's to fetch
            session.sql(f"ADD JAR '{place}'")
            return
        path = place.split("#", 1)[0]
        session.addArtifacts(
            place, pyfile=kind == "python", archive=kind == "archive", file=kind == "file"
        )
        if kind == "python" and path.endswith(".py") and str(Path(path).parent) not in sys.path:
            sys.path.insert(1, str(Path(path).parent))
            importlib.invalidate_caches()

    # -- the end ---------------------------------------------------------------------------

    def has_ended(self, error: BaseException) -> str:
        """Say so if the server has dropped the session, or is gone itself."""
        said = str(error)
        if says_dropped(said):
            return "The Spark Connect server has dropped the session"
        if status_of(error) == "UNAVAILABLE":
            return self._what_is_wrong()
        return ""

    def check(self) -> str:
        """Ask the server whether it knows the session, where nothing was heard for long."""
        jobs = self._calls.cell_jobs if self._calls else None
        if not isinstance(jobs, Operations) or time.monotonic() - self._heard < _UNHEARD_S:
            return ""
        return self._what_is_wrong()

    def _channel_changed(self, connectivity: Any) -> None:
        """Note that the channel is up or down; called by gRPC's thread."""
        self._heard = time.monotonic()
        if connectivity.name == "READY" or self._session is None:
            return
        if self._watching.acquire(blocking=False):
            look = threading.Thread(target=self._look_after, name="spark-connect", daemon=True)
            disown(look).start()

    def _look_after(self) -> None:
        session = self._session
        try:
            wrong = self._what_is_wrong()
            if wrong and session is self._session and session is not None:
                self._on_end(wrong)
        finally:
            self._watching.release()

    def _what_is_wrong(self) -> str:
        """Find out whether the session can still be used; gives how it ended, or nothing."""
        jobs = self._calls.cell_jobs if self._calls else None
        if not isinstance(jobs, Operations):
            return ""
        began = time.monotonic()
        wrong = ""
        while time.monotonic() - began < _GONE_AFTER_S and not self._is_cancelled.is_set():
            try:
                address.check_listening(self._url)
                ask(jobs.client)
            except ClusterUnreachableError as error:
                wrong = error.message.rstrip(".")
            except Exception as error:
                if says_dropped(details_of(error)):
                    return "The Spark Connect server has dropped the session"
                if status_of(error) not in ("UNAVAILABLE", "DEADLINE_EXCEEDED"):
                    return ""
                wrong = f"The Spark Connect server does not answer ({details_of(error)})"
            else:
                self._heard = time.monotonic()
                return ""
            time.sleep(_PROBE_PAUSE_S)
        return wrong

    def stop(self) -> None:
        """Give the session back, unless the server takes too long, and close the channel."""
        # What a start is about to make, it gives back itself, being cancelled.
        if self._opening.acquire(timeout=self._settings.stop_timeout_s):
            self._opening.release()
        elif self._opening_client is not None:  # the server does not answer it
            with suppress(Exception):
                self._opening_client._channel.close()
        session, self._session = self._session, None
        if session is not None:
            give_back(session.client, self._settings.stop_timeout_s)

    def discard(self) -> None:
        """Stop, and make PySpark forget the session."""
        self.follow(None)
        self.stop()
        module = sys.modules.get("pyspark.sql.connect.session")
        if module is not None:
            module.SparkSession._default_session = None
            module.SparkSession._active_session = threading.local()
