"""Which settings count in the running session, where they come from, and how they are changed."""

from __future__ import annotations

import difflib
import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from spark_kernel.errors import ConfigurationError
from spark_kernel.redaction import holds_secret, without_password

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from spark_kernel.spark.session import KernelSession
    from spark_kernel.spark.settings import SessionSettings

__all__ = [
    "Changes",
    "SettingInForce",
    "change_settings",
    "coming_settings",
    "present_settings",
    "settings_in_force",
    "with_changes",
]

_log = logging.getLogger(__name__)
_HIDDEN = "*********(redacted)"
_BY_MAGIC = "%%spark_conf"
_BY_SPARK = "Spark"
_BY_CONFIGURATION = "the kernel's configuration"
_NOT_CHOSEN = frozenset({_BY_SPARK, "the kernel's defaults"})
_ALIKE = 0.85
_REDACTED = "spark.redaction.regex"
_REGISTER = "org.apache.spark.internal.config.ConfigEntry$"


@dataclass(frozen=True)
class SettingInForce:
    """A setting, its value as it may be shown, and where it comes from."""

    key: str
    value: str
    origin: str

    @property
    def is_chosen(self) -> bool:
        """Whether a person has set it, in a notebook or a configuration."""
        return self.origin not in _NOT_CHOSEN


@dataclass(frozen=True)
class Changes:
    """What became of settings that were changed.

    Attributes
    ----------
    live
        Those that count from now on, or no longer count.
    later
        Those of the next session.
    likely_meant
        A known key for each that Spark does not know, where one is near.
    """

    live: tuple[str, ...]
    later: tuple[str, ...]
    likely_meant: Mapping[str, str]


def settings_in_force(session: KernelSession, prefix: str = "") -> list[SettingInForce]:
    """Give the settings of the running session whose keys begin so, in order."""
    return _in_force(session, session.require(), prefix)


def present_settings(session: KernelSession) -> list[SettingInForce]:
    """Give the same of all settings, without a wait for Spark and without counting as its use.

    Raises
    ------
    Exception
        If the session is gone, or on its way.
    """
    spark = session.driver.current_session()
    session.bind_thread()
    return _in_force(session, spark, "")


def coming_settings(settings: SessionSettings) -> list[SettingInForce]:
    """Give what the next session is told, as far as it is known before there is one."""
    own = {"spark.master": settings.master, "spark.app.name": settings.app_name}
    told = {**settings.conf, **{key: value for key, value in own.items() if value}}
    is_hidden = hidden_by(told.get(_REDACTED))
    return [
        _shown(settings, is_hidden, key, told[key], settings.origins.get(key, _BY_CONFIGURATION))
        for key in sorted(told)
    ]


def _in_force(session: KernelSession, spark: SparkSession, prefix: str) -> list[SettingInForce]:
    origins = session.driver.origins
    at_start = session.driver.settings_at_start()
    now = {**at_start, **spark.conf.getAll}
    is_hidden = hidden_by(now.get(_REDACTED))
    found = []
    for key in sorted(key for key in now if key.startswith(prefix)):
        origin = origins.get(key, _BY_SPARK)
        if now[key] != at_start.get(key):
            origin = _BY_MAGIC if session.settings.origins.get(key) == _BY_MAGIC else "the notebook"
        found.append(_shown(session.settings, is_hidden, key, now[key], origin))
    return found


def _shown(
    settings: SessionSettings,
    is_hidden: Callable[[str, str], bool],
    key: str,
    value: str,
    origin: str,
) -> SettingInForce:
    is_secret = key in settings.secrets or is_hidden(key, value)
    return SettingInForce(key, _HIDDEN if is_secret else without_password(value), origin)


def hidden_by(regex: str | None) -> Callable[[str, str], bool]:
    """Give what tells which settings are hidden, by key and value as Spark has it.

    Parameters
    ----------
    regex
        The session's ``spark.redaction.regex``, which comes on top of what is always hidden.
    """
    try:
        own = re.compile(regex) if regex else None
    except re.error as error:  # one that only Java knows: better nothing shown than a secret
        _log.warning("no setting is shown, for %s is not understood: %s", _REDACTED, error)
        return lambda key, _: key != _REDACTED

    def is_hidden(key: str, value: str) -> bool:
        if holds_secret(key, value):
            return True
        # Spark's own names of it would hide it from whoever wants to know why.
        return own is not None and key != _REDACTED and bool(own.search(key) or own.search(value))

    return is_hidden


