"""A call becomes one request, whatever it contains; an answer is a document or an error with a name, whatever it is."""

import json
from decimal import Decimal
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aos.errors import CODES, AosError, Finding
from aos.sdk.core import MAX_RETRIES, MAX_WAIT_S, Call, Reply, Server, path, pause_s, request, understood
from aos.wire.problems import problem

JSON = {"content-type": "application/json"}
PROBLEM = {"content-type": "application/problem+json"}
HERE = Server("http://127.0.0.1:8000", token="t")


def failed(reply: Reply) -> AosError:
    with pytest.raises(AosError) as caught:
        understood(reply)
    return caught.value


@given(st.text(min_size=1))
def test_a_name_is_one_segment_of_the_path(name: str) -> None:
    try:
        name.encode()
    except UnicodeEncodeError:
        return
    url = request(HERE, Call("GET", path("/skills/{skill_id}", skill_id=name))).url
    parts = urlsplit(url)
    assert (parts.query, parts.fragment, parts.netloc) == ("", "", "127.0.0.1:8000")
    assert parts.path.count("/") == 2
    assert unquote(parts.path.rsplit("/", 1)[1]) == name


def test_a_request_says_who_asks_and_what() -> None:
    built = request(
        Server("https://aos.example/", key="aos_x"),
        Call("POST", "/q", {"a": "1&2", "b": None}, {"c": Decimal("1.5")}),
    )
    assert (built.method, built.url) == ("POST", "https://aos.example/q?a=1%262")
    assert built.headers["x-aos-key"] == "aos_x"
    assert "authorization" not in built.headers
    assert json.loads(built.content or b"") == {"c": 1.5}
    assert request(HERE, Call("GET", "/q")).headers["authorization"] == "Bearer t"


@pytest.mark.parametrize(
    "url",
    ["http://aos.example", "ftp://aos.example", "aos.example", "", "http://", "https://a?b", "file:///etc"],
)
def test_credentials_go_to_a_server_behind_tls_or_to_this_machine(url: str) -> None:
    with pytest.raises(AosError) as caught:
        request(Server(url, token="t"), Call("GET", "/"))
    assert caught.value.code == "usage"


def test_a_problem_arrives_as_the_error_that_it_was() -> None:
    sent = AosError(
        "invalid_plan",
        "two",
        findings=[Finding("/0", "bad_value", "x", ("a",), "a"), Finding("", "cycle", "y")],
        instance="urn:x",
        fix="Mend it.",
    )
    sent.effect = "committed"
    got = failed(Reply(422, {**PROBLEM, "retry-after": "7"}, json.dumps(problem(sent)).encode()))
    assert (got.code, got.detail, got.fix, got.instance, got.effect) == (
        "invalid_plan",
        "two",
        "Mend it.",
        "urn:x",
        "committed",
    )
    assert (got.findings, got.retry_after_s) == (sent.findings, 7)


STATUSES = [
    (401, "unauthenticated"),
    (403, "authorization_denied"),
    (404, "unexpected_answer"),
    (429, "rate_limited"),
    (502, "unexpected_answer"),
]


@pytest.mark.parametrize(("status", "code"), STATUSES)
def test_what_is_no_problem_is_known_by_its_status(status: int, code: str) -> None:
    assert failed(Reply(status, {"content-type": "text/html"}, b"<html>")).code == code
    assert failed(Reply(status, PROBLEM, b'{"code": "of_the_future"}')).code == code


TYPES = [{}, JSON, PROBLEM, {"content-type": "text/html"}, {**PROBLEM, "retry-after": "x"}]
ODD = [
    b"{}",
    b"[]",
    b'{"code":1}',
    b'{"a":1,"a":2}',
    b"[" * 9999,
    b'{"code":"cycle","errors":[1,{}],"effect":[]}',
]


@given(st.integers(100, 599), st.sampled_from(TYPES), st.binary() | st.sampled_from(ODD))
def test_whatever_comes_it_is_a_document_or_an_error(
    status: int, headers: dict[str, str], content: bytes
) -> None:
    code = None
    try:
        assert isinstance(understood(Reply(status, headers, content)), dict)
    except AosError as error:
        code = error.code
    assert code is None or code in CODES


@given(
    code=st.sampled_from(sorted(CODES)),
    effect=st.sampled_from(["none", "committed", "unknown"]),
    tries=st.integers(1, 6),
    repeatable=st.booleans(),
    retry_after=st.none() | st.floats(0, 200),
    chance=st.floats(0, 1),
)
def test_it_is_tried_again_only_where_that_can_help_and_cannot_hurt(
    code: str, effect: str, tries: int, repeatable: bool, retry_after: float | None, chance: float
) -> None:
    error = AosError(code, "", retry_after_s=retry_after)
    error.effect = effect
    pause = pause_s(Call("POST", "/", repeatable=repeatable), error, tries, chance)
    if pause is not None:
        assert CODES[code].retryable
        assert repeatable or effect == "none"
        assert tries <= MAX_RETRIES
        assert 0 <= pause <= MAX_WAIT_S
        assert retry_after is None or pause >= retry_after


def test_the_pause_doubles() -> None:
    error = AosError("unreachable", "")
    assert [pause_s(Call("GET", "/"), error, tries, 0.0) for tries in (1, 2, 3, 4)] == [0.25, 0.5, 1.0, None]
