"""What is said of a simulation, in plain words: Markdown and HTML pages put the same sentences into their own form.

Any text here may hold words from a plan or a catalog; whoever writes it escapes it.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from math import isclose
from operator import itemgetter
from typing import Any, NamedTuple

from aos.domain.forecasts.alternatives import Alternative
from aos.domain.forecasts.forecast import BudgetStop, Chance, Figures, Forecast, Risk, Spread
from aos.domain.forecasts.results import SimulationResult
from aos.domain.forecasts.verdicts import Limits, Reason, Verdict
from aos.domain.plans.plan import Plan, secrets
from aos.domain.skills.skill import CallCost, FailureMode, FanOut, Figure, Provenance, Skill, TokenCost
from aos.errors import CODES, Exit
from aos.report.figures import UNKNOWN, between, cents, chance, count, duration, few, money, percent
from aos.report.learning.sources import missing
from aos.wire.results.documents import options

_WORTH_SAYING = 0.001
_NOTABLE = 0.10
_ROUNDING = 0.005
_NAMED = 3
NONE_FOUND = "None of the changes that were tried is enough: other limits, and up to two changes of steps."


class Place(NamedTuple):
    """A sentence and the JSON Pointers into the plan that it is true of."""

    sentence: str
    pointers: tuple[str, ...]


class Why(NamedTuple):
    """A reason of a verdict: `no` where it makes the plan infeasible, else it leaves the verdict open."""

    code: str
    title: str
    no: bool
    places: tuple[Place, ...]
    fix: str


class Quantity(NamedTuple):
    """Cost or time. `spread` is None where a figure is unknown; `at_least` is what the known ones add up to.

    `limit` is None where there is none; `kept` is the chance that it is kept, `missing` says what nobody knows.
    """

    noun: str
    spread: Spread | None
    at_least: Spread
    write: Callable[[float], str]
    limit: float | None
    limit_words: str
    kept: Chance
    missing: tuple[Place, ...]
    if_success: Figures | None = None

    @property
    def shown(self) -> Spread:
        """The spread, or what is known of it."""
        return self.spread or self.at_least

    @property
    def constant(self) -> bool:
        """Whether all samples are the same: what lies beyond the edges shows in the mean."""
        spread = self.shown
        same = isclose(spread.mean.value, spread.p50.value, rel_tol=1e-9, abs_tol=1e-9)
        return len(spread.edges) == 1 and same

    @property
    def nothing_known(self) -> bool:
        """Whether what the known figures add up to is nothing."""
        return self.spread is None and not self.at_least.p99.value

    def in_words(self) -> str:
        """`0c in every run`, `at least 3.2 s`: the quantity where quantiles would all be alike, else ""."""
        spread = self.shown
        if self.nothing_known:
            return UNKNOWN
        usual = self.write(spread.p50.value)
        if self.constant:
            return f"{usual} in every run" if self.spread else f"{UNKNOWN}; at least {usual}"
        if spread.p50.value == spread.p99.value:
            return f"{usual} in most runs, {self.write(spread.mean.value)} on average"
        return ""

    def of_success(self) -> str:
        """`of runs that succeed: p50 4c, p90 9c, p95 12c`, where their p90 is off that of all by a tenth; else ""."""
        found = self.if_success
        if (
            self.spread is None
            or found is None
            or isclose(self.spread.p90.value, found.p90, rel_tol=_NOTABLE)
        ):
            return ""
        figures = (f"{name} {self.write(getattr(found, name))}" for name in ("p50", "p90", "p95"))
        return f"of runs that succeed: {', '.join(figures)}"

    def quantiles(self) -> list[tuple[str, float]]:
        """`p50`, `p90`, `p95`, `p99` of what is known."""
        return [(name, getattr(self.shown, name).value) for name in ("p50", "p90", "p95", "p99")]


class Kept(NamedTuple):
    """A chance, and the share of runs that was asked for."""

    what: str
    chance: str
    asked: str


# -- the verdict -------------------------------------------------------------------------------------------


def typically(result: SimulationResult) -> str:
    """`0c, typically 810 ms`; `typically 44.2c and 19 s`; with what the verdict still waits for."""
    forecast = result.forecast
    cost = typical("cost", forecast.typical_cents, forecast.cost, money)
    time = typical("time", forecast.typical_ms, forecast.time, duration)
    both = f"{cost}, {time}"
    both = both.replace(", typically", " and") if both.startswith("typically") else both
    waits = result.verdict.decision == "feasible" and result.verdict.approvals
    return f"{both}, once approved" if waits else both


def succeeds(result: SimulationResult) -> str:
    """`96.4 % ± 0.2 % of runs succeed within the budget`."""
    share, within = between(result.forecast.feasible), limits_kept(result.limits)
    if share == UNKNOWN:
        return f"what share of runs succeeds{within} is unknown"
    return f"{share} of runs succeed{within}"


def why(reasons: tuple[Reason, ...]) -> Iterator[Why]:
    """Each code once, with the places it was found at and what to do."""
    for code, found in groupby(reasons, key=lambda reason: reason.code):
        row = CODES[code]
        places = _places((reason.detail, reason.pointer) for reason in found)
        yield Why(code, row.title, row.exit is Exit.NO, places, row.fix)


def kept(result: SimulationResult) -> Iterator[Kept]:
    """The chances besides that of the headline: of success, of each limit, of both."""
    forecast, limits = result.forecast, result.limits
    sure = percent(limits.confidence)
    budget, deadline = limits.budget_cents is not None, limits.deadline_ms is not None
    yield Kept(
        "every step that must succeed does",
        between(forecast.success),
        percent(limits.min_success),
    )
    if budget:
        yield Kept(f"the budget of {money(limits.budget_cents)} is kept", between(forecast.in_budget), sure)
    if deadline:
        words = f"the deadline of {duration(limits.deadline_ms, stated=True)} is kept"
        yield Kept(words, between(forecast.in_time), sure)
    if budget and deadline:
        yield Kept("both limits are kept", between(forecast.in_limits), sure)


def quantities(result: SimulationResult, *, unnamed: bool = False) -> tuple[Quantity, Quantity]:
    """Cost and time, held against their limits; `unnamed`: what they miss is as for `missing_figures`."""
    forecast, limits = result.forecast, result.limits
    cost = Quantity(
        "cost",
        forecast.cost,
        forecast.cost_at_least,
        cents,
        None if limits.budget_cents is None else float(limits.budget_cents),
        f"budget {money(limits.budget_cents)}",
        forecast.in_budget,
        missing_figures(result, "unknown_cost", "unknown_items", unnamed=unnamed),
        forecast.cost_if_success,
    )
    time = Quantity(
        "time",
        forecast.time,
        forecast.time_at_least,
        duration,
        limits.deadline_ms,
        f"deadline {duration(limits.deadline_ms, stated=True)}",
        forecast.in_time,
        missing_figures(result, "unknown_latency", "unknown_items", unnamed=unnamed),
        forecast.time_if_success,
    )
    return cost, time


def overshoot(stop: BudgetStop, budget: str = "it") -> str:
    """How far a run can go over its `budget` by the steps that have begun; nothing where it can't."""
    if stop.unbounded:
        return f"nothing bounds how far {few(stop.unbounded, _NAMED)} can go over {budget}"
    return f"what has begun can go {cents(stop.over_cents)} over {budget} at most" if stop.over_cents else ""


