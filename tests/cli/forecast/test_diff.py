"""`aos diff` as a process."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.process import DEMO, ROOT, STEP, aos, inline
from tests.cli.schemas import assert_unknowns_are_null, faults

EXAMPLES = sorted(ROOT.glob("examples/plans/*/plan.*"))
MAIL = {"skill": "email_send", "params": {"to": "a@example.org", "subject": "s", "body": "b"}}
WAITS = {**STEP, "approval": 2}


def compared(a: str, b: str, *words: str, cwd: Path | None = None, status: int = 0) -> dict[str, Any]:
    done = aos("diff", a, b, "--samples", "1000", *words, "--json", cwd=cwd)
    assert done.status == status, done.text
    assert faults(done.document) == []
    assert_unknowns_are_null(done.document)
    return done.document


@pytest.mark.parametrize("plan", EXAMPLES, ids=lambda path: path.parent.name)
def test_an_example_differs_from_itself_by_nothing(plan: Path) -> None:
    document = compared(str(plan), str(plan), "--fail-if-worse")
    assert (document["worse"], document["better"], document["changes"]) == ([], [], [])
    pairs = [
        *document["cost_cents"].values(),
        *document["duration_ms"].values(),
        *document["chances"].values(),
        *(
            step[name]
            for step in document["steps"]
            for name in ("runs", "fails", "cost_cents", "duration_ms")
        ),
    ]
    assert {pair["difference"] for pair in pairs} <= {"same", "unknown"}
    assert {pair["change"] for pair in pairs} <= {0, None}


def test_a_worse_plan_fails_only_if_that_is_asked() -> None:
    a, b = inline(STEP), inline(STEP, MAIL)
    assert compared(a, b)["worse"]
    assert compared(a, b, "--fail-if-worse", status=3)["exit_code"] == 3
    assert compared(b, a, "--fail-if-worse")["better"]


@pytest.mark.parametrize(
    ("b", "worse"),
    [
        (inline(STEP, budget=0), []),
        (inline(STEP, deadline_ms=1), ["verdict", "feasible"]),
        (inline(WAITS), ["approvals"]),
    ],
)
def test_what_counts_as_worse(b: str, worse: list[str]) -> None:
    assert compared(inline(STEP), b, "--fail-if-worse", status=3 if worse else 0)["worse"] == worse


def test_limits_hold_for_both() -> None:
    document = compared(inline(STEP), inline(STEP, MAIL), "--budget", "0.5", "--deadline", "5s")
    for side in ("a", "b"):
        assert (document[side]["budget_cents"], document[side]["deadline_ms"]) == (0.5, 5000)
    assert [document[side]["verdict"] for side in ("a", "b")] == ["feasible", "infeasible"]


def test_b_may_have_a_catalog_of_its_own(tmp_path: Path) -> None:
    slower = {"aos_catalog": "1", "skills": {"fs_read": {"latency_ms": {"value": 5000}}}}
    (tmp_path / "slower.json").write_text(json.dumps(slower))
    document = compared(inline(STEP), inline(STEP), "--catalog-b", "slower.json", cwd=tmp_path)
    assert document["duration_ms"]["typical"] == {
        "a": 50,
        "b": 5000,
        "change": 4950,
        "se": 0,
        "difference": "real",
    }
    both = compared(inline(STEP), inline(STEP), "--catalog", "slower.json", cwd=tmp_path)
    assert both["duration_ms"]["typical"]["difference"] == "same"


def test_inputs_are_given_to_both() -> None:
    plan = inline({"skill": "fs_read", "params": {"path": "${inputs.file}"}})
    assert compared(plan, plan, "--input", "file=a")["worse"] == []


@pytest.mark.parametrize(
    ("words", "stdin", "code", "detail"),
    [
        ([str(DEMO), "nowhere.json"], "", "unreadable", "B, nowhere.json"),
        (["nowhere.json", str(DEMO)], "", "unreadable", "A, nowhere.json"),
        ([str(DEMO), "-"], '[{"skill": "fs_rea"}]', "invalid_plan", "B, <stdin>: unknown skill"),
        (["-", str(DEMO)], "[", "invalid_plan", "A, <stdin>"),
        (["-", "-"], "[]", "usage", "only one of the plans"),
        ([str(DEMO)], "", "usage", "aos diff"),
        ([str(DEMO), str(DEMO), "--samples", "3"], "", "usage", "samples"),
        ([str(DEMO), str(DEMO), "--catalog-b", "nowhere.toml"], "", "unreadable", "nowhere.toml"),
    ],
)
def test_which_of_the_two_is_wrong_is_said(words: list[str], stdin: str, code: str, detail: str) -> None:
    done = aos("diff", *words, "--json", stdin=stdin.encode())
    assert (done.status, done.document["code"]) == (2, code)
    assert detail in done.document["detail"]
    assert faults(done.document) == []


def test_the_text_is_for_people() -> None:
    done = aos("diff", inline(STEP, name="old"), inline(STEP, MAIL, name="new"), env={"COLUMNS": "80"})
    assert (done.status, done.err) == (0, b"")
    assert done.text.startswith("FEASIBLE  as before\nworse: ")
    assert "+  s2" in done.text
    assert max(map(len, done.text.splitlines())) <= 80
