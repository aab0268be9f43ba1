"""Problem documents, pointers, and text that can't do harm."""

import json

import pytest

import aos
from aos.errors import CODES, AosError, Finding, InputError
from aos.wire.problems import at, problem, visible

MEMBERS = [
    *("schema", "aos_version", "type", "title", "status", "detail", "instance", "code", "exit_code"),
    *("retryable", "retry_after_s", "effect", "errors", "errors_omitted", "fix"),
]


def test_the_whole_document():
    findings = [
        Finding("/steps/0/on_error", "bad_value", '"stop" is not allowed', ("fail", "continue"), "fail"),
        Finding("", "missing_key", 'the key "steps" is missing'),
    ]
    document = problem(InputError.of("invalid_plan", "plan.json", findings))
    assert document == {
        "schema": "aos.problem/1",
        "aos_version": aos.__version__,
        "type": "urn:aos:problem:plan.invalid_plan",
        "title": "Invalid plan",
        "status": 422,
        "detail": "plan.json: 2 problems",
        "instance": None,
        "code": "invalid_plan",
        "exit_code": 2,
        "retryable": False,
        "retry_after_s": None,
        "effect": "none",
        "errors": [
            {
                "pointer": "/steps/0/on_error",
                "code": "bad_value",
                "detail": '"stop" is not allowed',
                "allowed": ["fail", "continue"],
                "suggestion": "fail",
            },
            {"pointer": "", "code": "missing_key", "detail": 'the key "steps" is missing'},
        ],
        "errors_omitted": 0,
        "fix": CODES["invalid_plan"].fix,
    }


@pytest.mark.parametrize("code", sorted(CODES))
def test_every_code_makes_a_document(code: str):
    document = problem(AosError(code, "what happened", fix="do this", instance="/x", retry_after_s=1.5))
    assert list(document) == MEMBERS
    assert document["type"].startswith("urn:aos:problem:")
    assert document["type"].endswith(f".{code}")
    assert (document["instance"], document["retry_after_s"], document["fix"]) == ("/x", 1.5, "do this")
    assert json.loads(json.dumps(document)) == document
    assert type(document["exit_code"]) is int


def test_a_hundred_errors_and_how_many_more():
    for count, listed, omitted in ((100, 100, 0), (101, 100, 1), (5_000, 100, 4_900)):
        findings = [Finding(f"/{n}", "bad_value", "no") for n in range(count)]
        document = problem(InputError.of("invalid_plan", "plan.json", findings))
        assert (len(document["errors"]), document["errors_omitted"]) == (listed, omitted)
        assert str(count) in document["detail"]
        assert document["errors"][0]["pointer"] == "/0"


def test_foreign_text_is_shown_harmless_and_pointers_stay_exact():
    error = InputError.of("invalid_plan", "a\x1b[2J", [Finding("/\x1b", "bad_value", "x\u202ey")])
    document = problem(error)
    assert document["detail"] == r"a\x1b[2J: x\u202ey"
    assert document["errors"] == [{"pointer": "/\x1b", "code": "bad_value", "detail": r"x\u202ey"}]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, é, 日本, \N{GRINNING FACE}", "plain, é, 日本, \N{GRINNING FACE}"),
        ("\x1b[31m\x07\r\n\t\0", r"\x1b[31m\x07\x0d\x0a\x09\x00"),
        ("\x7f\x80\x85\x9b\x9f\xa0", "\\x7f\\x80\\x85\\x9b\\x9f\xa0"),
        ("\u2028\u2029", r"\u2028\u2029"),
        ("\u202a\u202e\u2066\u2069\u200e\u200f\u061c", r"\u202a\u202e\u2066\u2069\u200e\u200f\u061c"),
        ("\u200d\u2027\u202f\u2065\u206a", "\u200d\u2027\u202f\u2065\u206a"),
        ("a\ud800b", r"a\ud800b"),
        (r"a\nb", r"a\nb"),
    ],
)
def test_visible(text: str, shown: str):
    assert visible(text) == shown


def test_visible_cuts():
    assert visible("a" * 80) == "a" * 80
    assert visible("a" * 81) == "a" * 80 + "…"
    assert visible("\x1b" * 10_000_000, 3) == r"\x1b\x1b\x1b…"


def test_pointers_escape_what_their_tokens_hold():
    assert at("") == ""
    assert at("", "steps", 0, "a/b", "m~n", "", "é") == "/steps/0/a~1b/m~0n//é"
    assert at("/steps/1", "~1") == "/steps/1/~01"
