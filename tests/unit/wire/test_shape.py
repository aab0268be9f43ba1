"""Checked values out of a document: a wrong value is one finding, a missing one too, a right one none."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from aos.errors import Finding, InputError
from aos.wire.shape import MISSING, Fields, Reader, closest
from aos.wire.strict import MAX_INTEGER, Json

Read = Callable[[Reader, Any], object]

# How to read each kind of value at /p, with "-" as the default, and values that are right.
READERS: dict[str, tuple[Read, list[Json]]] = {
    "text": (lambda r, v: r.text(v, "/p", "-"), ["", "a", "1", "true"]),
    "flag": (lambda r, v: r.flag(v, "/p", "-"), [True, False]),
    "choice": (lambda r, v: r.choice(v, "/p", "-", allowed=("a", "b")), ["a", "b"]),
    "number": (lambda r, v: r.number(v, "/p", "-"), [0, -1, 0.5, 1e300]),
    "integer": (lambda r, v: r.integer(v, "/p", "-"), [0, -1, 7, MAX_INTEGER]),
    "money": (lambda r, v: r.money(v, "/p", "-"), [0, 5, 0.5, 0.000001]),
    "array": (lambda r, v: r.array(v, "/p", max_len=2), [[], [1], [1, [2]]]),
    "obj": (lambda r, v: r.obj(v, "/p"), [{}, {"a": 1}]),
}
WRONG: dict[str, list[Json]] = {
    "text": [1, True, None, [], {}],
    "flag": [0, 1, "true", None, []],
    "choice": [1, None, ["a"], "c", "A"],
    "number": ["1", True, None, [1]],
    "integer": ["1", True, False, None, 1.5, 1e300],
    "money": ["1.50", True, None, -1, -0.01, 0.0000001, 1e-9, 12345678901.123456],
    "array": ["a", {}, None, 1, [1, 2, 3]],
    "obj": ["a", [], None, 1],
}


@pytest.mark.parametrize("kind", READERS)
def test_a_right_value_is_returned_without_a_finding(kind: str):
    read, right = READERS[kind]
    for value in right:
        reader = Reader()
        returned = read(reader, value)
        assert (float(returned) if isinstance(returned, Decimal) else returned) == value
        assert reader.findings == []


@pytest.mark.parametrize("kind", READERS)
def test_a_wrong_value_is_one_finding_and_the_default(kind: str):
    read, _ = READERS[kind]
    for value in WRONG[kind]:
        reader = Reader()
        assert read(reader, value) in ("-", [], {})
        assert [finding.pointer for finding in reader.findings] == ["/p"], value
        assert reader.findings[0].code in ("wrong_type", "bad_value", "too_large")


@pytest.mark.parametrize("kind", READERS)
def test_an_absent_value_is_silent_and_the_default(kind: str):
    reader = Reader()
    assert READERS[kind][0](reader, MISSING) in ("-", [], {})
    assert reader.findings == []


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("a\x1b", r'"a\x1b"'),
        (True, "true"),
        (None, "null"),
        (1.5, "1.5"),
        ([], "an array"),
        ({}, "an object"),
        ("a" * 100, '"' + "a" * 40 + '…"'),
    ],
)
def test_a_wrong_type_says_what_was_there(value: Json, shown: str):
    reader = Reader()
    reader.integer(value, "/p", None)
    assert reader.findings == [Finding("/p", "wrong_type", f"expected a whole number, got {shown}")]


# -- objects -------------------------------------------------------------------------------------------


def test_unknown_keys_with_what_was_meant():
    reader = Reader()
    reader.obj(
        {"Skil": 1, "x-note": 1, "_meta": 1, "zzz": 1, "needs": 1}, "/steps/0", known=("skill", "needs")
    )
    assert reader.findings == [
        Finding(
            "/steps/0/Skil",
            "unknown_key",
            'unknown key "Skil"; did you mean "skill"?',
            ("needs", "skill"),
            "skill",
        ),
        Finding("/steps/0/zzz", "unknown_key", 'unknown key "zzz"', ("needs", "skill")),
    ]


def test_unknown_keys_are_escaped_in_pointers_and_shown_harmless():
    reader = Reader()
    reader.obj({"a/b~\x1b": 1}, "", known=())
    assert reader.findings == [Finding("/a~1b~0\x1b", "unknown_key", r'unknown key "a/b~\x1b"')]


def test_without_known_keys_any_is_allowed():
    reader = Reader()
    assert reader.obj({"anything": 1}, "") == {"anything": 1}
    assert reader.findings == []


def test_a_required_key_is_missed_once():
    reader = Reader()
    step = reader.obj({"id": None}, "/steps/0", known=("id", "skill"), required=("id", "skill"))
    assert reader.text(step["skill"], "/steps/0/skill", "none") == "none"
    assert reader.findings == [Finding("/steps/0", "missing_key", 'the key "skill" is missing')]


def test_null_is_a_value_and_not_absent():
    fields = Fields({"a": None})
    assert fields["a"] is None
    assert fields["b"] is MISSING
    assert "b" not in fields


def test_a_wrong_object_has_no_fields_and_no_further_findings():
    reader = Reader()
    step = reader.obj([], "/steps/0", known=("skill",), required=("skill",))
    assert reader.text(step["skill"], "/steps/0/skill", "") == ""
    assert [finding.code for finding in reader.findings] == ["wrong_type"]


# -- numbers and money ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("value", "fine"), [(0, False), (1, True), (1.5, True), (2, True), (2.0001, False)])
def test_bounds_are_included(value: float, fine: bool):
    reader = Reader()
    assert reader.number(value, "/p", None, low=1, high=2) == (value if fine else None)
    assert reader.findings == (
        [] if fine else [Finding("/p", "bad_value", f"{value} must be at least 1 and at most 2")]
    )


def test_one_bound_alone():
    reader = Reader()
    assert reader.integer(10_001, "/p", None, high=10_000) is None
    assert reader.integer(-1, "/q", None, low=0) is None
    assert [finding.detail for finding in reader.findings] == [
        "10001 must be at most 10,000",
        "-1 must be at least 0",
    ]


def test_a_whole_float_is_an_integer():
    value = Reader().integer(5.0, "/p", None)
    assert value == 5
    assert type(value) is int


@pytest.mark.parametrize(
    ("value", "cents"),
    [
        (0.1, "0.1"),
        (1.0, "1.0"),
        (100, "100"),
        (0.000001, "0.000001"),
        (123456789.123456, "123456789.123456"),
        (MAX_INTEGER, str(MAX_INTEGER)),
        (-0.0, "0"),
        (1e15, "1000000000000000"),
    ],
)
def test_money_is_exact(value: float, cents: str):
    reader = Reader()
    read = reader.money(value, "/p", None)
    assert isinstance(read, Decimal)
    assert read == Decimal(cents)
    assert reader.findings == []


def test_money_says_what_is_wrong():
    reader = Reader()
    reader.money(-1, "/a", None)
    reader.money(0.0000005, "/b", None)
    assert [finding.detail for finding in reader.findings] == [
        "-1 must be at least 0",
        "5e-07 has more than 6 decimals or 15 digits",
    ]


# -- choices, arrays, raising --------------------------------------------------------------------------


def test_a_choice_lists_what_is_allowed():
    reader = Reader()
    assert reader.choice("contineu", "/p", "fail", allowed=("fail", "continue")) == "fail"
    detail = '"contineu" is not one of fail, continue'
    assert reader.findings == [Finding("/p", "bad_value", detail, ("fail", "continue"), "continue")]


def test_an_array_names_its_limit():
    reader = Reader()
    assert reader.array([0] * 201, "/steps", max_len=200) == []
    assert reader.findings == [Finding("/steps", "too_large", "201 items; the limit is 200")]


def test_what_was_found_is_raised_and_nothing_where_nothing_was():
    reader = Reader()
    reader.raise_if_any("invalid_plan", "plan.json")
    reader.add("/p", "bad_value", "no", allowed=["yes"], suggestion="yes")
    with pytest.raises(InputError, match=r"plan\.json: no") as caught:
        reader.raise_if_any("invalid_plan", "plan.json")
    assert caught.value.findings == (Finding("/p", "bad_value", "no", ("yes",), "yes"),)


def test_the_known_word_that_is_closest_is_guessed_if_it_is_close():
    known = ("http_call", "llm_invoke", "Budget")
    assert closest("htp_call", known) == "http_call"
    assert closest("HTTP_CALL", known) == "http_call"
    assert closest("budgett", known) == "Budget"
    assert closest("zebra", known) is None
    assert closest("http_call" * 100_000, known) is None


def test_a_document_full_of_unknown_keys_is_answered_with_few_guesses():
    reader = Reader()
    reader.obj({f"skil{n}": n for n in range(5_000)}, "", known=("skill",))
    assert len(reader.findings) == 5_000
    assert sum(finding.suggestion is not None for finding in reader.findings) == 100
