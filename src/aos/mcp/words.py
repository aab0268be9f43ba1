"""Answers in a few lines, for people and models: what matters first. Text of others is made visible."""

from collections.abc import Iterator, Sequence

from aos.domain.forecasts.alternatives import Alternative
from aos.domain.forecasts.results import SimulationResult
from aos.domain.plans.nulls import Doubt
from aos.report.figures import chance
from aos.report.forecast import words
from aos.wire.plans.read import ParsedPlan
from aos.wire.problems import visible

__all__ = ["WIDTH", "forecast", "sound"]

WIDTH = 100
_LINE = 600
_REASONS = 5
_ARGUMENTS = {
    "--budget": "budget_cents",
    "--deadline": "deadline_ms",
    "--confidence": "confidence",
    "--min-success": "min_success",
}


def forecast(result: SimulationResult) -> str:
    """The verdict, why it is not feasible, the smallest change that makes it so, who has to approve it."""
    return "\n".join(visible(line, _LINE) for line in _forecast(result))


def sound(parsed: ParsedPlan, found: Sequence[Doubt]) -> str:
    """That nothing is wrong, what was read otherwise than written, and which steps may read null."""
    steps = len(parsed.plan.steps)
    lines = [f"ok: {steps} step{'s' * (steps != 1)}", *(f"note: {note}" for note in parsed.notes)]
    lines += [f"warning: {doubt.detail}" for doubt in found]
    return "\n".join(visible(line, _LINE) for line in lines)


def _forecast(result: SimulationResult) -> Iterator[str]:
    verdict = result.verdict
    yield f"{verdict.decision.upper()}  {words.typically(result)}"
    yield words.succeeds(result)
    for why in list(words.why(verdict.reasons))[:_REASONS]:
        for sentence, pointers in why.places[:_REASONS]:
            where = f" (at {', '.join(pointers[:_REASONS])})" if any(pointers) else ""
            yield f"why: {why.title} ({why.code}): {sentence}{where}"
    if words.none_found(result):
        yield words.NONE_FOUND
    for number, offer in enumerate(result.alternatives[:1]):
        label = "cheaper or faster" if verdict.decision == "feasible" else "smallest change"
        yield f"{label}: {_change(offer, number)}: feasible, {chance(offer.outlook.feasible.low.value)}"
        yield from (f"  {remark}" for remark in words.remarks(offer, result))
    for approval in verdict.approvals[:_REASONS]:
        yield f"waits for a person of level {approval.level}: {approval.step or 'the plan'}"
    if needed := words.needed(result.plan):
        yield needed
    yield from (f"note: {note}" for note in result.notes)


def _change(offer: Alternative, number: int) -> str:
    """As arguments of the same tool where these do all of it; else the patch that does."""
    if offer.in_options and offer.flags:
        pairs = zip(offer.flags[::2], offer.flags[1::2], strict=True)
        return " ".join(f"{_ARGUMENTS.get(flag, flag)}={value}" for flag, value in pairs)
    patch = f" (JSON Patch in /alternatives/{number}/patch)" if offer.patch else ""
    return f"{offer.summary}{patch}"
