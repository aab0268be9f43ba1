"""One exchange over HTTP: bounded, patient, and nowhere it must not go."""

import gzip
import socket
import ssl
import threading
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import trustme

from aos.runtime.guards import GuardError
from aos.runtime.guards.addresses import Reach
from aos.runtime.guards.http import Answer, Request, exchange, origin
from aos.runtime.guards.network import Network
from aos.runtime.guards.patience import Patience
from tests.fakes.servers import Part, reply, serving

LOCAL = Network(Reach(allow_private=True))


def ask(
    url: str, *, network=LOCAL, method="GET", headers: Any = (), body=None, seconds=30.0, **limits: int
) -> Answer:
    limits = {"max_bytes": 10_000, **limits}
    return exchange(network, Request(method, url, dict(headers), body), Patience(seconds), **limits)


def refused(url: str, **how: Any) -> GuardError:
    with pytest.raises(GuardError) as caught:
        ask(url, **how)
    return caught.value


def named(**addresses: Any) -> Any:
    """A resolver of these names, which counts how often it is asked."""
    asked = []

    def resolver(host, port):
        asked.append(host)
        found = addresses[host.replace(".", "_")]
        return found.pop(0) if isinstance(found[0], list) else found

    resolver.asked = asked  # type: ignore[attr-defined]
    return resolver


def test_an_answer_comes_whole():
    with serving(lambda request: [reply("hello", x_a="1")]) as server:
        answer = ask(f"{server.url}/path?q=1", headers={"X-Mine": "2"})
    assert (answer.status, answer.headers["x-a"], answer.body) == (200, "1", b"hello")
    (request,) = server.received
    assert request.target == "/path?q=1"
    assert request.headers["x-mine"] == "2"
    assert request.headers["accept-encoding"] == "gzip"


def test_the_address_is_resolved_once_and_the_one_checked_is_the_one_connected_to():
    """DNS rebinding: a public address while it is checked, this machine when it is fetched."""
    with serving(lambda request: [reply("inside")]) as server:
        resolver = named(evil_test=[["203.0.113.9", "8.8.8.8"], ["127.0.0.1"]])
        error = refused(f"http://evil.test:{server.port}/", network=Network(resolver=resolver))
        assert (error.code, error.effect) == ("ADDRESS_REFUSED", "none")
        again = refused(f"http://evil.test:{server.port}/", network=Network(resolver=resolver))
        assert again.code == "ADDRESS_REFUSED"
        resolver = named(fine_test=[["127.0.0.1"], ["203.0.113.9"]])
        allowed = Network(Reach().allowing("fine.test"), resolver)
        assert ask(f"http://fine.test:{server.port}/", network=allowed).body == b"inside"
        assert resolver.asked == ["fine.test"]
    assert [request.headers["host"] for request in server.received] == [f"fine.test:{server.port}"]


def test_one_address_that_is_not_public_is_enough_to_refuse():
    network = Network(resolver=named(mixed_test=["8.8.8.8", "::ffff:10.0.0.1"]))
    assert refused("http://mixed.test/", network=network).code == "ADDRESS_REFUSED"


@pytest.mark.parametrize(
    "host",
    ["2130706433", "0x7f.1", "0177.0.0.1", "127.1", "127。0。0。1", "[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]",
     "[2002:7f00:1::]", "[::1%25lo]", "localhost", "127.0.0.1", "169.254.169.254"],
)  # fmt: skip
def test_no_spelling_of_this_machine_is_reached(host):
    with serving(lambda request: [reply()]) as server:
        assert refused(f"http://{host}:{server.port}/", network=Network()).code in (
            "ADDRESS_REFUSED",
            "BAD_PARAMS",
        )
    assert not server.received


@pytest.mark.parametrize(
    "url", ["http://１２７.0.0.1/", "http://①②⑦.0.0.1/", "ftp://x/", "http://", "http:///x", "file:///etc/passwd",
            "http://a\nb/", "http://x:99999/", "x", ""]
)  # fmt: skip
def test_what_is_no_url_of_http_is_refused(url):
    assert refused(url).code in ("BAD_PARAMS", "ADDRESS_REFUSED")


