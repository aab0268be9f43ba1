"""Policy decisions: permissions, the budget that is left, and the tenant's rules. Nothing unknown is allowed."""

from decimal import Decimal
from typing import Any

import httpx
import pytest

from aos.policy.rules import default_policy
from aos_server.services.tenants import Budget, Permissions, Terms
from tests.server.http.rules import ANY_RULE, TOO_LARGE, rules
from tests.server.http.world import Told, told

EVAL = "/api/v1/policy/eval"
MAIL = {"to": ["a@b.example"], "subject": "s", "body": "b"}
READ = {"path": "notes.txt"}
UNPRICED = {"prompt": "p", "model": "nobody-knows-it"}


def only(forbidden: set[str], permitted: set[str] | None = None) -> Terms:
    both = Permissions(frozenset(forbidden), frozenset(permitted or ()))
    return Terms("acme", permissions=(both, Permissions()))


def budget(total: int, spent: int | str, unpriced: int = 0) -> Terms:
    return Terms("acme", budget=Budget(Decimal(total), Decimal(spent), unpriced))


ANY = rules(ANY_RULE)


def decide(client: httpx.Client, skill: str, payload: Any, **more: Any) -> dict[str, Any]:
    answer = client.post(EVAL, json={"skill_id": skill, "payload": payload, **more})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_what_is_permitted_and_within_the_budget_is_allowed(client: httpx.Client) -> None:
    found = decide(client, "email_send", MAIL, tenant_id="acme", agent_id="a1")
    assert (found["decision"], found["simulated_cost_cents"]) == ("allow", 1)
    assert (found["violations"], found["approval_level_required"]) == ([], None)
    assert (found["policy_version"], found["timestamp"][-1]) == (default_policy().digest, "Z")
    assert [one["rules"][0]["id"] for one in found["rulings"]] == ["permitted-unless-forbidden"] * 2


def test_a_skill_that_there_is_not_is_denied_and_no_error(client: httpx.Client) -> None:
    found = decide(client, "test", {})
    assert found["decision"] == "deny"
    assert [violation["code"] for violation in found["violations"]] == ["unknown_skill"]
    assert found["simulated_cost_cents"] is None


def test_a_call_whose_parameters_are_wrong_is_denied(client: httpx.Client) -> None:
    found = decide(client, "fs_read", {"path": 5})
    assert (found["decision"], found["violations"][0]["code"]) == ("deny", "bad_params")


@pytest.mark.parametrize(
    ("terms", "skill", "payload", "decision", "code"),
    [
        (only(forbidden={"fs_read"}), "fs_read", READ, "deny", "permission_denied"),
        (only(forbidden={"*"}), "fs_read", READ, "deny", "permission_denied"),
        (only(forbidden={"*"}, permitted={"fs_read"}), "fs_read", READ, "allow", None),
        (budget(10, "8.5"), "email_send", MAIL, "allow", None),
        (budget(10, "9.5"), "email_send", MAIL, "deny", "budget_insufficient"),
        (budget(10, 12), "fs_read", READ, "allow", None),
        (budget(10, 0, 1), "fs_read", READ, "requires_approval", "unknown_cost"),
        (budget(10, 0)._replace(rules=ANY), "llm_invoke", UNPRICED, "requires_approval", "unknown_cost"),
        (Terms("acme"), "llm_invoke", UNPRICED, "requires_approval", "approval_required"),
        (Terms("acme", rules=ANY), "llm_invoke", UNPRICED, "allow", None),
    ],
)
def test_the_rules(
    client: httpx.Client,
    told_terms: Told,
    terms: Terms,
    skill: str,
    payload: Any,
    decision: str,
    code: str | None,
) -> None:
    told_terms.terms_of = {"acme": terms}
    found = decide(client, skill, payload)
    assert found["decision"] == decision
    assert {violation["code"] for violation in found["violations"]} == ({code} if code else set())
    assert found["approval_level_required"] == (3 if decision == "requires_approval" else None)


def test_a_plan_is_decided_on_as_a_whole(client: httpx.Client) -> None:
    step = {"skill": "email_send", "params": MAIL}
    found = client.post(EVAL, json={"plan": [step, step, {**step, "approval": 4}]}).json()
    assert (found["decision"], found["approval_level_required"]) == ("requires_approval", 4)
    assert found["simulated_cost_cents"] == 3


@pytest.mark.parametrize(
    ("said", "decision", "level"),
    [
        (
            "permit (principal, action, resource) when { context.approval_level >= 2 };",
            "requires_approval",
            4,
        ),
        (
            "permit (principal, action, resource) when { context.approval_level >= 5 };",
            "requires_approval",
            5,
        ),
        ('permit (principal, action == Aos::Action::"run", resource);', "deny", None),
    ],
)
def test_the_stricter_of_plan_and_rules_holds(
    client: httpx.Client, told_terms: Told, said: str, decision: str, level: int | None
) -> None:
    told_terms.terms_of = {"acme": Terms("acme", rules=rules(said))}
    step = {"skill": "email_send", "params": MAIL, "approval": 4}
    found = client.post(EVAL, json={"plan": [step]}).json()
    assert (found["decision"], found["approval_level_required"]) == (decision, level)
    assert found["policy_version"] == "sha256:d"


