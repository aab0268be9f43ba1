"""Blocks: recorded runs of one shape, weighed and scaled so that their totals have the predictive distribution.

Steps of a run depend on each other in ways that no table of single steps shows: drawn whole, they keep that. A
block has one draw for each of a thousand equally likely quantiles of the predicted total time (`pool` of the runs'
totals): the recorded run of the same rank, scaled to it. Costs are scaled alike: the draws, ranked by what their runs
cost, get the quantiles of the predicted cost.
"""

from collections.abc import Sequence

import numpy as np

from aos.domain.skills import Block, Drawn, Provenance
from aos.engine.calibrate import pool
from aos.engine.calibrate.runs import Shape
from aos.engine.calibrate.table import Ints, Variant, age
from aos.engine.calibrate.times import LEAST_TIME, short
from aos.engine.distributions import Floats

_LEAST_RUNS = 3
_DRAWS = 1_000
"""Ten of them lie above p99; a catalog holds them all."""
_MOST_ROWS = 500
"""Runs kept in a catalog: older ones are thinned out, their totals still count in the fit."""
_LEAST_COST = 1e-6
_LEAST_KNOWN = 0.5
"""Share of the costs of each step that must be recorded; otherwise nobody knows what the run cost."""
_LEVELS = (np.arange(_DRAWS) + 0.5) / _DRAWS


def blocks(shapes: Sequence[Shape], variants: Sequence[Variant]) -> list[Block]:
    """A block for each shape with three runs or more that did not fail."""
    fit = [_priced(shape) for shape in shapes if shape.ran_through.sum() >= _LEAST_RUNS]
    if not fit:
        return []
    columns = _columns(fit, variants)
    times = [np.maximum(s.makespan()[s.ran_through], LEAST_TIME) for s in fit]
    time_pool = pool.fit(times, columns)
    costs = [s.cost[s.ran_through].sum(axis=1) for s in fit]
    priced = [j for j, cost in enumerate(costs) if (cost > _LEAST_COST).all()]
    cost_pool = pool.fit([costs[j] for j in priced], [columns[j] for j in priced]) if priced else None
    out = []
    for j, shape in enumerate(fit):
        cost = cost_pool.quantiles(priced.index(j), _LEVELS) if cost_pool and j in priced else None
        out.append(_block(shape, variants, time_pool.quantiles(j, _LEVELS), cost))
    return out


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


def _block(shape: Shape, variants: Sequence[Variant], times: Floats, costs: Floats | None) -> Block:
    through, stopped = np.flatnonzero(shape.ran_through), np.flatnonzero(~shape.ran_through)
    through_kept, stopped_kept = pool.thinned(through, _MOST_ROWS), pool.thinned(stopped, _MOST_ROWS)
    keep, whole = np.concatenate([through_kept, stopped_kept]), len(through_kept)
    made = np.maximum(shape.makespan()[keep[:whole]], LEAST_TIME)
    spent = shape.cost[keep[:whole]].sum(axis=1)
    run = np.argsort(made, kind="stable")[_ranks(whole)]
    cost_scale = np.ones(_DRAWS)
    if costs is not None:
        by_cost = np.lexsort((np.arange(_DRAWS), spent[run]))
        cost_scale[by_cost] = costs / spent[run[by_cost]]
    # Rule of succession with Jeffreys' prior, but nothing can be drawn where no run failed.
    fails = (len(stopped) + 0.5) / (len(through) + len(stopped) + 1) if len(stopped) else 0.0
    draws = [
        Drawn(int(r), short(t), short(c), short((1 - fails) / _DRAWS))
        for r, t, c in zip(run, times / made[run], cost_scale, strict=True)
    ]
    draws += [Drawn(r, 1.0, 1.0, short(fails / (len(keep) - whole))) for r in range(whole, len(keep))]
    recorded = np.isfinite(shape.cost).all()
    newest = age(shape.began)
    return Block(
        skills=tuple(variants[v].id for v in shape.variant),
        after=shape.after,
        gap_ms=_rows(shape.gap[keep]),
        time_ms=_rows(shape.time[keep]),
        cost_cents=_rows(shape.cost[keep]) if recorded else None,
        failed=tuple(tuple(map(bool, row)) for row in shape.failed[keep]),
        draws=tuple(draws),
        provenance=Provenance(
            "measured", "whole runs, totals by a pool of experts", len(shape.began), *newest
        ),
    )


def _ranks(rows: int) -> Ints:
    """Of equally many equally likely draws for each row, which row by rank is whose."""
    return (np.arange(_DRAWS) * rows // _DRAWS).astype(np.int64)


def _rows(matrix: Floats) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(map(short, row)) for row in matrix)
