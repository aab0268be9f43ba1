"""Requests that are too large, too slow or can be read in two ways: a problem each, and flat memory."""

import json
import re
import select
import socket
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from typing import Any, NamedTuple

import pytest

from aos_server.http.bodies import MAX_BODY_BYTES
from aos_server.limits.sizes import MAX_HEAD_BYTES, MAX_HEADERS
from tests.server.limits.guarded import HEAD_S, LINGER_S, UPLOAD_S, WRITE_S, Running, running

GET = b"GET / HTTP/1.1\r\nHost: a\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\n"


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with running() as there:
        yield there


class Answer(NamedTuple):
    """Empty where the server hung up without a word."""

    status: int
    headers: bytes
    body: bytes

    @property
    def problem(self) -> Any:
        assert b"application/problem+json" in self.headers
        document = json.loads(self.body)
        assert document["status"] == self.status
        return document["code"]


def connect(server: Running) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=10)


def answer(connection: socket.socket) -> Answer:
    """All that comes until the server hangs up, or the first answer is whole."""
    data = b""
    with suppress(ConnectionResetError):
        while chunk := connection.recv(65536):
            data += chunk
            if whole := parsed(data):
                return whole
    return parsed(data) or Answer(0, b"", data)


def parsed(data: bytes) -> Answer | None:
    head, end, body = data.partition(b"\r\n\r\n")
    lengths = [
        int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")
    ]
    if not end or not lengths or len(body) < lengths[0]:
        return None
    return Answer(int(head.split()[1]), head, body[: lengths[0]])


def send(server: Running, *parts: bytes, every_s: float = 0) -> Answer:
    with closing(connect(server)) as connection:
        with suppress(ConnectionError):  # cut off in the middle: what counts is what was said before
            for part in parts:
                connection.sendall(part)
                time.sleep(every_s)
        return answer(connection)


