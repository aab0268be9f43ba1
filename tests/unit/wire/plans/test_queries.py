"""Queries of `json_transform` before there is any input."""

import jmespath
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aos.wire.plans.queries import fault


@pytest.mark.parametrize(
    "query",
    [
        *("a", ".bitcoin.usd", "a[0].b[12]", "@", ".", " a ", "a[-1]", "a[*].b", '"a b".c', "`[1, 2]`"),
        *("a[?b > `3`] | [0]", "sort_by(@, &x)[].{n: name, l: length(tags)}", "a || 'b'", "not_null(a, b)"),
    ],
)
def test_a_query_is_left_alone(query: str) -> None:
    assert fault(query) is None


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("a[?b==", "Incomplete expression"),
        ("a b", "Unexpected token"),
        ("[.[] | select(.x)]", "invalid token"),
        ("map(&to_upper(@), a)", "no function 'to_upper'"),
        ("[" * 2000, "nested too deep"),
        ("a" * 4097, "the limit is 4,096"),
    ],
)
def test_what_is_no_query_is_told(query: str, words: str) -> None:
    assert words in (fault(query) or "")


@given(st.from_regex(r"\A[A-Za-z_][A-Za-z0-9_]{0,3}(\[[0-9]{1,3}\]|\.[A-Za-z_][A-Za-z0-9_]{0,3}){0,4}\Z"))
def test_plain_paths_are_what_the_library_takes(path: str) -> None:
    assert fault(path) is None
    jmespath.compile(path)
