"""webhook_send: a message that its receiver can verify, and recognise when it comes again."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from aos.runtime.secrets import Secrets
from aos.runtime.skills.world import World
from aos.webhooks import new_secret, verify
from tests.fakes.servers import reply, serving
from tests.fakes.skills import LOCAL, carry_out

SECRET = new_secret()
WORLD = World(Path(), Secrets({"AOS_SECRET_HOOK": SECRET, "AOS_SECRET_PLAIN": "no-key"}), LOCAL)


def test_a_receiver_verifies_it_and_knows_it_again():
    with serving(lambda request: [reply(status="204 No Content")]) as server:
        params = {"url": server.url, "payload": {"price": 1}, "sign_with": "hook"}
        sent = [carry_out("webhook_send", params, WORLD, attempt=attempt, key="k") for attempt in (1, 2)]
        other = carry_out("webhook_send", params, WORLD, key="k2")
    ids = [verify(request.headers, request.body, [SECRET], datetime.now(UTC)) for request in server.received]
    assert [answer.result["webhook_id"] for answer in (*sent, other)] == ids
    assert ids[0] == ids[1] != ids[2]
    assert sent[0].result["status"] == 204
    assert sent[0].side_effects[0]._asdict() == {
        "type": "webhook.message",
        "target": server.url,
        "reversible": False,
    }


@pytest.mark.parametrize(
    ("payload", "body"),
    [({"a": "é"}, {"a": "é"}), ([1], [1]), ("hi", {"text": "hi"}), (64000.5, {"text": "64000.5"}),
     (True, {"text": "true"}),
     (None, {"text": "null"})],
)  # fmt: skip
def test_a_scalar_becomes_a_text(payload, body):
    with serving(lambda request: [reply()]) as server:
        carry_out("webhook_send", {"url": server.url, "payload": payload})
    assert json.loads(server.received[0].body) == body
    assert "webhook-id" in server.received[0].headers
    assert "webhook-signature" not in server.received[0].headers


@pytest.mark.parametrize("name", ["nothing", "plain"])
def test_without_a_signing_key_nothing_is_sent(name):
    with serving(lambda request: [reply()]) as server:
        answer = carry_out("webhook_send", {"url": server.url, "payload": {}, "sign_with": name}, WORLD)
    assert answer.fault.code == "SECRET_MISSING"
    assert not server.received


@pytest.mark.parametrize(("size", "fits"), [(99, True), (100, True), (101, False)])
def test_the_limit_of_a_payload_is_exact(size, fits):
    with serving(lambda request: [reply()]) as server:
        payload = ["x" * (size - 4)]
        answer = carry_out("webhook_send", {"url": server.url, "payload": payload}, max_payload_bytes=100)
    assert (answer.fault is None) == fits
    assert fits or answer.fault.code == "INPUT_TOO_LARGE"


@pytest.mark.parametrize(
    ("status", "code", "effect"),
    [("302 Found", "BAD_REPLY", "unknown"), ("410 Gone", "HTTP_4XX", None), ("500 Broken", "HTTP_5XX", None)],
)
def test_a_receiver_that_refuses_is_a_failure(status, code, effect):
    with serving(lambda request: [reply("no", status, location="/else")]) as server:
        answer = carry_out("webhook_send", {"url": server.url})
    assert (answer.fault.code, answer.effect) == (code, effect)


def test_a_secret_that_comes_back_is_masked():
    with serving(lambda request: [reply(f"bad key {SECRET}", "400 Bad")]) as server:
        answer = carry_out("webhook_send", {"url": server.url, "sign_with": "hook"}, WORLD)
    assert WORLD.secrets.masker.text(answer.fault.detail) == "status 400: bad key [secret hook]"
