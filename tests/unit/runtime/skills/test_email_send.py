"""email_send on a real SMTP server, with TLS both ways."""

import asyncio
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import contextmanager
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiosmtpd.smtp import SMTP, AuthResult

from aos.runtime.guards.network import Network
from aos.runtime.secrets import Secrets
from aos.runtime.skills.world import MailServer, World
from tests.fakes.skills import carry_out

PASSWORD = "correct horse"
AUTHORITY = trustme.CA()
MAIL = {"to": "you@example.com", "subject": "Grüße", "body": "Hello\n.\nñ"}


def context(host: str = "localhost") -> ssl.SSLContext:
    """What the server shows: a certificate of our own authority."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    AUTHORITY.issue_cert(host).configure_cert(made)
    return made


class Inbox:
    """Keeps what it takes, and refuses what a test says."""

    def __init__(self, **refuses: str) -> None:
        self.messages: list[Any] = []
        self.logins: list[Any] = []
        self.refuses = refuses

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.partition("@")[0] in self.refuses:
            return self.refuses[address.partition("@")[0]]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if "data" in self.refuses:
            return self.refuses["data"]
        self.messages.append((envelope, message_from_bytes(envelope.content, policy=default), session.ssl))
        return "250 OK"

    def log_in(self, server, session, envelope, mechanism, data):
        self.logins.append(data)
        return AuthResult(success=data.password == PASSWORD.encode(), handled=False)


@contextmanager
def running(inbox: Inbox, *, tls: str = "", host: str = "localhost", **options: Any):
    """A server on a free port; `tls` is "start" (STARTTLS), "whole" (SMTPS) or nothing."""
    if tls == "start":
        options = {"tls_context": context(host), "require_starttls": True, **options}
    loop = asyncio.new_event_loop()
    made = loop.create_server(
        lambda: SMTP(inbox, loop=loop, **options),
        "127.0.0.1",
        0,
        ssl=context(host) if tls == "whole" else None,
    )
    server = loop.run_until_complete(made)
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0.01))
        loop.close()


def world(port: int, scheme: str = "smtp", user: str = "", **secrets: str) -> World:
    trusting = ssl.create_default_context()
    AUTHORITY.configure_trust(trusting)
    network = Network(tls=trusting)
    found = Secrets({f"AOS_SECRET_{name.upper()}": secret for name, secret in secrets.items()})
    url = f"{scheme}://{user}localhost:{port}"
    return World(Path(), found, network, mail=MailServer(url, "agent@example.org"))


@pytest.mark.parametrize(("tls", "scheme"), [("", "smtp"), ("start", "smtp"), ("whole", "smtps")])
def test_a_message_arrives(tls, scheme):
    inbox = Inbox()
    with running(inbox, tls=tls) as port:
        sent = carry_out("email_send", {**MAIL, "to": ["a@x.org", "b@y.org"]}, world(port, scheme))
    assert sent.fault is None
    ((envelope, message, secured),) = inbox.messages
    assert (envelope.mail_from, envelope.rcpt_tos) == ("agent@example.org", ["a@x.org", "b@y.org"])
    assert (message["Subject"], message.get_content().splitlines()) == ("Grüße", ["Hello", ".", "ñ"])
    assert message["Message-ID"] == sent.result["message_id"]
    assert bool(secured) == (tls == "start")
    assert sent.cost_cents == 1
    assert sent.side_effects[0]._asdict() == {
        "type": "mail.message",
        "target": "a@x.org, b@y.org",
        "reversible": False,
    }


def test_every_attempt_has_the_same_message_id():
    inbox = Inbox()
    with running(inbox) as port:
        ids = [
            carry_out("email_send", MAIL, world(port), key=key, attempt=n).result
            for n, key in enumerate("aab")
        ]
    assert ids[0] == ids[1] != ids[2]


@pytest.mark.parametrize("user", ["me@", "me:correct%20horse@"])
def test_the_password_is_a_secret_or_in_the_url(user):
    inbox = Inbox()
    with running(inbox, tls="start", authenticator=inbox.log_in, auth_required=True) as port:
        sent = carry_out("email_send", MAIL, world(port, user=user, smtp_password=PASSWORD))
    assert sent.fault is None
    assert (inbox.logins[0].login, inbox.logins[0].password) == (b"me", PASSWORD.encode())


def test_a_login_that_is_refused_or_has_no_password_sends_nothing():
    inbox = Inbox()
    with running(inbox, tls="start", authenticator=inbox.log_in, auth_required=True) as port:
        wrong = carry_out("email_send", MAIL, world(port, user="me@", smtp_password="wrong-password"))
        missing = carry_out("email_send", MAIL, world(port, user="me@"))
        nobody = carry_out("email_send", MAIL, world(port))
    assert [answer.fault.code for answer in (wrong, missing, nobody)] == [
        "REJECTED",
        "SECRET_MISSING",
        "REJECTED",
    ]
    assert "wrong-password" not in wrong.fault.detail
    assert [answer.effect for answer in (wrong, missing, nobody)] == ["none"] * 3
    assert not inbox.messages


@pytest.mark.parametrize(
    ("refuses", "code"),
    [({"bad": "550 no such user"}, "REJECTED"), ({"bad": "450 greylisted"}, "DEFERRED"),
     ({"data": "554 spam"}, "REJECTED"),
     ({"data": "451 later"}, "DEFERRED")],
)  # fmt: skip
def test_one_refused_recipient_is_enough_that_nobody_gets_it(refuses, code):
    inbox = Inbox(**refuses)
    with running(inbox) as port:
        answer = carry_out("email_send", {**MAIL, "to": ["good@x.org", "bad@x.org"]}, world(port))
    assert (answer.fault.code, answer.effect, answer.cost_cents) == (code, "none", 0)
    assert not inbox.messages


def test_a_certificate_of_another_host_or_authority_is_refused():
    inbox = Inbox()
    for tls, scheme in (("start", "smtp"), ("whole", "smtps")):
        with running(inbox, tls=tls, host="other.example") as port:
            answer = carry_out("email_send", MAIL, world(port, scheme))
            assert (answer.fault.code, answer.effect) == ("CONNECTION", "none")
        with running(inbox, tls=tls) as port:
            stranger = world(port, scheme)
            answer = carry_out("email_send", MAIL, stranger._replace(network=Network()))
            assert answer.fault.code == "CONNECTION"
    assert not inbox.messages


@pytest.mark.parametrize(
    "params",
    [
        {"subject": "a\r\nBcc: x@y.z"},
        {"subject": "a\nb"},
        {"to": "a@b.c\r\nRCPT TO:<x@y.z>"},
        {"to": "a@b.c, d@e.f"},
        {"to": "no address"},
        {"to": "A <a@b.c>"},
        {"to": "ü@b.c"},
        {"to": ["a@b.c", "-"]},
        {"body": "\ud800"},
        {"subject": "\ud800"},
    ],
)
def test_fields_that_would_start_another_are_refused(params):
    inbox = Inbox()
    with running(inbox) as port:
        answer = carry_out("email_send", {**MAIL, **params}, world(port))
    assert answer.fault.code == "BAD_PARAMS"
    assert not inbox.messages


@pytest.mark.parametrize(("count", "fits"), [(49, True), (50, True), (51, False)])
def test_the_limit_of_recipients_is_exact(count, fits):
    inbox = Inbox()
    with running(inbox) as port:
        answer = carry_out("email_send", {**MAIL, "to": [f"u{n}@x.org" for n in range(count)]}, world(port))
    assert len(inbox.messages) == fits
    assert fits or answer.fault.code == "INPUT_TOO_LARGE"


@contextmanager
def silent(*greeting: bytes, then: Callable[[], None]):
    """A server that says this much and, once each is answered, nothing more; it calls `then` at that moment."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        kept = []

        def serve() -> None:
            connection, _ = server.accept()
            kept.append(connection)
            for line in greeting:
                connection.sendall(line)
                connection.recv(1000)
            then()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        thread.join(5)
        for connection in kept:
            connection.close()


@pytest.mark.parametrize(
    ("greeting", "effect"),
    [
        ((b"220 hi\r\n",), "none"),
        ((b"220 hi\r\n", b"250 hi\r\n", b"250 a\r\n", b"250 b\r\n", b"354 go\r\n"), "unknown"),
    ],
)
@pytest.mark.parametrize("how", ["TIMEOUT", "CANCELLED"])
def test_a_server_that_falls_silent_is_left(greeting, effect, how):
    silence, cancelled = threading.Event(), threading.Event()
    then, seconds = (cancelled.set, 60.0) if how == "CANCELLED" else (silence.set, 1.5)
    with silent(*greeting, then=then) as port:
        answer = carry_out("email_send", MAIL, world(port), seconds=seconds, cancelled=cancelled)
    assert silence.is_set() or cancelled.is_set()
    assert (answer.fault.code, answer.effect) == (how, effect)


def test_a_server_that_is_not_there_is_no_connection():
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    for scheme in ("smtp", "smtps"):
        answer = carry_out("email_send", MAIL, world(port, scheme))
        assert (answer.fault.code, answer.effect, answer.cost_cents) == ("CONNECTION", "none", 0)
