"""A skill's own figures from its attempts: latency, price, and how it fails."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from aos.domain.learning.calibration import Measured
from aos.domain.skills.distributions import Distribution
from aos.domain.skills.skill import (
    MAX_CENTS,
    AnyGrowth,
    CallCost,
    Category,
    Effects,
    FailureMode,
    Figure,
    Provenance,
    Skill,
)
from aos.engine.calibrate.sizes import growth
from aos.engine.calibrate.sizes.growth import Grown
from aos.engine.calibrate.skill import jumps, times
from aos.engine.calibrate.skill.drift import Dated, Walk, walks
from aos.engine.calibrate.skill.experts import block_length, local_level
from aos.engine.calibrate.skill.outages import Ended, Lasting, lasting
from aos.engine.calibrate.skill.rates import pooled_chances
from aos.engine.calibrate.skill.times import METHOD, Fitted, short
from aos.engine.calibrate.table import Age, Flags, Ints, Table, Variant, age, moments
from aos.engine.sampling.distributions import Floats

LEAST_COST = 1e-6
"""Cents: what the simulation counts in."""

_SHARE_WORTH = 2.0
"""Failures of the whole skill that its mix of codes counts as, beside those of a variant."""
_DECLARED_WORTH = 10.0
"""Attempts that a declared chance of failing is worth, against records in which that never happened."""
_MOVED, _STANDARD_ERRORS = 1.05, 2.0
_SE_OF_MEDIAN = 1.2533
"""Of normal values, in units of that of their mean: sqrt(pi / 2)."""
_UNCODED = "FAILED"
_UNKNOWN_EFFECTS = Effects(
    read_only=False, idempotent=False, destructive=True, reversible=False, open_world=True
)


class Attempts(NamedTuple):
    """The attempts of one variant, oldest first. `code` names the way of each failure, -1 of a success.

    `first` are those that no failed attempt of their step came before. `x` is [attempt, feature], the features being
    `features`.
    """

    variant: Variant
    start: Floats
    time: Floats
    cost: Floats
    code: Ints
    first: Flags
    age: Age
    features: tuple[str, ...]
    x: Floats

    @property
    def failed(self) -> Flags:
        """Which attempts failed."""
        return self.code >= 0


class Learned(NamedTuple):
    """A skill with measured figures, and the row that tells of them."""

    skill: Skill
    row: Measured


def learn_skills(table: Table, by: Sequence[str], base: Mapping[str, Skill]) -> list[Learned]:
    """Every variant in the table as a skill; what its records do not tell is as in `base`."""
    codes, code = _codes(table)
    cured = _cured(table, code)
    found: dict[str, list[Attempts]] = {}
    for variant, rows in zip(table.variants, table.rows_of(), strict=True):
        attempts = Attempts(
            variant,
            table.start[rows],
            table.time[rows],
            table.cost[rows],
            code[rows],
            table.attempt[rows] == 1,
            age(table.start[rows]),
            table.features,
            table.x[rows],
        )
        found.setdefault(variant.skill, []).append(attempts)
    return [
        learned
        for skill, attempts in found.items()
        for learned in _learn(attempts, by, base.get(skill), codes, cured)
    ]


def _learn(
    attempts: Sequence[Attempts],
    by: Sequence[str],
    base: Skill | None,
    codes: Sequence[str],
    cured: frozenset[int],
) -> list[Learned]:
    """The variants of one skill together."""
    columns = [a.variant.values for a in attempts]
    when = [moments(a.start) for a in attempts]
    success = times.fit([np.where(a.failed, np.nan, a.time) for a in attempts], when, columns)
    met = sorted({int(c) for a in attempts for c in np.unique(a.code[a.failed])})
    few = [np.isfinite(a.time).sum() < times.MANY for a in attempts]
    every = times.fit([a.time for a in attempts], when, columns) if met and any(few) else None
    ways = {
        c: times.fit([np.where(a.code == c, a.time, np.nan) for a in attempts], when, columns) for c in met
    }
    apart = any(ways.values())
    cost = times.fit([a.cost for a in attempts], when, columns, LEAST_COST)
    ended = [Ended(a.start, a.start + a.time, a.code) for a in attempts]
    outages = {c: found for c in met if (found := lasting(ended, c))}
    chances = _chances(attempts, met, columns, first=bool(outages))
    known = growth.Known(
        attempts[0].features, [a.x for a in attempts], [a.age for a in attempts], when, columns
    )
    succeeded = [np.where(a.failed, np.nan, a.time) for a in attempts]
    time_growth, cost_growth = growth.growths([succeeded, [a.cost for a in attempts]], known)
    drifts = walks([_dated(a) for a in attempts])
    out = []
    for j, a in enumerate(attempts):
        whole = every.quantiles(j) if every and apart and few[j] else None

        def told(
            fitted: Fitted | None, j: int = j, a: Attempts = a, whole: Floats | None = whole
        ) -> Floats | None:
            if fitted is None:
                return None
            return fitted.quantiles(j) if whole is None else times.joined(fitted, whole, a.time, j)

        provenance = Provenance("measured", METHOD, len(a.time), *a.age)
        latency = told(success)
        modes = [
            FailureMode(
                code=codes[c],
                category=_category(codes[c], base, c in cured),
                probability=Figure(short(chances[c][j]), _chance_of(a)),
                time=None if (t := told(ways[c])) is None else Figure(times.table(t), provenance),
                outage=_outage(outages.get(c), a),
            )
            for c in met
        ]
        skill = _descriptor(a.variant, base)._replace(
            latency=Figure(times.table(latency), provenance)
            if latency is not None
            else base and base.latency,
            latency_by=time_growth[j].growth if latency is not None else base and base.latency_by,
            drift=_drift_of(drifts[j], a) if latency is not None else base and base.drift,
            failures=(*modes, *_declared(base, {codes[c] for c in met}, a)),
        )
        if cost is not None and np.isfinite(a.cost).any():
            by_size = _priced_with(time_growth[j], cost_growth[j])
            skill = skill._replace(cost=_price(cost, a, j), cost_by=by_size)
        row = _row(a, by, success, j)._replace(features=_features(time_growth[j], cost_growth[j]))
        out.append(Learned(skill, row))
    return out


def _dated(a: Attempts) -> Dated:
    """Times of successes above 0; none where they count from no date."""
    known = ~a.failed & (a.time > 0) & (a.age.as_of is not None)
    return Dated(a.start[known], np.maximum(a.time[known], times.LEAST_TIME))


def _drift_of(walk: Walk | None, a: Attempts) -> Figure[float] | None:
    if walk is None or a.age.as_of is None:
        return None
    return Figure(
        short(walk.per_year), Provenance("measured", "moves of block medians", walk.records, *a.age)
    )


def _features(*grown: Grown) -> tuple[str, ...]:
    """The features that the time or the price of a variant grows with."""
    names = (feature.name for one in grown if one.growth for feature in one.growth.features)
    return tuple(dict.fromkeys(names))


def _priced_with(time: Grown, cost: Grown) -> AnyGrowth | None:
    """The growth of a price, with how its rest goes with that of the time."""
    if cost.growth is None:
        return None
    both = np.isfinite(time.rest) & np.isfinite(cost.rest)
    follows = _rank_correlation(time.rest[both], cost.rest[both])
    figure = Figure(short(follows), Provenance("measured", "rank correlation", int(both.sum())))
    return cost.growth._replace(follows_latency=figure if follows > 0 else None)


def _codes(table: Table) -> tuple[tuple[str, ...], Ints]:
    """Names of the ways to fail, and the way of each row; failures without a code have one of their own."""
    code = np.where(table.failed, np.where(table.code >= 0, table.code, len(table.codes)), -1)
    return (*table.codes, _UNCODED), code


def _cured(table: Table, code: Ints) -> frozenset[int]:
    """Codes of failures after which the step was attempted again: to someone they seemed to pass."""
    key = table.run * max(len(table.steps), 1) + table.step
    ranked = np.lexsort((table.attempt, key))
    again = np.append(key[ranked][1:] == key[ranked][:-1], False)
    return frozenset(map(int, np.unique(code[ranked][again & (code[ranked] >= 0)])))


def _outage(found: Lasting | None, a: Attempts) -> Figure[Distribution] | None:
    if found is None:
        return None
    method = "what failures were followed by, no more often the later it was"
    return Figure(found.duration, Provenance("measured", method, found.failures, *a.age))


def _chances(
    attempts: Sequence[Attempts], met: Sequence[int], columns: Sequence[tuple[str, ...]], *, first: bool
) -> dict[int, Floats]:
    """P(code) of an attempt of each variant: the pooled chance to fail, shared out by the pooled mix of codes.

    Where failures come in outages, only `first` attempts count: those after them were made because of one.
    """
    kept = [a.first if first else np.ones(len(a.code), bool) for a in attempts]
    counts = np.array(
        [[np.sum(a.code[keep] == c) for c in met] for a, keep in zip(attempts, kept, strict=True)], np.float64
    ).reshape(len(attempts), -1)
    trials = np.array([keep.sum() for keep in kept], np.float64)
    fails = np.array(
        [
            jumps.chance(overall, a.failed[keep], moments(a.start)[keep])
            for overall, a, keep in zip(
                pooled_chances(counts.sum(axis=1), trials, columns), attempts, kept, strict=True
            )
        ]
    )
    mix = counts.sum(axis=0) / max(counts.sum(), 1.0)
    share = (counts + _SHARE_WORTH * mix) / (counts.sum(axis=1, keepdims=True) + _SHARE_WORTH)
    return {c: fails * share[:, i] for i, c in enumerate(met)}


def _chance_of(a: Attempts) -> Provenance:
    return Provenance("measured", "pooled beta-binomial", len(a.code), *a.age)


def _declared(base: Skill | None, met: set[str], a: Attempts) -> list[FailureMode]:
    """Ways to fail that somebody declared and nobody met: less likely with every attempt."""
    out = []
    for mode in (base.failures or ()) if base else ():
        if mode.code not in met and mode.probability is not None:
            chance = mode.probability.value * _DECLARED_WORTH / (_DECLARED_WORTH + len(a.code))
            out.append(mode._replace(probability=Figure(short(chance), _chance_of(a))))
    return out


def _category(code: str, base: Skill | None, retried: bool) -> Category:
    declared = {mode.code: mode.category for mode in (base.failures or ())} if base else {}
    return declared.get(code, "TRANSIENT" if retried else "PERMANENT")


def _price(fitted: Fitted, a: Attempts, j: int) -> CallCost:
    """By the pool, unless every attempt cost the same."""
    known = np.isfinite(a.cost)
    paid = a.cost[known]
    provenance = Provenance("measured", METHOD, len(paid), *a.age)
    if paid.min() == paid.max():
        return CallCost(Figure(times.empirical(paid, MAX_CENTS), provenance._replace(method="as recorded")))
    both = known & np.isfinite(a.time)
    follows = _rank_correlation(a.cost[both], a.time[both])
    return CallCost(
        Figure(times.table(fitted.quantiles(j), MAX_CENTS), provenance),
        follows_latency=Figure(short(follows), provenance._replace(method="rank correlation"))
        if follows > 0
        else None,
    )


def _rank_correlation(a: Floats, b: Floats) -> float:
    """Spearman's, of values without regard to ties; 0 for fewer than three."""
    if len(a) < 3 or a.min() == a.max() or b.min() == b.max():
        return 0.0
    x, y = (np.argsort(np.argsort(values, kind="stable")) - (len(a) - 1) / 2 for values in (a, b))
    return float(np.clip(x @ y / (x @ x), 0.0, 1.0))


