"""How the steps of a run depend: correlation within a run and among siblings, and what passes between steps."""

from collections.abc import Sequence

import numpy as np

from aos.domain.skills.skill import Correlation, Figure, Provenance
from aos.engine.calibrate.table import Ints
from aos.engine.calibrate.whole_run.runs import Shape
from aos.engine.sampling.distributions import SIZE, Floats, normal_scores

_LEAST_PAIRS = 30
_MOST = 0.95
_LEAST_OF_VARIANT = 8
"""A rank among fewer records says next to nothing."""


def correlation(shapes: Sequence[Shape]) -> Correlation:
    """Mean correlation of the normal scores of latencies of two steps of a run, and of two siblings.

    A score is the normal quantile of a latency's rank among those of its variant: levels and shapes drop out. With m
    scores in a run, sum over pairs of z_i z_j = ((sum z)^2 - sum z^2) / 2. None where there are too few pairs.
    """
    run, group, score = _scored(shapes)
    if not score.size:
        return Correlation()
    siblings, sibling_pairs = _products(group, score)
    both, pairs = _products(run, score)
    run_figure = _figure(both - siblings, pairs - sibling_pairs)
    sibling_figure = _figure(siblings, sibling_pairs)
    if run_figure and sibling_figure and sibling_figure.value < run_figure.value:
        sibling_figure = sibling_figure._replace(value=run_figure.value)
    return Correlation(run_figure, sibling_figure)


def _figure(products: float, pairs: float) -> Figure[float] | None:
    if pairs < _LEAST_PAIRS:
        return None
    value = float(f"{np.clip(products / pairs, 0.0, _MOST):.6g}")
    return Figure(value, Provenance("measured", "mean product of normal scores", int(pairs)))


def _products(key: Ints, score: Floats) -> tuple[float, float]:
    """Sum of z_i z_j over pairs with the same key, and how many pairs there are."""
    _, of = np.unique(key, return_inverse=True)
    count = np.bincount(of)
    sums, squares = np.bincount(of, score), np.bincount(of, score**2)
    return float(((sums**2 - squares) / 2).sum()), float((count * (count - 1) / 2).sum())


def _scored(shapes: Sequence[Shape]) -> tuple[Ints, Ints, Floats]:
    """Of every step in runs that did not fail: its run, its group of siblings, its normal score."""
    runs: list[Ints] = []
    groups: list[Ints] = []
    variants: list[Ints] = []
    times: list[Floats] = []
    first_run = first_group = 0
    for shape in shapes:
        time = shape.time[shape.ran_through]
        count, width = time.shape
        kinds = list(dict.fromkeys(zip(shape.variant, shape.after, strict=True)))
        kind = np.array([kinds.index(pair) for pair in zip(shape.variant, shape.after, strict=True)])
        number = np.arange(count)[:, None]
        runs.append(np.repeat(first_run + np.arange(count), width))
        groups.append((first_group + number * len(kinds) + kind).ravel())
        variants.append(np.tile(np.array(shape.variant, np.int64), count))
        times.append(time.ravel())
        first_run += count
        first_group += count * len(kinds)
    if not times:
        return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0)
    run, group, variant = (np.concatenate(parts) for parts in (runs, groups, variants))
    time = np.concatenate(times)
    score = np.full(len(time), np.nan)
    for v in np.unique(variant):
        of = np.flatnonzero(variant == v)
        if len(of) >= _LEAST_OF_VARIANT:
            rank = np.empty(len(of))
            rank[np.argsort(time[of], kind="stable")] = np.arange(len(of))
            score[of] = normal_scores().take(((rank + 0.5) / len(of) * SIZE).astype(np.int64))
    known = np.isfinite(score)
    return run[known], group[known], score[known]


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
