"""Replays: which change is which, by which rules; rules that do nothing, and what was near."""

from decimal import Decimal
from typing import Any

import pytest

from aos.domain.approvals.policies import Facts, Principal, Question
from aos.domain.approvals.replays import Answer, Answers, Asked, Basis, Recorded, Replay, Source, Why
from aos.policy.alike import alike
from aos.policy.replay import replay
from aos.policy.rules import Policy, load
from aos.policy.rules import Source as File
from aos.wire.results.replays import MAX_ROWS, Compared, replay_document

ANY = '@id("any") permit (principal, action, resource);'
DAY_MS = 86_400_000.0


def policy(*rules: str) -> Policy:
    return load([File("rules.cedar", "\n".join(rules).encode())])


def from_level(level: int, when: str = "true") -> str:
    needs = f"{when} && context.approval_level < {level}"
    return f'@id("from-{level}") forbid (principal, action, resource) when {{ {needs} }};'


def record(
    name: str = "r",
    *,
    cost: int | None = 10,
    at_ms: float | None = None,
    source: Source = "run",
    mean: float | None = 5.0,
    spent: Decimal | None = Decimal(4),
    **facts: Any,
) -> Recorded:
    known = Facts(1, True, True, False, True, False, cost, 100, 9_000, ())._replace(**facts)
    asked = (
        Asked("", "", Question(Principal(), "run", "x", known)),
        Asked("s1", "", Question(Principal(), "call", "x", known)),
    )
    basis: Basis = "forecast"
    return Recorded(name, source, at_ms, asked, basis, None, mean, spent)


def told(before: Policy, after: Policy, *records: Recorded, **waits: Any) -> dict[str, Any]:
    return replay_document(replay(before, after, records), Compared("a", "b"), **waits)


ASKS_2, ASKS_4, DENIES = (
    policy(ANY, from_level(2)),
    policy(ANY, from_level(4)),
    policy(ANY, '@id("no") forbid (principal, action, resource);'),
)
ALLOWS = policy(ANY)


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        (ALLOWS, ALLOWS, None),
        (DENIES, DENIES, None),
        (ALLOWS, DENIES, "newly_denied"),
        (ASKS_2, DENIES, "newly_denied"),
        (DENIES, ALLOWS, "newly_allowed"),
        (ASKS_4, ALLOWS, "newly_allowed"),
        (ALLOWS, ASKS_2, "newly_asked"),
        (ASKS_2, ASKS_4, "level_raised"),
        (ASKS_4, ASKS_2, "level_lowered"),
        (DENIES, ASKS_4, "no_longer_denied"),
    ],
)
def test_what_becomes_of_an_answer(before: Policy, after: Policy, change: str | None) -> None:
    (row,) = replay(before, after, [record()]).rows
    assert row.change == change


def test_other_rules_that_say_the_same_are_no_change() -> None:
    answers = [Answer("deny", None, "forbidden", (name,), "") for name in "ab"]
    assert Answers(*answers).change is None


def test_the_rules_behind_it_are_named_on_both_sides_and_money_is_added_up() -> None:
    found = told(
        ALLOWS,
        policy(ANY, from_level(3, "context.destructive")),
        record("a", destructive=True, mean=None),
        record("b", destructive=True),
        record("c"),
        record("p", destructive=True, source="plan", spent=None, mean=0.5),
    )
    (one,) = found["transitions"]
    assert (one["change"], one["records"]) == ("newly_asked", 3)
    assert one["groups"] == [
        {
            "records": 3,
            "before": {"ground": "permitted", "rules": ["any"]},
            "after": {"ground": "forbidden", "rules": ["from-3"]},
            "examples": [
                {"id": name, "source": source, "step": None}
                for name, source in (("p", "plan"), ("a", "run"), ("b", "run"))
            ],
        }
    ]
    assert one["forecast_cents"] == {"cents": 5.5, "known": 2, "unknown": 1}
    assert one["spent_cents"] == {"cents": 8, "known": 2, "unknown": 0}


def test_an_amount_that_nobody_knows_is_not_0() -> None:
    found = told(ALLOWS, DENIES, record(mean=None, spent=None))
    (one,) = found["transitions"]
    assert one["forecast_cents"]["cents"] is one["spent_cents"]["cents"] is None
    pointers = [entry["pointer"] for entry in found["unknowns"]]
    assert pointers == [
        "/transitions/0/forecast_cents/cents",
        "/transitions/0/spent_cents/cents",
        "/rows/0/forecast_cents",
        "/rows/0/spent_cents",
    ]


