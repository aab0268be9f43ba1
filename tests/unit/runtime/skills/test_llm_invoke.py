"""llm_invoke on a server of our own that speaks OpenAI's chat completions."""

import json
import threading
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from aos.runtime.guards.network import Network
from aos.runtime.secrets import Secrets
from aos.runtime.skills.llm_invoke import price_cents
from aos.runtime.skills.world import ChatService, World
from tests.fakes.servers import HttpServer, reply, serving
from tests.fakes.skills import carry_out

KEY = "sk-test-0123456789"


def world(server: HttpServer, **service: Any) -> World:
    chat = ChatService(f"{server.url}/v1", **{"key": "llm", "model": "gpt-4o-mini", **service})
    return World(Path(), Secrets({"AOS_SECRET_LLM": KEY}), Network(), chat=chat)


def completion(text: Any = "Hello", **usage: Any) -> bytes:
    usage = {"prompt_tokens": 1_000_000, "completion_tokens": 100_000, **usage}
    document = {"choices": [{"message": {"role": "assistant", "content": text}}], "usage": usage}
    return reply(json.dumps(document), content_type="application/json")


def refusal(status: str, code: str = "", **headers: str) -> bytes:
    said = {"error": {"message": f"refused: {KEY}", "code": code}}
    return reply(json.dumps(said), status, content_type="application/json", **headers)


def test_an_answer_comes_with_usage_and_price():
    with serving(lambda request: [completion()]) as server:
        answer = carry_out("llm_invoke", {"prompt": "Say hello", "max_tokens": 5}, world(server))
    assert answer.result == {"text": "Hello", "usage": {"input_tokens": 1_000_000, "output_tokens": 100_000}}
    assert answer.cost_cents == Decimal("15") + Decimal("6")  # $0.15 and $0.60 per million
    assert answer.features == {"input_tokens": 1_000_000, "output_tokens": 100_000, "cached_tokens": 0}
    (request,) = server.received
    assert request.target == "/v1/chat/completions"
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert json.loads(request.body) == {
        "model": "gpt-4o-mini",
        "messages": [{"role": "user", "content": "Say hello"}],
        "max_tokens": 5,
    }


def test_messages_and_a_model_of_the_step_are_sent_as_they_are():
    messages = [{"role": "system", "content": "Be brief"}, {"role": "user", "content": "é"}]
    with serving(lambda request: [completion()]) as server:
        answer = carry_out(
            "llm_invoke", {"messages": messages, "model": "my-own-model"}, world(server, key=None)
        )
    assert answer.cost_cents is None
    (request,) = server.received
    assert json.loads(request.body) == {"model": "my-own-model", "messages": messages}
    assert "authorization" not in request.headers


def test_tokens_read_from_a_cache_have_their_own_price():
    full, cached = (price_cents("gpt-4o-mini", 1_000_000, 0, count) for count in (0, 1_000_000))
    assert (full, cached) == (Decimal("15"), Decimal("7.5"))
    assert price_cents("no-such-model", 1, 1) is None


@pytest.mark.parametrize(
    ("answer", "code", "retry_after_ms"),
    [
        (refusal("429 Too Many", "insufficient_quota", retry_after="7"), "HTTP_4XX", None),
        (refusal("429 Too Many", retry_after="7"), "RATE_LIMITED", 7000),
        (refusal("503 Overloaded", retry_after="2"), "OVERLOADED", 2000),
        (refusal("529 Overloaded"), "OVERLOADED", None),
        (refusal("400 Bad", "context_length_exceeded"), "CONTEXT_TOO_LONG", None),
        (refusal("413 Too Large"), "CONTEXT_TOO_LONG", None),
        (refusal("400 Bad", "invalid_value"), "HTTP_4XX", None),
        (refusal("401 Unauthorized"), "HTTP_4XX", None),
    ],
)
def test_a_refusal_costs_nothing_and_shows_no_key(answer, code, retry_after_ms):
    with serving(lambda request: [answer]) as server:
        here = world(server)
        told = carry_out("llm_invoke", {"prompt": "x"}, here)
    assert (told.fault.code, told.fault.retry_after_ms) == (code, retry_after_ms)
    assert (told.cost_cents, told.effect) == (0, "none")
    assert "refused: [secret llm]" in here.secrets.masker.text(told.fault.detail)


def test_a_slow_answer_is_a_timeout_whose_price_nobody_knows():
    with serving(lambda request: [reply()[:20], 30.0]) as server:
        started = time.monotonic()
        told = carry_out("llm_invoke", {"prompt": "x"}, world(server), seconds=0.3)
    assert time.monotonic() - started < 15
    assert (told.fault.code, told.cost_cents, told.effect) == ("TIMEOUT", None, "none")


def test_a_cancelled_call_ends_promptly():
    cancelled = threading.Event()
    with serving(lambda request: [30.0]) as server:
        threading.Timer(0.1, cancelled.set).start()
        started = time.monotonic()
        told = carry_out("llm_invoke", {"prompt": "x"}, world(server), seconds=60, cancelled=cancelled)
    assert time.monotonic() - started < 15
    assert told.fault.code == "CANCELLED"


@pytest.mark.parametrize(
    "answer",
    [
        completion(prompt_tokens=-1),
        completion(prompt_tokens=10**12),
        reply('{"choices": [{"message": {"content": "x"}}]}'),
        reply('{"error": {"message": "x"}}'),
        completion(prompt_tokens="many"),
        completion(completion_tokens=1.5),
        completion(prompt_tokens_details=[1]),
        reply("{}", content_type="application/json"),
        reply("[]"),
        reply("<html>"),
        reply(""),
    ],
)
def test_an_answer_of_another_form_is_a_bad_reply(answer):
    with serving(lambda request: [answer]) as server:
        told = carry_out("llm_invoke", {"prompt": "x"}, world(server))
    assert (told.fault.code, told.cost_cents) == ("BAD_REPLY", None)


def test_an_answer_without_text_costs_what_was_counted():
    with serving(lambda request: [completion(None)]) as server:
        told = carry_out("llm_invoke", {"prompt": "x"}, world(server))
    assert (told.fault.code, told.effect) == ("BAD_REPLY", "none")
    assert told.cost_cents == price_cents("gpt-4o-mini", 1_000_000, 100_000)
    assert told.features["output_tokens"] == 100_000


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('{"error": {"message": "no such model"}}', "no such model"),
        ('{"choices": [{"message": {"content": "x"}}]}', "nothing of usage"),
        ('{"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 1}}', "not the form"),
    ],
)
def test_what_is_wrong_with_an_answer_is_told(body, said):
    with serving(lambda request: [reply(body)]) as server:
        assert said in carry_out("llm_invoke", {"prompt": "x"}, world(server)).fault.detail


def test_what_is_missing_is_told_before_anything_is_sent():
    with serving(lambda request: [completion()]) as server:
        no_key = carry_out("llm_invoke", {"prompt": "x"}, world(server, key="other"))
        no_model = carry_out("llm_invoke", {"prompt": "x"}, world(server, model=None))
    assert (no_key.fault.code, no_model.fault.code) == ("SECRET_MISSING", "BAD_PARAMS")
    assert not server.received
