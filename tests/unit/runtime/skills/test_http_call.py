"""http_call: what it sends, what it returns, how it fails."""

import codecs
import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from aos.runtime.guards.answers import AnswerCache
from aos.runtime.guards.http import Answer, Request
from aos.runtime.secrets import Secrets
from aos.runtime.skills.world import World
from aos.wire.digests import canonical
from tests.fakes.servers import reply, serving
from tests.fakes.skills import LOCAL, carry_out


def test_json_comes_parsed_and_text_as_it_is():
    kinds: dict[str, tuple[str, str | bytes, Any]] = {
        "/json": ("application/json", '{"usd": 1.50}', {"usd": 1.5}),
        "/problem": ("application/problem+json; charset=utf-8", "[1]", [1]),
        "/text": ("text/plain", '{"usd": 1}', '{"usd": 1}'),
        "/latin": ("text/html; charset=ISO-8859-1", "é".encode("latin-1"), "é"),
        "/none": ("application/json", "", None),
        "/marked": ("application/json", codecs.BOM_UTF8 + b'{"usd": 2}', {"usd": 2}),
    }
    with serving(
        lambda request: [reply(kinds[request.target][1], content_type=kinds[request.target][0])]
    ) as server:
        for path, (_, _, body) in kinds.items():
            answer = carry_out("http_call", {"url": server.url + path})
            assert answer.fault is None
            assert answer.result["body"] == body
            assert answer.result["status"] == 200
            assert answer.effect == "none"
            assert answer.side_effects == ()
            assert answer.cost_cents == 0


def test_a_body_is_sent_as_json_and_text_as_it_is():
    with serving(lambda request: [reply()]) as server:
        done = carry_out("http_call", {"url": server.url, "method": "POST", "body": {"a": "ü"}})
        carry_out("http_call", {"url": server.url, "method": "PUT", "body": "plain"})
    posted, put = server.received
    assert (json.loads(posted.body), posted.headers["content-type"]) == ({"a": "ü"}, "application/json")
    assert (put.body, put.headers["content-type"]) == (b"plain", "text/plain; charset=utf-8")
    assert done.effect is None
    assert done.side_effects[0]._asdict() == {
        "type": "http.request",
        "target": f"POST {server.url}",
        "reversible": False,
    }


def test_every_attempt_of_a_post_has_the_same_idempotency_key():
    with serving(lambda request: [reply()]) as server:
        for attempt in (1, 2):
            carry_out("http_call", {"url": server.url, "method": "POST"}, attempt=attempt, key="k-1")
        carry_out("http_call", {"url": server.url, "method": "POST", "headers": {"idempotency-key": "mine"}})
        carry_out("http_call", {"url": server.url, "method": "GET"})
    assert [request.headers.get("idempotency-key") for request in server.received] == [
        "k-1",
        "k-1",
        "mine",
        None,
    ]


@pytest.mark.parametrize(
    ("status", "code"),
    [("400 Bad", "HTTP_4XX"), ("404 Gone", "HTTP_4XX"), ("408 Slow", "TIMEOUT"), ("429 Much", "RATE_LIMITED"),
     ("500 Broken", "HTTP_5XX"), ("503 Away", "HTTP_5XX"), ("302 Found", "BAD_REPLY"), ("600 What", "BAD_REPLY")],
)  # fmt: skip
def test_a_status_is_a_failure_with_its_code(status, code):
    with serving(lambda request: [reply("what\x1b[2J went wrong", status, location="/")]) as server:
        read = carry_out("http_call", {"url": server.url})
        posted = carry_out("http_call", {"url": server.url, "method": "POST"})
    assert (read.result, read.fault.code, read.effect) == (None, code, "none")
    assert posted.fault.code == code
    assert posted.effect != "none"
    assert "\x1b" not in read.fault.detail
    if code not in ("BAD_REPLY",):
        assert "what\\x1b[2J went wrong" in read.fault.detail


def test_how_long_a_server_asks_to_wait_is_told():
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    asked = {
        "/2": "2",
        "/date": later,
        "/past": "Mon, 01 Jan 2001 00:00:00 GMT",
        "/odd": "soon",
        "/minus": "-5",
    }
    with serving(lambda request: [reply(status="429 Much", retry_after=asked[request.target])]) as server:
        told = {
            path: carry_out("http_call", {"url": server.url + path}).fault.retry_after_ms for path in asked
        }
    assert told["/2"] == 2000
    assert 55_000 < told["/date"] <= 60_000
    assert told["/past"] == 0
    assert told["/odd"] is told["/minus"] is None


@pytest.mark.parametrize("body", ['{"a": 1, "a": 2}', '{"a": NaN}', "{", '{"a": 01}', "[" * 40 + "]" * 40])
def test_json_that_two_readers_read_differently_is_a_bad_reply(body):
    with serving(lambda request: [reply(body, content_type="application/json")]) as server:
        assert carry_out("http_call", {"url": server.url}).fault.code == "BAD_REPLY"


