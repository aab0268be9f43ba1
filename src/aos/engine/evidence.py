"""What records would make a verdict firmer: how many more runs of which skill.

Two questions, two formulas.

How well is a figure known that somebody only declared? n records give its p95 with a standard error of
sqrt(0.95 * 0.05 / n) / f(p95), with the density f taken from the figure's own quantiles (David & Nagaraja
(2003), Order Statistics, section 10.2). n is such that two standard errors are a tenth of the p95, and at
least 59: with fewer, not one record need lie above it (Wilks (1941): 0.95^59 < 0.05).

Does the verdict stand whatever the true figure is? A chance that was simulated with n records of a skill has,
beside its sampling error, the standard error sum_j sd(E[I | x_j]) / sqrt(n), where I is 1 in the samples that
count and x_j what the j-th call of the skill took: the delta method for input uncertainty (Cheng & Holland
(1997), J. Stat. Comput. Simul. 57; Barton, Lam & Song (2022), "Input uncertainty in stochastic simulation").
n is such that two of them fit between the chance and its threshold.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple

import numpy as np

from aos.domain.forecasts.attribution import Attribution, Evidence
from aos.domain.forecasts.forecast import Chance, Forecast
from aos.domain.forecasts.verdicts import STANDARD_ERRORS, Limits, Verdict
from aos.domain.skills.skill import CallCost, Catalog, CostModel, Figure
from aos.engine.execution.program import Program
from aos.engine.sampling.distributions import SIZE, Floats
from aos.engine.sampling.draws import Flags
from aos.engine.sampling.prices import MICRO
from aos.engine.simulate import Samples, StepSamples
from aos.engine.summary import outcomes, totals

_MOST = 5
_LEAST_SHARE = 0.05
_LEVEL, _AROUND = 0.95, 0.01
_WITHIN = 0.1
_WILKS = 59
_GROUPS = 20

Name = Literal["cost_cents", "latency_ms", "failures"]
_SHARES: Mapping[Name, str] = {"cost_cents": "cost", "latency_ms": "time", "failures": "failure"}
_WORDS: Mapping[Name, str] = {
    "cost_cents": "what {} costs",
    "latency_ms": "how long {} takes",
    "failures": "how often {} fails",
}
_UNKNOWN: Mapping[str, Name] = {
    "unknown_cost": "cost_cents",
    "unknown_latency": "latency_ms",
    "unknown_failure": "failures",
}


class _Footing(NamedTuple):
    """What one figure of a skill rests on; `steps` (indices) call it, and `share` of the spread is theirs.

    `records` is None where it is somebody's word.
    """

    skill: str
    figure: Name
    records: int | None
    steps: tuple[int, ...]
    share: float


class _Margin(NamedTuple):
    """The check a kind of figure bears on: the samples that count, and how far its chance is from clear."""

    counts: Flags
    distance: float


def evidence(
    program: Program,
    chunk: Samples,
    catalog: Catalog,
    shares: Attribution,
    forecast: Forecast,
    verdict: Verdict,
    limits: Limits,
) -> tuple[Evidence, ...]:
    """What would make the verdict firmer, at most five entries; none where nothing of weight is in doubt.

    Figures that nobody knows come first, then a verdict too close to call, then figures that rest on too few
    records or on somebody's word, by their share of the spread or of the failures; those with less than a
    twentieth are left out. `chunk` was drawn with `detail`, `shares` are its attribution.
    """
    found = [*_unknown(program, forecast)]
    if any(reason.code == "too_close" for reason in verdict.reasons):
        found += _too_close(forecast, limits)
    margins = _margins(chunk, forecast, limits)
    footings = sorted(_footings(program, catalog, shares), key=lambda footing: -footing.share)
    for footing in footings:
        found += _weigh(program, chunk, footing, margins[footing.figure])
    return tuple(found[:_MOST])


def records_for_p95(values: Floats) -> int:
    """How many records give the p95 of a distribution, as an ascending table, within a tenth either way."""
    low, at, high = (
        float(values[int(level * len(values))]) for level in (_LEVEL - _AROUND, _LEVEL, _LEVEL + _AROUND)
    )
    if at == 0:
        return _WILKS
    slope = (high - low) / (2 * _AROUND)
    return max(_WILKS, math.ceil(_LEVEL * (1 - _LEVEL) * (STANDARD_ERRORS * slope / (_WITHIN * at)) ** 2))


def influence(counts: Flags, took: Floats | Flags) -> float:
    """sd(E[I | x]): how far the chance of `counts` moves with what a step `took`, from samples.

    The spread of the means of groups of like x (twenty, or the two values of a flag), less what chance alone
    makes of it.
    """
    p, n = float(counts.mean()), len(counts)
    if p in (0.0, 1.0):
        return 0.0
    order = np.argsort(took, kind="stable")
    if took.dtype == bool:
        sizes = np.array([np.count_nonzero(took == 0), np.count_nonzero(took)])
    else:
        sizes = n // _GROUPS + (np.arange(_GROUPS) < n % _GROUPS)
    sizes = sizes[sizes > 0]
    means = np.diff(counts[order].cumsum()[sizes.cumsum() - 1], prepend=0) / sizes
    between = math.fsum(sizes / n * (means - p) ** 2)
    return math.sqrt(max(0.0, between - p * (1 - p) * (len(sizes) - 1) / n))


def _unknown(program: Program, forecast: Forecast) -> Iterator[Evidence]:
    """One entry per unknown figure of a skill."""
    seen = set()
    for unknown in forecast.unknowns:
        figure = _UNKNOWN.get(unknown.code)
        skill = program.calls[int(unknown.pointer.split("/")[2])].step.skill
        if figure and (skill, figure) not in seen:
            seen.add((skill, figure))
            shows = "whether more than one in twenty fail" if figure == "failures" else "its p95"
            yield Evidence(
                why="unknown",
                skill=skill,
                figure=figure,
                share=1.0,
                records=0,
                runs=_WILKS,
                clear=None,
                detail=f"{unknown.reason}: {_WILKS} recorded runs of {skill} would show {shows}",
            )


def _too_close(forecast: Forecast, limits: Limits) -> Iterator[Evidence]:
    """Where the threshold would have to be for the samples to tell."""
    asked: list[tuple[Chance, float, str]] = [
        (forecast.success, limits.min_success, "--min-success"),
        (forecast.in_limits, limits.confidence, "--confidence"),
    ]
    for chance, threshold, option in asked:
        p, se = chance.high
        low, high = p - STANDARD_ERRORS * se, p + STANDARD_ERRORS * se
        if low < threshold <= high:
            low, high = math.floor(low * 1000) / 1000, min(1.0, math.ceil(high * 1000) / 1000)
            yield Evidence(
                why="too_close",
                skill=None,
                figure=None,
                share=1.0,
                records=None,
                runs=None,
                clear=(low, high),
                detail=f"{option} {low:g} would be met, {high:g} would be missed; no record can tell between",
            )


def _footings(program: Program, catalog: Catalog, shares: Attribution) -> Iterator[_Footing]:
    """The known figures of weight, each kind by the least founded of the skill."""
    for name in dict.fromkeys(call.step.skill for call in program.calls):
        steps = tuple(i for i, call in enumerate(program.calls) if call.step.skill == name)
        skill = catalog.skills[name]
        stated: dict[Name, list[Figure[Any]]] = {
            "cost_cents": _priced(skill.cost),
            "latency_ms": [skill.latency] if skill.latency else [],
            "failures": [mode.probability for mode in skill.failures or () if mode.probability],
        }
        for kind, figures in stated.items():
            share = math.fsum(getattr(shares.steps[i], _SHARES[kind]) for i in steps)
            if figures and share >= _LEAST_SHARE:
                records = [
                    figure.provenance.n for figure in figures if figure.provenance.source == "measured"
                ]
                known = [n for n in records if n is not None]
                yield _Footing(name, kind, min(known) if len(known) == len(figures) else None, steps, share)


def _priced(cost: CostModel | None) -> list[Figure[Any]]:
    if cost is None:
        return []
    return [cost.per_attempt] if isinstance(cost, CallCost) else [cost.output_tokens]


def _margins(chunk: Samples, forecast: Forecast, limits: Limits) -> dict[Name, _Margin]:
    kept = outcomes(totals([chunk]), limits)

    def margin(counts: Flags, chance: Chance, asked: float) -> _Margin:
        distance = min(abs(chance.low.value - asked), abs(chance.high.value - asked))
        return _Margin(counts, max(distance, 1 / forecast.samples))

    return {
        "cost_cents": margin(kept.in_budget.hits, forecast.in_budget, limits.confidence),
        "latency_ms": margin(kept.in_time.hits, forecast.in_time, limits.confidence),
        "failures": margin(kept.success.hits, forecast.success, limits.min_success),
    }


def _weigh(program: Program, chunk: Samples, footing: _Footing, margin: _Margin) -> Iterator[Evidence]:
    """An entry where the figure rests on too little."""
    assert chunk.steps is not None
    skill, figure, records, steps, share = footing
    moved = math.fsum(_moved(margin.counts, chunk.steps[i], figure) for i in steps)
    firm = math.ceil((STANDARD_ERRORS * moved / margin.distance) ** 2)
    what = _WORDS[figure].format(skill)
    if records is None:
        runs, shows = firm, "make the verdict firm"
        if figure != "failures":
            runs, shows = records_for_p95(_table(program, steps[0], figure)), "give its p95 within 10 %"
        runs = max(_two_digits(runs), _WILKS)
        detail = f"{what} is somebody's word: {runs} recorded runs would {shows}"
        yield Evidence("declared", skill, figure, share, None, runs, None, detail)
    elif records < firm:
        runs = _two_digits(firm - records)
        detail = f"{what} rests on {records} records: {runs} more would make the verdict firm"
        yield Evidence("few_records", skill, figure, share, records, runs, None, detail)


def _moved(counts: Flags, step: StepSamples, figure: Name) -> float:
    """How far the chance moves with one call of the step, times its calls.

    What a call would have taken counts, also where it did not run. Many calls are looked at together: their sum
    moves the chance as far as one call does, times the square root of their number, or up to a quarter more.
    """
    draws = [node.draw for node in step.nodes]
    took: Floats | Flags
    if figure == "failures":
        took = np.zeros(len(counts), bool)
        for draw in draws:
            took[draw.failed] = True
    else:
        took = np.zeros(len(counts))
        for draw in draws:
            if figure == "latency_ms":
                took += draw.time
            elif draw.cost is not None:
                took += draw.cost / MICRO
    return math.sqrt(len(draws)) * influence(counts, took)


def _table(program: Program, step: int, figure: Name) -> Floats:
    """The figure's distribution as a table."""
    call = program.calls[step]
    if figure == "latency_ms":
        return call.attempts.clean
    if call.price is None or call.price.table is None:
        return np.zeros(SIZE)
    return call.price.table.astype(float)


def _two_digits(count: int) -> int:
    """Rounded up to two significant digits: nobody plans runs more finely."""
    place = int(10 ** max(len(str(count)) - 2, 0))
    return -(-count // place) * place
