"""What the rules say of a plan: of the whole, and of every step; and what that does to its verdict."""

from collections.abc import Iterator
from decimal import Decimal
from math import ceil, floor
from typing import TypeAlias

from aos.domain.approvals.policies import (
    Facts,
    Missing,
    PolicyVerdict,
    Principal,
    Question,
    Ruling,
    StepRuling,
)
from aos.domain.approvals.replays import Asked
from aos.domain.forecasts.forecast import Forecast, StepForecast, Unknown
from aos.domain.forecasts.results import SimulationResult
from aos.domain.forecasts.verdicts import Approval, Limits, Reason, Verdict
from aos.domain.skills.skill import Effects
from aos.policy.decide import decide
from aos.policy.missing import missing, strictness
from aos.policy.rules import Policy

__all__ = ["MAX_EXPLAINED", "aim", "evaluate", "facts_of", "questions", "ruled", "undecided"]

MAX_EXPLAINED = 20
"""For how many answers that are not `allow` the missing facts are sought; each takes some milliseconds."""
_P95 = 0.95
Codes: TypeAlias = tuple[str, ...] | None
"""Codes of the failures that come; None where some chance of failure is unknown."""


def evaluate(policy: Policy, result: SimulationResult, principal: Principal) -> PolicyVerdict:
    """Ask of the plan, and of each step. The strictest answer is the plan's."""
    rulings = tuple(_rulings(policy, result, principal))
    strictest = max((ruling.ruling for ruling in rulings), key=strictness)
    return PolicyVerdict(strictest.decision, strictest.level, policy.digest, rulings)


def ruled(result: SimulationResult, said: PolicyVerdict) -> SimulationResult:
    """The simulation with what the rules say: a denial makes it infeasible, an approval is waited for."""
    verdict = result.verdict
    refused = tuple(
        Reason("permission_denied", one.pointer, sentence(one.ruling, one.missing))
        for one in said.rulings
        if one.ruling.decision == "deny"
    )
    if refused:
        verdict = Verdict("infeasible", "permission_denied", (*refused, *verdict.reasons), verdict.approvals)
    asked = [Approval(one.step, one.pointer, one.ruling.level) for one in said.rulings if one.ruling.level]
    return result._replace(
        verdict=verdict._replace(approvals=_highest((*verdict.approvals, *asked))),
        forecast=_without_wait(result, asked),
        policy=said,
    )


def aim(result: SimulationResult) -> Limits:
    """Limits, none wider, within which the rules would not deny the plan, as far as one figure of it decides that.

    That a p95 is at most some figure, nineteen runs in twenty have to keep.
    """
    limits = result.limits
    whole = next((one for one in result.policy.rulings if not one.pointer), None) if result.policy else None
    if whole is None or whole.ruling.decision != "deny":
        return limits
    sure = limits._replace(confidence=max(limits.confidence, _P95))
    for would in whole.missing:
        most = int(would.value) if would.relation in {"<=", ">="} else None
        match would.fact:
            case "cost_p95_cents" if most is not None:
                budget = limits.budget_cents
                return sure._replace(
                    budget_cents=Decimal(most) if budget is None else min(budget, Decimal(most))
                )
            case "duration_p95_ms" if most is not None:
                deadline = limits.deadline_ms
                return sure._replace(
                    deadline_ms=float(most) if deadline is None else min(deadline, float(most))
                )
            case "success_bp" if most is not None:
                return limits._replace(min_success=max(limits.min_success, most / 10_000))
    return limits


def undecided(result: SimulationResult, why: Reason) -> SimulationResult:
    """The simulation where nobody knows what the rules would say: it is not feasible, whatever else holds."""
    verdict = result.verdict
    if verdict.decision == "infeasible":
        return result._replace(verdict=verdict._replace(reasons=(*verdict.reasons, why)))
    reasons = (why, *verdict.reasons)
    return result._replace(verdict=Verdict("undetermined", "undetermined", reasons, verdict.approvals))


def sentence(ruling: Ruling, would: tuple[Missing, ...]) -> str:
    """Why, in words: the rules by their ids, and the fact that would help most."""
    ids = ", ".join(rule.id for rule in ruling.rules)
    match ruling.ground:
        case "permitted":
            return f"permitted by {ids}"
        case "error":
            return f"a rule could not be evaluated: {'; '.join(ruling.errors)}"
        case "not_permitted":
            why = f"no rule permits it{' before that' if ruling.level else ''}"
        case "forbidden":
            reasons = "; ".join(dict.fromkeys(rule.reason for rule in ruling.rules if rule.reason))
            asks = "asked for" if ruling.level else "forbidden"
            why = f"{asks} by {ids}" + (f": {reasons}" if reasons else "")
    return f"{why}; {hint(would[0])}" if would else why


