"""Questions about past runs, asked of a ledger."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from aos.ledger.ledger import Ledger
from tests.cli.process import aos
from tests.cli.schemas import faults
from tests.unit.ledger.build import failed, intent, run_end, settled, start, step_end, write_run


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that went well after a failure, one that failed, and one whose process died."""
    path = tmp_path_factory.mktemp("ledger") / "ledger.db"
    with Ledger(path) as ledger:
        write_run(ledger, "good")
        ledger.begin(start("bad", budget=None))
        first = intent(run="bad", reserve=None)
        ledger.intend(first)
        ledger.settle(failed(first, "HTTP_4XX"))
        ledger.step_ended(step_end(run="bad")._replace(outcome="failed"))
        ledger.end(run_end("bad", "failed"))
        ledger.begin(start("dead", budget="10"))
        ledger.intend(intent("s1", run="dead", reserve="4"))
        ledger.settle(settled(intent("s1", run="dead"), result="x" * 20_000, cost="2.5"))
        ledger.step_ended(step_end("s1", run="dead", output="x" * 20_000))
        ledger.intend(intent("s2", run="dead", reserve="3", skill="email_send"))
    return path


def ask(ledger: Path, *words: str, status: int = 0) -> dict[str, Any]:
    done = aos("query", *words, "--ledger", str(ledger), "--json")
    assert done.status == status, done.out
    assert not faults(done.document)
    result: dict[str, Any] = done.document["result"]
    return result


def test_what_remains_of_a_run_s_budget(ledger: Path) -> None:
    assert ask(ledger, "remaining_budget_cents") == {
        "run": "dead",
        "budget_cents": 10,
        "spent_cents": 2.5,
        "reserved_cents": 3,
        "remaining_budget_cents": 4.5,
    }
    assert ask(ledger, "remaining_budget_cents", "--run", "go")["remaining_budget_cents"] == 8.5
    assert (
        ask(ledger, "remaining_budget_cents", "--run", "bad", "--budget", "1")["remaining_budget_cents"]
        == 0.5
    )
    assert ask(ledger, "remaining_budget_cents", "--run", "bad", status=5)["spent_cents"] == 0.5


def test_what_remains_is_unknown_where_a_cost_is(tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger.db") as ledger:
        ledger.begin(start(budget="10"))
        ledger.intend(intent())
        ledger.settle(settled(intent(), cost=None))
        assert ledger.money("r1").spent == Decimal(0)
    left = ask(tmp_path / "ledger.db", "remaining_budget_cents", status=5)
    assert (left["spent_cents"], left["remaining_budget_cents"]) == (None, None)


def test_what_was_tried_the_latest_first(ledger: Path) -> None:
    tried = ask(ledger, "what_did_i_try_already")
    assert tried["count"] == 6
    assert [(one["run"], one["step"], one["outcome"], one["code"]) for one in tried["attempts"]] == [
        ("dead", "s2", "unknown", None),
        ("dead", "s1", "succeeded", None),
        ("bad", "s1", "failed", "HTTP_4XX"),
        ("good", "s2", "succeeded", None),
        ("good", "s1", "succeeded", None),
        ("good", "s1", "failed", "TIMEOUT"),
    ]
    assert ask(ledger, "what_did_i_try_already", "--run", "good", "--step", "s1")["count"] == 2


def test_the_last_step_s_outcome(ledger: Path) -> None:
    last = ask(ledger, "last_step_outcome")
    assert (last["run"], last["step"], last["outcome"], last["effect"]) == (
        "dead",
        "s2",
        "unknown",
        "unknown",
    )
    last = ask(ledger, "last_step_outcome", "--run", "good")
    assert (last["step_outcome"], last["output"]) == ("succeeded", [1, "two"])
    long = aos("query", "last_step_outcome", "--step", "s1", "--ledger", str(ledger), "--json").document
    assert long["result"]["output"] is None
    assert "20,002 characters" in long["unknowns"][0]["reason"]


def test_why_a_step_failed(ledger: Path) -> None:
    why = ask(ledger, "why_did_step_fail", "--run", "good")
    assert (why["code"], why["category"], why["retryable"]) == ("TIMEOUT", "TRANSIENT", True)
    assert (why["similar_past_failures"], why["past_recovery_success_rate"]) == (1, 1)
    why = ask(ledger, "why_did_step_fail", "--step", "s1")
    assert (why["run"], why["code"], why["past_recovery_success_rate"]) == ("bad", "HTTP_4XX", 0)
    assert ask(ledger, "why_did_step_fail")["meaning"].startswith("The process ended")


@pytest.mark.parametrize(
    ("words", "code", "status"),
    [
        (("last_step_outcome", "--run", "none"), "run_not_found", 2),
        (("last_step_outcome", "--run", ""), "run_not_found", 2),
        (("why_did_step_fail", "--step", "s9"), "needs_ledger", 5),
        (("remaining_budget_cents", "--run", "none"), "run_not_found", 2),
    ],
)
def test_what_is_not_there(ledger: Path, words: tuple[str, ...], code: str, status: int) -> None:
    done = aos("query", *words, "--ledger", str(ledger), "--json")
    assert (done.document["code"], done.status) == (code, status)


@pytest.mark.parametrize("content", [b"", b"no ledger at all"])
def test_a_damaged_ledger_is_11(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "ledger.db"
    path.write_bytes(content)
    for query in ("remaining_budget_cents", "last_step_outcome", "what_did_i_try_already"):
        assert aos("query", query, "--ledger", str(path)).status == 11
    assert path.read_bytes() == content


def test_what_is_asked_of_the_catalog_needs_no_ledger(tmp_path: Path) -> None:
    assert aos("query", "allowed_skills", "--ledger", str(tmp_path)).status == 0


def test_an_entry_that_was_noted_elsewhere_tells_an_older_state(ledger: Path) -> None:
    def verified(*words: str) -> dict[str, Any]:
        done = aos("ledger", "verify", "--ledger", str(ledger), *words, "--json")
        assert done.document["exit_code"] == done.status
        return done.document

    now = verified()
    number, digest = now["head"].split(":")
    assert verified("--expect", now["head"])["exit_code"] == 0
    assert verified("--expect", f"{int(number) + 1}:{digest}")["exit_code"] == 11
    assert verified("--expect", f"1:{digest}")["damage"][0]["where"] == "entry 1"


def test_an_export_without_its_end_is_not_taken_in(ledger: Path, tmp_path: Path) -> None:
    lines = aos("runs", "export", "--ledger", str(ledger)).out.splitlines(keepends=True)
    (tmp_path / "cut.jsonl").write_bytes(b"".join(lines[:-1]))
    done = aos("runs", "import", "cut.jsonl", "--ledger", "other.db", "--json", cwd=tmp_path)
    assert (done.status, done.document["code"]) == (11, "ledger_damaged")
    assert "Export the runs again" in done.document["fix"]
