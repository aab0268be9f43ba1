"""Scores of forecasts on runs that came later, each with its noise.

A loss is a number for each outcome. Outcomes of one run are not independent, so the standard error of a mean, or of a
ratio of two, is taken over runs. Source: Liang & Zeger (1986), Biometrika 73; for ratios Cochran (1977), Sampling
Techniques, section 6.
"""

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from aos.domain.forecasts.forecast import Estimate
from aos.domain.learning.backtest import BINS, Pinball, Pooled, Quantity, Said, Scored, Success
from aos.engine.execution.program import Program
from aos.engine.scores.scoring import GRID, log_loss
from aos.engine.simulate import Simulation
from aos.engine.summary import totals

__all__ = ["QUANTILES", "Alone", "Case", "Draws", "Kind", "Part", "Seen", "draws", "pool", "score"]

Floats = NDArray[np.float64]
Kind = Literal["skill", "plan"]

LEVELS = (0.5, 0.9, 0.95, 0.99)
_CENTRAL = {"in50": (0.25, 0.75), "in90": (0.05, 0.95), "in95": (0.025, 0.975)}
_ABOVE = {"over95": 0.95, "over99": 0.99}
QUANTILES: Floats = np.unique([*GRID, *LEVELS, *np.ravel([*_CENTRAL.values()]), *_ABOVE.values()])
"""The levels of a forecast that scores look at."""
_ROWS = 10_000
"""Outcomes scored at once: the losses of each at every level have to fit the memory."""
_Quantiles = Callable[[Floats], Floats]
"""The quantiles of forecasts at some levels: [outcome, level], or a single row for all outcomes."""
_NOTHING = 1e-12
_DIGITS = 1e-5
"""Catalogs have six digits of a figure: a price that is exactly so much a token is no nearer to its forecast."""


class Seen(NamedTuple):
    """What happened: one entry an outcome. `run` says which belong together; NaN where nobody recorded it."""

    run: NDArray[np.intp]
    time: Floats
    cost: Floats
    success: NDArray[np.bool_]


class Draws(NamedTuple):
    """A forecast as ascending draws, None where a figure is unknown, and the chance of success, of all or of each."""

    time: Floats | None
    cost: Floats | None
    success: float | Floats


class Part(NamedTuple):
    """Outcomes, as indices of what happened, with a forecast of their own: `drawn` times what their `scale` is."""

    rows: NDArray[np.intp]
    drawn: Floats | None
    scale: Floats


class Alone(NamedTuple):
    """Outcomes, as indices of what happened, each with a forecast of its own: its `quantiles` [outcome, QUANTILES], and
    between which levels of it the outcome stands [outcome, 2]."""

    rows: NDArray[np.intp]
    quantiles: Floats
    places: Floats


class Case(NamedTuple):
    """A forecast, what it is of, and what happened before it and after.

    `time_parts` and `cost_parts`, where there are any, take the place of the forecast's time or cost: they are by
    `sizes`, the names of what is known of each outcome beforehand.
    """

    kind: Kind
    name: str
    past: Seen
    future: Seen
    forecast: Draws
    time_parts: tuple[Part | Alone, ...] = ()
    cost_parts: tuple[Part | Alone, ...] = ()
    sizes: tuple[str, ...] = ()


class _Losses(NamedTuple):
    """Columns by name, a value an outcome; `pit` is where an outcome stands, from level to level."""

    run: NDArray[np.intp]
    columns: dict[str, Floats]
    pit: NDArray[np.float64]


class _Chances(NamedTuple):
    run: NDArray[np.intp]
    forecast: Floats
    naive: Floats
    happened: Floats


def draws(program: Program, samples: int, seed: int) -> Draws:
    """Simulate a program. A quantity with an unknown figure in it is no forecast."""
    total = totals(list(Simulation(program, seed, detail=False).take(samples)))
    return Draws(
        time=None if total.time_open.any() else np.sort(total.time),
        cost=None if total.cost_open.any() else np.sort(total.cost),
        success=float(total.success.mean()),
    )


def score(case: Case) -> Scored:
    """The scores of one case."""
    time, cost = _both(case)
    return Scored(
        kind=case.kind,
        name=case.name,
        past=len(case.past.run),
        sizes=case.sizes,
        time=time and _quantity(time),
        cost=cost and _quantity(cost),
        success=_success([_chances(case)]),
    )


def pool(cases: Sequence[Case]) -> Pooled:
    """Cases of one kind taken together: every outcome counts the same, in units of its case's naive error."""
    both = [_both(case) for case in cases]
    return Pooled(
        kind=cases[0].kind,
        cases=len(cases),
        time=_joined([time for time, _ in both if time]),
        cost=_joined([cost for _, cost in both if cost]),
        success=_success([_chances(case) for case in cases]),
    )


