"""The connection to the driver: replies of any length arrive as through stock py4j."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from py4j.clientserver import ClientServer, JavaParameters, PythonParameters
from py4j.java_gateway import JavaGateway
from py4j.protocol import Py4JAuthenticationError, Py4JNetworkError
from py4j_server import Py4jServer

from spark_kernel.spark import gateway as gateway_module
from spark_kernel.spark.driver import Connection
from spark_kernel.spark.gateway import PromptClientServer, connect

pytestmark = pytest.mark.timeout(60)
PATIENCE_S = 20.0
ASK = "reply\ne\n"
VARIABLES = ("PYSPARK_GATEWAY_PORT", "PYSPARK_GATEWAY_SECRET")


@pytest.fixture
def server() -> Iterator[Py4jServer]:
    """Give a server that sends its replies in one piece."""
    with Py4jServer() as running:
        yield running


@pytest.fixture(params=["prompt", "no quick acknowledgement"])
def client(
    server: Py4jServer, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Any]:
    """Give our client, also as it is on systems that know no quick acknowledgement."""
    if request.param != "prompt":
        monkeypatch.setattr(gateway_module, "_QUICKACK", None)
    made = connect(Connection(server.port, server.secret))
    yield made
    made.shutdown()


def stock(server: Py4jServer) -> ClientServer:
    return ClientServer(
        java_parameters=JavaParameters(
            port=server.port, auth_token=server.secret, auto_convert=True
        ),
        python_parameters=PythonParameters(port=0, eager_load=False),
    )


def ask(client: Any) -> str:
    return str(client._gateway_client.send_command(ASK))


def test_gateway_is_pysparks_own_with_its_imports(server, client):
    assert isinstance(client, PromptClientServer)
    assert client.java_parameters.auto_convert
    imported = {word for command in server.commands for word in command}
    assert "org.apache.spark.SparkConf" in imported


@pytest.mark.parametrize("length", [0, 1, 8_187, 8_188, 8_189, 8_192, 65_535, 65_536, 3_000_000])
def test_reply_of_any_length_is_what_stock_py4j_reads(server, client, length):
    server.reply = "é€𝄞"[: length % 4] + "x" * length
    other = stock(server)
    assert ask(client) == ask(other) == "ys" + server.reply
    other.shutdown()


def test_reply_in_many_pieces_arrives_whole():
    with Py4jServer(piece_bytes=1001) as server:
        client = connect(Connection(server.port, server.secret))
        server.reply = "é" * 60_000
        assert ask(client) == "ys" + server.reply
        client.shutdown()


def test_replies_do_not_run_into_each_other(server, client):
    for number in range(50):
        server.reply = f"{number} " * (1 + 500 * (number % 5))
        assert ask(client) == "ys" + server.reply


def test_each_thread_has_its_own_connection(server, client):
    server.reply = "x" * 20_000
    before = server.connections
    answers: list[str] = []
    threads = [threading.Thread(target=lambda: answers.append(ask(client))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert answers == ["ys" + server.reply] * 4
    assert server.connections == before + 4


def test_connection_goes_with_its_thread(server, client):
    thread = threading.Thread(target=ask, args=(client,))
    thread.start()
    thread.join(PATIENCE_S)
    assert server.closed.acquire(timeout=PATIENCE_S)


def test_reply_that_breaks_off_is_what_stock_py4j_makes_of_it(server, client):
    server.reply = "x" * 20_000
    server.is_cut_short = True
    answers = []
    for each in (client, stock(server)):
        try:
            answers.append(ask(each))
        except Py4JNetworkError as error:
            answers.append(str(error))
        finally:
            each.shutdown()
    assert answers[0] == answers[1]


def test_closed_gateway_leaves_no_connection_open(server, client):
    ask(client)
    client.shutdown()
    for _ in range(server.connections):
        assert server.closed.acquire(timeout=PATIENCE_S)


def test_next_call_after_a_lost_connection_makes_a_new_one(server, client):
    server.reply = "x" * 20_000
    connection = client._gateway_client._get_connection()
    client._gateway_client._give_back_connection(connection)
    connection.close()
    assert ask(client) == "ys" + server.reply


# -- what is left in this process --------------------------------------------------------------


def test_no_script_that_a_cell_starts_would_join_the_driver(client):
    assert not any(name in os.environ for name in VARIABLES)


def test_wrong_secret_is_refused_and_nothing_is_left(server):
    with pytest.raises((Py4JAuthenticationError, Py4JNetworkError)):
        connect(Connection(server.port, "wrong"))
    assert not any(name in os.environ for name in VARIABLES)


def test_pyspark_makes_stock_gateways_afterwards(client):
    import pyspark.java_gateway

    assert pyspark.java_gateway.ClientServer is ClientServer


def test_unpinned_threads_get_pysparks_other_gateway(server, monkeypatch):
    monkeypatch.setenv("PYSPARK_PIN_THREAD", "false")
    client = connect(Connection(server.port, server.secret))
    assert type(client) is JavaGateway
    server.reply = "x" * 20_000
    assert ask(client) == "ys" + server.reply
    client.shutdown()
