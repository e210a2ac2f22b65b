"""What in the code of a cell depends on time, on chance, or on things outside of the notebook."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from spark_kernel.protocol.provenance import CellRecord, DataKind
from spark_kernel.recording.code.cell import Binding, BindingKind, CellCode, Reference

__all__ = ["PYTHON_FORMAT", "outside_of"]

PYTHON_FORMAT = "python"
"""The format of a dataset that Python code opened by itself."""

_CLOCKS = re.compile(
    r"datetime\.(datetime|date)\.(now|utcnow|today)$|time\.(time|time_ns|ctime|localtime|gmtime"
    r"|strftime|asctime|perf_counter|perf_counter_ns|monotonic|monotonic_ns|process_time)$"
    r"|pandas\.Timestamp\.(now|today|utcnow)$|pandas\.to_datetime\.now$"
    r"|pyspark\.sql\.functions\.(current_date|current_timestamp|current_time|curdate|now"
    r"|localtimestamp|unix_timestamp|current_user|session_user|user)$|pendulum\.(now|today)$"
    r"|arrow\.(now|utcnow)$|timeit\."
)
_CHANCE = re.compile(
    r"random\.\w+$|secrets\.\w+$|uuid\.uuid[14]$|os\.(urandom|getrandom)$|numpy\.random\.\w+$"
    r"|pyspark\.sql\.functions\.(rand|randn|random|uuid|shuffle|randstr|uniform)$"
    r"|torch\.(rand\w*|normal|bernoulli|multinomial|empty)$|tensorflow\.random\.\w+$"
    r"|sklearn\.(model_selection\.(train_test_split|K?Fold|ShuffleSplit\w*)|utils\.shuffle)$"
)
_SEEDS = re.compile(
    r"(random\.seed|numpy\.random\.seed|torch\.manual_seed|tensorflow\.random\.set_seed)$"
)
_NEVER_SEEDED = re.compile(r"random\.SystemRandom$|secrets\.|uuid\.uuid[14]$|os\.|.*\.uuid$")
_SEEDABLE = {"default_rng", "RandomState", "Random", "Generator", "PCG64", "SeedSequence"}
_SEED_WORDS = {"seed", "random_state"}
_NO_CHANCE = {"Generator", "BitGenerator", "getstate", "setstate"}
_NETWORK = re.compile(
    r"(requests|httpx|aiohttp|urllib3|socket|ftplib|smtplib|paramiko|boto3|botocore|websocket"
    r"|websockets|grpc|psycopg2?|pymysql|sqlite3|sqlalchemy|pymongo|redis|s3fs|gcsfs|fsspec)\."
    r"|urllib\.request\.|http\.client\.|google\.cloud\.|azure\."
)
_PROCESS = re.compile(r"subprocess\.|os\.(system|popen|spawn\w*|exec\w*|posix_spawn\w*)$|pexpect\.")
_MACHINE = re.compile(
    r"os\.(environ|getenv|getcwd|listdir|scandir|walk|stat|getlogin|getpid|cpu_count)\b"
    r"|os\.path\.(exists|isfile|isdir|getsize|getmtime)$|glob\.i?glob$|sys\.(argv|path|version)\b"
    r"|platform\.|getpass\.|psutil\.|shutil\.|tempfile\."
    r"|pathlib\.Path\.(cwd|home|glob|rglob|iterdir|exists|stat|is_file|is_dir)$"
)
_READERS = re.compile(
    r"^open$|io\.open$|codecs\.open$|gzip\.open$|bz2\.open$|lzma\.open$|zipfile\.ZipFile$"
    r"|tarfile\.open$|numpy\.(load|loadtxt|genfromtxt|fromfile|memmap)$|joblib\.load$"
    r"|torch\.load$|pickle\.load$|json\.load$|pyarrow\.parquet\.\w+$|polars\.scan_\w+$"
    r"|PIL\.Image\.open$|h5py\.File$"
)
_READ_METHODS = re.compile(r"(read_\w+|scan_\w+|read_text|read_bytes|from_pretrained|open)$")
_DATABASES = {"read_sql", "read_sql_query", "read_sql_table", "read_gbq", "read_clipboard"}
_SAMPLES = {"sample": 3, "sampleBy": 3, "randomSplit": 2, "takeSample": 3}
"""Methods that draw by chance, and the place of their seed."""

_SQL_METHODS = {"expr", "selectExpr", "filter", "where", "withColumn", "agg"}
_SQL_CHANCE = re.compile(
    r"\b(rand|randn|random|uuid|shuffle|now|curdate|current_date|current_timestamp|current_time"
    r"|current_user|unix_timestamp)\s*\(\s*\)|\bcurrent_(date|timestamp|time)\b|\blocaltimestamp\b",
    re.IGNORECASE,
)
_WRITE_MODE = re.compile(r"[wax]b?t?\+?$")
_URL = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)


def outside_of(
    code: CellCode, bound: Mapping[str, Binding], record: CellRecord | None
) -> tuple[str, ...]:
    """Say what of a cell's code no record tells of, each in words.

    Parameters
    ----------
    bound
        What the names stand for that cells above have bound: imports count.
    """
    bindings = {**bound, **code.binds}
    dotted = [(_dotted(one, bindings), one) for one in code.references]
    is_seeded = any(_SEEDS.match(name) and one.arguments for name, one in dotted if one.is_call)
    found = dict.fromkeys(code.outside)
    for name, reference in dotted:
        for what in _told(name, reference, is_seeded, bindings, record):
            found[what] = None
    return tuple(found)


def _dotted(reference: Reference, bindings: Mapping[str, Binding]) -> str:
    """Give a name as its module calls it."""
    root, *rest = reference.names
    binding = bindings.get(root)
    if binding is not None and binding.module:
        root = binding.module
    return ".".join([root, *rest])


def _told(
    name: str,
    reference: Reference,
    is_seeded: bool,
    bindings: Mapping[str, Binding],
    record: CellRecord | None,
) -> Iterator[str]:
    root, last = reference.names[0], reference.names[-1]
    binding = bindings.get(root)
    is_module = binding is not None and binding.kind is BindingKind.MODULE
    shown = f"{'.'.join(filter(None, reference.names))}()"
    if is_module:
        if _CLOCKS.match(name) and not (last == "unix_timestamp" and reference.arguments):
            yield f"the time, by {shown}"
        if _CHANCE.match(name) and not _is_seeded(name, reference, is_seeded):
            yield f"chance, by {shown}"
        if _NETWORK.match(name):
            yield f"the network or a database, by {shown}"
        if _PROCESS.match(name):
            yield f"another process, by {shown}"
        if _MACHINE.match(name):
            yield f"this machine, by {shown.removesuffix('()')}"
    if root == "input" and binding is None and reference.is_call:
        yield "what was typed, by input()"
    if not reference.is_call:
        return
    is_frame = binding is not None and binding.kind is BindingKind.FRAME
    if last in _SAMPLES and not is_module and not _has_seed(reference):
        yield f"chance, by {last}() without a seed"
    if last in _SQL_METHODS and any(map(_SQL_CHANCE.search, reference.texts)):
        yield f"time or chance, by SQL in {last}()"
    is_read = _READERS.match(name) or (len(reference.names) > 1 and _READ_METHODS.match(last))
    if is_read and not is_frame and root != "spark":
        yield from _unexplained(shown, reference, record)


def _is_seeded(name: str, reference: Reference, is_seeded: bool) -> bool:
    last = reference.names[-1]
    if _NEVER_SEEDED.match(name):
        return False
    if _SEEDS.match(name) or last in _NO_CHANCE:
        return True
    if name.startswith(("pyspark.", "sklearn.")) or last in _SEEDABLE:
        is_given = bool(reference.keywords & _SEED_WORDS)
        by_place = reference.arguments > (last == "shuffle")
        return is_given or (by_place and not name.startswith("sklearn."))
    return is_seeded


def _has_seed(reference: Reference) -> bool:
    if reference.keywords & {*_SEED_WORDS, "**"}:
        return True
    return reference.arguments >= _SAMPLES[reference.names[-1]]


def _unexplained(shown: str, reference: Reference, record: CellRecord | None) -> Iterator[str]:
    """Tell of a read, unless the record of the cell holds the file."""
    if reference.names[-1] in _DATABASES:
        yield f"the outside, by {shown}"
        return
    first = reference.first
    if first is not None and _URL.match(first) and not first.startswith("file:"):
        yield f"the network, by {shown}"
        return
    if any(_WRITE_MODE.match(text) for text in reference.texts[first is not None :]):
        return
    files = [
        one.name
        for one in (record.inputs or () if record is not None else ())
        if one.kind is DataKind.FILE and one.format == PYTHON_FORMAT and one.fingerprint is not None
    ]
    base = re.split(r"[/\\]", first)[-1] if first else ""
    if not any(name.endswith(base) for name in files):
        yield f"a file that its record does not name, by {shown}"