def hint(would: Missing) -> str:
    """`allowed if cost_p95_cents <= 500`."""
    result = "allowed" if would.decision == "allow" else f"for an approval of level {would.level}"
    if would.relation == "without":
        return f"{result} without the risk {would.value}"
    if isinstance(would.value, bool):
        return f"{result} if it were {'' if would.value else 'not '}{would.fact}"
    return f"{result} if {would.fact} {would.relation} {would.value}"


def questions(result: SimulationResult, principal: Principal) -> tuple[Asked, ...]:
    """What is asked of the rules: about the plan, then about each of its steps."""
    risks = _risks(result)
    asked = [Asked("", "", Question(principal, "run", result.digests.plan, _of_plan(result, risks)))]
    for i, (step, told) in enumerate(zip(result.plan.steps, result.forecast.steps, strict=True)):
        facts = _of_step(told, result.skills[step.skill].effects_of(step.params), risks[i])
        asked.append(Asked(step.id, f"/steps/{i}", Question(principal, "call", step.skill, facts)))
    return tuple(asked)


def _rulings(policy: Policy, result: SimulationResult, principal: Principal) -> Iterator[StepRuling]:
    explained = 0
    for name, pointer, question in questions(result, principal):
        ruling = decide(policy, question)
        would: tuple[Missing, ...] = ()
        if ruling.decision != "allow" and explained < MAX_EXPLAINED:
            explained += 1
            would = missing(policy, question)
        yield StepRuling(name, pointer, question, ruling, would)


def _risks(result: SimulationResult) -> list[Codes]:
    """What may happen in each step."""
    found = {step.id: set[str]() for step in result.plan.steps}
    for risk in result.forecast.risks:
        found[risk.step].add(risk.code)
    unknown = {
        int(unknown.pointer.split("/")[2])
        for unknown in result.forecast.unknowns
        if unknown.code == "unknown_failure"
    }
    return [None if i in unknown else tuple(sorted(codes)) for i, codes in enumerate(found.values())]


def _of_plan(result: SimulationResult, risks: list[Codes]) -> Facts:
    forecast = result.forecast
    effects = [result.skills[step.skill].effects_of(step.params) for step in result.plan.steps]
    cost, time, success = forecast.cost, forecast.time, forecast.success.known
    known = [codes for codes in risks if codes is not None]
    return facts_of(
        len(effects),
        effects,
        cost.p95.value if cost else None,
        time.p95.value if time else None,
        success.value if success else None,
        tuple(sorted(set().union(*known))) if len(known) == len(risks) else None,
    )


def _of_step(told: StepForecast, effects: Effects, risks: Codes) -> Facts:
    """A step that never ran in the samples has no figures, and so none that are known."""
    return facts_of(
        1,
        [effects],
        told.cost.p95 if told.cost else None,
        told.time.p95 if told.time else None,
        None if risks is None or not told.runs else told.succeeds,
        risks,
    )


def facts_of(
    steps: int,
    effects: list[Effects],
    cents: float | None,
    ms: float | None,
    success: float | None,
    risks: Codes,
) -> Facts:
    """Whole numbers, each rounded to the side on which a limit is kept for sure; past 9 digits floats are cleaned."""
    return Facts(
        steps=steps,
        read_only=all(effect.read_only for effect in effects),
        idempotent=all(effect.idempotent for effect in effects),
        destructive=any(effect.destructive for effect in effects),
        reversible=all(effect.reversible for effect in effects),
        open_world=any(effect.open_world for effect in effects),
        cost_p95_cents=None if cents is None else ceil(round(cents, 9)),
        duration_p95_ms=None if ms is None else ceil(round(ms, 9)),
        success_bp=None if success is None else floor(round(success * 10_000, 6)),
        risks=risks,
    )


def _without_wait(result: SimulationResult, asked: list[Approval]) -> Forecast:
    """A wait that only the rules ask for was not simulated: the time with waits is unknown then."""
    foreseen = {approval.step for approval in result.verdict.approvals}
    reason = "how long people take to decide was not simulated, since only the policy asks for it"
    waits = tuple(Unknown("unknown_wait", one.pointer, reason) for one in asked if one.step not in foreseen)
    forecast = result.forecast
    return forecast._replace(elapsed=None, unknowns=(*forecast.unknowns, *waits)) if waits else forecast


def _highest(asked: tuple[Approval, ...]) -> tuple[Approval, ...]:
    """One go-ahead for each step, of the highest level that plan or policy asks for; the plan's own first."""
    found = dict[str, Approval]()
    for approval in asked:
        known = found.get(approval.step)
        if known is None or approval.level > known.level:
            found[approval.step] = approval
    return tuple(found.values())