def test_a_proxy_and_a_netrc_of_the_environment_are_not_used(monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password secret\n")
    netrc.chmod(0o600)
    with (
        serving(lambda request: [reply("proxy")]) as proxy,
        serving(lambda request: [reply("origin")]) as server,
    ):
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        monkeypatch.setenv("NETRC", str(netrc))
        assert ask(server.url).body == b"origin"
    assert "authorization" not in server.received[0].headers


def test_redirects_are_not_followed_unless_allowed():
    with serving(lambda request: [reply(status="302 Found", location="/there")]) as server:
        assert refused(server.url).code == "BAD_REPLY"
        assert refused(server.url, max_redirects=3).code == "BAD_REPLY"
    assert len(server.received) == 1 + 4


@pytest.mark.parametrize("location", ["file:///etc/passwd", "http://", "http://a:99999/", "http://[::"])
def test_a_redirect_to_nowhere_is_a_bad_reply(location):
    with serving(lambda request: [reply(status="302 Found", location=location)]) as server:
        assert refused(f"{server.url}/", max_redirects=1).code == "BAD_REPLY"
        assert refused(f"{server.url}/").code == "BAD_REPLY"


def test_a_redirect_is_checked_like_a_first_request():
    metadata = "http://169.254.169.254/latest/meta-data/"
    with serving(lambda request: [reply(status="302 Found", location=metadata)]) as server:
        error = refused(server.url, max_redirects=3)
    assert (error.code, error.effect) == ("ADDRESS_REFUSED", "unknown")


def test_credentials_and_body_stay_with_their_origin():
    with serving(lambda request: [reply("got it")]) as other:

        def answers(request):
            status = "307 Temporary Redirect" if request.method == "POST" else "302 Found"
            return [reply(status=status, location=f"{other.url}/x")]

        with serving(answers) as server:
            headers = {"Authorization": "Bearer t", "Cookie": "c=1", "X-Api-Key": "k", "Accept": "text/plain"}
            assert ask(server.url, headers=headers, max_redirects=1).body == b"got it"
            assert refused(server.url, method="POST", body=b"secret", max_redirects=1).code == "BAD_REPLY"
            with_user = server.url.replace("//", "//me:pw@")
            assert ask(with_user, max_redirects=1).body == b"got it"
    assert all(
        not {"authorization", "cookie", "x-api-key"} & set(request.headers) for request in other.received
    )
    assert other.received[0].headers["accept"] == "text/plain"
    assert server.received[0].headers["authorization"] == "Bearer t"
    assert [request.method for request in other.received] == ["GET", "GET"]


def test_within_one_origin_credentials_are_kept():
    def answers(request):
        return [reply(status="302 Found", location="/b") if request.target == "/a" else reply("b")]

    with serving(answers) as server:
        assert ask(f"{server.url}/a", headers={"Authorization": "Bearer t"}, max_redirects=1).body == b"b"
    assert server.received[1].headers["authorization"] == "Bearer t"


@pytest.mark.parametrize("size", [99, 100, 101])
def test_the_limit_of_a_body_is_exact(size):
    with serving(lambda request: [reply(b"x" * size)]) as server:
        if size <= 100:
            assert len(ask(server.url, max_bytes=100).body) == size
        else:
            assert refused(server.url, max_bytes=100).code == "REPLY_TOO_LARGE"


def test_a_bomb_is_unpacked_no_further_than_the_limit():
    bomb = gzip.compress(b"\0" * 50_000_000)
    with serving(lambda request: [reply(bomb, content_encoding="gzip")]) as server:
        tracemalloc.start()
        assert refused(server.url, max_bytes=100_000).code == "REPLY_TOO_LARGE"
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
        tracemalloc.stop()


def test_gzip_is_unpacked_and_nothing_else():
    packed = gzip.compress(b"hello")
    with serving(lambda request: [reply(packed, content_encoding=request.target[1:])]) as server:
        assert ask(f"{server.url}/gzip").body == b"hello"
        assert refused(f"{server.url}/br").code == "BAD_REPLY"
    broken = {"/cut": packed[:-4], "/other": b"not gzip", "/then": packed + b"not gzip"}
    with serving(lambda request: [reply(broken[request.target], content_encoding="gzip")]) as server:
        assert {refused(server.url + path).code for path in broken} == {"BAD_REPLY"}


def test_all_members_of_a_gzip_are_the_body():
    packed = gzip.compress(b"hello ") + gzip.compress(b"") + gzip.compress(b"world")
    with serving(lambda request: [reply(packed, content_encoding="gzip")]) as server:
        assert ask(f"{server.url}/gzip").body == b"hello world"
        assert refused(f"{server.url}/gzip", max_bytes=10).code == "REPLY_TOO_LARGE"


def test_a_server_that_drips_is_cut_off_in_time():
    drip: list[Part] = [b"HTTP/1.1 200 OK\r\n"]
    drip += [b"x-y: z\r\n", 0.1] * 100
    with serving(lambda request: drip) as server:
        started = time.monotonic()
        error = refused(server.url, seconds=0.5)
        assert (error.code, error.effect) == ("TIMEOUT", "unknown")
        assert time.monotonic() - started < 15


def test_a_cancelled_exchange_ends_promptly():
    cancelled = threading.Event()
    with serving(lambda request: [30.0]) as server:
        threading.Timer(0.1, cancelled.set).start()
        started = time.monotonic()
        with pytest.raises(GuardError) as caught:
            exchange(LOCAL, Request("POST", server.url), Patience(30, cancelled), max_bytes=10)
        assert (caught.value.code, caught.value.effect) == ("CANCELLED", "unknown")
        assert time.monotonic() - started < 15


def test_a_resolver_that_hangs_is_left_behind():
    never = threading.Event()
    network = Network(resolver=lambda host, port: ["192.0.2.1"] * never.wait(10))
    error = refused("http://slow.test/", network=network, seconds=0.2)
    assert (error.code, error.effect) == ("TIMEOUT", "none")
    never.set()


def test_a_host_that_is_not_there_is_no_connection():
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    error = refused(f"http://127.0.0.1:{port}/")
    assert (error.code, error.effect) == ("CONNECTION", "none")


def test_the_second_address_is_tried_where_the_first_does_not_answer():
    with serving(lambda request: [reply("here")]) as server:
        network = Network(Reach(allow_private=True), named(two_test=["127.1.2.3", "127.0.0.1"]))
        assert ask(f"http://two.test:{server.port}/", network=network).body == b"here"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ([], "CONNECTION"),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"], "CONNECTION"),
        ([b"SSH-2.0-OpenSSH_9.2\r\n\r\n"], "BAD_REPLY"),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"], "BAD_REPLY"),
        ([b"HTTP/1.1 200 OK\r\nX: " + b"y" * 200_000 + b"\r\n\r\n"], "BAD_REPLY"),
    ],
)
def test_a_broken_answer_has_a_code(answer, code):
    with serving(lambda request: answer) as server:
        error = refused(server.url)
    assert (error.code, error.effect) == (code, "unknown")


