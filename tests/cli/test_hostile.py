"""Hostile input from end to end: status 2, one problem document, soon, and nothing that could fool a terminal."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.process import STEP, aos, inline
from tests.cli.schemas import faults

ESC = "\x1b[2J\x9b\u202e"

DEEP = b"[" * 100_000 + b"]" * 100_000
HOSTILE: dict[str, tuple[str, bytes, str]] = {
    "deep": ("plan.json", DEEP, "too_deep"),
    "deep in 33 levels": (
        "plan.json",
        b'[{"skill":"x","params":{"a":' + b"[" * 31 + b"]" * 31 + b"}}]",
        "too_deep",
    ),
    "NaN": ("plan.json", b'[{"skill": "http_call", "params": {"x": NaN}}]', "number_out_of_range"),
    "1e400": ("plan.json", b'[{"skill": "http_call", "timeout_s": 1e400}]', "number_out_of_range"),
    "a huge integer": ("plan.json", b'{"budget": ' + b"9" * 500_000 + b"}", "number_out_of_range"),
    "a key given twice": ("plan.json", b'[{"skill": "a", "skill": "b"}]', "duplicate_key"),
    "a lone surrogate": ("plan.json", rb'[{"skill": "\ud800"}]', "not_utf8"),
    "a byte order mark": ("plan.json", b"\xef\xbb\xbf[]", "not_utf8"),
    "UTF-16": ("plan.json", '[{"skill": "http_call"}]'.encode("utf-16-le"), "not_utf8"),
    "Latin-1": ("plan.json", '[{"skill": "é"}]'.encode("latin-1"), "not_utf8"),
    "10 MB of string": ("plan.json", b'["' + b"x" * 10_000_000 + b'"]', "too_large"),
    "no end": ("plan.json", b'[{"skill": "http_call"', "malformed"),
    "empty": ("plan.json", b"", "malformed"),
    "a YAML anchor": ("plan.yaml", b"- &a {skill: http_call}\n- *a\n", "yaml_feature"),
    "a YAML tag": ("plan.yaml", b"!!python/object/apply:os.system ['id']\n", "yaml_feature"),
    "a YAML bomb": ("plan.yaml", b"a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]\n", "yaml_feature"),
    "a TOML date": ("plan.toml", b"name = 2026-01-01\n", "wrong_type"),
    "true as a number": ("plan.json", b'{"budget": true, "steps": [{"skill": "fs_read"}]}', "wrong_type"),
    "a scalar": ("plan.json", b"5", "wrong_type"),
    "a cycle": (
        "plan.json",
        b'[{"id": "a", "skill": "fs_read", "needs": ["b"]}, {"id": "b", "skill": "fs_read", "needs": ["a"]}]',
        "cycle",
    ),
}


@pytest.mark.parametrize(("name", "content", "code"), HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_plan_is_a_problem_soon(name: str, content: bytes, code: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    done = aos("simulate", name, "--json", cwd=tmp_path)  # which waits for a minute, and no longer
    assert (done.status, done.document["code"]) == (2, "invalid_plan")
    assert code in {error["code"] for error in done.document["errors"]}
    assert faults(done.document) == []


def test_a_path_without_a_letter_is_told_as_that() -> None:
    done = aos("simulate", "", "--json")
    assert (done.status, done.document["code"]) == (2, "unreadable")
    assert done.document["detail"] == "the path is empty"


def test_everything_wrong_is_told_at_once() -> None:
    wrong: list[dict[str, Any]] = [
        {"skill": "http_cal", "parms": {}},
        {**STEP, "timeout_s": -1},
        {"skill": "fs_read", "params": {}},
    ]
    errors = aos("plan", "check", "--plan", inline(*wrong), "--json").document["errors"]
    found = {(error["pointer"], error["code"], error.get("suggestion")) for error in errors}
    assert found >= {
        ("/steps/0/skill", "unknown_skill", "http_call"),
        ("/steps/0/parms", "unknown_key", "params"),
        ("/steps/1/timeout_s", "bad_value", None),
    }
    assert any(error["pointer"].startswith("/steps/2/params") for error in errors)


@pytest.mark.parametrize(
    "words",
    [
        ["simulate", "--plan", json.dumps([{"skill": ESC, ESC: 1, "id": ESC}])],
        ["plan", "check", "--plan", json.dumps([{**STEP, "needs": [ESC]}])],
        ["simulate", ESC],
        [ESC],
        ["simulate", f"--{ESC}"],
        ["skill", ESC],
        ["explain", ESC],
        ["query", ESC],
        ["help", ESC],
        ["catalog", "init", ESC],
        ["simulate", "--plan", inline(STEP), "--input", f"{ESC}=1"],
        ["simulate", "--plan", inline(STEP), "--budget", ESC],
        ["completion", ESC],
    ],
    ids=lambda words: " ".join(words).encode("unicode_escape").decode()[:30],
)
def test_control_characters_are_shown_and_do_nothing(words: list[str]) -> None:
    done = aos(*words)
    assert (done.status, done.out) == (2, b"")
    assert_harmless(done.err.decode())


def test_control_characters_in_an_answer_do_nothing() -> None:
    plan = inline({**STEP, "x-note": ESC}, name=ESC)
    assert_harmless(aos("simulate", "--plan", plan).text)
    formatted = aos("plan", "fmt", "--plan", plan).text
    assert_harmless(formatted)
    assert json.loads(formatted)["name"] == ESC


def assert_harmless(text: str) -> None:
    assert text
    assert [character for character in text if character in ESC[:1] + ESC[4:]] == []


@pytest.mark.parametrize(
    "argument", ["simulate\udcff", "--plan=\udcff", "--budget=\udcff", "--input=a=\udcff"]
)
def test_words_that_are_not_utf8_are_a_problem(argument: str) -> None:
    words = [argument] if argument.startswith("simulate") else ["simulate", argument]
    done = aos(*words, "--json")
    assert (done.status, done.document["schema"]) == (2, "aos.problem/1")


def test_a_special_file_is_read_no_further_than_the_limit() -> None:
    done = aos("simulate", "/dev/zero", "--json")
    assert (done.status, done.document["errors"][0]["code"]) == (2, "too_large")