def test_what_decided_and_which_fact_is_missing_is_said(client: httpx.Client, told_terms: Told) -> None:
    dear = "context has cost_p95_cents && context.cost_p95_cents > 0"
    said = rules(ANY_RULE, f'@id("free") forbid (principal, action, resource) when {{ {dear} }};')
    told_terms.terms_of = {"acme": Terms("acme", rules=said)}
    found = decide(client, "email_send", MAIL)
    assert found["decision"] == "deny"
    assert found["reasons"] == ["forbidden by free; allowed if cost_p95_cents <= 0"]
    assert [(one["code"], one["pointer"]) for one in found["violations"]] == [
        ("permission_denied", ""),
        ("permission_denied", "/steps/0"),
    ]
    assert found["rulings"][1]["missing"][0]["fact"] == "cost_p95_cents"


def test_rules_see_the_tenant_and_the_agent(client: httpx.Client, told_terms: Told) -> None:
    said = rules(
        'permit (principal in Aos::Tenant::"acme", action, resource) unless { principal == Aos::Agent::"rogue" };'
    )
    told_terms.terms_of = {"acme": Terms("acme", rules=said)}
    assert decide(client, "fs_read", READ)["decision"] == "allow"
    told_terms.terms_of = {"acme": Terms("acme", rules=said, agent="rogue")}
    assert decide(client, "fs_read", READ)["decision"] == "deny"


def test_rules_that_cannot_be_evaluated_deny(client: httpx.Client, told_terms: Told) -> None:
    said = rules(ANY_RULE, f"forbid (principal, action, resource) when {{ {TOO_LARGE} }};")
    told_terms.terms_of = {"acme": Terms("acme", rules=said)}
    found = decide(client, "fs_read", READ)
    assert (found["decision"], found["rulings"][0]["ground"]) == ("deny", "error")


@pytest.mark.parametrize("text", ["", "permit (", "permit (principal, action, resource is Foo);"])
def test_rules_that_cannot_be_read_deny(client: httpx.Client, told_terms: Told, text: str) -> None:
    told_terms.terms_of = {"acme": Terms("acme", rules=rules(text))}
    found = decide(client, "fs_read", READ)
    assert (found["decision"], found["policy_version"]) == ("deny", "sha256:d")
    assert {violation["code"] for violation in found["violations"]} == {"invalid_policy"}
    assert "`aos policy activate VERSION`" in found["reasons"][0]


def test_either_a_call_or_a_plan(client: httpx.Client) -> None:
    for asked in ({}, {"skill_id": "fs_read", "plan": []}):
        problem = told(client.post(EVAL, json=asked))
        assert (problem["code"], problem["status"]) == ("invalid_request", 422)


def counted(client: httpx.Client, series: str) -> float:
    (line,) = [line for line in client.get("/metrics").text.splitlines() if line.startswith(f"{series} ")]
    return float(line.split()[1])


def test_decisions_are_counted_also_those_that_were_made_before(client: httpx.Client) -> None:
    before = counted(client, 'nova_policy_decisions_total{decision="deny"}')
    for _ in range(2):
        decide(client, "test", {})
    assert counted(client, 'nova_policy_decisions_total{decision="deny"}') == before + 2


def test_what_decisions_would_cost_is_added_up_and_what_nobody_can_price_is_no_0(
    client: httpx.Client,
) -> None:
    cents, unknown = "nova_policy_forecast_cents_total", "nova_policy_forecast_unknown_total"
    named = '{decision="allow"}'
    before = counted(client, cents + named), counted(client, unknown + named)
    found = decide(client, "email_send", {"to": "a@example.com", "subject": "s", "body": "b"})
    assert found["decision"] == "allow"
    assert counted(client, cents + named) == pytest.approx(before[0] + found["simulated_cost_cents"])
    assert counted(client, unknown + named) == before[1]
    named = f'{{decision="{decide(client, "test", {})["decision"]}"}}'
    before = counted(client, cents + named), counted(client, unknown + named)
    decide(client, "test", {})
    assert (counted(client, cents + named), counted(client, unknown + named)) == (before[0], before[1] + 1)


@pytest.mark.parametrize(
    "text", ["permit (", f"{ANY_RULE}\nforbid (principal, action, resource) when {{ {TOO_LARGE} }};"]
)
def test_rules_that_fail_are_counted(client: httpx.Client, told_terms: Told, text: str) -> None:
    before = counted(client, "nova_policy_errors_total")
    told_terms.terms_of = {"acme": Terms("acme", rules=rules(text))}
    assert decide(client, "fs_read", READ)["decision"] == "deny"
    assert counted(client, "nova_policy_errors_total") == before + 1
    plan = [{"skill": "fs_read", "params": READ}]
    assert not client.post("/api/v1/runtime/simulate", json={"plan": plan}).json()["feasible"]
    assert counted(client, "nova_policy_errors_total") == before + 2
