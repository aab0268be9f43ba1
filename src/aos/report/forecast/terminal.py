"""The verdict of a simulation for people: what it is, why, and what it rests on; the most important first."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from rich.table import Table

from aos.domain.forecasts.forecast import Forecast, Spread
from aos.domain.forecasts.results import SimulationResult
from aos.domain.forecasts.verdicts import STANDARD_ERRORS, Approval, Decision, Reason
from aos.domain.skills.prices import ModelPrice
from aos.report.figures import UNKNOWN, between, chance, count, duration, few, percent
from aos.report.forecast import words
from aos.report.forecast.advice import alternatives, drivers, evidence
from aos.report.forecast.steps import risks, typical_run
from aos.report.forecast.words import Place, Quantity, needed, overshoot
from aos.report.learning.sources import sources
from aos.report.parts.page import BAD, BAR, FAINT, GOOD, OPEN, STRONG, Line, Page, Part, left_out
from aos.report.parts.pictures import LIMIT, histogram

_COLOURS: Mapping[Decision, str] = {"feasible": GOOD, "infeasible": BAD, "undetermined": OPEN}
_NO, _OPEN = ("✗", f"bold {BAD}"), ("?", f"bold {OPEN}")
_PLACES = 5
"""Places named for one reason; the others are counted."""
_WORTH_SAYING = 0.001
_DIGITS = 8
"""Digits of a digest that tell one plan from another at a glance."""


def simulation(result: SimulationResult, width: int, colour: bool, ascii: bool = False) -> str:
    """The whole answer, at most `width` columns wide (it uses 40 to 100).

    `colour` allows the terminal's 16 colours; `ascii` is for outputs that can encode nothing else.
    """
    page = Page(width=width, colour=colour, ascii=ascii, labels=8)
    forecast, verdict = result.forecast, result.verdict
    for line in _headline(result):
        page.add(line)
    page.section("why", _reasons(page, verdict.reasons))
    page.section("fixes" if verdict.decision != "feasible" else "gains", alternatives(page, result))
    if verdict.decision == "undetermined":
        page.section("evidence", evidence(result.evidence))
    page.section("approval", _approvals(verdict.approvals))
    if result.policy is not None:
        from aos.report.forecast.policy import rulings

        page.section("policy", rulings(result.policy))
    page.section("needs", filter(None, [needed(result.plan)]))
    cost, time = words.quantities(result, unnamed=True)
    sure = result.limits.confidence
    page.section("cost", [*_quantity(page, cost, sure), *_stop(forecast)])
    page.section("time", [*_quantity(page, time, sure), *_elapsed(result)])
    unknown = words.missing_figures(result, "unknown_failure", unnamed=True)
    page.section("risks", [*risks(page, forecast, result.limits.min_success), *_places(unknown)])
    page.section("drivers", drivers(result.attribution, forecast))
    page.section("steps", typical_run(page, forecast))
    page.section("basis", _basis(result))
    return str(page)


def _headline(result: SimulationResult) -> Iterator[Line]:
    decision = result.verdict.decision
    yield [(decision.upper(), f"bold {_COLOURS[decision]}"), f"  {words.typically(result)}"]
    share, told = between(result.forecast.feasible), words.succeeds(result)
    yield told if share == UNKNOWN else [(share, STRONG), told.removeprefix(share)]


def _reasons(page: Page, reasons: tuple[Reason, ...]) -> Iterator[Table]:
    """Each code once, with the places it was found at and what to do."""
    rows: list[list[Line]] = []
    for why in words.why(reasons):
        rows.append([_NO if why.no else _OPEN, [(why.title, STRONG), (f"  {why.code}", FAINT)]])
        rows += [["", line] for line in _places(why.places)]
        rows.append([("→", STRONG), why.fix])
    if rows:
        yield page.table("lw", rows)


def _places(places: Sequence[Place]) -> Iterator[Line]:
    """Each sentence, then the pointers it is true of; a few of both."""
    for sentence, pointers in places[:_PLACES]:
        yield sentence
        if pointers:
            yield (f"at {few(pointers, _PLACES)}", FAINT)
    yield from left_out(len(places) - _PLACES)


def _approvals(approvals: tuple[Approval, ...]) -> Iterator[Line]:
    for approval in approvals[:_PLACES]:
        yield [
            f"{approval.step or 'the plan'} waits for a person of level {approval.level}  ",
            (approval.pointer, FAINT),
        ]
    yield from left_out(len(approvals) - _PLACES)


# -- cost and time ---------------------------------------------------------------------------------------


def _quantity(page: Page, q: Quantity, confidence: float) -> Iterator[Line]:
    spread = q.shown
    least: list[Part] = [] if q.spread else [(UNKNOWN, OPEN), "; at least "]
    if q.nothing_known:
        yield (UNKNOWN, OPEN)
    elif q.constant:
        yield [*least, q.write(spread.p50.value), "" if least else " in every run"]
    elif spread.p50.value == spread.p99.value:
        usual, mean = q.write(spread.p50.value), q.write(spread.mean.value)
        yield [*least, f"{usual} in most runs, {mean} on average"]
    else:
        yield [*least, *_quantiles(spread, q.write)]
        yield from _picture(page, spread, q)
    if told := q.of_success():
        yield told
    yield from _places(q.missing)
    if q.limit is not None:
        yield _kept(q, confidence)


def _quantiles(spread: Spread, write: Callable[[float], str]) -> list[Part]:
    parts: list[Part] = []
    for name in ("p50", "p90", "p95", "p99"):
        parts += [(f"{name} ", FAINT), f"{write(getattr(spread, name).value)}   "]
    return parts


def _picture(page: Page, spread: Spread, q: Quantity) -> Iterator[Line]:
    """The histogram between its ends; the right one is the limit where that lies beyond the samples."""
    low, high, limit = q.write(spread.edges[0]), q.write(spread.edges[-1]), q.write(q.limit or 0.0)
    room = page.inner - len(low) - max(len(high), len(limit)) - 3
    cells = histogram(spread.edges, spread.counts, q.limit, room)
    if cells:
        before, mark, after = cells.partition(LIMIT)
        end = limit if cells.endswith(LIMIT) else high
        yield [(f"{low} ", FAINT), (before, BAR), (mark, STRONG), (after, BAR), (f" {end}", FAINT)]


def _kept(q: Quantity, confidence: float) -> Line:
    share, asked = between(q.kept), f"{percent(confidence)} asked for"
    limit = f"the {q.limit_words.replace(' ', ' of ', 1)}"
    if share == UNKNOWN:
        return [("unknown", OPEN), f" how many runs keep {limit}; {asked}"]
    low, high = q.kept
    surely = low.value - STANDARD_ERRORS * low.se >= confidence
    never = high.value + STANDARD_ERRORS * high.se < confidence
    colour = GOOD if surely else BAD if never else OPEN
    return [(share, colour), f" of runs keep {limit}; {asked}"]


def _stop(forecast: Forecast) -> Iterator[Line]:
    stop = forecast.budget_stop
    if stop and stop.chance.value >= _WORTH_SAYING:
        yield f"it would stop {chance(stop.chance.value)} of runs, before a step whose p95 no longer fits"
    if stop and (over := overshoot(stop)):
        yield over


def _elapsed(result: SimulationResult) -> Iterator[Line]:
    """What waiting for people adds; `time` leaves it out."""
    if not result.verdict.approvals:
        return
    elapsed = result.forecast.elapsed
    if elapsed is not None:
        yield "with the wait for approvals:"
        yield [*_quantiles(elapsed, duration)]
        return
    why = next((f": {u.reason}" for u in result.forecast.unknowns if u.code == "unknown_wait"), "")
    yield ["with the wait for approvals ", (UNKNOWN, OPEN), why]


# -- what it rests on ------------------------------------------------------------------------------------


def _basis(result: SimulationResult) -> Iterator[Line]:
    name = f"{result.plan.name}, " if result.plan.name else ""
    drawn = f"{result.forecast.samples:,} samples, seed {result.seed}"
    yield (f"{name}{count(len(result.plan.steps), 'step')}; {drawn}", FAINT)
    yield (sources(result.skills.values()), FAINT)
    if result.prices:
        yield (f"prices: {_prices(result.prices)}", FAINT)
    yield (f"plan {_short(result.digests.plan)}, catalog {_short(result.digests.catalog)}", FAINT)
    for note in result.notes:
        yield (f"note: {note}", FAINT)


def _prices(prices: Mapping[str, ModelPrice]) -> str:
    return ", ".join(f"{name} of {price.as_of} ({price.source})" for name, price in prices.items())


def _short(digest: str) -> str:
    return digest.removeprefix("sha256:")[:_DIGITS]