def asides(result: SimulationResult) -> Iterator[str]:
    """What belongs to cost and time besides: runs that succeed, the budget that stops runs, the wait for people."""
    forecast = result.forecast
    for q in quantities(result):
        if told := q.of_success():
            yield f"{q.noun} {told}"
    stop = forecast.budget_stop
    if stop and stop.chance.value >= _WORTH_SAYING:
        stopped = chance(stop.chance.value)
        yield f"the budget would stop {stopped} of runs, before a step whose p95 no longer fits"
    if stop and (over := overshoot(stop, "the budget")):
        yield over
    for approval in result.verdict.approvals:
        yield f"before {approval.step or 'it starts'}, a person of level {approval.level} has to agree"
    if not result.verdict.approvals:
        return
    if forecast.elapsed is None:
        reason = next((f": {u.reason}" for u in forecast.unknowns if u.code == "unknown_wait"), "")
        yield f"with the wait for approvals the time is {UNKNOWN}{reason}"
    else:
        p50, p95 = duration(forecast.elapsed.p50.value), duration(forecast.elapsed.p95.value)
        yield f"with the wait for approvals: p50 {p50}, p95 {p95}"


def needed(plan: Plan) -> str:
    """`the secrets slack-token, mail, looked for when it runs`; "" where the plan names none."""
    names = [*secrets(plan)]
    if not names:
        return ""
    return f"the secret{'s' if len(names) > 1 else ''} {few(names, _NAMED)}, looked for when it runs"


# -- what drives it, and what it rests on ------------------------------------------------------------------


def none_found(result: SimulationResult) -> bool:
    """Whether changes were looked for that would make it feasible, and there are none."""
    return result.search == "done" and not result.alternatives and result.verdict.decision != "feasible"


def flags(offer: Alternative) -> str:
    """The options that do it, where they do all of it: `--budget 137`; else ""."""
    return " ".join(options(offer.flags)) if offer.in_options else ""


def remarks(offer: Alternative, result: SimulationResult) -> Iterator[str]:
    """What a change moves, and what it takes for granted."""
    yield from moved(offer, result.forecast)
    yield from assumptions(offer, result.verdict)


def moved(offer: Alternative, forecast: Forecast) -> Iterator[str]:
    """The p95 of cost and of time where they change: `cost p95 4c instead of 9c`."""
    new, cost, time = offer.outlook, forecast.cost, forecast.time
    yield from _moved("cost", new.cost_p95, cost and cost.p95.value, cents)
    yield from _moved("time", new.time_p95, time and time.p95.value, duration)


