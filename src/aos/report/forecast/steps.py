"""What a forecast says of single steps: what may fail, a Gantt of the typical run."""

import operator
from collections.abc import Iterator, Sequence

from rich.table import Table

from aos.domain.forecasts.forecast import Forecast, Risk, StepForecast
from aos.report.figures import UNKNOWN, between, cents, chance, duration, percent, seen
from aos.report.parts.page import BAR, FAINT, OPEN, Line, Page, left_out
from aos.report.parts.pictures import bar

_RISKS = 5
"""Rows of each kind: the risks that most often end their step, and those most often met."""
_BARS = 20
_AXIS = 10
"""The least width of the bars' axis."""


def risks(page: Page, forecast: Forecast, min_success: float) -> Iterator[Line | Table]:
    """How often runs succeed, and the failures that matter most."""
    if forecast.success != forecast.feasible:
        share = between(forecast.success)
        many = "unknown how many" if share == UNKNOWN else f"{share} of"
        yield f"{many} runs succeed; {percent(min_success)} asked for"
    if not forecast.risks:
        return
    skills = {step.id: step.skill for step in forecast.steps}
    shown = _worst(forecast.risks)
    head: list[Line] = [(word, FAINT) for word in ("step", "", "failure", "met in", "ends step in")]
    rows: list[list[Line]] = [[r.step, skills[r.step], r.code, seen(r.meets), seen(r.fails)] for r in shown]
    yield page.table("nnnrr", [head, *rows])
    if len(forecast.risks) > len(shown):
        yield (f"… and {len(forecast.risks) - len(shown):,} rarer", FAINT)


def typical_run(page: Page, forecast: Forecast) -> Iterator[Line | Table]:
    """A bar for each step of the typical run; of many, the longest. Steps it leaves out stand with their chance."""
    shown = _longest(forecast.steps)
    run = [step for step in forecast.steps if step.typical_start_ms is not None]
    whole = max(((step.typical_start_ms or 0) + (step.typical_ms or 0) for step in run), default=0)
    if not whole:
        return
    priced = any(step.typical_cents != 0 for step in run)
    names: list[list[Line]] = [[step.id, step.skill] for step in shown]
    figures = [_typical_figures(step)[: 1 + priced] for step in shown]
    right = "r" * (1 + priced)
    width = max(_AXIS, page.beside(page.table("nn" + right, map(operator.add, names, figures))))
    bars = [_stretch(step, whole, width) for step in shown]
    end = ("at least " if forecast.typical_ms is None else "") + duration(whole)
    axis = f"0{end:>{width - 1}}"
    rows = [[*name, bar, *row] for name, bar, row in zip(names, bars, figures, strict=True)]
    yield page.table("nnl" + right, [["", "", (axis, FAINT)], *rows])
    yield from left_out(len(forecast.steps) - len(shown))


def _worst(risks: Sequence[Risk]) -> list[Risk]:
    """In the forecast's order: those that end their step most often first."""
    met = sorted(risks, key=lambda risk: -risk.meets)
    shown = {*risks[:_RISKS], *met[:_RISKS]}
    return [risk for risk in risks if risk in shown]


def _longest(steps: Sequence[StepForecast]) -> list[StepForecast]:
    """In plan order the steps whose length is unknown, then the longest, then those that run most often."""
    ranked = sorted(steps, key=_length, reverse=True)
    shown = {step.id for step in ranked[:_BARS]}
    return [step for step in steps if step.id in shown]


def _length(step: StepForecast) -> tuple[bool, float, float]:
    runs = step.typical_start_ms is not None
    return runs and step.typical_ms is None, step.typical_ms or 0.0, step.runs


def _typical_figures(step: StepForecast) -> list[Line]:
    if step.typical_start_ms is None:
        return ["", ""]
    return [
        (write(value), OPEN if value is None else "")
        for write, value in ((duration, step.typical_ms), (cents, step.typical_cents))
    ]


def _stretch(step: StepForecast, whole: float, width: int) -> Line:
    if step.typical_start_ms is None:
        return (f"in {chance(step.runs)} of runs" if step.runs else "never ran", FAINT)
    drawn = bar(step.typical_start_ms, step.typical_ms or 0.0, whole, width)
    return (drawn.replace("━", "?"), OPEN) if step.typical_ms is None else (drawn, BAR)