# -- losses of single outcomes ---------------------------------------------------------------------------------


def _both(case: Case) -> tuple[_Losses | None, _Losses | None]:
    past, future, forecast = case.past, case.future, case.forecast
    every, same = np.arange(len(future.run)), np.ones(len(future.run))
    time = case.time_parts or (Part(every, forecast.time, same),)
    cost = case.cost_parts or (Part(every, forecast.cost, same),)
    return (
        _together(time, past.time, future.time, future.run),
        _together(cost, past.cost, future.cost, future.run),
    )


def _together(
    parts: Sequence[Part | Alone], past: Floats, outcomes: Floats, run: NDArray[np.intp]
) -> _Losses | None:
    past = np.sort(past[~np.isnan(past)])
    if not past.size:
        return None
    found = []
    for part in parts:
        seen = outcomes[part.rows], run[part.rows]
        found.append(_alone(part, past, *seen) if isinstance(part, Alone) else _alike(part, past, *seen))
    return _concatenated([losses for losses in found if losses])


def _alike(part: Part, past: Floats, outcomes: Floats, run: NDArray[np.intp]) -> _Losses | None:
    """Of outcomes with one forecast, scaled to each."""
    drawn, there = part.drawn, ~np.isnan(outcomes)
    if drawn is None or not there.any():
        return None
    outcomes, scale = outcomes[there], part.scale[there]
    columns = _against(lambda levels: np.quantile(drawn, levels)[None, :], outcomes / scale)
    columns |= {name: loss * scale for name, loss in columns.items() if name not in {*_CENTRAL, *_ABOVE}}
    places = [np.searchsorted(drawn, outcomes / scale, side) / len(drawn) for side in ("left", "right")]
    return _Losses(run[there], columns | _of_the_past(past, outcomes), np.column_stack(places))


def _alone(part: Alone, past: Floats, outcomes: Floats, run: NDArray[np.intp]) -> _Losses | None:
    """Of outcomes with a forecast each."""
    there = ~np.isnan(outcomes)
    if not there.any():
        return None
    outcomes, quantiles = outcomes[there], part.quantiles[there]
    columns = _against(lambda levels: quantiles[:, np.searchsorted(QUANTILES, levels)], outcomes)
    return _Losses(run[there], columns | _of_the_past(past, outcomes), part.places[there])


def _of_the_past(past: Floats, outcomes: Floats) -> dict[str, Floats]:
    """The errors of forecasting the past's mean, and of forecasting the past itself."""
    mean = _errors(lambda levels: np.full((1, len(levels)), past.mean()), outcomes)
    itself = _errors(lambda levels: np.quantile(past, levels)[None, :], outcomes)
    return {f"naive {name}": loss for name, loss in mean.items()} | {
        f"empirical {name}": loss for name, loss in itself.items()
    }


def _against(quantiles: _Quantiles, outcomes: Floats) -> dict[str, Floats]:
    """Whether each outcome is in the intervals and above the quantiles, and the errors."""
    found = {}
    for name, levels in _CENTRAL.items():
        bottom, top = quantiles(np.array(levels)).T
        within = (bottom * (1 - _DIGITS) <= outcomes) & (outcomes <= top * (1 + _DIGITS))
        found[name] = within.astype(np.float64)
    for name, level in _ABOVE.items():
        (top,) = quantiles(np.array([level])).T
        found[name] = (outcomes > top * (1 + _DIGITS)).astype(np.float64)
    return found | _errors(quantiles, outcomes)


def _errors(quantiles: _Quantiles, outcomes: Floats) -> dict[str, Floats]:
    """CRPS, as twice the mean pinball loss over GRID (Laio & Tamea 2007, HESS 11), and the pinball losses."""
    found = {f"pinball {level}": _pinball(quantiles(np.array([level])), level, outcomes) for level in LEVELS}
    grid = quantiles(GRID)
    windows = [slice(at, at + _ROWS) for at in range(0, len(outcomes), _ROWS)]
    parts = [
        2 * _pinball(grid if len(grid) == 1 else grid[window], GRID, outcomes[window]) for window in windows
    ]
    return found | {"crps": np.concatenate(parts)}


def _pinball(quantiles: Floats, levels: Floats | float, outcomes: Floats) -> Floats:
    late = outcomes[:, None] - quantiles
    loss: Floats = np.maximum(levels * late, (levels - 1) * late).mean(axis=1)
    return loss


def _chances(case: Case) -> _Chances:
    """The naive chance is the past's share of successes, with half a success and half a failure more (Jeffreys)."""
    happened = case.future.success.astype(np.float64)
    past = case.past.success
    naive = (np.count_nonzero(past) + 0.5) / (len(past) + 1)
    same = np.ones(len(happened))
    return _Chances(case.future.run, case.forecast.success * same, naive * same, happened)