def assumptions(offer: Alternative, verdict: Verdict) -> Iterator[str]:
    """What a change takes for granted, and whom it has to wait for where the plan as it is would not."""
    if more := {*offer.outlook.verdict.approvals} - {*verdict.approvals}:
        yield f"once a person of level {max(approval.level for approval in more)} has approved it"
    if offer.declares:
        yield "nobody knows: it has to be found out, and stated in a catalog"
    if offer.agreed:
        yield "changes the catalog: others have to agree"
    if offer.changes_meaning:
        yield f"changes what the plan does: {offer.assumes}"
    elif offer.assumes:
        yield f"if {offer.assumes}"


def worst(risks: tuple[Risk, ...], most: int) -> list[Risk]:
    """Those that most often end their step and those most often met, in the forecast's order."""
    shown = {*risks[:most], *sorted(risks, key=lambda risk: -risk.meets)[:most]}
    return [risk for risk in risks if risk in shown]


def p50_p95(figures: Figures | None, write: Callable[[float], str]) -> tuple[str, str]:
    """p50 and p95 of a step."""
    return (UNKNOWN, UNKNOWN) if figures is None else (write(figures.p50), write(figures.p95))


def basis(result: SimulationResult) -> str:
    """`3 steps; 10,000 samples, seed 0`."""
    steps = count(len(result.plan.steps), "step")
    return f"{steps}; {count(result.forecast.samples, 'sample')}, seed {result.seed}"


def source(provenance: Provenance) -> str:
    """`measured (n 312, 2026-03-01): median of runs`."""
    facts = [f"n {provenance.n:,}"] if provenance.n is not None else []
    facts += [provenance.as_of] if provenance.as_of else []
    facts += [f"over {provenance.window_days:g} days"] if provenance.window_days else []
    known = f" ({', '.join(facts)})" if facts else ""
    return f"{provenance.source}{known}" + (f": {provenance.method}" if provenance.method else "")


def origins(skill: Skill) -> Iterator[tuple[str, Provenance | None]]:
    """Every figure of a descriptor by name (`latency`, `failures.TIMEOUT.probability`); None: nobody knows it."""
    for field in ("latency", "cost", "failures", "overhead", "fan_out"):
        yield from _origins(field, getattr(skill, field))
    for name in missing(skill):
        yield name, None


def command(result: SimulationResult) -> list[str]:
    """The command and its options that compute the result again, from the plan and catalog of its digests."""
    limits = result.limits
    words = ["aos simulate plan.json"]
    words += [] if limits.budget_cents is None else [f"--budget {limits.budget_cents:f}"]
    words += [] if limits.deadline_ms is None else [f"--deadline {limits.deadline_ms:.15g}"]
    words += [f"--confidence {limits.confidence:.15g}", f"--min-success {limits.min_success:.15g}"]
    return [*words, f"--samples {result.samples}", f"--seed {result.seed}"]


def _moved(noun: str, new: float | None, old: float | None, write: Callable[[float], str]) -> Iterator[str]:
    """The new figure, and the old one where it is known and another."""
    if new is not None and (old is None or abs(new - old) > _ROUNDING * old):
        yield f"{noun} p95 {write(new)}" + ("" if old is None else f" instead of {write(old)}")


def _origins(name: str, value: Any) -> Iterator[tuple[str, Provenance]]:
    if isinstance(value, Figure | FanOut):
        yield name, value.provenance
    elif isinstance(value, FailureMode | CallCost | TokenCost):
        for field in value._fields:
            yield from _origins(f"{name}.{field}", getattr(value, field))
    elif isinstance(value, tuple):
        for mode in value:
            yield from _origins(f"{name}.{mode.code}", mode)


def typical(noun: str, value: float | None, spread: Spread | None, write: Callable[[float], str]) -> str:
    """What a typical run costs or takes; without the word where every run does."""
    if value is None:
        return f"{noun} {UNKNOWN}"
    always = spread is not None and len(spread.edges) == 1 and isclose(spread.mean.value, spread.p50.value)
    return write(value) if always else f"typically {write(value)}"


def limits_kept(limits: Limits) -> str:
    """Which limits a run keeps, as the end of a sentence."""
    match limits.budget_cents is not None, limits.deadline_ms is not None:
        case True, True:
            return " within budget and deadline"
        case True, False:
            return " within the budget"
        case False, True:
            return " by the deadline"
        case _:
            return ""


def missing_figures(result: SimulationResult, *codes: str, unnamed: bool) -> tuple[Place, ...]:
    """The figures that nobody knows, by their codes; `unnamed`: those that the verdict's reasons don't name already."""
    named = {(reason.code, reason.pointer) for reason in result.verdict.reasons} if unnamed else ()
    found = (u for u in result.forecast.unknowns if u.code in codes and (u.code, u.pointer) not in named)
    return _places((unknown.reason, unknown.pointer) for unknown in found)


def _places(found: Iterable[tuple[str, str]]) -> tuple[Place, ...]:
    """Each sentence once, then the pointers it is true of."""
    return tuple(
        Place(sentence, tuple(pointer for _, pointer in group if pointer))
        for sentence, group in groupby(found, key=itemgetter(0))
    )
