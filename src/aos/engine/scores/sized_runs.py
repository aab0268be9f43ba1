"""Whole runs forecast by what is known of each beforehand: one program for all, and every sample has a run's sizes."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aos.engine.execution.program import Program
from aos.engine.sampling.distributions import Floats
from aos.engine.scores.backtest import QUANTILES, Alone, Seen
from aos.engine.simulate import Handing, Simulation, chunk_size
from aos.engine.summary import totals

__all__ = ["Each", "forecast_each", "told_alike"]

_LEAST, _MOST = 200, 10_000
"""Samples of a run, as many as come to that many of all: of 200, the CRPS is half a percent too high."""


class Each(NamedTuple):
    """Forecasts of runs, each of its own; None where a figure is unknown. `success` is the chance by run."""

    time: Alone | None
    cost: Alone | None
    success: Floats


def told_alike(x: Floats) -> list[NDArray[np.intp]]:
    """The runs of which the same is known: x is [run, step, feature], NaN what is not; most runs first."""
    kinds = np.isfinite(x).reshape(len(x), -1)
    _, kind = np.unique(kinds, axis=0, return_inverse=True)
    ranked = np.argsort(kind.reshape(-1), kind="stable")
    groups = np.split(ranked, np.flatnonzero(np.diff(kind.reshape(-1)[ranked])) + 1)
    return sorted(groups, key=lambda rows: -len(rows))


def forecast_each(
    program: Program, sizes: Handing, runs: Seen, rows: NDArray[np.intp], samples: int, seed: int
) -> Each:
    """Forecast these rows of `runs`, each by its `sizes`; about so many samples for all of them together.

    A quantile at level t is the sample of rank (m + 1) t of m: then an outcome of the same distribution is below it
    with the chance t, however few they are (Weibull's plotting position; Makkonen 2006, J. Appl. Meteor. 45).
    """
    each = int(np.clip(samples // max(1, len(rows)), _LEAST, _MOST))
    simulation = Simulation(program, seed, detail=False)
    width = max(1, chunk_size(program) // each)
    found = []
    for at in range(0, len(rows), width):
        window = slice(at, at + width)
        here = {
            i: {name: np.repeat(x[window], each) for name, x in columns.items()}
            for i, columns in sizes.items()
        }
        total = totals(list(simulation.take(each * len(rows[window]), here)))
        found.append(
            Each(
                None if total.time_open.any() else _alone(total.time, runs.time, rows[window]),
                None if total.cost_open.any() else _alone(total.cost, runs.cost, rows[window]),
                total.success.reshape(-1, each).mean(axis=1),
            )
        )
    success = np.concatenate([part.success for part in found])
    if not any(call.step.timeout_s for call in program.calls):
        success[:] = success.mean()  # no size makes a run fail: what differs is luck
    return Each(_joined([part.time for part in found]), _joined([part.cost for part in found]), success)


def _alone(drawn: Floats, outcomes: Floats, rows: NDArray[np.intp]) -> Alone:
    drawn = np.sort(drawn.reshape(len(rows), -1), axis=1)
    there = outcomes[rows][:, None]
    below, upto = (drawn < there).mean(axis=1), (drawn <= there).mean(axis=1)
    quantiles = np.quantile(drawn, QUANTILES, axis=1, method="weibull").T
    return Alone(rows, quantiles, np.column_stack([below, upto]))


def _joined(parts: Sequence[Alone | None]) -> Alone | None:
    known = [part for part in parts if part]
    return Alone(*map(np.concatenate, zip(*known, strict=True))) if len(known) == len(parts) else None
