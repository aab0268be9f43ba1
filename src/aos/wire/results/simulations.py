"""Simulations as JSON documents. An unknown figure is null with an entry in `unknowns`."""

from collections.abc import Mapping
from typing import Any

from aos.domain.forecasts.alternatives import Agreement, Alternative, Operation, Outlook
from aos.domain.forecasts.attribution import Attribution, Evidence
from aos.domain.forecasts.forecast import Chance, Figures, Forecast, Spread, StepForecast
from aos.domain.forecasts.results import SimulationResult
from aos.domain.forecasts.verdicts import Decision, Verdict
from aos.domain.plans.plan import secrets
from aos.domain.skills.prices import ModelPrice
from aos.domain.skills.skill import CallCost, Figure, Skill
from aos.errors import Exit
from aos.wire.results.documents import Document, envelope, estimate, figure, money, options, significant

EXITS: Mapping[Decision, Exit] = {
    "feasible": Exit.YES,
    "infeasible": Exit.NO,
    "undetermined": Exit.UNDETERMINED,
}
"""The exit status of each verdict."""

_DETAILS = (
    *("risks", "step_estimates", "attribution", "evidence", "alternatives", "alternatives_search"),
    *("provenance", "prices", "inputs", "policy"),
)


def simulation(result: SimulationResult, exit_status: int) -> Document:
    """The document `aos.simulation/1`: the verdict first, then the forecast and what it rests on."""
    verdict, forecast, limits = result.verdict, result.forecast, result.limits
    budget = limits.budget_cents
    known = forecast.typical_cents is not None
    return {
        **envelope("aos.simulation/1"),
        "verdict": verdict.decision,
        "feasible": {"feasible": True, "infeasible": False}.get(verdict.decision),
        "status": verdict.status,
        "exit_code": exit_status,
        "reasons": [reason._asdict() for reason in verdict.reasons],
        "plan": {"name": result.plan.name, "steps": len(result.plan.steps)},
        "estimated_cost_cents": figure(forecast.typical_cents),
        "estimated_duration_ms": figure(forecast.typical_ms),
        "budget_cents": money(budget),
        "deadline_ms": figure(limits.deadline_ms),
        "confidence": limits.confidence,
        "min_success": limits.min_success,
        "budget_remaining_cents": (
            figure(float(budget) - (forecast.typical_cents or 0.0)) if budget is not None and known else None
        ),
        "budget_sufficient": _sufficient(verdict, forecast, limits.confidence),
        "chances": _chances(forecast),
        "forecast": _forecast(forecast),
        "risks": [
            {
                "step": risk.step,
                "code": risk.code,
                "category": risk.category,
                "chance_met": significant(risk.meets),
                "chance_failed": significant(risk.fails),
            }
            for risk in forecast.risks
        ],
        "step_estimates": [_step(step) for step in forecast.steps],
        "approvals": [approval._asdict() for approval in verdict.approvals],
        "secrets": [{"name": name, "pointers": at} for name, at in secrets(result.plan).items()],
        "permission_gaps": [r._asdict() for r in verdict.reasons if r.code == "permission_denied"],
        "attribution": None if result.attribution is None else _attribution(result.attribution),
        "evidence": [_evidence(wanted) for wanted in result.evidence],
        "alternatives": [_alternative(offer) for offer in result.alternatives],
        "alternatives_search": _search(result),
        "warnings": list(result.notes),
        "unknowns": _unknowns(forecast),
        "provenance": {name: provenance(skill) for name, skill in result.skills.items()},
        "prices": {name: _price(price) for name, price in result.prices.items()},
        "samples": forecast.samples,
        "seed": result.seed,
        "inputs": _inputs(result),
        "digests": result.digests._asdict(),
        **_policy(result),
    }


def summary(result: SimulationResult, exit_status: int) -> Document:
    """The document `aos.simulation-summary/1`: a simulation without steps, histograms and what it rests on."""
    whole = simulation(result, exit_status)
    forecast = {name: _without_histogram(part) for name, part in whole["forecast"].items()}
    kept = {key: value for key, value in whole.items() if key not in _DETAILS}
    return {**kept, **envelope("aos.simulation-summary/1"), "forecast": forecast}


