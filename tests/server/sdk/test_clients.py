"""Both clients against servers that misbehave: the same answer from both."""

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from aos.errors import AosError, Exit
from aos.sdk import AsyncClient, Client
from aos.sdk.core import Call, Document, given_up
from tests.server.serve import serving

OK = JSONResponse({"schema": "x", "n": 1})
Story = Callable[[Any], Any]


def problem(code: str, status: int, **more: Any) -> Response:
    retry = {"retry-after": str(more.pop("retry_after", 0))}
    return JSONResponse(
        {"code": code, "detail": "d", "effect": "none", **more}, status, retry, "application/problem+json"
    )


class Script:
    """Answers one after the other, and remembers what it was asked."""

    def __init__(self, *answers: Response) -> None:
        self.answers = list(answers)
        self.asked: list[Request] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            self.asked.append(Request(scope))
            await self.answers.pop(0)(scope, receive, send)


def by_client(url: str, call: Story, **who: Any) -> Document:
    with Client(url, **who) as client:
        answer: Document = call(client)
        return answer


def by_async_client(url: str, call: Story, **who: Any) -> Document:
    async def work() -> Document:
        async with AsyncClient(url, **who) as client:
            answer: Document = await call(client)
            return answer

    return asyncio.run(work())


@pytest.fixture(params=[by_client, by_async_client], ids=["Client", "AsyncClient"])
def ask(request: pytest.FixtureRequest) -> Any:
    return request.param


def test_it_waits_as_long_as_it_is_told_and_tries_again(ask: Any) -> None:
    script = Script(problem("rate_limited", 429), problem("auth_unavailable", 503), OK)
    with serving(script) as url:
        assert ask(url, lambda client: client.skills(), token="t")["n"] == 1
    assert [request.headers["authorization"] for request in script.asked] == ["Bearer t"] * 3


def test_it_gives_up_after_three(ask: Any) -> None:
    script = Script(*[problem("rate_limited", 429)] * 5)
    with serving(script) as url, pytest.raises(AosError) as caught:
        ask(url, lambda client: client.skills())
    assert (caught.value.code, len(script.asked)) == ("rate_limited", 4)


def test_who_is_told_to_wait_for_an_hour_is_told_so(ask: Any) -> None:
    script = Script(problem("rate_limited", 429, retry_after=3600))
    with serving(script) as url, pytest.raises(AosError) as caught:
        ask(url, lambda client: client.skills())
    assert caught.value.retry_after_s == 3600


def test_what_may_have_had_an_effect_is_not_sent_twice(ask: Any) -> None:
    script = Script(problem("auth_unavailable", 503, effect="unknown"), OK)
    with serving(script) as url, pytest.raises(AosError) as caught:
        ask(url, lambda client: client.send(Call("POST", "/x", body={}, repeatable=False)))
    assert (caught.value.effect, len(script.asked)) == ("unknown", 1)


def test_a_redirect_is_not_followed(ask: Any) -> None:
    script = Script(Response(status_code=307, headers={"location": "http://127.0.0.1:1/"}), OK)
    with serving(script) as url, pytest.raises(AosError) as caught:
        ask(url, lambda client: client.skills(), token="t")
    assert (caught.value.code, len(script.asked)) == ("unexpected_answer", 1)


def test_an_endless_answer_is_cut(ask: Any) -> None:
    script = Script(Response(b" " * 20_000_000, media_type="application/json"))
    with serving(script) as url, pytest.raises(AosError) as caught:
        ask(url, lambda client: client.skills())
    assert caught.value.code == "unexpected_answer"


def test_where_nobody_listens_nothing_has_happened(ask: Any) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(AosError) as caught:
            ask(f"http://127.0.0.1:{taken.getsockname()[1]}", lambda client: client.health())
    assert (caught.value.code, caught.value.effect) == ("unreachable", "none")


@pytest.mark.parametrize(
    ("call", "effect", "code"),
    [
        (Call("POST", "/x", body={}, repeatable=False), "unknown", "answer_lost"),
        (Call("POST", "/x", body={}, key="k"), "unknown", "answer_lost"),
        (Call("POST", "/x", body={}, key="k"), "none", "unreachable"),
        (Call("POST", "/x", body={}, key="k", idempotent=True), "unknown", "unreachable"),
        (Call("POST", "/x", body={}), "unknown", "unreachable"),
        (Call("GET", "/x"), "unknown", "unreachable"),
    ],
)
def test_what_may_have_changed_something_is_not_called_safe_to_ask_again(
    call: Call, effect: str, code: str
) -> None:
    error = AosError("unreachable", "the connection broke")
    error.effect = effect
    raised = given_up(call, error)
    assert (raised.code, raised.effect, raised.detail) == (code, effect, "the connection broke")
    assert raised.row.exit == {"answer_lost": Exit.UNKNOWN_EFFECT, "unreachable": Exit.TRANSIENT}[code]


def test_a_connection_that_breaks_leaves_the_effect_unknown(ask: Any) -> None:
    async def hangs_up(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await send(
                {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"100")]}
            )
            raise ConnectionError

    with serving(hangs_up) as url, pytest.raises(AosError) as caught:
        ask(url, lambda client: client.send(Call("POST", "/x", body={}, repeatable=False)))
    assert (caught.value.code, caught.value.effect) == ("answer_lost", "unknown")


def test_who_was_told_that_a_change_may_have_been_made_says_so(ask: Any) -> None:
    script = Script(*[problem("unavailable", 503, effect="unknown")] * 4)
    with serving(script) as url, pytest.raises(AosError) as caught:
        ask(url, lambda client: client.approve("r"))
    assert (caught.value.code, caught.value.effect, len(script.asked)) == ("answer_lost", "unknown", 4)


def test_key_and_address_come_from_the_environment(ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    script = Script(OK, OK)
    with serving(script) as url:
        monkeypatch.setenv("AOS_BASE_URL", url)
        monkeypatch.setenv("AOS_API_KEY", "aos_k")
        ask(None, lambda client: client.skills())
        ask(None, lambda client: client.skills(), token="t")
    first, second = script.asked
    assert (first.headers.get("x-aos-key"), first.headers.get("authorization")) == ("aos_k", None)
    assert (second.headers.get("x-aos-key"), second.headers.get("authorization")) == (None, "Bearer t")
