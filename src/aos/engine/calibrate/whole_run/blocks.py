"""Blocks: recorded runs of one shape, weighed and scaled so that their totals have the predictive distribution.

Steps of a run depend on each other in ways that no table of single steps shows: drawn whole, they keep that. A
block has one draw for each of a thousand equally likely quantiles of the predicted total time (`pool` of the runs'
totals): the recorded run of the same rank, scaled to it. Costs are scaled alike: the draws, ranked by what their runs
cost, get the quantiles of the predicted cost.

A failed step stops a run, unless the runs of this shape went on after it: those are whole runs like others.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from aos.domain.skills.skill import MAX_CENTS, MAX_MS, Block, Drawn, Provenance
from aos.engine.calibrate.skill import jumps, pool, times
from aos.engine.calibrate.skill.experts import Prior
from aos.engine.calibrate.skill.times import short
from aos.engine.calibrate.table import Flags, Ints, Variant, age, moments
from aos.engine.calibrate.whole_run.runs import Shape
from aos.engine.sampling.distributions import SIZE, Floats, normal_scores

_LEAST_RUNS = 3
_DRAWS = 1_000
"""Ten of them lie above p99; a catalog holds them all."""
_MOST_ROWS = 500
"""Runs kept in a catalog: older ones are thinned out, their totals still count in the fit."""
_LEAST_COST = 1e-6
_LEAST_KNOWN = 0.5
"""Share of the costs of each step that must be recorded; otherwise nobody knows what the run cost."""
_LEVELS = (np.arange(_DRAWS) + 0.5) / _DRAWS
_UNSEEN = 20
"""Runs taken for ones that failed where none did."""
_FEW = 12
_LEVEL_SD, _SPREADS = 0.3, 1.5


def blocks(shapes: Sequence[Shape], variants: Sequence[Variant]) -> list[Block]:
    """A block for each shape with three runs or more that came to their end."""
    whole = [shape.completed(shape.went_on) for shape in shapes]
    fit = [_priced(shape) for shape, done in zip(shapes, whole, strict=True) if done.sum() >= _LEAST_RUNS]
    if not fit:
        return []
    whole = [done for done in whole if done.sum() >= _LEAST_RUNS]
    columns = _columns(fit, variants)
    took = [s.makespan()[done] for s, done in zip(fit, whole, strict=True)]
    when = [moments(s.began)[done] for s, done in zip(fit, whole, strict=True)]
    fitted = times.fit(took, when, columns)
    assert fitted is not None
    costs = [s.cost[done].sum(axis=1) for s, done in zip(fit, whole, strict=True)]
    fails = [
        jumps.chance(overall, ~done, moments(s.began))
        for overall, s, done in zip(_fails(whole), fit, whole, strict=True)
    ]
    priced = [j for j, cost in enumerate(costs) if (cost > _LEAST_COST).all()]
    cost_pool = None
    if priced:
        cost_pool = pool.fit(
            [costs[j] for j in priced], [columns[j] for j in priced], [when[j] for j in priced]
        )
    out = []
    for j, shape in enumerate(fit):
        time = fitted.quantiles(j, _LEVELS)
        if prior := fitted.prior(j):
            time = widened(time, took[j][took[j] > 0], prior)
        cost = None
        if cost_pool and j in priced:
            cost = cost_pool.quantiles(priced.index(j), _LEVELS).clip(max=MAX_CENTS)
        drawn = _drawn(shape, whole[j], time.clip(max=MAX_MS), cost, fails[j])
        out.append(_block(shape, variants, drawn))
    return out


def widened(quantiles: Floats, series: Floats, prior: Prior) -> Floats:
    """The forecast times exp(s z), z standard normal, for what the level of a few totals will do next.

    A dozen totals in a row say nothing of how levels move; more of them do, by the backtest inside `pool`. So
    s = min(0.3, 1.5 times the spread of their logs) / sqrt(1 + (n / 12)^4), next to nothing for thirty or more.
    That spread is drawn towards what other shapes have (`prior`): runs of one burst differ by less than runs do.
    """
    logs = np.log(series)
    squares = float(((logs - logs.mean()) ** 2).sum())
    spread = min(_LEVEL_SD, _SPREADS * float(np.sqrt(prior.posterior(squares, len(logs)))))
    z = normal_scores()[SIZE // 64 :: SIZE // 32]
    moves = np.exp(spread / np.sqrt(1 + (len(series) / _FEW) ** 4) * z)
    told: Floats = np.quantile(quantiles[:, None] * moves, _LEVELS)
    return told


def _priced(shape: Shape) -> Shape:
    """The shape with the mean cost of a step where a few of its costs were not recorded."""
    known = np.isfinite(shape.cost)
    if known.all() or (known.mean(axis=0) < _LEAST_KNOWN).any():
        return shape
    return shape._replace(cost=np.where(known, shape.cost, np.nanmean(shape.cost, axis=0)))


def _columns(shapes: Sequence[Shape], variants: Sequence[Variant]) -> list[tuple[str, ...]]:
    """The conditions that all steps of a run share, in every shape."""
    width = len(variants[0].values)
    shared = [
        k
        for k in range(width)
        if all(len({variants[v].values[k] for v in shape.variant}) == 1 for shape in shapes)
    ]
    return [tuple(variants[shape.variant[0]].values[k] for k in shared) for shape in shapes]


def _fails(whole: Sequence[Flags]) -> list[float]:
    """The chance that a run of each shape fails: a beta prior worth one run, its mean what the other shapes say.

    Those have Jeffreys' prior together, (k + 1/2) / (n + 1), and so has a shape that has no others.
    """
    runs = np.array([len(done) for done in whole])
    stopped = runs - np.array([done.sum() for done in whole])
    elsewhere = (stopped.sum() - stopped + 0.5) / (runs.sum() - runs + 1)
    chances: list[float] = ((stopped + elsewhere) / (runs + 1)).tolist()
    return chances


class _Rows(NamedTuple):
    """Which runs a block keeps, whether the last step of each is taken to have failed, and how they are drawn."""

    keep: Ints
    lost: Flags
    draws: tuple[Drawn, ...]


def _drawn(shape: Shape, done: Flags, times: Floats, costs: Floats | None, fails: float) -> _Rows:
    whole, stopped = (pool.thinned(np.flatnonzero(rows), _MOST_ROWS) for rows in (done, ~done))
    made = shape.makespan()[whole]
    spent = shape.cost[whole].sum(axis=1)
    run = _of_like_rank(made, times)
    cost_scale = np.ones(_DRAWS)
    if costs is not None:
        by_cost = np.lexsort((np.arange(_DRAWS), spent[run]))
        cost_scale[by_cost] = costs / spent[run[by_cost]]
    time_scale = np.divide(times, made[run], out=np.ones(_DRAWS), where=made[run] > 0)
    draws = [
        Drawn(int(r), short(t), short(c), short((1 - fails) / _DRAWS))
        for r, t, c in zip(run, time_scale, cost_scale, strict=True)
    ]
    if len(stopped):
        lost = np.zeros(len(stopped), bool)
        scales = np.ones((2, len(stopped)))
    else:
        # Nobody knows how a run would fail where none did. It takes and costs what others do, and ends badly.
        at = _ranks(_DRAWS, min(len(whole), _UNSEEN))
        stopped, lost = whole[run[at]], np.ones(len(at), bool)
        scales = np.array([time_scale[at], cost_scale[at]])
    draws += [
        Drawn(len(whole) + k, short(t), short(c), short(fails / len(stopped)))
        for k, (t, c) in enumerate(scales.T)
    ]
    return _Rows(np.concatenate([whole, stopped]), np.append(np.zeros(len(whole), bool), lost), tuple(draws))


def _block(shape: Shape, variants: Sequence[Variant], rows: _Rows) -> Block:
    keep, lost, draws = rows
    failed = shape.failed[keep]
    failed[lost, -1] = True
    recorded = np.isfinite(shape.cost).all()
    newest = age(shape.began)
    return Block(
        skills=tuple(variants[v].id for v in shape.variant),
        after=shape.after,
        gap_ms=_rows(shape.gap[keep]),
        time_ms=_rows(shape.time[keep]),
        cost_cents=_rows(shape.cost[keep]) if recorded else None,
        failed=tuple(tuple(map(bool, row)) for row in failed),
        draws=draws,
        provenance=Provenance(
            "measured", "whole runs, totals by a pool of experts", len(shape.began), *newest
        ),
    )


def _of_like_rank(made: Floats, told: Floats) -> Ints:
    """For each total that is told, ascending, the run of that rank: of those that took no time, or of the others."""
    ranked = np.argsort(made, kind="stable")
    nothing, none_told = int((made <= 0).sum()), int((told <= 0).sum())
    if nothing in (0, len(made)):
        return ranked[_ranks(len(made), len(told))]
    parts = (ranked[:nothing], none_told), (ranked[nothing:], len(told) - none_told)
    return np.concatenate([rows[_ranks(len(rows), draws)] for rows, draws in parts])


def _ranks(rows: int, draws: int) -> Ints:
    """Of equally many equally likely draws for each row, which row by rank is whose."""
    return ((np.arange(draws) + 0.5) * rows / max(draws, 1)).astype(np.int64)


def _rows(matrix: Floats) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(map(short, row)) for row in matrix)