def test_what_it_asks_of_people_is_told_by_the_week() -> None:
    runs = [record(str(i), at_ms=i * DAY_MS) for i in range(15)]
    levels = told(ALLOWS, ASKS_2, *runs, record("plan", source="plan"), waits_ms={2: 60_000.0})["approvals"]
    assert levels[1] == {
        "level": 2,
        "before": 0,
        "after": 16,
        "per_week_before": 0,
        "per_week_after": 7.5,
        "wait_p50_ms": 60_000,
    }
    assert told(ALLOWS, ASKS_2, *runs[:1])["approvals"][1]["per_week_after"] is None


def test_rules_that_do_nothing_are_told_from_those_that_others_overrule() -> None:
    candidate = policy(
        ANY,
        from_level(2),
        '@id("dead") forbid (principal, action, resource) when { context.steps > 400 };',
        '@id("high") permit (principal, action, resource) when { context.approval_level == 3 };',
        '@id("plan") permit (principal, action, resource == Aos::Plan::"x");',
        '@id("other") permit (principal, action, resource == Aos::Plan::"y");',
    )
    uses = {use.rule.id: use for use in replay(ALLOWS, candidate, [record(), record("s")]).rules}
    assert {name: use.matched for name, use in uses.items()} == {
        **dict.fromkeys(("any", "from-2", "high", "plan"), True),
        **dict.fromkeys(("dead", "other"), False),
    }
    assert uses["from-2"].decided == {"requires_approval": 2}
    assert uses["any"].decided == {}


def test_what_there_was_no_time_for_is_not_called_dead() -> None:
    candidate = policy(ANY, '@id("dead") forbid (principal, action, resource) when { context.steps > 4 };')
    asked = iter([False] * 4)
    found = replay(ALLOWS, candidate, [record()], lambda: next(asked, True))
    assert (found.left_off, [use.matched for use in found.rules]) == (0, [True, None])


def test_what_was_near_to_another_answer() -> None:
    dear = from_level(2, "context has cost_p95_cents && context.cost_p95_cents > 100")
    found = told(
        ALLOWS,
        policy(ANY, dear),
        record("under", cost=95),
        record("over", cost=105),
        record("far", cost=10),
        record("none", cost=None),
    )
    assert found["near"] == [
        {
            "fact": "cost_p95_cents",
            "records": 4,
            "stricter": {"records": 1, "examples": ["under"]},
            "looser": {"records": 1, "examples": ["over"]},
        }
    ]


def test_a_lower_chance_of_success_is_the_worse_one() -> None:
    sure = from_level(2, "context has success_bp && context.success_bp < 9000")
    (near,) = told(ALLOWS, policy(ANY, sure), record(success_bp=9_500), record("b", success_bp=8_500))["near"]
    assert (near["stricter"]["examples"], near["looser"]["examples"]) == (["r"], ["b"])


def test_rows_are_capped_and_counted() -> None:
    found = told(ALLOWS, DENIES, *(record(str(i)) for i in range(MAX_ROWS + 7)))
    assert (len(found["rows"]), found["rows_left_off"]) == (MAX_ROWS, 7)


def test_what_cannot_be_told_is_told_why() -> None:
    unknown = [
        Recorded(str(i), "run", None, None, why=Why("plan_not_kept", "only its digest is known"))
        for i in range(7)
    ]
    found = told(ALLOWS, DENIES, record(), *unknown)
    assert (found["total"], found["undetermined"], found["changed"]) == (8, 7, 1)
    (one,) = found["unknown_because"]
    assert (one["code"], one["records"], len(one["examples"])) == ("plan_not_kept", 7, 5)


def test_the_newest_of_the_most_serious_comes_first() -> None:
    candidate = policy(
        ANY, '@id("no") forbid (principal, action, resource) when { context.destructive };', from_level(2)
    )
    found: Replay = replay(
        ALLOWS,
        candidate,
        [record("a", at_ms=1), record("b", at_ms=2), record("c", at_ms=1, destructive=True)],
    )
    assert [row.recorded.id for row in found.rows] == ["c", "b", "a"]


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("context.steps > 3", True),
        ("context.cost_p95_cents > 3", False),
        ('context["cost_p95_cents"] > 3', False),
        ("context has cost_p95_cents", False),
        ("context == {}", False),
    ],
)
def test_questions_that_differ_in_what_no_rule_speaks_of_are_alike(text: str, same: bool) -> None:
    plain = alike(f"permit (principal, action, resource) when {{ {text} }};")
    one, two = (
        Question(Principal(), "run", plan, Facts(4, True, True, True, True, True, cost))
        for plan, cost in (("p", 1), ("q", 2))
    )
    assert (plain(one) == plain(two)) == same
