"""`aos verify` as a process: what was saved is computed again."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.process import ROOT, STEP, Finished, aos, inline
from tests.cli.schemas import faults

EXAMPLES = sorted(ROOT.glob("examples/plans/*/plan.*"))
PLAN = inline(STEP, {**STEP, "params": {"path": "${inputs.file}"}}, name="two")


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    done = aos(
        "simulate", "--plan", PLAN, "--input", "file=a", "--samples", "500", "--deadline", "1.5s", "--json"
    )
    (tmp_path / "result.json").write_bytes(done.out)
    return tmp_path / "result.json"


def verified(*words: str, stdin: bytes = b"", cwd: Path | None = None) -> Finished:
    done = aos("verify", *words, "--json", stdin=stdin, cwd=cwd)
    assert faults(done.document) == []
    return done


def drifted(done: Finished) -> list[str]:
    return [drift["input"] for drift in done.document["drift"]]


def test_a_result_matches(saved: Path) -> None:
    done = verified(str(saved))
    assert (done.status, done.document["match"], done.document["figures"]) == (0, True, [])
    assert aos("verify", str(saved)).text == "MATCH  every figure comes out as it was saved\n"


@pytest.mark.parametrize("plan", EXAMPLES, ids=lambda path: path.parent.name)
def test_the_result_of_an_example_matches(plan: Path) -> None:
    result = aos("simulate", str(plan), "--samples", "500", "--json", "--fail-on", "none")
    assert result.status == 0
    assert verified("-", stdin=result.out).status == 0


def test_a_line_of_many_matches() -> None:
    lines = aos(
        "simulate", "--many", stdin=f'{{"plan": {PLAN.replace("${inputs.file}", "a")}, "seed": 5}}\n'.encode()
    )
    assert lines.status == 0
    assert verified("-", stdin=lines.out).status == 0
    brief = aos("simulate", "--many", "--summary", stdin=inline(STEP).encode())
    assert verified("-", stdin=brief.out).document["code"] == "invalid_result"


def test_the_plan_expected_is_compared(saved: Path) -> None:
    assert verified(str(saved), "--plan", PLAN, "--input", "file=a").status == 0
    other = verified(str(saved), "--plan", PLAN, "--input", "file=b")
    assert (other.status, drifted(other)) == (3, ["plan"])


def test_seed_and_samples_expected_are_compared(saved: Path) -> None:
    assert verified(str(saved), "--seed", "0", "--samples", "500").status == 0
    assert drifted(verified(str(saved), "--seed", "1", "--samples", "600")) == ["samples", "seed"]


def test_a_catalog_of_now_is_used(saved: Path, tmp_path: Path) -> None:
    catalog = {"aos_catalog": "1", "skills": {"fs_read": {"latency_ms": {"value": 80}}}}
    (tmp_path / "aos.toml").write_text('catalogs = ["slower.json"]')
    (tmp_path / "slower.json").write_text(json.dumps(catalog))
    done = verified(str(saved), cwd=tmp_path)
    assert (done.status, drifted(done)) == (3, ["catalog"])
    assert done.document["figures_omitted"] > 0
    told = aos("verify", str(saved), cwd=tmp_path)
    assert told.status == 3
    assert told.text.startswith("DRIFT  changed since: catalog\n")


def test_figures_changed_by_hand_are_drift_without_a_cause(saved: Path) -> None:
    document = json.loads(saved.read_bytes())
    document["forecast"]["duration_ms"]["p95"]["value"] += 1
    done = verified("-", stdin=json.dumps(document).encode())
    assert (done.status, drifted(done)) == (3, [])
    assert [figure["pointer"] for figure in done.document["figures"]] == ["/forecast/duration_ms/p95/value"]


def test_another_plan_under_the_old_digest_is_damage(saved: Path) -> None:
    document = json.loads(saved.read_bytes())
    document["inputs"]["plan"]["steps"].pop()
    done = verified("-", stdin=json.dumps(document).encode())
    assert (done.status, done.document["code"]) == (11, "result_damaged")


@pytest.mark.parametrize("stdin", ["", "[]", "{", '{"schema": "aos.simulation/1"}', inline(STEP)])
def test_what_is_no_result_is_refused(stdin: str) -> None:
    done = verified("-", stdin=stdin.encode())
    assert (done.status, done.document["code"]) == (2, "invalid_result")


def test_the_failure_of_a_simulation_is_no_result() -> None:
    failure = aos("simulate", "nowhere.json", "--json").out
    assert verified("-", stdin=failure).document["code"] == "invalid_result"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["nowhere.json"], "unreadable"),
        (["-", "--input", "a=1"], "usage"),
        (["-", "--plan", "[]"], "invalid_result"),
    ],
)
def test_words_that_make_no_sense(words: list[str], code: str) -> None:
    done = verified(*words, stdin=b"{}")
    assert (done.status, done.document["code"]) == (2, code)


def test_everything_wrong_is_said_at_once(saved: Path) -> None:
    document: dict[str, Any] = json.loads(saved.read_bytes())
    document["inputs"] |= {"seed": -1, "samples": 5, "confidence": 2}
    done = verified("-", stdin=json.dumps(document).encode())
    assert {error["pointer"] for error in done.document["errors"]} == {
        "/inputs/seed",
        "/inputs/samples",
        "/inputs/confidence",
    }
