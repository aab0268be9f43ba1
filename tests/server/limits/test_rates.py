"""Requests are counted per subject; the matrix is one file; the breaker asks one question at a time."""

import asyncio
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aos_server.identity.caller import ACTS
from aos_server.limits.breaker import Breaker
from aos_server.limits.matrix import MATRIX, TRAFFIC
from aos_server.limits.rates import BURST, Rates, Taken


def take(rates: Rates, times: int, traffic: Any = "evaluate", **who: Any) -> list[Taken | None]:
    async def all_of_them() -> list[Taken | None]:
        given = {"tenant": "acme", "issuer": "i", "subject": "ada", **who}
        try:
            return [await rates.take(traffic, **given) for _ in range(times)]
        finally:
            await rates.close()

    return asyncio.run(all_of_them())


def allowed(taken: list[Taken | None]) -> int:
    return sum(each is None or each.allowed for each in taken)


def test_sixty_at_once_and_then_one_a_second() -> None:
    taken = take(Rates(), 70)
    assert 60 <= allowed(taken) <= 61
    last = taken[-1]
    assert last is not None
    refusal = last.refusal()
    assert refusal is not None
    assert (refusal.code, refusal.row.status, refusal.retry_after_s) == ("rate_limited", 429, 1)
    assert dict(last.headers) == {
        "RateLimit-Policy": '"evaluate";q=60;w=60',
        "RateLimit": '"evaluate";r=0;t=60',
    }


@pytest.mark.parametrize(
    "other", [{"tenant": "b"}, {"subject": "eve"}, {"issuer": "j"}, {"traffic": "create"}]
)
def test_everybody_has_their_own(other: dict[str, Any]) -> None:
    rates = Rates()
    take(rates, 70)
    assert allowed(take(rates, 1)) == 0
    assert allowed(take(rates, 1, **other)) == 1


def test_names_that_run_into_each_other_stay_apart() -> None:
    rates = Rates(per_minute={"evaluate": 1})
    assert allowed(take(rates, 1, tenant="a", issuer="bc")) == 1
    assert allowed(take(rates, 1, tenant="ab", issuer="c")) == 1


def test_a_high_rate_does_not_come_all_at_once() -> None:
    assert BURST <= allowed(take(Rates(), 200, "read")) <= BURST + 5


def test_a_rate_can_be_set_and_a_key_has_its_own() -> None:
    assert allowed(take(Rates(per_minute={"decide": 3}), 10, "decide")) == 3
    assert allowed(take(Rates(), 10, per_minute=2)) == 2


def test_health_is_not_counted() -> None:
    assert take(Rates(), 3, "health") == [None] * 3


@pytest.mark.parametrize("traffic", ["decide", "create", "evaluate", "read", "operate"])
def test_without_redis_the_share_of_the_matrix_is_left(traffic: Any) -> None:
    rates = Rates("redis://127.0.0.1:1/0", {traffic: 40})  # nobody listens there
    assert allowed(take(rates, 60, traffic)) == pytest.approx(40 * MATRIX[traffic].share, abs=1)
    assert rates.degraded is (MATRIX[traffic].redis == "local")


def test_the_classes_are_those_of_identity_and_health() -> None:
    assert (*["decide", "create", "evaluate", "read", "operate"], "health") == TRAFFIC
    assert set(TRAFFIC) == {*ACTS, "health"}
    assert all((row.per_minute is None) == (name == "health") for name, row in MATRIX.items())
    assert all(0 < row.share <= 1 for row in MATRIX.values())


@example(["fail", "wait", "wait", "wait", "ask", "ask"])
@given(st.lists(st.sampled_from(["ask", "fail", "succeed", "wait"]), max_size=60))
def test_a_breaker_asks_at_most_once_a_pause_after_a_failure(story: list[str]) -> None:
    now = 0.0
    breaker = Breaker(1.0, lambda: now)
    failed_or_asked_at: float | None = None
    for event in story:
        if event == "wait":
            now += 0.4
        elif event == "fail":
            breaker.failed()
            failed_or_asked_at = now
        elif event == "succeed":
            breaker.succeeded()
            failed_or_asked_at = None
        else:
            asked = breaker.lets_through()
            assert asked == (failed_or_asked_at is None or now - failed_or_asked_at >= 1.0)
            if asked and failed_or_asked_at is not None:
                failed_or_asked_at = now
        assert breaker.is_open == (failed_or_asked_at is not None)