def test_a_proper_request_passes(server: Running) -> None:
    assert send(server, GET, b"\r\n").status == 200
    assert send(server, POST, b"Content-Length: 3\r\n\r\nabc").body == b"3"
    chunked = send(server, POST, b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
    assert (chunked.status, chunked.body) == (200, b"3")


def test_one_connection_carries_many_requests_and_each_has_its_own_time(server: Running) -> None:
    with closing(connect(server)) as connection:
        for _ in range(4):
            connection.sendall(GET)
            time.sleep(HEAD_S / 2)
            connection.sendall(b"\r\n")
            assert answer(connection).status == 200
        connection.sendall(GET + b"\r\n" + POST + b"Content-Length: 2\r\n\r\nhi")
        assert answer(connection).body.startswith(b"0")


def test_bodies_are_limited_to_the_byte(server: Running) -> None:
    def post(size: int) -> Answer:
        return send(server, POST, b"Content-Length: %d\r\n\r\n" % size, b"x" * size)

    assert post(MAX_BODY_BYTES - 1).status == post(MAX_BODY_BYTES).status == 200
    refused = post(MAX_BODY_BYTES + 1)
    assert (refused.status, refused.problem) == (413, "too_large")


def test_headers_are_limited_to_the_byte(server: Running) -> None:
    fixed = len(b"/") + len(b"Host") + len(b"a") + 4 + len(b"X") + 4

    def get(size: int) -> Answer:
        return send(server, GET, b"X: " + b"x" * (size - fixed) + b"\r\n\r\n")

    assert get(MAX_HEAD_BYTES - 1).status == get(MAX_HEAD_BYTES).status == 200
    refused = get(MAX_HEAD_BYTES + 1)
    assert (refused.status, refused.problem) == (431, "head_too_large")


def test_headers_are_counted(server: Running) -> None:
    def get(count: int) -> Answer:
        return send(server, GET, b"X: 1\r\n" * (count - 1) + b"\r\n")

    assert get(MAX_HEADERS).status == 200
    assert get(MAX_HEADERS + 1).problem == "head_too_large"
    assert get(5000).problem == "head_too_large"


READ_TWICE = {
    "both lengths": POST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "both, the other way round": POST + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
    "two lengths": POST + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
    "a list of lengths": POST + b"Content-Length: 3, 3\r\n\r\nabc",
    "a signed length": POST + b"Content-Length: +3\r\n\r\nabc",
    "a length in hexadecimals": POST + b"Content-Length: 0x3\r\n\r\nabc",
    "a huge length": POST + b"Content-Length: " + b"9" * 30 + b"\r\n\r\nabc",
    "chunked, misspelled": POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "chunked twice": POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "chunked and packed": POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "packed, then chunked": POST + b"Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunked before there were chunks": POST.replace(b"1.1", b"1.0")
    + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a chunk of no length": POST + b"Transfer-Encoding: chunked\r\n\r\nx\r\n\r\n",
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "two hosts": GET + b"Host: b\r\n\r\n",
    "another host in the address": b"GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n",
    "another port in the address": b"GET http://a:81/ HTTP/1.1\r\nHost: a\r\n\r\n",
    "a user in the address": b"GET http://a@b/ HTTP/1.1\r\nHost: a\r\n\r\n",
    "a fragment": b"GET /#x HTTP/1.1\r\nHost: a\r\n\r\n",
    "a blank before the colon": GET + b"Content-Length : 3\r\n\r\nabc",
    "a folded header": GET + b"X: a\r\n b\r\n\r\n",
    "a bare line feed": b"GET / HTTP/1.1\nHost: a\n\n",
    "a NUL": GET + b"X: a\0b\r\n\r\n",
    "no HTTP at all": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(60) + b"\r\n\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a version of its own": b"GET / HTTP/9.9\r\nHost: a\r\n\r\n",
    "a path that is not ASCII": b"GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n",
}


@pytest.mark.parametrize("request_", READ_TWICE.values(), ids=READ_TWICE)
def test_what_can_be_read_in_two_ways_is_not_read(request_: bytes, server: Running) -> None:
    refused = send(server, request_)
    assert 400 <= refused.status < 500, refused
    assert refused.problem


@pytest.mark.parametrize(
    "request_",
    [
        b"GET / HTTP/1.0\r\n\r\n",  # as HAProxy asks whether a server is there
        b"GET http://A:80/?a=b HTTP/1.1\r\nHost: a:80\r\n\r\n",
        POST + b"Transfer-Encoding: Chunked\r\n\r\n0\r\n\r\n",
    ],
)
def test_what_is_unusual_and_clear_is_read(request_: bytes, server: Running) -> None:
    assert send(server, request_).status == 200


def test_nothing_follows_a_refused_request(server: Running) -> None:
    """A smuggled second request is not answered, and no answer goes to the wrong request."""
    with closing(connect(server)) as connection:
        connection.sendall(READ_TWICE["both lengths"] + GET + b"\r\n")
        data = b""
        with suppress(ConnectionResetError):
            while chunk := connection.recv(65536):
                data += chunk
    assert re.findall(rb"^HTTP/1.1 (\d+)", data, re.MULTILINE) == [b"400"]


def test_slow_headers_are_cut_off(server: Running) -> None:
    for drip in (GET, GET + b"X: ", b"\r\n", b"G", b""):
        began = time.monotonic()
        slow = send(server, drip, *[b"a"] * 20, every_s=HEAD_S / 10)
        assert slow.status in (400, 408), drip
        assert slow.problem in ("request_too_slow", "bad_http")
        assert time.monotonic() - began < HEAD_S * 16


def test_line_breaks_do_not_keep_a_connection_alive(server: Running) -> None:
    with closing(connect(server)) as connection:
        connection.sendall(GET + b"\r\n")
        assert answer(connection).status == 200
        began = time.monotonic()
        with suppress(ConnectionError):
            while time.monotonic() - began < 10:
                connection.sendall(b"\r\n")
                time.sleep(HEAD_S / 5)
        assert time.monotonic() - began < 9


def test_slow_bodies_are_cut_off(server: Running) -> None:
    head = POST + b"Content-Length: 100\r\n\r\n"
    slow = send(server, head, *[b"a"] * 20, every_s=UPLOAD_S / 10)
    assert (slow.status, slow.problem) == (408, "request_too_slow")


def test_a_thousand_slow_clients_do_not_keep_others_out(server: Running) -> None:
    before = server.memory_mb
    crowd = [connect(server) for _ in range(1000)]
    for connection in crowd:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nX-A: ")
    assert send(server, GET, b"\r\n").status == 200
    time.sleep(HEAD_S + 0.2)
    assert all(parsed(connection.recv(65536)) for connection in crowd)
    for connection in crowd:
        connection.close()
    assert server.memory_mb - before < 40


def test_whoever_does_not_read_the_answer_is_cut_off(server: Running) -> None:
    with closing(connect(server)) as connection:
        connection.sendall(b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
        time.sleep(WRITE_S + 0.3)
        received = 0
        with suppress(ConnectionError):
            while chunk := connection.recv(1_000_000):
                received += len(chunk)
        assert received < 50_000_000


REFUSED_EARLY = {
    "a body that nobody reads": POST.replace(b"/", b"/unread", 1) + b"Content-Length: 100000\r\n\r\n",
    "a body that is too large": POST + b"Content-Length: 9000000\r\n\r\n",
    "a head that is too large": GET + b"X: 1\r\n" * (MAX_HEADERS + 1),
}


@pytest.mark.parametrize("request_", REFUSED_EARLY.values(), ids=REFUSED_EARLY)
def test_an_answer_before_the_end_of_its_request_gets_there_and_is_the_last(
    request_: bytes, server: Running
) -> None:
    with closing(connect(server)) as connection:
        connection.sendall(request_)
        select.select([connection], [], [], 10)
        for _ in range(3):  # whoever is still sending is not reset before having read why it was in vain
            connection.sendall(b"x" * 10_000)
        refused = answer(connection)
        assert b"connection: close" in refused.headers.lower()
        assert connection.recv(1) == b""


def go_on(connection: socket.socket, seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        connection.sendall(b"x")
        time.sleep(seconds / 500)


def test_whoever_never_stops_sending_is_cut_off_after_a_while(server: Running) -> None:
    with closing(connect(server)) as connection:
        connection.sendall(POST + b"Content-Length: 9000000\r\n\r\n")
        assert answer(connection).problem == "too_large"
        with pytest.raises(ConnectionError):
            go_on(connection, LINGER_S * 50)


def test_a_connection_whose_body_was_read_is_kept(server: Running) -> None:
    with closing(connect(server)) as connection:
        for _ in range(2):
            connection.sendall(POST + b"Content-Length: 3\r\n\r\n")
            time.sleep(0.05)  # so that the head is there alone, and its handler waits
            connection.sendall(b"abc")
            kept = answer(connection)
            assert (kept.status, kept.body) == (200, b"3")
            assert b"connection" not in kept.headers.lower()


def test_hundreds_of_megabytes_leave_the_memory_flat(server: Running) -> None:
    megabyte = b"x" * 1_000_000
    send(server, POST, b"Content-Length: 200000\r\n\r\n", megabyte[:200_000])
    before = server.memory_mb
    announced = send(server, POST, b"Content-Length: 300000000\r\n\r\n", *[megabyte] * 300)
    chunk = b"f4240\r\n" + megabyte + b"\r\n"
    chunked = send(server, POST, b"Transfer-Encoding: chunked\r\n\r\n", *[chunk] * 300)
    header = send(server, GET, b"X: ", *[megabyte] * 300)
    line = send(server, b"GET /", *[megabyte] * 300)
    assert [each.problem for each in (announced, chunked)] == ["too_large"] * 2
    ending = POST + b"Transfer-Encoding: chunked\r\n\r\n"
    trailer = send(server, ending, b"0\r\nX: ", *[megabyte] * 300)
    extension = send(server, ending, b"3;x=", *[megabyte] * 300)
    assert [each.problem for each in (header, line, trailer, extension)] == ["head_too_large"] * 4
    assert server.memory_mb - before < 10
