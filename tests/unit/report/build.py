"""Results written by hand, to be shown: every figure is chosen, none is computed."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from aos.domain.forecasts.alternatives import Alternative, Difference, Operation, Outlook
from aos.domain.forecasts.attribution import Attribution, Danger, Fix, StepShare
from aos.domain.forecasts.forecast import (
    BudgetStop,
    Chance,
    Estimate,
    Figures,
    Forecast,
    Risk,
    Spread,
    StepForecast,
    Unknown,
)
from aos.domain.forecasts.results import Digests, SimulationResult
from aos.domain.forecasts.verdicts import Approval, Limits, Reason, Verdict
from aos.domain.plans.plan import Plan, Step
from aos.domain.skills.distributions import Constant, Distribution, Lognormal
from aos.domain.skills.prices import ModelPrice
from aos.domain.skills.skill import CallCost, Effects, FailureMode, Figure, Provenance, Skill

DECLARED = Provenance("declared")
MEASURED = Provenance("measured", "runs", 312, "2026-03-01")
DIGESTS = Digests("sha256:" + "1a2b3c4d" * 8, "sha256:" + "5e6f7a8b" * 8, "sha256:" + "9c0d1e2f" * 8)
EFFECTS = Effects(read_only=False, idempotent=True, destructive=False, reversible=True, open_world=True)


def exactly(value: float) -> Spread:
    """Every sample alike."""
    same = Estimate(value, 0.0)
    return Spread(same, same, same, same, same, value, (value,), (10_000,))


def spread(low: float, p50: float, p90: float, p95: float, p99: float) -> Spread:
    """Eight cells from `low` to `p99`, most samples in the third, none in the seventh."""
    edges = tuple(low + (p99 - low) * i / 8 for i in range(9))
    mean, *quantiles = (Estimate(value, value / 100) for value in (p50 * 1.2, p50, p90, p95, p99))
    return exactly(0.0)._replace(
        mean=mean,
        **dict(zip(("p50", "p90", "p95", "p99"), quantiles, strict=True)),
        p05=low,
        edges=edges,
        counts=(500, 2_000, 4_000, 2_000, 900, 500, 0, 1),
    )


def chance(low: float, high: float | None = None, se: float = 0.0012) -> Chance:
    """Known, or open between the two."""
    return Chance(*(Estimate(p, se if 0 < p < 1 else 0.0) for p in (low, low if high is None else high)))


def figures(value: float) -> Figures:
    return Figures(value, value, value, value, value)


def declared(distribution: Distribution) -> Figure[Distribution]:
    return Figure(distribution, DECLARED)


def skill(name: str, *modes: FailureMode) -> Skill:
    latency: Figure[Distribution] = Figure(Lognormal(500, 0.6), MEASURED)
    price = CallCost(declared(Constant(0.0)))
    return Skill(name, "1", f"The skill {name}", {}, {}, "body", latency, price, modes, EFFECTS)


def step(
    name: str, of: str, start: float | None, ms: float | None, cents: float | None = 0.0
) -> StepForecast:
    """One that always runs, or with `start` None one that is left out of the typical run."""
    time = figures(ms or 50.0)
    cost = None if cents is None else figures(cents)
    runs = 1.0 if start is not None else 0.121
    return StepForecast(name, of, runs, 0.98, 1.0, time, cost, ms, cents, start)


def forecast(steps: Sequence[StepForecast], **changes: Any) -> Forecast:
    """Free, quick, nearly always successful, without limits; `changes` say what is different."""
    time = spread(200.0, 900.0, 1_800.0, 2_500.0, 16_600.0)
    sure = chance(1.0)
    plain = Forecast(
        samples=10_000,
        seed=7,
        cost=exactly(0.0),
        cost_at_least=exactly(0.0),
        time=time,
        time_at_least=time,
        elapsed=time,
        success=chance(0.9637),
        in_budget=sure,
        in_time=sure,
        in_limits=sure,
        feasible=chance(0.9637),
        budget_stop=None,
        typical_cents=0.0,
        typical_ms=810.0,
        steps=tuple(steps),
        risks=(),
        unknowns=(),
        cost_for_confidence=0.0,
        time_for_confidence=1_800.0,
    )
    return plain._replace(**changes)


def result(told: Forecast, verdict: Verdict | None = None, limits: Limits | None = None) -> SimulationResult:
    """The forecast as the answer for a plan of the same steps."""
    plan = Plan(tuple(Step(s.id, s.skill, {}) for s in told.steps))
    skills = {s.skill: skill(s.skill) for s in told.steps}
    asked = limits or Limits()
    answer = verdict or Verdict("feasible", "feasible", (), ())
    return SimulationResult(plan, asked, told.samples, told.seed, answer, told, skills, {}, DIGESTS, ())


def shares(
    steps: Sequence[StepForecast], *time: float, danger: Danger = "failure", chance: float = 0.04
) -> Attribution:
    """Each step's share of everything; the largest is to be fixed first."""
    found = tuple(
        StepShare(step.id, share, share, share, share, None, None)
        for step, share in zip(steps, time, strict=True)
    )
    worst = max(found, key=lambda share: share.failure)
    return Attribution(found, Fix(worst.id, danger, chance, worst.failure))