def provenance(skill: Skill) -> Document:
    """Where each figure of a skill is from: pointer of the figure -> source, n, as_of, method; null is unknown."""
    figures: dict[str, Figure[Any] | None] = {"latency_ms": skill.latency}
    match skill.cost:
        case None:
            figures["cost_cents"] = None
        case CallCost():
            figures["cost_cents"] = skill.cost.per_attempt
        case _:
            figures["tokens.output_tokens"] = skill.cost.output_tokens
            figures["tokens.chars_per_token"] = skill.cost.chars_per_token
            figures["tokens.unnamed"] = skill.cost.unnamed
    growths = {"latency_by": skill.latency_by, "cost_by": skill.cost_by}
    figures |= {name: growth.rest for name, growth in growths.items() if growth}
    if skill.failures is None:
        figures["failures"] = None
    for mode in skill.failures or ():
        figures[f"failures.{mode.code}.probability"] = mode.probability
    return {name: None if figure is None else _stated(figure) for name, figure in figures.items()}


def _without_histogram(part: Any) -> Any:
    if not isinstance(part, dict):
        return part
    return {key: _without_histogram(value) for key, value in part.items() if key != "histogram"}


def _policy(result: SimulationResult) -> Document:
    if result.policy is None:
        return {}
    from aos.wire.policies import policy_verdict

    return {"policy": policy_verdict(result.policy)}


def _inputs(result: SimulationResult) -> Document:
    """What the result can be computed from again, with the catalog of its digest: exact, not rounded."""
    from aos.wire.plans.read import dump_plan

    return {
        "plan": dump_plan(result.plan),
        "budget_cents": money(result.limits.budget_cents),
        "deadline_ms": result.limits.deadline_ms,
        "confidence": result.limits.confidence,
        "min_success": result.limits.min_success,
        "samples": result.samples,
        "seed": result.seed,
    }


def _price(price: ModelPrice) -> Document:
    return {
        "model": price.model,
        "provider": price.provider,
        "input_cents_per_mtok": money(price.input_cents_per_mtok),
        "output_cents_per_mtok": money(price.output_cents_per_mtok),
        "as_of": price.as_of,
        "source": price.source,
    }


def _stated(figure: Figure[Any]) -> Document:
    return {name: value for name, value in figure.provenance._asdict().items() if value not in (None, "")}


def _forecast(forecast: Forecast) -> Document:
    stop = forecast.budget_stop
    return {
        "cost_cents": _spread(forecast.cost),
        "cost_at_least_cents": _spread(forecast.cost_at_least),
        "duration_ms": _spread(forecast.time),
        "duration_at_least_ms": _spread(forecast.time_at_least),
        "elapsed_ms": _spread(forecast.elapsed),
        "cost_if_success_cents": _figures(forecast.cost_if_success),
        "duration_if_success_ms": _figures(forecast.time_if_success),
        "budget_for_confidence_cents": figure(forecast.cost_for_confidence),
        "deadline_for_confidence_ms": figure(forecast.time_for_confidence),
        "budget_stop": None
        if stop is None
        else {
            "chance": estimate(stop.chance),
            "spent_cents": _spread(stop.spent),
            "over_cents": significant(stop.over_cents),
            "unbounded_steps": list(stop.unbounded),
        },
    }


def _step(step: StepForecast) -> Document:
    return {
        "id": step.id,
        "skill": step.skill,
        "chance_to_run": significant(step.runs),
        "chance_to_succeed": significant(step.succeeds),
        "attempts": significant(step.attempts),
        "typical_start_ms": figure(step.typical_start_ms),
        "typical_duration_ms": figure(step.typical_ms),
        "typical_cost_cents": figure(step.typical_cents),
        "duration_ms": _figures(step.time),
        "cost_cents": _figures(step.cost),
    }


def _attribution(attribution: Attribution) -> Document:
    fix = attribution.first
    return {
        "steps": [
            {
                "id": share.id,
                "cost_share": significant(share.cost),
                "time_share": significant(share.time),
                "failure_share": significant(share.failure),
                "criticality": significant(share.critical),
                "over_budget_share": figure(share.over_budget),
                "late_share": figure(share.late),
            }
            for share in attribution.steps
        ],
        "fix": None
        if fix is None
        else {**fix._asdict(), "chance": significant(fix.chance), "share": significant(fix.share)},
        "time": [
            {
                "what": part.what,
                "name": part.name,
                "mean_ms": significant(part.ms),
                "share": significant(part.share),
            }
            for part in attribution.time
        ],
    }


