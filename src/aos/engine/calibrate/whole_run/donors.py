"""Donors: recorded chains of repeated skills that lend their records to chains of another length."""

from collections.abc import Sequence

import numpy as np

from aos.domain.skills.skill import Donors, Provenance
from aos.engine.calibrate.skill.times import short
from aos.engine.calibrate.table import Flags, Variant, age
from aos.engine.calibrate.whole_run.runs import Shape
from aos.engine.sampling.distributions import Floats

_LEAST_RUNS = 3
_BANDWIDTH = 0.45
"""In log length: a run twice as long counts a third. Chosen by score, see docs/truth.md."""
_SLOPE = (0.0, 2.0)


def chains(shapes: Sequence[Shape]) -> dict[frozenset[int], list[Shape]]:
    """Shapes that are chains of the same variants but differ in length, with enough runs to lend."""
    found: dict[frozenset[int], list[Shape]] = {}
    for shape in shapes:
        if shape.chain:
            found.setdefault(frozenset(shape.variant), []).append(shape)
    return {
        variants: alike
        for variants, alike in found.items()
        if len({len(s.variant) for s in alike}) > 1 and sum(map(_many, alike)) >= _LEAST_RUNS
    }


def donors(alike: Sequence[Shape], variants: Sequence[Variant]) -> Donors:
    """The runs of chains of the same variants, each with its records of every variant.

    Runs lend that came to their end, also past failed steps. How often a call fails for good is counted in all runs, by
    Jeffreys' prior (k + 1/2) / (n + 1). The slope is the elasticity of a run's time in its length, by least squares of
    logs: longer runs may have quicker steps, and a donor's values are scaled by what is left of it.
    """
    used = sorted(set(alike[0].variant))
    time: dict[str, list[tuple[float, ...]]] = {variants[v].id: [] for v in used}
    cost: dict[str, list[tuple[float, ...]]] = {variants[v].id: [] for v in used}
    priced = all(np.isfinite(shape.cost).all() for shape in alike)
    for shape in alike:
        called = np.array(shape.variant)
        for run in np.flatnonzero(_lends(shape)):
            for v in used:
                time[variants[v].id].append(tuple(map(short, shape.time[run, called == v])))
                cost[variants[v].id].append(tuple(map(short, shape.cost[run, called == v])))
    began = np.concatenate([shape.began for shape in alike])
    runs = sum(map(_many, alike))
    return Donors(
        time_ms={skill: tuple(rows) for skill, rows in time.items()},
        cost_cents={skill: tuple(rows) for skill, rows in cost.items()} if priced else None,
        bandwidth=_BANDWIDTH,
        slope=short(_slope(alike)),
        provenance=Provenance("measured", "chains lend by length", runs, *age(began)),
        fails={variants[v].id: _fails(alike, v) for v in used},
    )


def _slope(alike: Sequence[Shape]) -> float:
    lengths: list[Floats] = []
    totals: list[Floats] = []
    for shape in alike:
        time = shape.time[_lends(shape)].sum(axis=1)
        totals.append(np.log(np.maximum(time, 1e-6)))
        lengths.append(np.full(len(time), np.log(len(shape.variant))))
    length, total = np.concatenate(lengths), np.concatenate(totals)
    spread = length - length.mean()
    return float(np.clip(spread @ total / max(spread @ spread, 1e-12), *_SLOPE))


def _lends(shape: Shape) -> Flags:
    return shape.completed(shape.went_on)


def _many(shape: Shape) -> int:
    return int(_lends(shape).sum())


def _fails(alike: Sequence[Shape], variant: int) -> float:
    calls = failed = 0
    for shape in alike:
        called = np.array(shape.variant) == variant
        calls += int(shape.ran[:, called].sum())
        failed += int(shape.failed[:, called].sum())
    return short((failed + 0.5) / (calls + 1))
