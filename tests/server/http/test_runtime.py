"""Plans and skills over HTTP: the same engine, the names that clients have always read."""

import json
from decimal import Decimal
from typing import Any

import httpx
import pytest

from aos.domain.forecasts.verdicts import Limits
from aos.wire.catalogs.read import default_catalog, dump_catalog
from aos_server.services.runtime.simulations import Question, compute
from aos_server.services.tenants import Budget, Permissions, Terms
from tests.cli.process import DEMO, aos
from tests.cli.schemas import faults
from tests.server.http.rules import ANY_RULE, TOO_LARGE, rules
from tests.server.http.world import STEP, Told, told

SIMULATE = "/api/v1/runtime/simulate"
SHIPPED = "src/aos/policy/data/default.cedar"
FAILS = f'@id("fails") forbid (principal, action, resource) when {{ {TOO_LARGE} }};'
FROM_4 = "permit (principal, action, resource) when { context.approval_level >= 4 };"
NO_WRITES = (
    '@id("no-writes") @reason("never") forbid (principal, action, resource == Aos::Skill::"fs_write");'
)
WRITES: dict[str, Any] = {"skill": "fs_write", "params": {"path": "a", "content": "b"}}


def test_a_plan_has_the_forecast_that_it_has_on_the_command_line(client: httpx.Client) -> None:
    ours = aos("simulate", str(DEMO), "--budget", "100", "--policy", SHIPPED, "--json").document
    plan = json.loads(DEMO.read_bytes())
    theirs = client.post(SIMULATE, json={"plan": plan, "budget_cents": 100}).json()
    for part in ("risks", "step_estimates"):
        for mine, here in zip(ours[part], theirs[part], strict=True):
            assert {key: here[key] for key in mine} == mine
    assert {key: theirs[key] for key in ours if key not in ("risks", "step_estimates")} == {
        key: value for key, value in ours.items() if key not in ("risks", "step_estimates")
    }


def test_a_simulation_bears_the_names_that_clients_read(client: httpx.Client) -> None:
    found = client.post(SIMULATE, json={"plan": [STEP], "budget_cents": 1000, "agent_id": "a1"}).json()
    assert (found["feasible"], found["status"]) == (True, "feasible")
    assert (found["estimated_cost_cents"], found["estimated_duration_ms"]) == (0, 500)
    assert (found["budget_remaining_cents"], found["budget_sufficient"]) == (1000, True)
    assert found["permission_gaps"] == found["alternatives"] == found["warnings"] == []
    (step,) = found["step_estimates"]
    assert (step["step_index"], step["skill_id"]) == (0, "http_call")
    assert (step["estimated_cost_cents"], step["estimated_latency_ms"]) == (0, 500)
    assert {"step_index", "skill_id", "risk_type", "probability"} <= found["risks"][0].keys()


@pytest.mark.parametrize(
    ("said", "plan", "verdict", "status", "levels"),
    [
        (None, [STEP], "feasible", "feasible", []),
        (None, [STEP, WRITES], "feasible", "feasible", [("s2", 2)]),
        (None, [{**STEP, "approval": 3}, WRITES], "feasible", "feasible", [("s1", 3), ("s2", 2)]),
        (FROM_4, [{**WRITES, "approval": 2}], "feasible", "feasible", [("s1", 4), ("", 4)]),
        (f"{ANY_RULE} {NO_WRITES}", [STEP], "feasible", "feasible", []),
        (f"{ANY_RULE} {NO_WRITES}", [STEP, WRITES], "infeasible", "permission_denied", []),
        ("permit (", [STEP], "undetermined", "undetermined", []),
        ("permit (", [{"skill": "http_cal"}], "infeasible", "invalid_plan", None),
        (f"{ANY_RULE} {FAILS}", [STEP], "infeasible", "permission_denied", []),
    ],
)
def test_the_rules_of_the_tenant_hold_in_a_simulation(
    client: httpx.Client,
    told_terms: Told,
    said: str | None,
    plan: list[Any],
    verdict: str,
    status: str,
    levels: list[tuple[str, int]] | None,
) -> None:
    active = rules(said, digest=f"sha256:{'0' * 64}") if said else None
    told_terms.terms_of = {"acme": Terms("acme", rules=active)}
    answer = client.post(SIMULATE, json={"plan": plan, "alternatives": False})
    assert answer.status_code == 200
    found = answer.json()
    assert (found["verdict"], found["status"]) == (verdict, status)
    assert found["feasible"] is {"feasible": True, "infeasible": False}.get(verdict)
    if levels is not None:
        assert [(one["step"], one["level"]) for one in found["approvals"]] == levels
        assert faults(found) == []


