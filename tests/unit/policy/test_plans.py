"""Facts of a plan: each rounded to the safe side, and absent where nobody knows; what rules do to a verdict."""

from decimal import Decimal
from typing import Any

from aos.api.forecast.simulate import simulate
from aos.domain.approvals.policies import Facts, Principal
from aos.domain.forecasts.results import SimulationResult
from aos.domain.forecasts.verdicts import Limits
from aos.domain.skills.skill import Catalog
from aos.policy.plans import aim, evaluate, ruled
from aos.policy.rules import Source, default_policy, load
from aos.wire.catalogs.read import default_catalog
from aos.wire.plans.read import parse_plan

ANYONE = Principal()
READ = {"skill": "fs_read", "params": {"path": "a"}}
WRITE = {"skill": "fs_write", "params": {"path": "a", "content": "b"}}
PRICED = {"skill": "llm_invoke", "params": {"prompt": "x", "model": "gpt-4o"}}


def simulated(*steps: Any, catalog: Catalog | None = None) -> SimulationResult:
    catalog = catalog or default_catalog()
    plan = parse_plan(list(steps), catalog, name="plan", inputs={}).plan
    return simulate(plan, catalog, samples=1_000, explain=False, alternatives=False)


def facts(result: SimulationResult) -> list[Facts]:
    return [one.question.facts for one in evaluate(default_policy(), result, ANYONE).rulings]


def test_effects_of_a_plan_are_those_of_all_its_steps_or_of_any() -> None:
    whole, read, write = facts(simulated(READ, WRITE))
    assert (read.read_only, read.destructive, write.read_only, write.destructive) == (
        True,
        False,
        False,
        True,
    )
    assert (whole.steps, whole.read_only, whole.destructive, whole.reversible) == (2, False, True, False)


def test_limits_within_which_the_rules_have_nothing_against_it() -> None:
    def aimed(*rules: str, **limits: Any) -> Limits:
        result = simulated(PRICED)
        result = result._replace(limits=result.limits._replace(**limits))
        policy = load(
            [Source("rules.cedar", "\n".join(["permit (principal, action, resource);", *rules]).encode())]
        )
        return aim(ruled(result, evaluate(policy, result, ANYONE)))

    def forbidden(when: str, action: str = "run") -> str:
        return f'forbid (principal, action == Aos::Action::"{action}", resource) when {{ {when} }};'

    dear, slow = (
        forbidden("context has cost_p95_cents && context.cost_p95_cents > 0"),
        forbidden("context has duration_p95_ms && context.duration_p95_ms > 5000"),
    )
    assert aimed(dear) == Limits(budget_cents=Decimal(0), confidence=0.95)
    assert aimed(slow, deadline_ms=3e4) == Limits(deadline_ms=5000.0, confidence=0.95)
    assert aimed(slow, deadline_ms=3000.0).deadline_ms == 3000.0
    assert aimed(forbidden("context has success_bp && context.success_bp < 9990")) == Limits(
        min_success=0.999
    )
    for beside in (
        "",
        dear.replace("forbid", "permit"),
        forbidden("context has cost_p95_cents && context.cost_p95_cents > 0", "call"),
    ):
        assert aimed(beside) == Limits()


def test_effects_are_those_of_the_call_not_of_the_skill() -> None:
    url = {"url": "https://example.org"}
    get, delete = (
        {"skill": "http_call", "params": url},
        {"skill": "http_call", "params": {**url, "method": "DELETE"}},
    )
    _, one, other = facts(simulated(get, delete))
    assert (one.destructive, other.destructive) == (False, True)


def test_cost_and_time_are_rounded_up_and_the_chance_down() -> None:
    result = simulated(PRICED)
    (whole, _), forecast = facts(result), result.forecast
    assert forecast.cost is not None
    assert forecast.time is not None
    assert forecast.success.known is not None
    assert not forecast.cost.p95.value.is_integer()
    assert (whole.cost_p95_cents or 0) > forecast.cost.p95.value > (whole.cost_p95_cents or 0) - 1
    assert (whole.duration_p95_ms or 0) >= forecast.time.p95.value - 1e-6
    assert 0 <= forecast.success.known.value * 10_000 - (whole.success_bp or 0) < 1


def test_what_nobody_knows_is_absent() -> None:
    shipped = default_catalog()
    skill = shipped.skills["fs_read"]._replace(latency=None, cost=None, failures=None)
    result = simulated(READ, WRITE, catalog=shipped._replace(skills={**shipped.skills, "fs_read": skill}))
    whole, read, write = facts(result)
    for unknown in (whole, read):
        assert (unknown.cost_p95_cents, unknown.duration_p95_ms, unknown.success_bp, unknown.risks) == (
            None,
        ) * 4
    assert None not in write


def test_the_strictest_answer_is_the_plans() -> None:
    assert evaluate(default_policy(), simulated(READ), ANYONE)[:2] == ("allow", None)
    assert evaluate(default_policy(), simulated(READ, WRITE), ANYONE)[:2] == ("requires_approval", 2)


def test_the_higher_level_of_plan_and_policy_is_waited_for() -> None:
    for own, level in ((1, 2), (4, 4)):
        result = simulated({**WRITE, "approval": own})
        (approval,) = ruled(result, evaluate(default_policy(), result, ANYONE)).verdict.approvals
        assert (approval.step, approval.level) == ("s1", level)


def test_a_denial_comes_first_among_the_reasons() -> None:
    no = load([Source("no.cedar", b'@id("no") forbid (principal, action, resource);')])
    result = simulated(READ)
    verdict = ruled(result, evaluate(no, result, ANYONE)).verdict
    assert (verdict.decision, verdict.status) == ("infeasible", "permission_denied")
    assert [reason.pointer for reason in verdict.reasons] == ["", "/steps/0"]
