"""Words given to options: what they mean, and that nothing but BadParameter comes out of nonsense."""

from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer import BadParameter

from aos.cli.forecast.status import fail_on_words
from aos.cli.values import cents, milliseconds, named_values, seed_number, share
from aos.errors import InputError


@pytest.mark.parametrize(
    ("read", "text", "value"),
    [
        (cents, "100", Decimal(100)),
        (cents, "0.000001", Decimal("0.000001")),
        (cents, "1e2", Decimal(100)),
        (milliseconds, "30s", 30_000),
        (milliseconds, "5m", 300_000),
        (milliseconds, "1.5h", 5_400_000),
        (milliseconds, "800", 800),
        (milliseconds, "800ms", 800),
        (share, "0.95", 0.95),
        (share, "1", 1),
        (seed_number, "0", 0),
        (fail_on_words, "none", {"none"}),
        (fail_on_words, "approval,infeasible", {"approval", "infeasible"}),
    ],
)
def test_a_value_is_what_it_says(read: Any, text: str, value: Any) -> None:
    assert read(text) == value


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (cents, "-1"),
        (cents, "NaN"),
        (cents, "Infinity"),
        (cents, "1e400"),
        (cents, "0.0000001"),
        (cents, "$1"),
        (milliseconds, "0"),
        (milliseconds, "-5s"),
        (milliseconds, "nan"),
        (milliseconds, "infs"),
        (milliseconds, "5 minutes"),
        (milliseconds, "5sm"),
        (milliseconds, ""),
        (share, "1.1"),
        (share, "nan"),
        (share, "90%"),
        (seed_number, "-1"),
        (seed_number, "1.5"),
        (seed_number, "٣"),
        (seed_number, "9" * 16),
        (fail_on_words, ""),
        (fail_on_words, "none,infeasible"),
        (fail_on_words, "pending"),
    ],
)
def test_nonsense_is_refused(read: Any, text: str) -> None:
    with pytest.raises(BadParameter):
        read(text)


@given(st.text())
def test_any_text_is_a_value_or_a_bad_parameter(text: str) -> None:
    for read in (cents, milliseconds, share, seed_number, fail_on_words):
        with suppress(BadParameter):
            read(text)


@given(st.decimals(0, 10**9, places=6))
def test_cents_are_exactly_those_written(amount: Decimal) -> None:
    assert cents(str(amount)) == amount


def test_an_input_is_json_where_it_is_json_and_text_where_not() -> None:
    pairs = ["n=5", "t=five", "l=[1, 2]", 'q="5"', "empty=", "e=a=b", "nothing=null"]
    assert named_values(pairs) == {
        "n": 5,
        "t": "five",
        "l": [1, 2],
        "q": "5",
        "empty": "",
        "e": "a=b",
        "nothing": None,
    }


@pytest.mark.parametrize("pairs", [["x"], ["=5"], ["a=1", "a=2"]])
def test_an_input_has_a_name_of_its_own(pairs: list[str]) -> None:
    with pytest.raises(BadParameter):
        named_values(pairs)


@pytest.mark.parametrize("value", ["NaN", "1e400", '{"a": 1, "a": 2}', "[" * 40 + "]" * 40, "9" * 20])
def test_an_input_that_no_plan_may_hold_is_refused(value: str) -> None:
    with pytest.raises(InputError):
        named_values([f"x={value}"])