def test_a_denial_says_by_which_rule_and_of_which_step(client: httpx.Client, told_terms: Told) -> None:
    told_terms.terms_of = {"acme": Terms("acme", rules=rules(f"{ANY_RULE} {NO_WRITES}"))}
    found = client.post(SIMULATE, json={"plan": [STEP, WRITES]}).json()
    detail = "forbidden by no-writes: never"
    assert found["permission_gaps"] == [
        {"code": "permission_denied", "pointer": "/steps/1", "detail": detail}
    ]
    assert (found["policy"]["decision"], found["policy"]["policy_digest"]) == ("deny", "sha256:d")


def test_rules_that_cannot_be_read_are_why_nobody_knows(client: httpx.Client, told_terms: Told) -> None:
    told_terms.terms_of = {"acme": Terms("acme", rules=rules("permit ("))}
    found = client.post(SIMULATE, json={"plan": [STEP]}).json()
    assert [reason["code"] for reason in found["reasons"]] == ["invalid_policy"]
    hopeless = client.post(SIMULATE, json={"plan": [STEP], "deadline_ms": 1, "alternatives": False}).json()
    assert (hopeless["verdict"], hopeless["status"]) == ("infeasible", "deadline_exceeded")
    assert hopeless["reasons"][-1]["code"] == "invalid_policy"


def test_what_an_approval_binds_has_nothing_of_the_wait_for_it() -> None:
    terms = Terms("acme", rules=rules(FROM_4))
    asked = Question([WRITES], {}, Limits(), 100, 0, alternatives=False, judge=True, bind=True)
    beside, obeyed = compute(asked, terms), compute(asked._replace(obey=True), terms)
    assert beside.envelope == obeyed.envelope
    assert (beside.said, beside.reasons) == (obeyed.said, obeyed.reasons)
    assert "policy" not in json.loads(beside.body)
    assert json.loads(obeyed.body)["policy"]["approval_level_required"] == 4


def test_a_plan_that_is_wrong_in_itself_is_an_answer_with_everything_wrong(client: httpx.Client) -> None:
    answer = client.post(SIMULATE, json={"plan": [{"skill": "http_cal"}, {"skill": "fs_read", "params": {}}]})
    assert answer.status_code == 200
    found = answer.json()
    assert (found["feasible"], found["status"], found["verdict"]) == (False, "invalid_plan", "infeasible")
    assert [(error["pointer"], error["code"]) for error in found["errors"]] == [
        ("/0/skill", "unknown_skill"),
        ("/1/params", "bad_params"),
    ]
    assert found["errors"][0]["suggestion"] == "http_call"


def test_what_changes_would_help_comes_with_what_is_not_feasible(client: httpx.Client) -> None:
    plan = [{"skill": "email_send", "params": {"to": ["a@b.example"], "subject": "s", "body": "b"}}]
    found = client.post(SIMULATE, json={"plan": plan, "budget_cents": 0.5}).json()
    assert (found["status"], found["budget_sufficient"]) == ("budget_insufficient", False)
    assert found["alternatives"][0]["kind"] == "raise_budget"


def test_no_change_is_offered_that_the_rules_deny(client: httpx.Client, told_terms: Told) -> None:
    free = '@id("free") forbid (principal, action, resource) when { context.cost_p95_cents > 0 };'
    plan = [{"skill": "email_send", "params": {"to": ["a@b.example"], "subject": "s", "body": "b"}}]
    asked = {"plan": plan, "budget_cents": 0.5}
    offered = client.post(SIMULATE, json=asked).json()["alternatives"]
    told_terms.terms_of = {"acme": Terms("acme", rules=rules(f"{ANY_RULE} {free}"))}
    left = client.post(SIMULATE, json=asked).json()["alternatives"]
    assert "raise_budget" in {one["kind"] for one in offered}
    assert "raise_budget" not in {one["kind"] for one in left}


def test_a_plan_of_five_thousand_steps_is_taken_and_one_more_is_not(client: httpx.Client) -> None:
    for steps, status in ((5_000, "feasible"), (5_001, "invalid_plan")):
        plan = [{"skill": "json_transform", "params": {"query": "a", "input": 1}, "needs": []}] * steps
        asked = {"plan": plan, "samples": 100, "min_success": 0, "alternatives": False}
        assert client.post(SIMULATE, json=asked).json()["status"] == status


