import re
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aos.domain.forecasts.forecast import Estimate
from aos.domain.skills.distributions import Constant, Distribution, Lognormal, Quantiles, Tail, Uniform
from aos.report.figures import (
    between,
    cents,
    chance,
    count,
    duration,
    estimate,
    money,
    number,
    p90,
    percent,
    seen,
)
from tests.unit.report import build


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (None, "unknown"),
        (0.0, "0c"),
        (Decimal(0), "0c"),
        (0.00001, "< 0.0001c"),
        (0.0412, "0.0412c"),
        (3.2, "3.2c"),
        (48.66, "48.7c"),
        (99.96, "100c ($1.00)"),
        (100.0, "100c ($1.00)"),
        (100.4, "100c ($1.00)"),
        (12_345.6, "12,346c ($123.46)"),
        (Decimal(100), "100c ($1.00)"),
        (Decimal("1999.5"), "1,999.5c ($19.995)"),
        (Decimal("0.000001"), "0.000001c"),
        (Decimal("1E+3"), "1,000c ($10.00)"),
    ],
)
def test_money(amount: float | Decimal | None, text: str) -> None:
    assert money(amount) == text
    assert cents(amount) == text.partition(" ($")[0]


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (None, "unknown"),
        (0.0, "0 ms"),
        (0.001, "< 0.01 ms"),
        (0.42, "0.42 ms"),
        (1.0, "1 ms"),
        (3.27, "3.3 ms"),
        (9.96, "10 ms"),
        (810.4, "810 ms"),
        (999.4, "999 ms"),
        (999.7, "1 s"),
        (1_860.0, "1.9 s"),
        (59_940.0, "59.9 s"),
        (59_960.0, "1 min"),
        (200_000.0, "3 min 20 s"),
        (3_599_600.0, "1 h"),
        (7_500_000.0, "2 h 5 min"),
        (86_390_000.0, "1 d"),
        (273_600_000.0, "3 d 4 h"),
    ],
)
def test_estimated_times(ms: float | None, text: str) -> None:
    assert duration(ms) == text


@pytest.mark.parametrize(
    ("ms", "text"),
    [(800.25, "800.25 ms"), (1_950.0, "1.95 s"), (60_000.0, "1 min"), (200_500.0, "3 min 20.5 s")],
)
def test_stated_times_are_not_rounded(ms: float, text: str) -> None:
    assert duration(ms, stated=True) == text


UNITS = {"ms": 1.0, "s": 1e3, "min": 60e3, "h": 3.6e6, "d": 86.4e6}


@given(st.floats(0.01, 1e11))
def test_a_time_reads_back_as_itself(ms: float) -> None:
    """Within 5 % or 5 us, and within the smaller of two units: `1 min 59.9 s` is never `1 min 60 s`."""
    parts = re.findall(r"([\d.,]+) (ms|s|min|h|d)", duration(ms))
    read = sum(float(value.replace(",", "")) * UNITS[unit] for value, unit in parts)

    assert read == pytest.approx(ms, rel=0.05, abs=0.005)
    assert all(float(value) < 60 for value, unit in parts if unit in ("s", "min"))
    assert [UNITS[unit] for _, unit in parts] == sorted((UNITS[unit] for _, unit in parts), reverse=True)


@given(st.floats(0.001, 1e12))
def test_an_amount_reads_back_as_itself(amount: float) -> None:
    assert float(cents(amount).removesuffix("c").replace(",", "")) == pytest.approx(amount, rel=0.005)


@pytest.mark.parametrize(
    ("p", "text"),
    [
        (0.0, "0 %"),
        (1.0, "100 %"),
        (0.0001, "< 0.1 %"),
        (0.0005, "0.1 %"),
        (0.9996, "> 99.9 %"),
        (0.9995, "> 99.9 %"),
        (0.986, "98.6 %"),
        (0.5, "50.0 %"),
    ],
)
def test_chances(p: float, text: str) -> None:
    assert chance(p) == text


@given(st.floats(0, 1, exclude_min=True, exclude_max=True))
def test_what_is_possible_is_never_certain(p: float) -> None:
    assert chance(p) not in ("0 %", "0.0 %", "100 %", "100.0 %")


def test_what_no_sample_showed_is_rare() -> None:
    assert seen(0.0) == "< 0.1 %"
    assert seen(0.02) == "2.0 %"


def test_a_chance_has_its_error_rounded_up() -> None:
    assert estimate(Estimate(0.9637, 0.00187)) == "96.4 % ± 0.2 %"
    assert estimate(Estimate(0.9637, 0.0001)) == "96.4 % ± 0.1 %"
    assert estimate(Estimate(1.0, 0.0)) == "100 %"
    assert estimate(Estimate(0.0001, 0.0001)) == "< 0.1 %"


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [
        (0.5, 0.5, "50.0 % ± 0.2 %"),
        (0.0, 1.0, "unknown"),
        (0.0, 0.931, "at most 93.1 %"),
        (0.2, 1.0, "at least 20.0 %"),
        (0.2, 0.931, "20.0 % to 93.1 %"),
    ],
)
def test_open_chances(low: float, high: float, text: str) -> None:
    assert between(build.chance(low, high)) == text


def test_thresholds_stand_as_they_were_stated() -> None:
    assert [percent(p) for p in (0.9, 0.5, 0.9995, 1.0, 0.0)] == ["90 %", "50 %", "99.95 %", "100 %", "0 %"]


def test_numbers_and_counts() -> None:
    assert [number(x) for x in (0.0, 0.04123, 48.66, 20_000.4)] == ["0", "0.0412", "48.7", "20,000"]
    assert [count(n, "step") for n in (0, 1, 1_200)] == ["0 steps", "1 step", "1,200 steps"]


@pytest.mark.parametrize(
    ("distribution", "value"),
    [
        (Constant(7.0), 7.0),
        (Uniform(10.0, 20.0), 19.0),
        (Lognormal(500.0, 0.0), 500.0),
        (Lognormal(500.0, 0.6), 1078.7),
        (Quantiles((0.0, 0.8, 1.0), (0.0, 8.0, 28.0)), 18.0),
        (Quantiles((0.95,), (5.0,)), 5.0),
        (Quantiles((0.1, 0.5), (1.0, 5.0)), 5.0),
        # P(X > 5 + y) = 0.5 exp(-y/2), and 0.5 (1 + y/4)^-2
        (Quantiles((0.1, 0.5), (1.0, 5.0), Tail(0.0, 2.0)), 8.219),
        (Quantiles((0.1, 0.5), (1.0, 5.0), Tail(0.5, 2.0)), 9.944),
    ],
)
def test_nine_draws_in_ten(distribution: Distribution, value: float) -> None:
    assert p90(distribution) == pytest.approx(value, abs=0.05)
