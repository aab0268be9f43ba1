"""Single decisions: what is allowed, what needs whom, what is denied and on which ground; what would change it."""

from typing import Any

import pytest

from aos.domain.approvals.policies import Facts, Missing, Principal, Question, Ruling
from aos.policy.decide import decide
from aos.policy.missing import missing
from aos.policy.rules import Policy, Source, default_policy, load

READS = Facts(
    1, True, True, False, True, False, cost_p95_cents=0, duration_p95_ms=10, success_bp=9_900, risks=()
)
ANYONE = Principal()
ANY = '@id("any") permit (principal, action, resource)'


def policy(*rules: str) -> Policy:
    return load([Source("rules.cedar", "\n".join(rules).encode())])


def call(facts: Facts = READS, skill: str = "http_call", principal: Principal = ANYONE) -> Question:
    return Question(principal, "call", skill, facts)


def ids(ruling: Ruling) -> list[str]:
    return [rule.id for rule in ruling.rules]


@pytest.mark.parametrize(
    ("facts", "decision", "level"),
    [
        (READS, "allow", None),
        (READS._replace(read_only=False), "allow", None),
        (READS._replace(destructive=True), "requires_approval", 2),
        (READS._replace(destructive=True, reversible=False, open_world=True), "requires_approval", 3),
        (READS._replace(cost_p95_cents=100), "allow", None),
        (READS._replace(cost_p95_cents=101), "requires_approval", 2),
        (READS._replace(cost_p95_cents=1_001), "requires_approval", 3),
        (READS._replace(cost_p95_cents=10_001), "requires_approval", 4),
        (READS._replace(cost_p95_cents=100_001), "requires_approval", 5),
        (READS._replace(cost_p95_cents=None), "requires_approval", 3),
    ],
)
def test_the_policy_that_ships(facts: Facts, decision: str, level: int | None) -> None:
    ruling = decide(default_policy(), call(facts))
    assert (ruling.decision, ruling.level) == (decision, level)


def test_the_grounds_are_kept_apart() -> None:
    nothing = decide(policy(f"{ANY} when {{ context.steps > 1 }};"), call())
    assert (nothing.decision, nothing.ground, nothing.rules) == ("deny", "not_permitted", ())
    forbidden = decide(policy(f"{ANY};", '@id("no") forbid (principal, action, resource);'), call())
    assert (forbidden.decision, forbidden.ground, ids(forbidden)) == ("deny", "forbidden", ["no"])
    allowed = decide(policy(f"{ANY};"), call())
    assert (allowed.decision, allowed.ground, ids(allowed)) == ("allow", "permitted", ["any"])


def test_a_forbid_that_fails_to_evaluate_does_not_let_through() -> None:
    """Cedar itself leaves such a rule out, and would allow."""
    broken = (
        '@id("sum") forbid (principal, action, resource) when { context.steps * 9223372036854775807 > 5 };'
    )
    rules = policy(f"{ANY};", broken)
    assert decide(rules, call()).decision == "deny"  # 1 * the largest number is no overflow: it forbids
    ruling = decide(rules, call(READS._replace(steps=2)))
    assert (ruling.decision, ruling.ground, ruling.level) == ("deny", "error", None)
    assert ruling.errors[0].startswith("sum: integer overflow")
    assert missing(rules, call(READS._replace(steps=2))) == ()


def test_an_error_at_a_level_that_was_asked_about_denies_as_well() -> None:
    rules = policy(
        f"{ANY} when {{ context.approval_level == 5 }};",
        '@id("b") permit (principal, action, resource) when { context.approval_level == 3 && '
        "context.approval_level * 9223372036854775807 > 0 };",
    )
    assert decide(rules, call()).ground == "error"


def test_what_not_even_the_highest_level_may_allow_is_denied() -> None:
    rules = policy(f"{ANY} when {{ context.approval_level == 3 }};")
    assert decide(rules, call()).decision == "deny"


def test_the_least_level_is_asked_for_and_its_rules_are_named() -> None:
    rules = policy(f"{ANY} when {{ context.approval_level >= 3 }};")
    ruling = decide(rules, call())
    assert (ruling.decision, ruling.level, ruling.ground) == ("requires_approval", 3, "not_permitted")


def test_rules_can_speak_of_tenant_agent_and_skill() -> None:
    rules = policy(
        'permit (principal in Aos::Tenant::"acme", action, resource);',
        'forbid (principal == Aos::Agent::"rogue", action, resource);',
        'forbid (principal, action == Aos::Action::"call", resource == Aos::Skill::"email_send");',
    )

    def decision(skill: str = "http_call", **who: str) -> str:
        return decide(rules, call(skill=skill, principal=Principal(**who))).decision

    assert decision(tenant="acme", agent="a") == "allow"
    assert decision(tenant="other", agent="a") == "deny"
    assert decision(tenant="acme", agent="rogue") == "deny"
    assert decision("email_send", tenant="acme", agent="a") == "deny"


@pytest.mark.parametrize("name", ['"', "\\", "a\nb", "\u202e", "é", 'x"; permit', ""])
def test_names_are_names_whatever_stands_in_them(name: str) -> None:
    rules = policy('permit (principal == Aos::Agent::"good", action, resource);')
    ruling = decide(rules, call(skill=name, principal=Principal(name, name)))
    assert (ruling.decision, ruling.ground) == ("deny", "not_permitted")


def test_unknown_is_not_zero() -> None:
    cheap = policy(f"{ANY} when {{ context has cost_p95_cents && context.cost_p95_cents < 5 }};")
    assert decide(cheap, call(READS._replace(cost_p95_cents=0))).decision == "allow"
    unknown = call(READS._replace(cost_p95_cents=None))
    assert decide(cheap, unknown).decision == "deny"
    assert missing(cheap, unknown) == (Missing("cost_p95_cents", "<=", 4, "allow", None),)


@pytest.mark.parametrize(
    ("condition", "facts", "expected"),
    [
        ("context has cost_p95_cents && context.cost_p95_cents <= 500", {"cost_p95_cents": 900},
         Missing("cost_p95_cents", "<=", 500, "allow", None)),
        ("context has success_bp && context.success_bp >= 9950", {}, Missing("success_bp", ">=", 9950, "allow", None)),
        ("context has success_bp", {"success_bp": None}, Missing("success_bp", "<=", 10_000, "allow", None)),
        ("context.steps < 4", {"steps": 7}, Missing("steps", "<=", 3, "allow", None)),
        ("context.idempotent", {"idempotent": False}, Missing("idempotent", "=", True, "allow", None)),
        ('context has risks && !context.risks.contains("TIMEOUT")', {"risks": ("DENIED", "TIMEOUT")},
         Missing("risks", "without", "TIMEOUT", "allow", None)),
        ("context.steps < 4 && context.approval_level >= 2", {"steps": 7},
         Missing("steps", "<=", 3, "requires_approval", 2)),
    ],
)  # fmt: skip
def test_the_fact_that_is_missing(condition: str, facts: dict[str, Any], expected: Missing) -> None:
    question = call(READS._replace(**facts))
    assert missing(policy(f"{ANY} when {{ {condition} }};"), question)[:1] == (expected,)


def test_two_facts_at_once_are_not_guessed() -> None:
    rules = policy(f"{ANY} when {{ context.steps > 3 && context.destructive }};")
    assert missing(rules, call()) == ()
