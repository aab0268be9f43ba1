"""One try of a delivery: what each kind of receiver comes to, within which bounds."""

import asyncio
import ssl
import time
import tracemalloc
from collections.abc import Iterator, Sequence

import pytest
import trustme

from aos.runtime.guards.addresses import Reach
from aos.runtime.guards.network import Network
from aos_server.jobs.posting import MAX_REPLY, post
from aos_server.services.webhooks.queue import Try
from aos_server.services.webhooks.targets import network_of
from tests.fakes.receivers import Receiver, receiving

NEAR = Network(Reach().allowing("127.0.0.1"))


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def sent(url: str, network: Network = NEAR, total_s: float = 5) -> Try:
    return asyncio.run(post(network, url, {"webhook-id": "m1"}, b'{"a": 1}', total_s))


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/200", 200, None),
        ("/204", 204, None),
        ("/500", 500, "HTTP_5XX"),
        ("/404", 404, "HTTP_4XX"),
        ("/410", 410, "GONE"),
        ("/304", 304, "REDIRECT"),
        ("/redirect", 302, "REDIRECT"),
        ("/bomb", 200, None),
        ("/broken-body", 200, None),
        ("/endless", 500, "HTTP_5XX"),
        ("/reset", None, "CONNECTION"),
        ("/noise", None, "BAD_REPLY"),
    ],
)
def test_what_a_receiver_does_comes_to_a_code(receiver, path, status, code):
    tried = sent(receiver.url + path)
    assert (tried.status, tried.code) == (status, code)
    assert "\x1b" not in (tried.detail or "") + (tried.reply or "")


def test_the_request_is_whole_and_follows_no_redirect(receiver):
    del receiver.got[:]
    sent(receiver.url + "/redirect?a=%20b")
    sent(receiver.url + "/redirect")
    assert [one.path for one in receiver.got] == ["/redirect?a=%20b", "/redirect"]
    (_, got) = receiver.got
    assert got.body == b'{"a": 1}'
    assert got.headers["webhook-id"] == "m1"
    assert got.headers["content-type"] == "application/json"
    assert got.headers["accept-encoding"] == "identity"
    assert got.headers["host"] == receiver.url.removeprefix("http://")


@pytest.mark.parametrize(
    ("path", "least", "most"),
    [("/429", 120, 120), ("/503-date", 1e8, 1e10), ("/503-odd", None, None), ("/500", None, None)],
)
def test_a_receiver_may_ask_for_time(receiver, path, least, most):
    asked = sent(receiver.url + path).retry_after_s
    assert asked is None if least is None else least <= asked <= most


@pytest.mark.parametrize("path", ["/hang", "/drip-head", "/continues"])
def test_who_gives_no_status_is_given_up_in_time(receiver, path):
    began = time.monotonic()
    tried = sent(receiver.url + path, total_s=0.3)
    assert (tried.status, tried.code) == (None, "TIMEOUT")
    assert 300 <= tried.ms < 15_000
    assert time.monotonic() - began < 15


def test_a_body_that_drips_changes_nothing_and_is_not_waited_for(receiver):
    tried = sent(receiver.url + "/drip-body")
    assert (tried.status, tried.code) == (200, None)
    assert 1900 <= tried.ms < 4000


def test_what_is_read_and_kept_of_an_answer_is_bounded(receiver):
    receiver.read = 0
    tracemalloc.start()
    try:
        assert len(sent(receiver.url + "/endless").reply or "") <= 3001
        assert len(sent(receiver.url + "/bomb").reply or "") <= 3001
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4 * 1024 * 1024
    assert receiver.read < 16 * 1024 * 1024  # what fits into the buffers of the sockets, and 64 KiB
    assert MAX_REPLY == 65_536


def resolving(*rounds: Sequence[str]) -> Network:
    """A network whose resolver gives each of these answers once."""
    answers = iter(rounds)
    return Network(Reach(), lambda host, port: next(answers))


@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "169.254.169.254", "::1", "64:ff9b::7f00:1"])
def test_every_try_checks_where_the_name_leads(receiver, address):
    url = receiver.url.replace("http:", "https:").replace("127.0.0.1", "hooks.example.com")
    del receiver.got[:]
    tried = sent(url, resolving(["1.1.1.1", address]))
    assert (tried.code, tried.status) == ("ADDRESS_REFUSED", None)
    assert address not in (tried.detail or "")
    assert receiver.got == []
    for odd in ("https://0x7f000001/", "http://1.1.1.1/", "https://127.0.0.1/", "x"):
        assert sent(odd, Network()).code == "ADDRESS_REFUSED"


def test_it_connects_to_an_address_that_was_checked_and_asks_no_second_time(receiver):
    """A name that leads elsewhere when it is asked again is not asked again."""
    asked: list[str] = []

    def resolver(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["127.0.0.2"]

    network = Network(Reach().allowing("hooks.example.com"), resolver)
    assert sent(receiver.url.replace("127.0.0.1", "hooks.example.com") + "/200", network).status == 200
    assert asked == ["hooks.example.com"]


def test_where_the_first_address_is_dead_the_next_one_is_tried(receiver):
    network = Network(Reach().allowing("hooks.example.com"), lambda host, port: ["127.0.0.9", "127.0.0.1"])
    assert sent(receiver.url.replace("127.0.0.1", "hooks.example.com") + "/200", network).status == 200
    nobody = Network(Reach().allowing("hooks.example.com"), lambda host, port: ["127.0.0.9"])
    assert sent("http://hooks.example.com:9/", nobody).code == "CONNECTION"


def test_a_name_that_nobody_knows_and_a_resolver_that_hangs_are_failures_in_time():
    def unknown(host: str, port: int) -> Sequence[str]:
        raise OSError("no such name")

    assert sent("https://hooks.example.com/", Network(Reach(), unknown)).code == "CONNECTION"

    def hanging(host: str, port: int) -> Sequence[str]:
        time.sleep(1)
        return []

    assert sent("https://hooks.example.com/", Network(Reach(), hanging), total_s=0.2).code == "TIMEOUT"


def test_tls_is_that_of_the_name_or_nothing_is_sent():
    authority = trustme.CA()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("hooks.example.com").configure_cert(server)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    with receiving(server) as receiver:
        port = receiver.url.rpartition(":")[2]

        def reach(host: str, tls: ssl.SSLContext | None) -> Try:
            network = Network(Reach().allowing(host), lambda host, port: ["127.0.0.1"], tls)
            return sent(f"https://{host}:{port}/200", network)

        assert reach("hooks.example.com", trusting).status == 200
        assert reach("other.example.com", trusting).code == "CONNECTION"  # another's certificate
        assert reach("hooks.example.com", None).code == "CONNECTION"  # of an authority that nobody knows
        assert len(receiver.got) == 1
    with receiving() as plain:
        url = plain.url.replace("http:", "https:")
        assert sent(url + "/200", NEAR._replace(tls=trusting), 0.3).code in ("CONNECTION", "TIMEOUT")
        assert plain.got == []


def test_hosts_that_may_be_reached_are_said_aloud(caplog):
    network_of(("127.0.0.1",))
    assert "AOS_WEBHOOK_HOSTS" in caplog.text
    caplog.clear()
    network_of(())
    assert caplog.text == ""


def test_no_proxy_of_the_environment_is_asked(receiver, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert sent(receiver.url + "/200").status == 200
