from typing import Any

import pytest

from aos.api.files.explain import find_code
from aos.domain.skills.distributions import Constant, Lognormal
from aos.domain.skills.failures import FAILURES
from aos.domain.skills.skill import CallCost, Catalog, FailureMode, Figure, RateLimit, Skill, TokenCost
from aos.errors import CODES, Exit
from aos.report import tables
from aos.wire.catalogs.read import default_catalog
from aos.wire.codes import explanation
from tests.unit.report import build

SEVEN = default_catalog()


def rows(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines()]


def described(name: str = "crawl") -> Skill:
    """A skill of which nothing is known."""
    return build.skill(name)._replace(latency=None, cost=None, failures=None)


def test_the_seven_skills_with_costs_latencies_and_rate_limits() -> None:
    table = rows(tables.skills(SEVEN.skills.values(), 80, False))

    assert table[0] == ["skill", "cost", "typical", "p90", "fails", "/min", "effect"]
    assert table[1] == ["http_call", "0c", "500", "ms", "1.1", "s", "3.7", "%", "600", "destructive"]
    assert table[2] == ["llm_invoke", "5c,", "by", "model", "2", "s", "6", "s", "4.2", "%", "120", "reads"]
    assert len(table) == 1 + 7 + 2
    assert table[-1][:2] == ["7", "skills;"]


def test_where_there_is_no_room_for_a_figure_it_is_left_out_whole() -> None:
    lines = tables.skills(SEVEN.skills.values(), 40, False).splitlines()

    assert rows(lines[0])[0] == ["skill", "cost", "typical", "p90"]
    assert rows(lines[1])[0] == ["http_call", "0c", "500", "ms", "1.1", "s"]
    assert lines[-1] == "a wider terminal shows more columns"
    assert lines[-1] not in tables.skills(SEVEN.skills.values(), 80, False)


def test_attempts_stand_below_the_run_that_they_are_of() -> None:
    def attempt(run: str, step: str, skill: str, ms: float, code: str | None = None) -> dict[str, Any]:
        outcome, effect = ("failed", "none") if code else ("succeeded", "committed")
        known = {"step": step, "skill": skill, "outcome": outcome, "code": code, "effect": effect}
        return {**known, "latency_ms": ms, "cost_cents": ms / 50, "run": run}

    def shown(*attempts: dict[str, Any]) -> list[str]:
        return tables.answer("tried", {"attempts": [*attempts]}, {}, 80, False).split("\n\n")[1].splitlines()

    one, two = "20261126-101500-a1b2c3", "20261126-101400-a1b2c3"
    last = attempt(one, "tell", "webhook_send", 12.5)
    lines = shown(
        last, attempt(two, "tell", "webhook_send", 800.0, "CONNECTION"), attempt(two, "a", "fs_read", 1.5)
    )

    assert [line.split()[0] for line in lines] == ["step", one, "tell", two, "tell", "a"]
    assert (
        len(
            {
                line.index(word)
                for line in lines
                for word in ("outcome", "succeeded", "failed")
                if word in line
            }
        )
        == 1
    )
    assert max(map(len, lines)) <= 80
    assert one in shown(last)


def test_an_object_in_an_answer_keeps_its_names() -> None:
    result = {"output": {"bytes": 1, "took_ms": 12}, "past_recovery_success_rate": 0.5}
    text = tables.answer("last", result, {}, 80, False)

    assert rows(text)[1:] == [
        ["output", "bytes", "1,", "took", "12", "ms"],
        ["past", "recovery", "success", "rate", "50.0", "%"],
    ]


def test_what_nobody_knows_of_a_skill_is_unknown() -> None:
    assert rows(tables.skills([described()], 80, False))[1] == [
        *("crawl", "unknown", "unknown", "unknown", "unknown", "none", "writes")
    ]


def test_costs_and_limits_of_every_kind() -> None:
    half = FailureMode("A", "PERMANENT", Figure(0.5, build.DECLARED))
    by_time = CallCost(build.declared(Constant(2.0)), Figure(0.01, build.DECLARED))
    flat = build.declared(Lognormal(4.0, 0.2))
    listed = [
        build.skill("timed", half, half)._replace(
            cost=by_time, rate_limit=RateLimit(1_200.0, 5), enabled=False
        ),
        build.skill("tokens", half._replace(probability=None))._replace(
            cost=TokenCost(flat, flat, flat, None)
        ),
    ]
    timed, tokens = rows(tables.skills(listed, 100, False))[1:3]

    assert timed == [
        *("timed", "(disabled)", "2c", "+", "10c/s", "500", "ms", "1.1", "s", "100", "%", "1,200", "writes")
    ]
    assert tokens == ["tokens", "by", "model", "500", "ms", "1.1", "s", "unknown", "none", "writes"]


