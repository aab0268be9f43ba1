"""The verdict: samples until every threshold is clear, then feasible, infeasible or undetermined, and why."""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal, NamedTuple

from aos.domain.durations import duration, rounded_up
from aos.domain.forecasts.attribution import Attribution, Spending
from aos.domain.forecasts.forecast import Chance, Forecast
from aos.domain.forecasts.verdicts import (
    MAX_SAMPLES,
    STANDARD_ERRORS,
    Approval,
    Decision,
    Limits,
    Reason,
    Status,
    Verdict,
)
from aos.engine.execution.program import Program
from aos.engine.simulate import Samples, Simulation
from aos.engine.summary import chances, forecast

_MUCH = 0.1
_QUEUES: Mapping[Spending, str] = {"slots": "slots", "rate_limit": "the rate limit"}

Answer = Literal["yes", "no", "close", "unknown"]


class _Check(NamedTuple):
    """One threshold: what is asked, the chance, the least it must be, the codes of unknowns that bear on it."""

    code: str
    chance: Chance
    threshold: float
    unknowns: tuple[str, ...]


class Judged(NamedTuple):
    """A forecast and what it was decided; `chunk` are the first samples, with what every step did in them."""

    forecast: Forecast
    verdict: Verdict
    chunk: Samples


def judge(
    program: Program,
    limits: Limits,
    *,
    samples: int,
    seed: int,
    refused: Sequence[Reason] = (),
    progress: Callable[[int], None] | None = None,
) -> Judged:
    """Forecast a program and decide. Samples double, up to 160,000, while a threshold is too close to call.

    `refused` are reasons known beforehand (a skill that is disabled, a permission that is missing): any of
    them makes the plan infeasible. `progress` is told the number of samples drawn so far.
    """
    simulation = Simulation(program, seed)
    chunks: list[Samples] = []
    wanted = samples
    while True:
        for chunk in simulation.take(wanted - sum(len(c.cost) for c in chunks)):
            chunks.append(chunk)
            if progress:
                progress(sum(len(c.cost) for c in chunks))
        if wanted * 2 > MAX_SAMPLES or not too_close(chunks, limits):
            break
        wanted *= 2
    result = forecast(program, chunks, seed, limits)
    return Judged(result, verdict(program, result, limits, refused), chunks[0])


def too_close(chunks: Sequence[Samples], limits: Limits) -> bool:
    """Whether a threshold is so close that more samples could still tell on which side of it a chance is."""
    return "close" in {_answer(check) for check in _checks(chances(chunks, limits), limits)}


def verdict(program: Program, result: Forecast, limits: Limits, refused: Sequence[Reason] = ()) -> Verdict:
    """Decide on a forecast: see `judge`."""
    checks = _checks(
        (result.success, result.in_budget, result.in_time, result.in_limits, result.feasible), limits
    )
    against, doubts = list(refused), list[Reason]()
    for check in checks:
        match _answer(check):
            case "no":
                against.append(_reason(check, result, limits))
            case "close":
                doubts.append(_too_close(check))
            case "unknown":
                doubts += [
                    Reason(u.code, u.pointer, u.reason) for u in result.unknowns if u.code in check.unknowns
                ]
    if len(against) > 1 and against[-1].code == "limits_exceeded":
        against = against[:-1]
    decision: Decision = "infeasible" if against else "undetermined" if doubts else "feasible"
    reasons = tuple(dict.fromkeys([*against, *doubts]))
    return Verdict(decision, _status(decision, reasons, result), reasons, _approvals(program))


def told_of_waits(decided: Verdict, shares: Attribution) -> Verdict:
    """The verdict, whose reason for being late says what runs wait for where that is a tenth of their time or more."""
    waits = [
        f"{_share(part.share)} for {_QUEUES[part.what]} of {part.name}"
        for part in shares.time
        if part.what in _QUEUES and part.share >= _MUCH
    ]
    if not waits:
        return decided
    said = f"; of their time runs wait {' and '.join(waits)}"
    reasons = (
        reason._replace(detail=reason.detail + said) if reason.code == "deadline_exceeded" else reason
        for reason in decided.reasons
    )
    return decided._replace(reasons=tuple(reasons))


def _checks(found: tuple[Chance, Chance, Chance, Chance, Chance], limits: Limits) -> list[_Check]:
    success, in_budget, in_time, in_limits, _ = found
    cost = ("unknown_cost", "unknown_items")
    time = ("unknown_latency", "unknown_items")
    return [
        _Check("risk_too_high", success, limits.min_success, ("unknown_failure", "unknown_items")),
        _Check("budget_insufficient", in_budget, limits.confidence, cost),
        _Check("deadline_exceeded", in_time, limits.confidence, time),
        _Check("limits_exceeded", in_limits, limits.confidence, (*cost, *time)),
    ]


def _answer(check: _Check) -> Answer:
    low, high = check.chance
    if high.value + STANDARD_ERRORS * high.se < check.threshold:
        return "no"
    # No chance is below 0: of a threshold of 0 there is no doubt.
    if max(0.0, low.value - STANDARD_ERRORS * low.se) >= check.threshold:
        return "yes"
    if check.chance.known or abs(high.value - check.threshold) < STANDARD_ERRORS * high.se:
        return "close"
    return "unknown"


def _reason(check: _Check, result: Forecast, limits: Limits) -> Reason:
    chance = check.chance.high.value
    asked = f"{check.threshold * 100:g} % asked for"
    match check.code:
        case "budget_insufficient":
            enough = result.cost_for_confidence
            needs = "no budget is known to be enough" if enough is None else f"{enough:.6g}c would be enough"
            detail = f"{_share(chance)} of runs stay within {limits.budget_cents}c, {asked}; {needs}"
        case "deadline_exceeded":
            needs = "no deadline is known to be enough"
            if result.time_for_confidence is not None:
                needs = f"{duration(rounded_up(result.time_for_confidence), stated=True)} would be enough"
            within = duration(limits.deadline_ms or 0.0, stated=True)
            detail = f"{_share(chance)} of runs end within {within}, {asked}; {needs}"
        case "limits_exceeded":
            detail = f"{_share(chance)} of runs keep budget and deadline at once, {asked}"
        case _:
            detail = f"{_share(chance)} of runs succeed, {asked}{_worst(result)}"
    return Reason(check.code, "", detail)


def _worst(result: Forecast) -> str:
    if not result.risks:
        return ""
    worst = result.risks[0]
    return f"; {worst.step} fails most, with {worst.code} in {_share(worst.fails)} of runs"


def _share(value: float) -> str:
    return f"{value * 100:.3g} %"


def _too_close(check: _Check) -> Reason:
    chance = check.chance.high
    detail = f"{_share(chance.value)} +- {_share(chance.se)} against {check.threshold * 100:g} % asked for"
    return Reason("too_close", "", f"{detail} ({check.code})")


def _status(decision: Decision, reasons: tuple[Reason, ...], result: Forecast) -> Status:
    if decision != "infeasible":
        return "feasible" if decision == "feasible" else "undetermined"
    match reasons[0].code:
        case "limits_exceeded":
            tighter = result.in_budget.high.value <= result.in_time.high.value
            return "budget_insufficient" if tighter else "deadline_exceeded"
        case "skill_unavailable" | "permission_denied" | "risk_too_high" | "deadline_exceeded" as status:
            return status
        case _:
            return "budget_insufficient"


def _approvals(program: Program) -> tuple[Approval, ...]:
    return tuple(
        Approval(call.step.id, f"/steps/{i}/approval", call.step.approval)
        for i, call in enumerate(program.calls)
        if call.step.approval
    )
