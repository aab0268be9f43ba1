"""Comparisons as JSON documents."""

from collections.abc import Iterator, Sequence

from aos.domain.forecasts.differences import (
    ApprovalDifference,
    Comparison,
    Pair,
    Quantity,
    StepDifference,
    StepFigures,
)
from aos.domain.forecasts.results import SimulationResult
from aos.wire.plans.changes import dump_change
from aos.wire.results.documents import Document, envelope, figure, money

__all__ = ["comparison"]

_CHANCES = ("feasible", "success", "in_budget", "in_time")
_REASONS = {
    "cost_cents": ("unknown_cost", "unknown_items"),
    "duration_ms": ("unknown_latency", "unknown_items"),
    "success": ("unknown_failure", "unknown_items"),
    "fails": ("unknown_failure", "unknown_items"),
    "in_budget": ("unknown_cost", "unknown_items"),
    "in_time": ("unknown_latency", "unknown_items"),
    "feasible": ("unknown_cost", "unknown_latency", "unknown_failure", "unknown_items"),
}


def comparison(found: Comparison, exit_status: int) -> Document:
    """The document `aos.diff/1`: what B is worse and better in, then every figure of both and its difference."""
    document = {
        **envelope("aos.diff/1"),
        "exit_code": exit_status,
        "worse": list(found.worse),
        "better": list(found.better),
        "a": _side(found.a),
        "b": _side(found.b),
        "cost_cents": _quantity(found.figures.cost),
        "duration_ms": _quantity(found.figures.time),
        "chances": {name: _pair(getattr(found.figures, name)) for name in _CHANCES},
        "approvals": [_approval(one) for one in found.approvals],
        "changes": [dump_change(change) for change in found.changes],
        "steps": [_step(step) for step in found.steps],
        "samples": found.a.forecast.samples,
        "seed": found.a.seed,
    }
    return {**document, "unknowns": list(_unknowns(found, document))}


def _side(result: SimulationResult) -> Document:
    verdict = result.verdict
    return {
        "name": result.plan.name,
        "steps": len(result.plan.steps),
        "verdict": verdict.decision,
        "status": verdict.status,
        "reasons": [reason._asdict() for reason in verdict.reasons],
        "budget_cents": money(result.limits.budget_cents),
        "deadline_ms": figure(result.limits.deadline_ms),
        "warnings": list(result.notes),
        "digests": result.digests._asdict(),
    }


def _quantity(quantity: Quantity) -> Document:
    return {name: _pair(pair) for name, pair in quantity._asdict().items()}


def _pair(pair: Pair) -> Document:
    figures = {"a": pair.a, "b": pair.b, "change": None, "se": None}
    if pair.delta:
        figures |= pair.delta._asdict()
        figures["change"] = figures.pop("value")
    rounded = {name: figure(value) for name, value in figures.items()}
    return {**rounded, "difference": pair.delta.kind if pair.delta else "unknown"}


def _approval(one: ApprovalDifference) -> Document:
    return {"step": one.step, "a": one.a, "b": one.b}


def _step(step: StepDifference) -> Document:
    return {
        "status": step.status,
        "a": step.a,
        "b": step.b,
        "skill": step.skill,
        "changes": [dump_change(change) for change in step.changes],
        **_figures(step.figures),
    }


def _figures(figures: StepFigures) -> Document:
    return {
        "runs": _pair(figures.runs),
        "fails": _pair(figures.fails),
        "cost_cents": _pair(figures.cost),
        "duration_ms": _pair(figures.time),
    }


# -- what is unknown ---------------------------------------------------------------------------------------


def _unknowns(found: Comparison, document: Document) -> Iterator[Document]:
    """Every null of a figure, with what in the plan causes it."""
    for part in ("cost_cents", "duration_ms"):
        for name, pair in document[part].items():
            yield from _of_pair(found, f"/{part}/{name}", part, pair)
    for name, pair in document["chances"].items():
        yield from _of_pair(found, f"/chances/{name}", name, pair)
    for i, step in enumerate(document["steps"]):
        for name in ("fails", "cost_cents", "duration_ms"):
            yield from _of_pair(found, f"/steps/{i}/{name}", name, step[name], step)


def _of_pair(
    found: Comparison, pointer: str, what: str, pair: Document, step: Document | None = None
) -> Iterator[Document]:
    missing = [side for side in ("a", "b") if pair[side] is None]
    for side in missing:
        result = found.a if side == "a" else found.b
        at_step = None if step is None else _place(result, step[side])
        yield {"pointer": f"{pointer}/{side}", "reason": _reason(result, _REASONS[what], at_step)}
    for name in ("change", "se") if missing else ():
        yield {"pointer": f"{pointer}/{name}", "reason": f"{' and '.join(missing).upper()} is unknown"}


def _place(result: SimulationResult, step: str) -> str:
    return next(f"/steps/{i}" for i, own in enumerate(result.plan.steps) if own.id == step)


def _reason(result: SimulationResult, codes: Sequence[str], place: str | None) -> str:
    """The first unknown figure that bears on it, of all or of those at one step, and how many more there are."""
    first, *more = (
        f"{unknown.reason} ({unknown.pointer})"
        for unknown in result.forecast.unknowns
        if unknown.code in codes and (place is None or f"{unknown.pointer}/".startswith(f"{place}/"))
    )
    return f"{first} and {len(more)} more" if more else first