def test_what_holds_for_a_tenant_holds_in_every_answer(client: httpx.Client, told_terms: Told) -> None:
    ours = {**dump_catalog(default_catalog())["skills"]["fs_read"], "cost_cents": 7}
    del ours["cost"]
    catalog = {"aos_catalog": "1", "skills": {"ours": ours}}
    terms = Terms(
        "acme",
        json.dumps(catalog).encode(),
        Budget(Decimal(50), Decimal(20)),
        (Permissions(frozenset({"http_call"})),),
    )
    told_terms.terms_of = {"acme": terms}
    found = client.post(SIMULATE, json={"plan": [STEP, {"skill": "ours", "params": {"path": "a"}}]}).json()
    assert (found["status"], found["estimated_cost_cents"]) == ("permission_denied", 7)
    assert [gap["pointer"] for gap in found["permission_gaps"]] == ["/steps/0/skill"]

    can = client.get("/api/v1/runtime/capabilities", params={"agent_id": "a1"}).json()
    assert (can["agent_id"], can["tenant_id"], can["budget_remaining_cents"]) == ("a1", "acme", 30)
    assert can["budget"] == {"total_cents": 50, "spent_cents": 20, "remaining_cents": 30}
    assert "ours" in can["skills_available"]
    assert "http_call" not in can["skills_available"]
    assert can["skills"]["http_call"]["available"] is False
    assert can["permissions"] == ["read", "evaluate", "create", "decide"]

    assert client.get("/api/v1/runtime/skills").json()["count"] == 8
    asked = {"query_type": "allowed_skills"}
    result = client.post("/api/v1/runtime/query", json=asked).json()["result"]
    assert "ours" in result["skills"]
    assert result["forbidden"] == ["http_call"]
    asked = {"query_type": "remaining_budget_cents", "params": {}}  # type: ignore[dict-item]
    result = client.post("/api/v1/runtime/query", json=asked).json()["result"]
    assert (result["remaining_cents"], result["spent_cents"], result["total_cents"]) == (30, 20, 50)


def test_spending_that_nobody_knows_is_unknown(client: httpx.Client, told_terms: Told) -> None:
    terms = Terms("acme", budget=Budget(Decimal(50), Decimal(20), 1))
    told_terms.terms_of = {"acme": terms}
    can = client.get("/api/v1/runtime/capabilities").json()
    assert can["budget"] == {"total_cents": 50, "spent_cents": None, "remaining_cents": None}
    assert can["budget_remaining_cents"] is None
    assert {"/budget/spent_cents", "/budget/remaining_cents"} <= {u["pointer"] for u in can["unknowns"]}


def test_a_skill_is_told_in_full(client: httpx.Client) -> None:
    found = client.get("/api/v1/runtime/skills/http_call").json()
    ours = aos("skill", "http_call", "--json").document
    of_this_machine = {"measured", "unknowns"}  # what its ledger has to say
    assert {key: found[key] for key in ours if key not in of_this_machine} == {
        key: value for key, value in ours.items() if key not in of_this_machine
    }
    assert found["skill_id"] == found["name"] == "http_call"
    assert found["composition_hints"]["often_followed_by"] == ["json_transform", "llm_invoke", "fs_write"]
    assert found["cost_model"] == {"base_cents": 0}
    assert found["failure_modes"][0]["code"] == "TIMEOUT"


def test_a_skill_that_is_not_there_is_named_with_what_was_meant(client: httpx.Client) -> None:
    problem = told(client.get("/api/v1/runtime/skills/http_cal"))
    assert (problem["code"], problem["status"]) == ("skill_not_found", 404)
    assert 'did you mean "http_call"?' in problem["detail"]


def test_a_resource_has_a_contract(client: httpx.Client) -> None:
    found = client.get("/api/v1/runtime/resource-contract/http_call").json()
    assert (found["resource_id"], found["kind"]) == ("http_call", "skill")
    assert found["rate_limits"]["requests_per_minute"] == 600
    assert found["concurrency"]["max_concurrent"] == 16
    assert found["time"]["max_run_duration_ms"] == 10_000
    pool = client.get("/api/v1/runtime/resource-contract/llm").json()
    assert (pool["kind"], pool["concurrency"]["max_concurrent"]) == ("pool", 8)
    assert told(client.get("/api/v1/runtime/resource-contract/nothing"))["code"] == "resource_not_found"


@pytest.mark.parametrize(
    ("asked", "status", "says"),
    [
        (
            {"query_type": "skills_available_for_goal", "params": {"goal": "send an e-mail"}},
            200,
            "email_send",
        ),
        ({"query_type": "skills_available_for_goal"}, 422, "/params/goal"),
        ({"query_type": "allowed_skill"}, 422, '"suggestion":"allowed_skills"'),
    ],
)
def test_a_question_is_answered_or_what_is_wrong_with_it_said(
    client: httpx.Client, asked: object, status: int, says: str
) -> None:
    answer = client.post("/api/v1/runtime/query", json=asked)
    assert answer.status_code == status
    assert says in answer.text
