"""Envelopes: what somebody who approves a plan says yes to, and whether a later forecast is still within it.

What was chosen must be the same: the plan with its inputs, the contract of its skills. What was measured may move, as
far as sampling noise and the margins below let it. Figures hold 6 significant digits.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from math import sqrt
from typing import Any, NamedTuple

from aos.domain.approvals.policies import PolicyDecision, rank
from aos.domain.durations import duration
from aos.domain.forecasts.forecast import Forecast, Spread
from aos.domain.forecasts.results import SimulationResult
from aos.domain.plans.references import Reference, as_text, at_path, given, references, resolve, written
from aos.domain.skills.skill import Effects

QUANTILE = 0.95
NOISE = 4.0
"""Standard errors that are put down to chance: one forecast in 15,000 leaves them without a cause."""
TIME_FACTOR = 1.25
"""By so much the p95 of the time may grow: it costs patience, not money."""
SUCCESS_MARGIN = 0.02
"""By so much the chance of success may fall."""
RISK_MARGIN = 0.02
"""A failure that nobody saw is new when more runs than this meet it; one that is rarer depends on the seed."""

_ROUNDED = 1 + 1e-5
_TARGETS = frozenset(
    (
        *("url", "uri", "endpoint", "host", "path", "file", "folder", "bucket", "database", "table"),
        *("to", "cc", "bcc", "recipient", "recipients", "channel", "topic", "queue", "address"),
    )
)
_SAFE = Effects(read_only=True, idempotent=True, destructive=False, reversible=True, open_world=False)


class Held(NamedTuple):
    """A figure: what it is or, where that is not `known`, what the known part of it gives.

    It counts as unknown where any run could meet what is unknown, though none of the samples did.
    """

    value: float
    known: bool


class Reach(NamedTuple):
    """What a step does, and to what: targets with the plan's inputs in them, and names of secrets it is given.

    A target is what a parameter such as `url`, `path` or `to` names, and whatever else is a URL.
    """

    step: str
    skill: str
    effects: Effects
    targets: tuple[str, ...]
    secrets: tuple[str, ...]


class Envelope(NamedTuple):
    """What an approval binds of a forecast. `plan` and `contract` are digests; inputs and limits are in the plan's.

    `samples` is how many runs were drawn, which says how much noise is in the figures. `budget_cents` is the limit
    that was asked for, None: none. `cost` and `time` are what 95 of 100 runs stay within. `risks` are codes of
    failures that were met. `policy` is the digest of the rules that said `decision` and `level`, None where none were
    asked.
    """

    plan: str
    contract: str
    policy: str | None
    decision: PolicyDecision | None
    level: int | None
    samples: int
    budget_cents: Decimal | None
    cost: Held
    time: Held
    success: Held
    risks: tuple[str, ...]
    reach: tuple[Reach, ...]


class Departure(NamedTuple):
    """One thing that is no longer as it was approved: a code of the catalogue, the place in the plan, and both values.

    `tolerated` is how far it could have moved: of cost and time the share of runs beyond `was`, of success the least
    chance, of a risk the largest; None where nothing else would do.
    """

    code: str
    pointer: str
    was: Any
    now: Any
    tolerated: float | None
    detail: str


def envelope(result: SimulationResult) -> Envelope:
    """What an approval of this plan, as it was simulated, would bind."""
    forecast, said = result.forecast, result.policy
    return Envelope(
        plan=result.digests.plan,
        contract=result.digests.catalog_contract,
        policy=said and said.digest,
        decision=said and said.decision,
        level=said and said.level,
        samples=forecast.samples,
        budget_cents=result.limits.budget_cents,
        cost=_held(forecast, forecast.cost_at_least.p95.value, "unknown_cost"),
        time=_held(forecast, forecast.time_at_least.p95.value, "unknown_latency"),
        success=_held(forecast, forecast.success.low.value, "unknown_failure"),
        risks=tuple(sorted({risk.code for risk in forecast.risks})),
        reach=tuple(_reaches(result)),
    )


def departures(approved: Envelope, result: SimulationResult) -> tuple[Departure, ...]:
    """In what a forecast has left the envelope; nothing where the approval still holds.

    The same plan simulated with another seed stays within it. A figure that was unknown may become known; one that was
    known may not become unknown.
    """
    forecast, now = result.forecast, envelope(result)
    return (
        *_other("plan_changed", "the plan or its inputs", approved.plan, now.plan),
        *_other(
            "contract_changed", "what the catalog promises of its skills", approved.contract, now.contract
        ),
        *_policy(approved, now),
        *_budget(approved.budget_cents, now.budget_cents),
        *_cost(approved, forecast, now.cost),
        *_time(approved, forecast, now.time),
        *_success(approved, now),
        *_risks(approved, forecast),
        *_wider(approved.reach, now.reach),
    )


def reach(result: SimulationResult, place: int) -> Reach:
    """What the step at that place does, and to what."""
    step = result.plan.steps[place]
    rooms = list(_items(result, place))
    found = [target for room in rooms for target in _targets(_resolved(dict(step.params), result, room))]
    secrets = {ref.name for _, ref in references(dict(step.params)) if ref.kind == "secrets"}
    return Reach(
        step=step.id,
        skill=step.skill,
        effects=result.skills[step.skill].effects_of(step.params),
        targets=tuple(dict.fromkeys(found)),
        secrets=tuple(sorted(secrets)),
    )


def _reaches(result: SimulationResult) -> Iterator[Reach]:
    for place in range(len(result.plan.steps)):
        yield reach(result, place)


def _items(result: SimulationResult, place: int) -> Sequence[Any]:
    """What a fan-out goes over, where the plan says it; else one call that knows no item."""
    over = given(result.plan.steps[place].for_each, result.plan.inputs)
    return over if isinstance(over, list | tuple) and over else [_NO_ITEM]


_NO_ITEM = object()


def _resolved(params: Any, result: SimulationResult, item: Any) -> Any:
    """Parameters with inputs and the item in their places; what only the run knows stays written as it is."""

    def look_up(ref: Reference) -> Any:
        if ref.kind == "inputs":
            source = result.plan.inputs.get(ref.name)
        elif ref.kind == "item" and item is not _NO_ITEM:
            source = item
        else:
            return written(ref)
        return at_path(source, ref.path)

    return resolve(params, look_up, as_text)


def _targets(params: dict[str, Any]) -> Iterator[str]:
    for name, value in params.items():
        for one in value if isinstance(value, list | tuple) else (value,):
            if name.lower() in _TARGETS or (isinstance(one, str) and "://" in one[:40]):
                yield as_text(one)


# -- what may move -----------------------------------------------------------------------------------------


def _held(forecast: Forecast, value: float, cause: str) -> Held:
    return Held(_six(value), not any(one.code in (cause, "unknown_items") for one in forecast.unknowns))


def _six(value: float) -> float:
    return float(f"{value:.6g}")


def _other(code: str, what: str, was: str, now: str) -> Iterator[Departure]:
    if was != now:
        yield Departure(code, "", was, now, None, f"{what} changed")


def _policy(approved: Envelope, now: Envelope) -> Iterator[Departure]:
    """New rules do not matter, stricter ones do."""
    if now.decision is None or rank(now.decision, now.level) <= rank(approved.decision, approved.level):
        return
    was, then = (
        f"{one} of level {level}" if level else str(one or "nothing asked")
        for one, level in ((approved.decision, approved.level), (now.decision, now.level))
    )
    yield Departure("policy_stricter", "", was, then, None, f"the policy said {was} and says {then} now")


def _budget(was: Decimal | None, now: Decimal | None) -> Iterator[Departure]:
    if was is not None and (now is None or now > was):
        more = "no budget" if now is None else f"a budget of {now}c"
        yield Departure(
            "budget_raised", "/budget", was, now, None, f"a budget of {was}c was approved, not {more}"
        )


def _cost(approved: Envelope, forecast: Forecast, now: Held) -> Iterator[Departure]:
    was = approved.cost
    if was.known and not now.known:
        detail = f"the cost was known, at most {was.value:g}c in 95 of 100 runs, and is unknown now"
        yield Departure("cost_outside", "", was.value, None, None, detail)
    elif was.known or not now.known:
        above = share_beyond(forecast.cost_at_least, forecast.samples, was.value)
        most = _tolerated(approved.samples, forecast.samples)
        if above > most:
            detail = f"5 of 100 runs could cost more than {was.value:g}c, now {100 * above:.3g} of 100 do"
            yield Departure("cost_outside", "", was.value, now.value, _six(most), detail)


def _time(approved: Envelope, forecast: Forecast, now: Held) -> Iterator[Departure]:
    was = approved.time
    if was.known and not now.known:
        detail = f"the time was known, at most {duration(was.value)} in 95 of 100 runs, and is unknown now"
        yield Departure("time_outside", "", was.value, None, None, detail)
    elif was.known or not now.known:
        limit = was.value * TIME_FACTOR
        above = share_beyond(forecast.time_at_least, forecast.samples, limit)
        most = _tolerated(approved.samples, forecast.samples)
        if above > most:
            detail = (
                f"5 of 100 runs could take longer than {duration(limit)}, now {100 * above:.3g} of 100 do"
            )
            yield Departure("time_outside", "", was.value, now.value, _six(most), detail)


def _success(approved: Envelope, now: Envelope) -> Iterator[Departure]:
    was, then = approved.success, now.success
    if was.known and not then.known:
        detail = f"the chance of success was known, {100 * was.value:.3g} %, and is unknown now"
        yield Departure("success_outside", "", was.value, None, None, detail)
        return
    least = was.value - SUCCESS_MARGIN - noise((was.value + then.value) / 2, approved.samples, now.samples)
    if then.value < least:
        detail = f"{100 * was.value:.3g} of 100 runs succeeded, now {100 * then.value:.3g} of 100 do"
        yield Departure("success_outside", "", was.value, then.value, _six(least), detail)


def _risks(approved: Envelope, forecast: Forecast) -> Iterator[Departure]:
    most = RISK_MARGIN + noise(RISK_MARGIN, approved.samples, forecast.samples)
    places = {step.id: i for i, step in enumerate(forecast.steps)}
    for risk in forecast.risks:
        if risk.code not in approved.risks and risk.meets > most:
            detail = (
                f"{risk.code} in step {risk.step} was no risk, now {100 * risk.meets:.3g} of 100 runs meet it"
            )
            yield Departure("risk_new", f"/steps/{places[risk.step]}", None, risk.code, _six(most), detail)


def _wider(before: Sequence[Reach], now: Sequence[Reach]) -> Iterator[Departure]:
    """Steps that do what nobody approved. One that is gone is a change of the plan, which its digest tells."""
    known = {one.step: one for one in before}
    for place, one in enumerate(now):
        was, pointer = known.get(one.step), f"/steps/{place}"
        if was is None or was.skill != one.skill:
            detail = f"step {one.step} calls {one.skill}, which was not approved there"
            yield Departure("effect_new", pointer, was and was.skill, one.skill, None, detail)
            continue
        for name, safe in _SAFE._asdict().items():
            if getattr(one.effects, name) != safe == getattr(was.effects, name):
                detail = f"step {one.step} is {'no longer ' if safe else 'now '}{name.replace('_', ' ')}"
                yield Departure("effect_new", pointer, safe, not safe, None, detail)
        for what in ("targets", "secrets"):
            for new in sorted(set(getattr(one, what)) - set(getattr(was, what))):
                detail = f"step {one.step} has one of its {what} that was not approved"
                yield Departure("effect_new", pointer, None, new, None, detail)


def share_beyond(spread: Spread, samples: int, limit: float) -> float:
    """At least this share of the runs is beyond the limit; 0 where the p95 is within it.

    The histogram knows it to one of its 32 cells between the least value and the p95.
    """
    limit *= _ROUNDED
    if limit < 0:
        return 1.0
    if limit >= spread.p95.value:
        return 0.0
    cells = zip(spread.edges, spread.counts, strict=False)
    return 1 - sum(count for low, count in cells if low <= limit) / samples


def _tolerated(one: int, other: int) -> float:
    """The share of runs that may be beyond the approved p95: 5 of 100, and what two samplings may be apart."""
    return 1 - QUANTILE + noise(QUANTILE, one, other)


def noise(chance: float, one: int, other: int) -> float:
    """Four standard errors of the difference of two shares from so many samples each."""
    return NOISE * sqrt(chance * (1 - chance) * (1 / one + 1 / other))