def test_a_catalog_tells_what_it_leaves_open() -> None:
    open_mode = FailureMode("TIMEOUT", "TRANSIENT", None)
    catalog = Catalog(
        {"crawl": described(), "known": build.skill("known"), "half": build.skill("half", open_mode)}
    )

    assert tables.catalog("team.toml", catalog, 80, False) == (
        "team.toml: 3 skills, nothing wrong\n"
        "figures: 2 declared, 2 measured (n 312, oldest 2026-03-01), 4 unknown\n"
        "\n"
        "crawl  unknown: cost, latency, failures\n"
        "half   unknown: failures.TIMEOUT\n"
    )


def test_one_code_in_full() -> None:
    text = tables.explain("too_close", 80, False)
    row = CODES["too_close"]

    assert text.startswith("Too close to call  too_close\n")
    assert " ".join(row.meaning.split()) in " ".join(text.split())
    assert row.fix in text
    assert "exit status 5" in text
    assert "urn:aos:problem:verdict.too_close" in text


@pytest.mark.parametrize("code", CODES)
def test_every_code_can_be_explained_and_is_listed(code: str) -> None:
    assert CODES[code].title in tables.explain(code, 80, False)
    assert any(code in row for row in rows(tables.codes(80, False)))


@pytest.mark.parametrize("code", FAILURES)
def test_every_failure_can_be_explained_and_is_listed(code: str) -> None:
    assert find_code(code) == code
    assert FAILURES[code].advice in " ".join(tables.explain(code, 300, False).split())
    assert explanation(code)["effect"] == FAILURES[code].effect
    assert any(code in row for row in rows(tables.codes(80, False)))


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("rate_limited", "rate_limited"),
        ("RATE_LIMITED", "RATE_LIMITED"),
        ("timeout", "TIMEOUT"),
        ("TOO_CLOSE", "too_close"),
        ("urn:aos:problem:attempt.NOT_FOUND", "NOT_FOUND"),
        ("urn:aos:problem:verdict.too_close", "too_close"),
    ],
)
def test_a_code_in_capitals_is_that_of_a_failure_first(typed: str, code: str) -> None:
    assert find_code(typed) == code


def test_sentences_of_a_list_are_not_joined_by_commas() -> None:
    result = {"next_actions": ["Look first.", "Then mend it."], "skills": ["a", "b"]}
    text = tables.answer("why_did_step_fail", result, {}, 80, False)
    assert "Look first. Then mend it." in text
    assert "a, b" in text


def test_every_exit_status_is_in_the_table() -> None:
    listed = rows(tables.exit_codes(100, False))

    assert [int(row[0]) for row in listed] == [status.value for status in Exit]
    assert listed[3][:5] == ["3", "a", "well-formed", "no:", "infeasible,"]


def test_an_answer_has_units_and_says_why_it_does_not_know() -> None:
    result = {
        "budget_cents": 250,
        "typical_ms": 1_500,
        "spent_cents": None,
        "allowed": ["a", "b"],
        "disabled": [],
        "final": True,
        "score": 0.25,
    }

    assert tables.answer("remaining_budget_cents", result, {"spent_cents": "no ledger"}, 80, False) == (
        "remaining budget\n"
        "budget    250c ($2.50)\n"
        "typical   1.5 s\n"
        "spent     unknown: no ledger\n"
        "allowed   a, b\n"
        "disabled  none\n"
        "final     yes\n"
        "score     0.25\n"
    )


def test_an_answer_shows_objects_as_a_table() -> None:
    found = [
        {"skill": "http_call", "score": 3, "matches": [{"word": "call", "place": "id"}]},
        {"skill": "fs_read", "score": None, "matches": []},
        {"skill": "fs_write", "score": None, "matches": []},
    ]
    why = {"skills/1/score": "nobody knows"}

    assert rows(tables.answer("skills", {"goal": "call", "skills": found}, why, 80, False)) == [
        ["skills"],
        ["goal", "call"],
        [],
        ["skill", "score", "matches"],
        ["http_call", "3", "word", "call,", "place", "id"],
        ["fs_read", "unknown", "none"],
        ["fs_write", "none"],
    ]


def test_a_long_list_is_cut() -> None:
    text = tables.answer("q", {"names": [f"n{i}" for i in range(40)]}, {}, 80, False)

    assert "n11 and 28 more" in " ".join(text.split())
