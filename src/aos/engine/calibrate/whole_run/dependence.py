"""How the steps of a run depend: correlation within a run and among siblings, and what passes between steps."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from aos.domain.skills.skill import Correlation, Figure, PartCorrelation, Provenance
from aos.engine.calibrate.table import Ints
from aos.engine.calibrate.whole_run.runs import Shape
from aos.engine.sampling.distributions import SIZE, Floats, normal_scores

_LEAST_PAIRS = 30
_MOST = 0.95
_NOTHING = 1e-6
"""A spread of scores: what is always the same goes with nothing."""
_LEAST_OF_VARIANT = 8
"""A rank among fewer records says next to nothing."""


class _Steps(NamedTuple):
    """Every step in runs that did not fail: its run, its group of siblings, its normal scores; NaN where unknown."""

    run: Ints
    group: Ints
    whole: Floats
    rest: Floats
    sizes: dict[str, Floats]


def correlation(shapes: Sequence[Shape], sizes: Floats, features: Mapping[str, Floats]) -> Correlation:
    """Mean correlation of the normal scores of latencies of two steps of a run, and of two siblings.

    A score is the normal quantile of a latency's rank among those of its variant: levels and shapes drop out. `sizes`
    are those that the records of the table have, in proportion to which they take longer: what they leave unexplained
    has scores of its own. So have the `features`, which are by the same rows. None where there are too few pairs.
    """
    steps = _scored(shapes, sizes, features)
    rests = "mean product of normal scores of what sizes leave unexplained"
    between = "mean product of normal scores, of what sizes leave unexplained and whole latencies"
    return Correlation(
        *_figures(steps, steps.whole, steps.whole, "mean product of normal scores"),
        PartCorrelation(
            *_figures(steps, steps.rest, steps.rest, rests),
            _figures(steps, steps.rest, steps.whole, between)[0],
        ),
        {name: part for name, score in steps.sizes.items() if (part := _of_size(steps, score)).run},
    )


def _of_size(steps: _Steps, score: Floats) -> PartCorrelation:
    """How one size of a step goes with that of another, and with its whole latency."""
    method = "mean product of normal scores of sizes"
    between = "mean product of normal scores of sizes and whole latencies"
    run, siblings = _figures(steps, score, score, method)
    return PartCorrelation(run, siblings, _figures(steps, score, steps.whole, between)[0])


def _figures(
    steps: _Steps, a: Floats, b: Floats, method: str
) -> tuple[Figure[float] | None, Figure[float] | None]:
    """How the score `a` of one step goes with the score `b` of another in its run, and how among siblings."""
    siblings, sibling_pairs = _products(steps.group, a, b)
    both, pairs = _products(steps.run, a, b)
    run_figure = _figure(both - siblings, pairs - sibling_pairs, method)
    sibling_figure = _figure(siblings, sibling_pairs, method)
    if run_figure and sibling_figure and sibling_figure.value < run_figure.value:
        sibling_figure = sibling_figure._replace(value=run_figure.value)
    return run_figure, sibling_figure


def _figure(products: float, pairs: float, method: str) -> Figure[float] | None:
    if pairs < _LEAST_PAIRS:
        return None
    value = float(f"{np.clip(products / pairs, 0.0, _MOST):.6g}")
    return Figure(value, Provenance("measured", method, int(pairs)))


def _products(key: Ints, a: Floats, b: Floats) -> tuple[float, float]:
    """Sum of a_i b_j over pairs of steps with the same key, and how many pairs there are that have both.

    Over all i and j that differ it is sum a * sum b - sum of a_i b_i. Of one score, each pair is counted once.
    """
    once = 0.5 if a is b else 1.0
    _, of = np.unique(key, return_inverse=True)
    there = [np.isfinite(score).astype(np.float64) for score in (a, b)]
    a, b = np.nan_to_num(a), np.nan_to_num(b)
    products = np.bincount(of, a) * np.bincount(of, b) - np.bincount(of, a * b)
    pairs = np.bincount(of, there[0]) * np.bincount(of, there[1]) - np.bincount(of, there[0] * there[1])
    return float((once * products).sum()), float((once * pairs).sum())


def _scored(shapes: Sequence[Shape], sizes: Floats, features: Mapping[str, Floats]) -> _Steps:
    nothing = np.empty(0, np.int64)
    runs, groups, variants = [nothing], [nothing], [nothing]
    times, rows = [np.empty(0)], [nothing]
    first_run = first_group = 0
    for shape in shapes:
        time, row = shape.time[shape.ran_through], shape.row[shape.ran_through]
        count, width = time.shape
        kinds = list(dict.fromkeys(zip(shape.variant, shape.after, strict=True)))
        kind = np.array([kinds.index(pair) for pair in zip(shape.variant, shape.after, strict=True)])
        number = np.arange(count)[:, None]
        runs.append(np.repeat(first_run + np.arange(count), width))
        groups.append((first_group + number * len(kinds) + kind).ravel())
        variants.append(np.tile(np.array(shape.variant, np.int64), count))
        times.append(time.ravel())
        rows.append(row.ravel())
        first_run += count
        first_group += count * len(kinds)
    variant, time, at = np.concatenate(variants), np.concatenate(times), np.concatenate(rows)
    return _Steps(
        np.concatenate(runs),
        np.concatenate(groups),
        _normal(variant, time),
        _normal(variant, time / sizes[at]),
        {name: _normal_of_ties(variant, column[at]) for name, column in features.items()},
    )


def _normal(variant: Ints, values: Floats) -> Floats:
    """The normal scores of values among those of their variant."""
    score = np.full(len(values), np.nan)
    for v in np.unique(variant):
        of = np.flatnonzero((variant == v) & np.isfinite(values))
        if len(of) >= _LEAST_OF_VARIANT:
            rank = np.empty(len(of))
            rank[np.argsort(values[of], kind="stable")] = np.arange(len(of))
            score[of] = normal_scores().take(((rank + 0.5) / len(of) * SIZE).astype(np.int64))
    return score


def _normal_of_ties(variant: Ints, values: Floats) -> Floats:
    """Likewise of values of which many may be the same: these share their mean score. The variance of each is 1."""
    score = _normal(variant, values)
    for v in np.unique(variant):
        of = np.flatnonzero((variant == v) & np.isfinite(score))
        if of.size:
            _, same = np.unique(values[of], return_inverse=True)
            mean = (np.bincount(same, score[of]) / np.bincount(same))[same]
            spread = float(np.sqrt((mean**2).mean()))
            score[of] = mean / spread if spread > _NOTHING else np.nan
    return score


def gaps(shapes: Sequence[Shape]) -> dict[int, Floats]:
    """What passed between the last step before and the start, by variant, ms; starts of fan-outs are left out."""
    found: dict[int, list[Floats]] = {}
    for shape in shapes:
        pairs = list(zip(shape.variant, shape.after, strict=True))
        for i, (variant, after) in enumerate(pairs):
            if after and pairs.count((variant, after)) == 1:
                found.setdefault(variant, []).append(shape.gap[shape.ran_through, i])
    joined = {variant: np.concatenate(parts) for variant, parts in found.items()}
    return {variant: gap for variant, gap in joined.items() if gap.size}
