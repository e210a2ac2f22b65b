"""Files of libraries: copied in blocks, told how far that is, and nothing left where it fails."""

from __future__ import annotations

import hashlib
import http.server
import subprocess
import sys
import threading
import traceback
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from spark_kernel.errors import LibraryError
from spark_kernel.redaction import without_password
from spark_kernel.spark import library_files
from spark_kernel.spark.library_files import digest, fetch

MIB = 1024 * 1024


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Give a file of two and a half blocks."""
    path = tmp_path / "data.bin"
    path.write_bytes(bytes(range(256)) * (MIB * 5 // 2 // 256))
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a folder for copies."""
    (tmp_path / "copies").mkdir()
    return tmp_path / "copies"


def test_copy_is_the_same_and_a_quick_one_tells_nothing(source, folder):
    told: list[Any] = []
    (fetched,) = fetch(str(source), folder, lambda *far: told.append(far))
    assert fetched.path.read_bytes() == source.read_bytes()
    assert digest(fetched.path) == hashlib.sha256(source.read_bytes()).hexdigest()
    assert told == []


@pytest.mark.parametrize("has_size", [True, False])
def test_slow_copy_tells_how_far_it_is(source, folder, monkeypatch, has_size):
    monkeypatch.setattr(library_files, "_TELL_INTERVAL_S", 0.0)
    told: list[Any] = []
    size = source.stat().st_size if has_size else None
    with source.open("rb") as file:
        library_files._copy(file, folder / "copy", size, lambda *far: told.append(far))
    assert told == [(MIB, size), (2 * MIB, size), (MIB * 5 // 2, size)]


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_copy_that_breaks_off_leaves_nothing(source, folder, monkeypatch, error):
    def break_off(*_: Any) -> None:
        raise error

    monkeypatch.setattr(library_files, "_TELL_INTERVAL_S", 0.0)
    with pytest.raises((LibraryError, KeyboardInterrupt)):
        fetch(str(source), folder, break_off)
    assert list(folder.iterdir()) == []


# -- what changes or breaks off ----------------------------------------------------------------


def test_file_that_changes_while_it_is_copied_is_not_taken(source, folder, monkeypatch):
    def grow(*_: Any) -> None:  # without end
        with source.open("ab") as file:
            file.write(b"more")

    monkeypatch.setattr(library_files, "_TELL_INTERVAL_S", 0.0)
    with pytest.raises(LibraryError, match="changed while it was copied"):
        fetch(str(source), folder, grow)
    assert list(folder.iterdir()) == []


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves what misbehaves, to whom says the password."""

    def do_GET(self) -> None:
        """Answer by the path."""
        self.server.asked.append((self.path, self.headers["Authorization"]))
        if self.path == "/elsewhere.py":
            self.send_response(302)
            self.send_header("Location", self.server.elsewhere)
            self.end_headers()
            return
        self.send_response(200)
        if self.path == "/broken-chunks.jar":
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"64\r\nfew")
            return
        self.send_header("Content-Length", "1000" if self.path == "/short.jar" else "3")
        self.end_headers()
        self.wfile.write(b"x=1")

    protocol_version = "HTTP/1.1"

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""

    def finish(self) -> None:
        """Hang up after each answer."""
        super().finish()
        self.connection.close()

    def handle(self) -> None:
        """Answer one request."""
        self.handle_one_request()


@contextmanager
def served() -> Iterator[Any]:
    """Serve on a port of this machine."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.asked, server.elsewhere = [], ""
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def ignore(*_: Any) -> None:
    """Listen to nothing."""


@pytest.mark.parametrize(
    ("name", "said"), [("short.jar", "broke off: 3 of 1,000"), ("broken-chunks.jar", "Incomplete")]
)
def test_download_that_breaks_off_is_not_taken(folder, name, said):
    with served() as server, pytest.raises(LibraryError, match=said):
        fetch(f"http://127.0.0.1:{server.server_port}/{name}", folder, ignore)
    assert list(folder.iterdir()) == []


def test_name_and_password_are_told_to_the_host_that_they_are_for_alone(folder):
    with served() as server, served() as other:
        server.elsewhere = f"http://localhost:{other.server_port}/module.py"
        address = f"http://ada:open%40sesame@127.0.0.1:{server.server_port}"
        (near,) = fetch(f"{address}/two words.py", folder, ignore)
        fetch(f"{address}/elsewhere.py", folder, ignore)
        server.elsewhere = "/module.py"
        fetch(f"{address}/elsewhere.py", folder, ignore)
    told = f"Basic {b64encode(b'ada:open@sesame').decode()}"
    assert near.path.name == "two words.py"
    paths = ["/two%20words.py", "/elsewhere.py", "/elsewhere.py", "/module.py"]
    assert server.asked == [(path, told) for path in paths]
    assert other.asked == [("/module.py", None)]


@pytest.mark.parametrize(
    "address",
    [
        "http://ada:opensesame@127.0.0.1:1/a.jar",
        "http://opensesame@127.0.0.1:1/a.jar",
        "http://ada:opensesame@no where/a.jar",
        "http://ada:opensesame@[/a.jar",
        "http://ada:opensesame@host:port/a.jar",
    ],
)
def test_address_that_leads_nowhere_is_told_without_its_password(folder, address):
    with pytest.raises(LibraryError) as caught:
        fetch(address, folder, ignore)
    assert "opensesame" not in "".join(traceback.format_exception(caught.value))
    assert list(folder.iterdir()) == []


# -- pip ---------------------------------------------------------------------------------------


def test_pip_that_takes_too_long_is_said(folder, monkeypatch):
    def hang(*_: Any, **__: Any) -> None:
        raise subprocess.TimeoutExpired("pip", 300)

    monkeypatch.setattr(subprocess, "run", hang)
    with pytest.raises(LibraryError, match=r"pip could not get some==1\.0 within 300 s"):
        fetch("pip:some==1.0", folder, ignore)
    assert list(folder.iterdir()) == []


def test_missing_pip_is_said_with_what_helps(folder, monkeypatch):
    said = f"{sys.executable}: No module named pip\n"
    ran = subprocess.CompletedProcess("pip", 1, "", said)
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: ran)
    with pytest.raises(LibraryError, match="No module named pip") as caught:
        fetch("pip:some==1.0", folder, ignore)
    assert "ensurepip" in caught.value.hint


def test_token_in_what_pip_is_to_get_is_not_told(folder, monkeypatch):
    ran = subprocess.CompletedProcess("pip", 1, "", "ERROR: cannot have it")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: ran)
    for what in ("https://opensesame@host/x.whl", "x @ https://ada:opensesame@host/x.whl"):
        with pytest.raises(LibraryError) as caught:
            fetch(f"pip:{what}", folder, ignore)
        assert "opensesame" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://opensesame@host/a.whl", "https://***@host/a.whl"),
        ("https://ada:open@sesame@host/a.whl", "https://ada:***@host/a.whl"),
        (
            "abfss://data@account.dfs.core.windows.net/a",
            "abfss://data@account.dfs.core.windows.net/a",
        ),
        ("https://host/@scope/a.tgz", "https://host/@scope/a.tgz"),
    ],
)
def test_address_is_shown_without_what_is_secret_in_it(url, shown):
    assert without_password(url) == shown
