"""json_transform: JMESPath, bounded in steps, time and size."""

import json
import threading
import time
import tracemalloc
from typing import Any

import jmespath
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.skills import carry_out


def result(query: str, value: Any, **how: Any) -> Any:
    answer = carry_out("json_transform", {"query": query, "input": value}, **how)
    assert answer.fault is None, answer.fault
    return answer.result["result"]


def code(query: str, value: Any, **how: Any) -> Any:
    return carry_out("json_transform", {"query": query, "input": value}, **how).fault.code


PRICES = {"bitcoin": {"usd": 64_000.5}, "list": [{"a": 1}, {"a": 2}, {"b": 3}]}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (".bitcoin.usd", 64_000.5),
        ("bitcoin.usd", 64_000.5),
        (".", PRICES),
        ("@", PRICES),
        ("list[?a > `1`].a | [0]", 2),
        ("list[*].a", [1, 2]),
        ("nothing || 'other'", "other"),
        ("{n: length(list), s: join('-', ['a', 'b'])}", {"n": 3, "s": "a-b"}),
    ],
)
def test_queries(query, expected):
    assert result(query, PRICES) == expected


def test_text_that_holds_json_counts_as_that_and_other_text_as_text():
    assert result("bitcoin.usd", json.dumps(PRICES)) == 64_000.5
    assert result("bitcoin.usd", "\ufeff" + json.dumps(PRICES)) == 64_000.5
    assert result("length(@)", "plain") == 5
    assert result("@", "12") == "12"
    assert code("a", '{"a": 1, "a": 2}') == "BAD_QUERY"


def test_a_query_that_finds_nothing_fails():
    assert code("bitcoin.eur", PRICES) == "BAD_QUERY"
    assert result("a", None) is None


@pytest.mark.parametrize(
    ("value", "outline"),
    [
        ({"bitcoin": 1, "a\x1b": 2}, 'an object of "bitcoin", "a\\\\x1b"'),
        (dict.fromkeys("abcdefghi"), 'an object of "a", "b", "c", "d", "e", "f" and 3 more'),
        ({}, "an empty object"),
        ([{"x": 1}], "an array of 1"),
        ("secret words", "text"),
        (5, "5"),
    ],
)
def test_what_a_query_that_finds_nothing_could_have_found_is_outlined(value, outline):
    fault = carry_out("json_transform", {"query": "orders", "input": value}).fault
    assert fault
    assert fault.detail.startswith(f"the query finds nothing in {outline}; ")


def test_without_an_input_there_is_nothing_to_query():
    assert carry_out("json_transform", {"query": "@"}).fault.code == "BAD_PARAMS"


@pytest.mark.parametrize(
    "query",
    ["a b", "[::0]", "a < b", "&a", "[&a]", "to_number('nan')", "to_number('1e999')", "nosuch(@)", "abs('a')",
     "to_number('" + "1" * 30 + "')", "(" * 2000, "[" * 2000 + "@" + "]" * 2000, "!" * 2000 + "@", "|".join("[]" * 900),
     "[" * 40 + "@" + "]" * 40, "..", "\x00", "'\ud800'"],
)  # fmt: skip
def test_a_query_that_is_broken_or_yields_no_json_is_a_bad_query(query):
    assert code(query, {"a": 1, "b": "x"}) == "BAD_QUERY"


BOMBS = {
    "lists": "|".join(["[@,@]"] * 100),
    "objects": "|".join(["{a:@,b:@}"] * 100),
    "joined": "|".join(["join(@,[@,@,@])"] * 100),
    "merged": "|".join(["[@,[@,@]]"] * 60) + "| to_string(@)",
    "compared": "|".join(["[@,@]"] * 60) + "| @ == @",
    "mapped": "|".join(["map(&[@,@,@], [@,@,@])"] * 40),
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_query_that_would_fill_the_memory_is_stopped_early(bomb):
    assert code(BOMBS[bomb], "abc") == "BAD_QUERY"


def test_long_integers_in_a_text_are_the_text_of_their_digits():
    done = carry_out("json_transform", {"query": "ids[0]", "input": '{"ids": [1234567890123456789, 7]}'})
    assert done.result == {"result": "1234567890123456789"}


def test_a_text_that_would_be_too_long_is_never_joined():
    """The glue stands between all pieces: 5 kB of it between 5,000 make 25 MB."""
    glue = {"glue": "x" * 5_000, "pieces": [""] * 5_000}
    tracemalloc.start()
    assert code("join(glue, pieces)", glue, max_input_bytes=30_000) == "BAD_QUERY"
    assert tracemalloc.get_traced_memory()[1] < 5_000_000
    tracemalloc.stop()


def test_steps_are_bounded():
    assert code("length([*][*][*][*])", [[[[1] * 100] * 100] * 100]) == "BAD_QUERY"


@pytest.mark.parametrize(("size", "fits"), [(99, True), (100, True), (101, False)])
def test_the_limit_of_an_input_is_exact(size, fits):
    for value in ("x" * size, ["x" * (size - 4)]):
        answer = carry_out("json_transform", {"query": "length(@)", "input": value}, max_input_bytes=100)
        assert (answer.fault is None) == fits
        assert fits or answer.fault.code == "INPUT_TOO_LARGE"
    assert code("a" * 4_097, {}) == "INPUT_TOO_LARGE"


def test_a_cancelled_query_ends_promptly():
    cancelled = threading.Event()
    threading.Timer(0.05, cancelled.set).start()
    started = time.monotonic()
    assert code("[*].[a,a,a,a]", [{"a": "x" * 30}] * 190_000, cancelled=cancelled, seconds=60) == "CANCELLED"
    assert time.monotonic() - started < 30


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-1000, 1000) | st.text(max_size=5),
    lambda inside: st.lists(inside, max_size=4) | st.dictionaries(st.sampled_from("abc"), inside, max_size=3),
    max_leaves=12,
)
QUERIES = st.sampled_from(
    ["a", "a.b", "[0]", "[*].a", "a[]", "*.b", "[?a]", "length(@)", "keys(@)", "sort(@)", "to_string(@)", "[a, b]",
     "{x: a, y: b.c}", "a || b", "a && b", "max_by(@, &a)", "reverse(@)", "[::2]", "values(@)[]", "not_null(a, c)"]
)  # fmt: skip


@given(QUERIES, VALUES)
def test_answers_are_those_of_the_library(query, value):
    answer = carry_out("json_transform", {"query": query, "input": [value]})
    try:
        expected = jmespath.search(query, [value])
    except (ValueError, TypeError):
        expected = None
    if expected is None:
        assert answer.fault.code == "BAD_QUERY"
    else:
        assert answer.result == {"result": expected}
