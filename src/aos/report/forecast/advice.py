"""What to do about a forecast: changes that were tried, where its risks come from, what more records would tell."""

from collections.abc import Callable, Iterator, Sequence

from rich.table import Table

from aos.domain.forecasts.alternatives import Alternative
from aos.domain.forecasts.attribution import Attribution, Evidence, StepShare
from aos.domain.forecasts.forecast import Forecast
from aos.domain.forecasts.results import SimulationResult
from aos.report.figures import chance
from aos.report.forecast import words
from aos.report.forecast.drivers import begin_with, time_goes_to
from aos.report.parts.page import FAINT, GOOD, STRONG, Line, Page

_DRIVERS = 3
_STANDS_OUT, _LEAST = 0.10, 0.05
"""Shares: without one that stands out there is no driver; the others must not be too small to matter."""
_EVIDENCE = 2


def alternatives(page: Page, result: SimulationResult) -> Iterator[Line | Table]:
    """Each change with its number and the chance it gives; below it what it moves, and what it takes for granted."""
    if words.none_found(result):
        yield words.NONE_FOUND
        return
    rows: list[list[Line]] = []
    for number, offer in enumerate(result.alternatives, 1):
        share = chance(offer.outlook.feasible.low.value)
        rows.append([(str(number), STRONG), _title(offer), [("feasible", GOOD), f", {share}"]])
        rows += [["", (line, FAINT), ""] for line in _remarks(offer, result)]
    if rows:
        yield page.table("rwr", rows)
    first = next((n for n, offer in enumerate(result.alternatives, 1) if offer.in_plan), None)
    if first:
        yield (f"aos simulate PLAN --apply {first} prints the changed plan", FAINT)


def drivers(attribution: Attribution | None, forecast: Forecast) -> Iterator[Line]:
    """Where to begin, and which steps the spread of time and of cost comes from."""
    if attribution is None:
        return
    if told := time_goes_to(attribution):
        yield [("time goes to  ", FAINT), told]
    if len(attribution.steps) < 2:
        return
    if first := begin_with(attribution.first):
        step, _, share = first.partition(":")
        yield [(step, STRONG), f":{share}"]
    yield from _largest("time", attribution.steps, lambda step: step.time, forecast.time is None)
    yield from _largest("cost", attribution.steps, lambda step: step.cost, forecast.cost is None)


def evidence(found: Sequence[Evidence]) -> Iterator[Line]:
    """The records that would tell most."""
    for wanted in found[:_EVIDENCE]:
        yield wanted.detail


def _title(offer: Alternative) -> str:
    """The options that do it where they do all of it, else in words."""
    return words.flags(offer) or offer.summary


def _remarks(offer: Alternative, result: SimulationResult) -> Iterator[str]:
    if changes := ", ".join(words.moved(offer, result.forecast)):
        yield changes
    yield from words.assumptions(offer, result.verdict)


def _largest(
    noun: str, steps: Sequence[StepShare], share: Callable[[StepShare], float], partly: bool
) -> Iterator[Line]:
    top = sorted(steps, key=share, reverse=True)[:_DRIVERS]
    if share(top[0]) < _STANDS_OUT:
        return
    named = ", ".join(f"{_share(share(step))} from {step.id}" for step in top if share(step) >= _LEAST)
    yield [(f"spread of {'known ' if partly else ''}{noun}  ", FAINT), named]


def _share(share: float) -> str:
    return f"{share * 100:.0f} %"
