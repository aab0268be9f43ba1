"""A server that ends hears those out who have a connection, and says that it was the last answer."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import uvicorn
from starlette.responses import PlainTextResponse

from aos_server.limits.leaving import LeavingProtocol
from aos_server.limits.protocol import SETTINGS
from tests.services.processes import listens, wait_for

ASK = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


@contextmanager
def ending(last_s: float) -> Iterator[tuple[int, uvicorn.Server, threading.Thread]]:
    """A server, to be told to end."""

    class Protocol(LeavingProtocol):
        pass

    Protocol.last_s = last_s
    app = PlainTextResponse("ok")
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, **{**SETTINGS, "http": Protocol}))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_for(lambda: server.started, "it has started")
    yield server.servers[0].sockets[0].getsockname()[1], server, thread
    server.should_exit = server.force_exit = True
    thread.join(20)
    assert not thread.is_alive()


def answer(client: socket.socket) -> bytes:
    found = b""
    while b"\r\n\r\nok" not in found and (data := client.recv(1000)):
        found += data
    return found


@pytest.mark.parametrize("asked_before", [False, True])
def test_who_has_a_connection_may_ask_once_more_and_is_told_that_it_was_the_last(asked_before: bool) -> None:
    with ending(60) as (port, server, thread), socket.create_connection(("127.0.0.1", port)) as client:
        client.settimeout(20)
        if asked_before:
            client.sendall(ASK)
            assert b"connection: close" not in answer(client)
        else:
            wait_for(lambda: bool(server.server_state.connections), "it is let in")
        server.should_exit = True
        wait_for(lambda: not listens(port), "nobody else is let in")
        client.sendall(ASK)
        assert b"\r\nconnection: close\r\n" in answer(client)
        assert client.recv(1) == b""
        thread.join(20)
        assert not thread.is_alive()


def test_who_asks_nothing_more_keeps_nobody() -> None:
    with ending(0.05) as (port, server, thread), socket.create_connection(("127.0.0.1", port)) as client:
        client.settimeout(20)
        client.sendall(ASK)
        answer(client)
        server.should_exit = True
        assert client.recv(1) == b""
        thread.join(20)
        assert not thread.is_alive()