def change_settings(session: KernelSession, wanted: Mapping[str, str | None]) -> Changes:
    """Change settings, of the running session where Spark allows it, and of all that follow.

    Parameters
    ----------
    wanted
        Values by their keys; None takes back what was changed before.

    Raises
    ------
    ConfigurationError
        If a key is none of Spark's, or a value none that it takes; nothing was changed then.
    """
    if "spark.master" in wanted:
        raise ConfigurationError(
            "spark.master says which cluster it is; that is no setting to change on one.",
            "name the other one in spark_clusters.toml and run `%spark attach NAME`",
        )
    for key in wanted:
        if not key.startswith("spark."):
            raise ConfigurationError(
                f"{key!r} is no setting of Spark: their names begin with 'spark.'.",
                f"did you mean 'spark.{key}'?",
            )
        if wanted[key] is None and key not in session.settings.replaced:
            raise ConfigurationError(
                f"{key} was not changed by {_BY_MAGIC}, so nothing can be taken back.",
                f"`%spark conf {key}` tells where it comes from",
            )
    spark = session.require() if session.is_ready else None
    live = [key for key in wanted if spark is not None and spark.conf.isModifiable(key)]
    settings = _changed(session.settings, wanted)
    if spark is not None:
        beneath = _at_start(session)
        _set_live(spark, {key: settings.conf.get(key, beneath.get(key)) for key in live})
    session.settings = settings
    session.driver.use(settings)
    later = tuple(key for key in wanted if key not in live)
    return Changes(tuple(live), later, _likely_meant(spark, later) if spark else {})


def _at_start(session: KernelSession) -> dict[str, str]:
    """Give the settings that the driver began with, but for those that the notebook had changed."""
    driver = session.driver
    return {k: v for k, v in driver.launch_settings.items() if driver.origins.get(k) != _BY_MAGIC}


def with_changes(settings: SessionSettings, before: SessionSettings) -> SessionSettings:
    """Give settings to which those are added that the notebook has changed before."""
    return _changed(settings, {key: before.conf[key] for key in before.replaced})


def _changed(settings: SessionSettings, wanted: Mapping[str, str | None]) -> SessionSettings:
    """Give settings with changes on top, or with what was there before those."""
    replaced = dict(settings.replaced)
    given = {key: value for key, value in wanted.items() if value is not None}
    for key in given:
        if key not in replaced:
            own = settings.app_name if key == "spark.app.name" else ""
            replaced[key] = own or settings.conf.get(key), settings.origins.get(key, "")
    settings = settings.with_conf(given, _BY_MAGIC)
    conf, origins = dict(settings.conf), dict(settings.origins)
    for key in wanted.keys() - given.keys():
        conf.pop(key)
        origins.pop(key)
        value, origin = replaced.pop(key)
        if value is not None:
            conf[key] = value
        if origin:
            origins[key] = origin
    return replace(settings, conf=conf, origins=origins, replaced=replaced)


def _set_live(spark: SparkSession, wanted: Mapping[str, str | None]) -> None:
    """Set all of them, or none; None is for Spark's own value."""
    from pyspark.errors import PySparkException

    is_hidden = hidden_by(spark.conf.get(_REDACTED, None))
    before: dict[str, str | None] = {}
    for key, value in wanted.items():
        before[key] = spark.conf.get(key, None)
        try:
            _set(spark, key, value)
        except PySparkException as error:
            for changed, old in before.items():
                _set(spark, changed, old)
            # Spark repeats the value, which may be a secret.
            said = "" if is_hidden(key, value or "") else f" {str(error).splitlines()[0]}"
            raise ConfigurationError(
                f"Spark does not take the value of {key}; nothing was changed.{said}",
                "correct the value",
            ) from error


def _set(spark: SparkSession, key: str, value: str | None) -> None:
    if value is None:
        spark.conf.unset(key)
    else:
        spark.conf.set(key, value)


def _likely_meant(spark: SparkSession, keys: tuple[str, ...]) -> dict[str, str]:
    try:
        return _near_keys(spark, keys)
    except Exception as error:  # a Spark that keeps its register elsewhere
        _log.info("settings were not compared with Spark's: %s", str(error).split("\n", 1)[0])
        return {}


def _near_keys(spark: SparkSession, keys: tuple[str, ...]) -> dict[str, str]:
    jvm: Any = spark.sparkContext._jvm
    entries = jvm.org.apache.spark.internal.config.ConfigEntry
    unknown = [key for key in keys if entries.findEntry(key) is None]
    if not unknown:
        return {}
    # Spark's register of its settings is private, and there is no other list of them all.
    register = jvm.java.lang.Class.forName(_REGISTER).getDeclaredField("knownConfigs")
    register.setAccessible(True)
    known = str(jvm.java.lang.String.join("\n", register.get(None).keySet())).split("\n")
    near = {key: difflib.get_close_matches(key, known, n=1, cutoff=_ALIKE) for key in unknown}
    return {key: found[0] for key, found in near.items() if found}
