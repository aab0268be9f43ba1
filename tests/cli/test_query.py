"""The six questions: what can be told without a ledger, and what is said of the rest."""

import json
from pathlib import Path

import pytest

from aos.api.running.queries import QUERIES
from tests.cli.process import aos


@pytest.mark.parametrize("query_type", ["what_did_i_try_already", "last_step_outcome", "why_did_step_fail"])
def test_past_runs_are_undetermined_where_none_are_recorded(query_type: str) -> None:
    done = aos("query", query_type, "--ledger", "none.db", "--json")
    assert (done.status, done.document["code"]) == (5, "needs_ledger")


def test_what_remains_is_unknown_where_nobody_records_what_was_spent() -> None:
    done = aos("query", "remaining_budget_cents", "--ledger", "none.db", "--budget", "100", "--json")
    assert done.status == 5
    assert done.document["result"] == {
        "run": None,
        "budget_cents": 100,
        "spent_cents": None,
        "reserved_cents": None,
        "remaining_budget_cents": None,
    }


def test_the_budget_of_the_settings_holds(tmp_path: Path) -> None:
    (tmp_path / "aos.toml").write_text("[simulate]\nbudget_cents = 12.5\n")
    document = aos("query", "remaining_budget_cents", "--ledger", "none.db", "--json", cwd=tmp_path).document
    assert document["result"]["budget_cents"] == 12.5


def test_a_disabled_skill_is_not_allowed_and_serves_no_goal(tmp_path: Path) -> None:
    off = {"aos_catalog": "1", "skills": {"email_send": {"enabled": False}}}
    (tmp_path / "off.json").write_text(json.dumps(off))
    allowed = aos("query", "allowed_skills", "--catalog", "off.json", "--json", cwd=tmp_path).document[
        "result"
    ]
    assert allowed["disabled"] == ["email_send"]
    assert "email_send" not in allowed["allowed"]
    words = ("query", "skills_available_for_goal", "--goal", "email", "--catalog", "off.json", "--json")
    assert aos(*words, cwd=tmp_path).document["result"]["skills"] == []


def test_a_goal_says_why_a_skill_was_found() -> None:
    document = aos("query", "skills_available_for_goal", "--goal", "send an email", "--json").document
    best = document["result"]["skills"][0]
    assert (best["skill"], best["score"], best["why"]) == ("email_send", 6, "id: send, email")


def test_another_question_is_told_which_there_are() -> None:
    errors = aos("query", "last_step", "--json").document["errors"]
    assert errors[0]["allowed"] == list(QUERIES)
    assert errors[0]["suggestion"] == "last_step_outcome"