def alternative(told: Forecast, summary: str, *operations: Operation, **more: Any) -> Alternative:
    """Feasible in nine runs of ten, otherwise like the forecast; `more` says what else is different."""
    cost, time = told.cost, told.time
    sure = chance(0.93)
    outlook = Outlook(
        verdict=Verdict("feasible", "feasible", (), ()),
        **dict.fromkeys(("feasible", "success", "in_budget", "in_time", "in_limits"), sure),
        cost_p50=cost and cost.p50.value,
        cost_p95=cost and cost.p95.value,
        time_p50=time and time.p50.value,
        time_p95=time and time.p95.value,
    )
    stated: dict[str, Any] = {
        "kind": "change_model",
        "summary": summary,
        "assumes": "",
        "changes_meaning": False,
        "size": 1.0,
        "flags": (),
        "patch": operations,
        "declares": (),
        "plan": Plan(()),
        "limits": Limits(),
        "outlook": outlook._replace(**more.pop("outlook", {})),
        "difference": Difference(0.1, None, None, None, None),
    }
    return Alternative(**{**stated, **more})


def feasible() -> SimulationResult:
    """Three steps in a row, free, within the budget; timeouts are met but seldom end a step."""
    steps = [
        step("s1", "http_call", 0.0, 500.0),
        step("s2", "json_transform", 500.0, 10.0),
        step("s3", "webhook_send", 510.0, 300.0),
    ]
    risks = (
        Risk("s1", "HTTP_4XX", "PERMANENT", 0.0118, 0.0118),
        Risk("s2", "BAD_QUERY", "PERMANENT", 0.0055, 0.0055),
        Risk("s1", "TIMEOUT", "TRANSIENT", 0.0204, 0.0001),
        Risk("s3", "TIMEOUT", "TRANSIENT", 0.0105, 0.0),
    )
    answer = result(forecast(steps, risks=risks), limits=Limits(Decimal(100)))
    modes = (FailureMode("TIMEOUT", "TRANSIENT", Figure(0.02, DECLARED)),)
    return answer._replace(
        plan=answer.plan._replace(name="price to chat"),
        skills={**answer.skills, "http_call": skill("http_call", *modes)},
        attribution=shares(steps, 0.55, 0.01, 0.44),
        notes=('"skill_id" is read as "skill" in 3 steps',),
    )


def infeasible() -> SimulationResult:
    """Too slow, of unknown cost, waiting for people; with a fallback, and more risks than are shown."""
    steps = [
        step("fetch", "http_call", 0.0, 500.0),
        step("cached", "fs_read", None, None, None),
        step("draft", "llm_invoke", 500.0, 16_000.0, 40.0),
        step("review", "llm_invoke", 16_500.0, 2_000.0, None),
        step("mail", "email_send", 18_500.0, 500.0, 1.0),
    ]
    risks = tuple(Risk("draft", f"CODE_{i}", "TRANSIENT", 0.3 - 0.02 * i, 0.1 - 0.009 * i) for i in range(9))
    wait = "nobody has recorded how long people take to decide"
    unknowns = (
        Unknown("unknown_cost", "/steps/3/params/model", "no price is known for model 'house-7b'"),
        Unknown("unknown_wait", "/steps/4/approval", wait),
    )
    told = forecast(
        steps,
        risks=risks,
        unknowns=unknowns,
        cost=None,
        cost_at_least=spread(30.0, 69.7, 146.0, 187.0, 296.0),
        time=spread(18.0, 26_200.0, 42_700.0, 54_400.0, 153_000.0),
        elapsed=None,
        success=chance(0.835, se=0.0037),
        in_budget=chance(0.109, 0.975),
        in_time=chance(0.0468, se=0.0021),
        in_limits=chance(0.01, 0.0468),
        feasible=chance(0.0, 0.0441),
        budget_stop=BudgetStop(Estimate(0.981, 0.001), exactly(0.0)),
        typical_cents=None,
        typical_ms=19_000.0,
    )
    reasons = (
        Reason(
            "deadline_exceeded",
            "",
            "4.68 % of runs end within 9000 ms, 90% asked for; 42.7 s would be enough",
        ),
    )
    approvals = (Approval("mail", "/steps/4/approval", 3),)
    verdict = Verdict("infeasible", "deadline_exceeded", reasons, approvals)
    price = ModelPrice("m-1", "p", Decimal(250), Decimal(1000), None, (), None, "2026-10-01", "snapshot")
    limits = Limits(Decimal("199.5"), 9_000.0, confidence=0.9)
    return result(told, verdict, limits)._replace(
        prices={"m-1": price},
        attribution=shares(steps, 0.02, 0.0, 0.71, 0.3, -0.03, danger="late", chance=0.95),
        alternatives=(
            alternative(
                told,
                "deadline 45 s",
                Operation("add", "/deadline_ms", 45_000),
                kind="move_deadline",
                flags=("--deadline", "45000"),
            ),
            alternative(
                told,
                "draft: m-2 instead of m-1",
                Operation("replace", "/steps/2/params/model", "m-2"),
                assumes="m-2 answers well enough, and as fast",
                outlook={"cost_p95": 61.5, "time_p95": 8_100.0},
            ),
            alternative(
                told,
                "drop cached",
                Operation("remove", "/steps/1"),
                kind="drop_step",
                assumes="nobody misses cached: no step uses it",
                changes_meaning=True,
            ),
        ),
    )