def test_an_integer_too_long_for_a_number_comes_as_its_digits():
    body = '{"id": 1234567890123456789, "low": -9007199254740992, "most": 9007199254740991, "n": 7}'
    with serving(lambda request: [reply(body, content_type="application/json")]) as server:
        told = carry_out("http_call", {"url": server.url}).result["body"]
    assert told == {
        "id": "1234567890123456789",
        "low": "-9007199254740992",
        "most": 9007199254740991,
        "n": 7,
    }
    assert len(canonical(told)) > 0


def test_what_is_no_text_is_a_bad_reply():
    with serving(lambda request: [reply(b"\x89PNG\xff", content_type="image/png")]) as server:
        assert carry_out("http_call", {"url": server.url}).fault.code == "BAD_REPLY"


def test_the_step_and_the_parameter_both_bound_the_time():
    with serving(lambda request: [10.0]) as server:
        assert carry_out("http_call", {"url": server.url, "timeout_s": 0.2}).fault.code == "TIMEOUT"
        assert carry_out("http_call", {"url": server.url}, seconds=0.2).fault.code == "TIMEOUT"


def test_a_catalog_may_set_limits():
    def answers(request):
        return [reply("x" * 20) if request.target == "/b" else reply(status="302 Found", location="/b")]

    with serving(answers) as server:
        assert carry_out("http_call", {"url": server.url}, max_redirects=1).result["body"] == "x" * 20
        over = carry_out("http_call", {"url": f"{server.url}/b"}, max_reply_bytes=19)
    assert over.fault.code == "REPLY_TOO_LARGE"


def versions(request):
    """An answer that changes with the path, and its validators."""
    etag = '"v1"'
    if request.headers.get("if-none-match") == etag:
        return [reply(status="304 Not Modified", etag=etag)]
    if request.headers.get("if-modified-since") == "Wed, 25 Nov 2026 00:00:00 GMT":
        return [reply(status="304 Not Modified")]
    validators = {
        "/etag": {"etag": etag},
        "/date": {"last-modified": "Wed, 25 Nov 2026 00:00:00 GMT"},
        "/none": {},
    }
    private = {"etag": etag, "cache-control": "no-store"}
    return [reply("x" * 100, **validators.get(request.target, private))]


@pytest.mark.parametrize(
    ("path", "hits"), [("/etag", True), ("/date", True), ("/none", False), ("/private", False)]
)
def test_a_call_that_is_made_again_asks_whether_the_answer_still_holds(path, hits):
    world = World(Path(), Secrets(), LOCAL, answers=AnswerCache())
    with serving(versions) as server:
        calls = [carry_out("http_call", {"url": server.url + path}, world) for _ in range(3)]
    assert [call.cache_hit for call in calls] == [False, hits, hits]
    assert {call.result["body"] for call in calls} == {"x" * 100}
    assert {call.result["status"] for call in calls} == {200}
    assert len(server.received) == 3


def test_answers_to_other_requests_are_not_taken():
    world = World(Path(), Secrets(), LOCAL, answers=AnswerCache())
    with serving(versions) as server:
        for change in ({}, {"headers": {"X-Key": "b"}}, {"method": "POST"}, {"body": "x"}):
            params = {"url": f"{server.url}/etag", "headers": {"X-Key": "a"}, **change}
            assert not carry_out("http_call", params, world).cache_hit
    assert not any("if-none-match" in request.headers for request in server.received)


def test_kept_answers_are_bounded():
    cache = AnswerCache(max_bytes=250)
    asked = [Request("GET", f"http://x/{n}") for n in range(3)]
    answer = Answer(200, {"etag": "1"}, b"x" * 100)
    for request in (asked[0], asked[0], asked[1]):
        cache.keep(request, answer)
    cache.find(asked[0])
    cache.keep(asked[2], answer)
    assert [cache.find(request) for request in asked] == [answer, None, answer]
    cache.keep(asked[1], answer._replace(body=b"x" * 251))
    assert [cache.find(request) for request in asked] == [None, None, None]
    cache.keep(asked[1], answer)
    assert cache.find(asked[1]) == answer


def test_a_validator_that_fits_in_no_header_is_not_sent_back():
    world = World(Path(), Secrets(), LOCAL, answers=AnswerCache())
    with serving(lambda request: [b"HTTP/1.1 200 OK\r\netag: \xe9\r\ncontent-length: 1\r\n\r\nx"]) as server:
        assert [carry_out("http_call", {"url": server.url}, world).result["body"] for _ in range(2)] == [
            "x",
            "x",
        ]


def test_without_a_cache_a_condition_of_the_step_is_its_own():
    with serving(versions) as server:
        params = {"url": f"{server.url}/etag", "headers": {"If-None-Match": '"v1"'}}
        assert carry_out("http_call", params).fault.code == "BAD_REPLY"