@pytest.mark.parametrize(
    "headers",
    [{"X": "a\r\nY: b"}, {"X": "a\nb"}, {"X\r\nY": "b"}, {"X Y": "b"}, {"": "b"}, {"X": "a\0b"}, {"Host": "other"},
     {"content-length": "3"}, {"Transfer-Encoding": "chunked"}, {"X": "ü"}],
)  # fmt: skip
def test_headers_that_would_break_the_request_are_refused(headers):
    with serving(lambda request: [reply()]) as server:
        error = refused(server.url, headers=headers)
        assert (error.code, error.effect) == ("BAD_PARAMS", None)
    assert not server.received


def test_an_origin_has_no_path_and_no_credentials():
    assert origin("https://me:pw@Example.com:8443/a?b=c") == "https://example.com:8443"
    assert origin("https://example.com:443/") == "https://example.com"


AUTHORITY = trustme.CA()


@contextmanager
def secured(host: str) -> Iterator[int]:
    """An HTTPS server on this machine whose certificate is for `host`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    AUTHORITY.issue_cert(host).configure_cert(context)
    with serving(lambda request: [reply("secure")], context) as server:
        yield server.port


def test_tls_verifies_the_name_though_the_address_is_pinned():
    trusting = ssl.create_default_context()
    AUTHORITY.configure_trust(trusting)
    resolver = named(bank_test=["127.0.0.1"], evil_test=["127.0.0.1"])
    network = Network(Reach(allow_private=True), resolver, trusting)
    with secured("bank.test") as port:
        assert ask(f"https://bank.test:{port}/", network=network).body == b"secure"
        for other in (network._replace(tls=None), network):
            host = "bank.test" if other.tls is None else "evil.test"
            error = refused(f"https://{host}:{port}/", network=other)
            assert (error.code, error.effect) == ("CONNECTION", "none")
            assert "certificate" in error.detail
