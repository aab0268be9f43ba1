"""Load tests: quantiles with bounds that hold, and verdicts that say what they rest on."""

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aos.domain.loads import NO_CONNECTION, Goal, Load, Shot, judge, quantile

GOAL = Goal(500)


def load(*shots: Shot, cpu_s: float = 0.1, counted: Any = None) -> Load:
    return Load(30, shots, 10.0, cpu_s, counted)


def took(ms: float, n: int, code: str | None = None) -> list[Shot]:
    return [Shot("read", ms, code)] * n


@given(st.lists(st.floats(0, 1e6), min_size=1), st.sampled_from((0.5, 0.95, 0.99)))
def test_a_quantile_is_a_value_between_its_bounds(values: list[float], level: float) -> None:
    ascending = sorted(values)
    found = quantile(ascending, level)
    assert found is not None
    assert sum(value <= found.value for value in values) >= level * len(values)
    assert sum(value < found.value for value in values) < max(1, level * len(values))
    assert found.low is None or found.low <= found.value
    assert found.high is None or found.value <= found.high


def test_bounds_hold_the_true_quantile_nineteen_times_of_twenty() -> None:
    chance, held = random.Random(7), 0
    for _ in range(400):
        found = quantile(sorted(chance.random() for _ in range(400)), 0.95)
        assert found is not None
        assert found.low is not None
        held += found.low <= 0.95 and (found.high is None or found.high >= 0.95)
    assert 0.92 <= held / 400 <= 0.985


def test_nothing_has_no_quantile() -> None:
    assert quantile([], 0.5) is None


@pytest.mark.parametrize(
    ("measured", "passed", "codes"),
    [
        (load(*took(20, 3000)), True, []),
        (load(*took(20, 2700), *took(900, 300)), False, ["too_slow"]),
        (load(*took(20, 2700), *took(900, 300), cpu_s=9.5), None, ["caller_busy"]),
        (load(*took(20, 20)), None, ["too_close"]),
        (load(*took(20, 2850), *took(900, 150)), None, ["too_close"]),
        (load(*took(20, 3000), *took(5, 1, "unavailable")), False, ["errors"]),
        (load(*took(20, 3000), *took(5, 1, "rate_limited")), None, ["rate_limited"]),
        (load(*took(20, 3000), counted={NO_CONNECTION: 2.0}), False, ["pool_exhausted"]),
        (load(*took(20, 3000), counted={"nova_http_requests_total": 3000.0}), True, []),
        (load(*took(5, 30, "unreachable")), False, ["errors", "too_close"]),
    ],
)
def test_a_verdict_says_what_it_rests_on(measured: Load, passed: bool | None, codes: list[str]) -> None:
    found = judge(measured, GOAL)
    assert (found.passed, [reason.code for reason in found.reasons]) == (passed, codes)


@given(
    st.lists(
        st.builds(Shot, st.just("read"), st.floats(0, 2000), st.sampled_from((None, None, "unavailable")))
    ),
    st.floats(1, 2000),
    st.floats(0, 1),
)
def test_who_asks_for_less_is_never_told_no_where_they_were_told_yes(
    shots: list[Shot], p95: float, errors: float
) -> None:
    if judge(load(*shots), Goal(p95, errors)).passed:
        assert judge(load(*shots), Goal(p95 * 2, min(1.0, errors + 0.1))).passed