# -- summed up -------------------------------------------------------------------------------------------------


def _joined(parts: Sequence[_Losses]) -> Quantity | None:
    """Errors in units of the case's naive CRPS, or of its own where the naive forecast makes none.

    Cases in which neither makes any are left out: what is always the same would only flatter the coverage.
    """
    scaled = []
    for run, columns, pit in parts:
        unit = columns["naive crps" if _errs(columns, "naive crps") else "crps"].mean()
        if unit > 0:
            losses = {name: c if name in {*_CENTRAL, *_ABOVE} else c / unit for name, c in columns.items()}
            scaled.append(_Losses(run, losses, pit))
    together = _concatenated(scaled)
    return together and _quantity(together)


def _concatenated(parts: Sequence[_Losses]) -> _Losses | None:
    if not parts:
        return None
    return _Losses(
        np.concatenate([part.run for part in parts]),
        {name: np.concatenate([part.columns[name] for part in parts]) for name in parts[0].columns},
        np.concatenate([part.pit for part in parts]),
    )


def _errs(columns: dict[str, Floats], name: str) -> bool:
    """Whether that forecast makes an error that ours can be told in multiples of."""
    return bool(columns[name].sum() > _NOTHING * columns["crps"].sum())


def _quantity(losses: _Losses) -> Quantity:
    run, columns, pit = losses
    ones = np.ones(len(run))

    def mean(name: str) -> Estimate:
        return _ratio(columns[name], ones, run)

    def over(name: str) -> Estimate | None:
        return _ratio(columns["crps"], columns[name], run) if _errs(columns, name) else None

    return Quantity(
        n=len(run),
        in50=mean("in50"),
        in90=mean("in90"),
        in95=mean("in95"),
        over95=mean("over95"),
        over99=mean("over99"),
        crps=mean("crps"),
        naive=float(columns["naive crps"].mean()),
        empirical=float(columns["empirical crps"].mean()),
        ratio=over("naive crps"),
        ratio_empirical=over("empirical crps"),
        pinball=tuple(
            Pinball(
                level,
                mean(f"pinball {level}"),
                float(columns[f"naive pinball {level}"].mean()),
                float(columns[f"empirical pinball {level}"].mean()),
            )
            for level in LEVELS
        ),
        pit=_histogram(pit),
    )


def _success(parts: Sequence[_Chances]) -> Success:
    run = np.concatenate([part.run for part in parts])
    forecast = np.concatenate([part.forecast for part in parts])
    naive = np.concatenate([part.naive for part in parts])
    happened = np.concatenate([part.happened for part in parts])
    ones = np.ones(len(run))
    return Success(
        n=len(run),
        brier=_ratio((forecast - happened) ** 2, ones, run),
        brier_naive=float(((naive - happened) ** 2).mean()),
        log_loss=_ratio(log_loss(forecast, happened), ones, run),
        log_loss_naive=float(log_loss(naive, happened).mean()),
        said=_said(forecast, happened, run),
    )


def _said(forecast: Floats, happened: Floats, run: NDArray[np.intp]) -> tuple[Said, ...]:
    """The reliability diagram: tenths of forecast chance against how often it came true."""
    tenth = np.minimum((forecast * BINS).astype(int), BINS - 1)
    found = []
    for bin in range(BINS):
        rows = tenth == bin
        if rows.any():
            true = _ratio(happened[rows], np.ones(np.count_nonzero(rows)), run[rows])
            found.append(Said(int(np.count_nonzero(rows)), float(forecast[rows].mean()), true))
    return tuple(found)


def _ratio(above: Floats, below: Floats, run: NDArray[np.intp]) -> Estimate:
    """Sum over sum, with its standard error over runs; a single run tells nothing of it, and it is taken for 0."""
    value = above.sum() / below.sum()
    _, cluster = np.unique(run, return_inverse=True)
    rest = np.bincount(cluster, above - value * below)
    runs = len(rest)
    spread = runs / (runs - 1) * float(rest @ rest) if runs > 1 else 0.0
    return Estimate(float(value), float(np.sqrt(spread) / below.sum()))


def _histogram(pit: NDArray[np.float64]) -> tuple[float, ...]:
    """Counts in tenths. An outcome that several draws equal is spread evenly over the levels they take up.

    Source: Czado, Gneiting & Held (2009), Biometrics 65.
    """
    low, high = pit[:, :1], pit[:, 1:]
    edges = np.arange(BINS + 1) / BINS
    wide = np.maximum(high - low, 1e-9)
    low = np.minimum(low, 1 - wide)
    shares = (np.clip(edges, low, low + wide) - low) / wide
    return tuple(np.diff(shares, axis=1).sum(axis=0).tolist())