def _descriptor(variant: Variant, base: Skill | None) -> Skill:
    """The skill as it is in the catalog, or one of which nothing good is assumed."""
    if base is not None:
        return base._replace(id=variant.id)
    return Skill(
        id=variant.id,
        version="1",
        purpose="known from records only",
        input_schema={"type": "object"},
        output_schema={"type": "object"},
        main_output=None,
        latency=None,
        cost=None,
        failures=None,
        effects=_UNKNOWN_EFFECTS,
    )


def _row(a: Attempts, by: Sequence[str], fitted: Fitted | None, j: int) -> Measured:
    reach = fitted.half_life(j) if fitted else None
    method = METHOD if reach is not None else "relatives only" if fitted else "nothing timed"
    return Measured(
        id=a.variant.id,
        skill=a.variant.skill,
        conditions=tuple(zip(by, a.variant.values, strict=True)),
        n=len(a.code),
        failed=int(a.failed.sum()),
        as_of=a.age.as_of,
        window_days=a.age.window_days,
        method=method,
        drift=_drift(a.time[~a.failed & (a.time > 0)]),
    )


def _drift(series: Floats) -> str:
    """How far the newest level is from the median of all, where that is more than noise."""
    if len(series) < 3:
        return "too few to tell"
    logs = np.log(np.maximum(series, times.LEAST_TIME))
    running = local_level(logs)
    moved = float(running[-1] - np.median(logs))
    noise = _SE_OF_MEDIAN * float(np.std(logs - running)) / np.sqrt(block_length(len(logs)))
    if abs(moved) < max(_STANDARD_ERRORS * noise, np.log(_MOVED)):
        return "steady"
    return f"now {np.exp(moved):.2g} times its median"
