"""Two spellings of one value have one digest; two values have two."""

import math
from decimal import Decimal
from typing import Any

import pytest
import rfc8785
from hypothesis import example, given
from hypothesis import strategies as st

from aos.wire.digests import canonical, digest
from aos.wire.strict import MAX_BYTES, Form, parse


def read(text: str, form: Form = "json") -> object:
    return parse(text.encode(), form, name="-", max_bytes=MAX_BYTES, code="invalid_plan")


def test_the_example_of_rfc_8785():
    text = r"""{
        "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
        "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
        "literals": [null, true, false]
    }"""
    expected = (
        r'{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
        r'"string":"€$\u000f\nA' + "'" + r'B\"\\\\\"/"}'
    )
    assert canonical(read(text)) == expected.encode()


def test_a_known_digest():
    assert digest({}) == "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"


@pytest.mark.parametrize(
    "text",
    [
        '{"b": [1, 0.1], "a": "é"}',
        '{"a":"é","b":[1.0,0.10]}',
        '{ "a" : "\\u00e9", "b" : [ 10e-1, 1e-1 ] }\n',
    ],
)
def test_order_white_space_and_spelling_do_not_matter(text: str):
    assert digest(read(text)) == digest({"a": "é", "b": [1, 0.1]})


def test_the_form_does_not_matter():
    assert (
        digest(read('{"a": [1.0, "x"]}'))
        == digest(read("a: [1, x]", "yaml"))
        == digest(read("a=[1,'x']", "toml"))
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ([1, 2], [2, 1]),
        ({"a": None}, {}),
        (1, "1"),
        (True, 1),
        (False, 0),
        ("é", "e\u0301"),
        (0.1, Decimal("0.1")),
    ],
)
def test_different_values_have_different_digests(one: object, other: object):
    assert digest(one) != digest(other)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        ("1.50", "1.5"),
        ("1.5", "1.5"),
        ("100", "100"),
        ("1E+2", "100"),
        ("1E-6", "0.000001"),
        ("0.00", "0"),
        ("-0", "0"),
        ("-2.0", "-2"),
        ("12345678901234567890123456789012345.000001", "12345678901234567890123456789012345.000001"),
    ],
)
def test_money_is_text_inside_a_digest(number: str, text: str):
    assert canonical({"cost": (Decimal(number),)}) == f'{{"cost":["{text}"]}}'.encode()


@pytest.mark.parametrize(
    "value", [math.nan, math.inf, 2**53, "\ud800", Decimal("NaN"), {1: 2}, object(), b"x"]
)
def test_what_json_cannot_say_has_no_digest(value: object):
    with pytest.raises(ValueError):  # noqa: PT011 - each library says it in its own words
        digest([value])


_FLOATS = st.floats(allow_nan=False, allow_infinity=False)
_INTEGERS = st.integers(-(2**53) + 1, 2**53 - 1)
_EDGES = st.sampled_from([-0.0, 1e-4, 9.999e-5, 1e-7, 2.0**53, 2.0**53 - 1, 1e16, 1e20, 1e21, 1e22, 5e-324])
_TEXT = st.text() | st.sampled_from(["\x7f", "\u2028", "\ue000", "\U0001f600", '"\\/\b\f\x1f'])
_JSON = st.recursive(
    st.none() | st.booleans() | _INTEGERS | _FLOATS | _EDGES | _TEXT,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(_TEXT, inner, max_size=5),
)


@given(_JSON)
@example({"\ue000": 1, "\U0001f600": 2})  # by UTF-16 the other way round
def test_it_is_written_as_the_library_for_the_rfc_writes_it(value: Any):
    assert canonical(value) == rfc8785.dumps(value)