def _evidence(evidence: Evidence) -> Document:
    return {
        **evidence._asdict(),
        "share": significant(evidence.share),
        "clear": None if evidence.clear is None else [significant(edge) for edge in evidence.clear],
    }


def _alternative(offer: Alternative) -> Document:
    """A change and what it gives: enough to apply it, and to choose without applying it."""
    outlook, difference = offer.outlook, offer.difference
    return {
        "kind": offer.kind,
        "title": offer.summary,
        "flags": options(offer.flags),
        "patch": [_operation(operation) for operation in offer.patch],
        "declares": [
            {**declared._asdict(), "at_most": figure(declared.at_most)} for declared in offer.declares
        ],
        "catalog_changes": [_agreement(one) for one in offer.agreed],
        "changes_meaning": offer.changes_meaning,
        "assumes": offer.assumes or None,
        "verdict": outlook.verdict.decision,
        "approvals": [approval._asdict() for approval in outlook.verdict.approvals],
        "chances": _chances(outlook),
        "cost_cents": {"p50": figure(outlook.cost_p50), "p95": figure(outlook.cost_p95)},
        "duration_ms": {"p50": figure(outlook.time_p50), "p95": figure(outlook.time_p95)},
        "difference": {
            "feasible": significant(difference.feasible),
            "cost_cents": {"p50": figure(difference.cost_p50), "p95": figure(difference.cost_p95)},
            "duration_ms": {"p50": figure(difference.time_p50), "p95": figure(difference.time_p95)},
        },
    }


def _agreement(agreement: Agreement) -> Document:
    """The number as it stands in a catalog, and what it would have to be."""
    name = agreement.name.replace("~", "~0").replace("/", "~1")
    of_pool = agreement.setting == "slots"
    return {
        "pointer": f"/pools/{name}" if of_pool else f"/skills/{name}/rate_limit/per_minute",
        "now": significant(agreement.now),
        "needs": significant(agreement.needs),
    }


def _search(result: SimulationResult) -> str:
    if result.search != "done":
        return result.search
    return "found" if result.alternatives else "found_none"


def _operation(operation: Operation) -> Document:
    """RFC 6902: `remove` has no value, and null is one."""
    document = operation._asdict()
    return {key: document[key] for key in document if key != "value" or operation.op != "remove"}


def _unknowns(forecast: Forecast) -> list[Document]:
    """Each null of the document with the place in the plan that causes it."""
    nulls = {
        "unknown_cost": "/forecast/cost_cents",
        "unknown_latency": "/forecast/duration_ms",
        "unknown_failure": "/chances/success/value",
        "unknown_items": "/forecast/duration_ms",
        "unknown_wait": "/forecast/elapsed_ms",
    }
    return [
        {"pointer": nulls[u.code], "code": u.code, "plan_pointer": u.pointer, "reason": u.reason}
        for u in forecast.unknowns
    ]


def _sufficient(verdict: Verdict, forecast: Forecast, confidence: float) -> bool | None:
    codes = {reason.code for reason in verdict.reasons}
    if "budget_insufficient" in codes:
        return False
    return True if forecast.in_budget.low.value >= confidence else None


def _chances(held: Forecast | Outlook) -> Document:
    return {
        name: _chance(getattr(held, name))
        for name in ("feasible", "success", "in_budget", "in_time", "in_limits")
    }


def _chance(chance: Chance) -> Document:
    known = chance.known
    return {
        "value": None if known is None else significant(known.value),
        "se": significant(chance.high.se),
        "low": significant(chance.low.value),
        "high": significant(chance.high.value),
    }


def _spread(spread: Spread | None) -> Document | None:
    if spread is None:
        return None
    figures = {name: estimate(getattr(spread, name)) for name in ("mean", "p50", "p90", "p95", "p99")}
    return {
        **figures,
        "p05": significant(spread.p05),
        "histogram": {"edges": [significant(edge) for edge in spread.edges], "counts": list(spread.counts)},
    }


def _figures(figures: Figures | None) -> Document | None:
    return (
        None if figures is None else {name: significant(value) for name, value in figures._asdict().items()}
    )
