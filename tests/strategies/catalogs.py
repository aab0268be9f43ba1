"""Random valid catalogs, with everything that a catalog can have."""

from typing import Any

from hypothesis import strategies as st

from aos.domain.skills.distributions import Constant, Distribution, Lognormal, Quantiles, Tail, Uniform
from aos.domain.skills.skill import (
    CATEGORIES,
    Block,
    CallCost,
    Catalog,
    Correlation,
    Donors,
    Drawn,
    Effects,
    EffectsBy,
    FailureMode,
    FanOut,
    Feature,
    Figure,
    Growth,
    Hints,
    PartCorrelation,
    Power,
    PowerGrowth,
    Provenance,
    RateLimit,
    RetryPolicy,
    Skill,
    TokenCost,
)
from tests.strategies.values import Strategy, json_values, names, words

_amounts = st.floats(0, 1e6)
_provenances = st.builds(
    Provenance,
    st.sampled_from(["declared", "measured"]),
    words,
    st.none() | st.integers(0, 10_000),
    st.none() | st.dates().map(lambda day: day.isoformat()),
    st.none() | st.floats(0, 400),
)


@st.composite
def _stated_quantiles(draw: st.DrawFn, low: float) -> Quantiles:
    levels = sorted(draw(st.sets(st.floats(0, 1), min_size=1, max_size=5)))
    values = sorted(draw(st.lists(st.floats(low, 900), min_size=len(levels), max_size=len(levels))))
    tail = draw(st.none() | st.builds(Tail, st.floats(0, 0.9), st.floats(0, 100)))
    return Quantiles(tuple(levels), tuple(values), tail)


def distributions(low: float = 0.0) -> Strategy[Distribution]:
    """Every kind, with values from `low` to 900."""
    values = st.floats(low, 900)
    ordered = st.tuples(values, values).map(sorted)
    return (
        values.map(Constant)
        | ordered.map(lambda pair: Uniform(*pair))
        | st.builds(Lognormal, values, st.floats(0, 5))
        | _stated_quantiles(low)
    )


def figures(values: Strategy[Any]) -> Strategy[Figure[Any]]:
    """A value with a provenance."""
    return st.builds(Figure, values, _provenances)


_spreads = st.none() | figures(distributions())
_ratios = st.none() | figures(st.floats(0, 0.9))
_parts = st.builds(PartCorrelation, _ratios, _ratios, _ratios)

_failure_modes = st.builds(
    FailureMode,
    code=names,
    category=st.sampled_from(CATEGORIES),
    probability=st.none() | figures(st.floats(0, 0.2)),
    time=_spreads,
    charged=st.booleans(),
    outage=_spreads,
)
_costs = (
    st.none()
    | st.builds(CallCost, figures(distributions()), _ratios, _ratios)
    | st.builds(
        TokenCost,
        chars_per_token=figures(distributions(1)),
        output_tokens=figures(distributions()),
        reference_chars=figures(distributions()),
        unnamed=_spreads,
        follows_latency=_ratios,
    )
)
_effects = st.builds(Effects, *[st.booleans()] * 5)
_policies = st.builds(
    RetryPolicy,
    max_attempts=st.integers(1, 10),
    backoff_ms=_amounts,
    multiplier=st.floats(1, 10),
    max_backoff_ms=_amounts,
    retry_on=st.lists(st.sampled_from(CATEGORIES), unique=True).map(tuple),
    deduplicated=st.booleans(),
)
_texts = st.lists(words, max_size=2).map(tuple)
_pools = {"wide": 8, "narrow": 1}


_fan_outs = st.builds(
    FanOut,
    width=st.integers(2, 100),
    delay=st.builds(Lognormal, st.floats(1, 1e5), st.floats(0, 2)),
    growth=st.floats(-1, 1),
    growth_sd=st.floats(0, 1),
    stairs=st.lists(st.floats(0, 1), min_size=2, max_size=5).map(sorted).map(tuple),
    provenance=_provenances,
)


_growths = st.builds(
    Growth,
    fixed=st.floats(0, 900),
    features=st.lists(
        st.builds(Feature, words, st.floats(0, 900), distributions()),
        min_size=1,
        max_size=2,
        unique_by=lambda feature: feature.name,
    ).map(tuple),
    rest=figures(distributions()),
    follows_latency=_ratios,
) | st.builds(
    PowerGrowth,
    level=st.floats(1e-6, 900),
    features=st.lists(
        st.builds(
            Power,
            words,
            typical=st.floats(1e-6, 900),
            exponent=st.floats(0, 10),
            seen=st.builds(Lognormal, st.floats(1, 1e5), st.floats(0, 2)),
        ),
        min_size=1,
        max_size=2,
        unique_by=lambda power: power.name,
    ).map(tuple),
    rest=figures(distributions()),
    follows_latency=_ratios,
)


def skills(name: str) -> Strategy[Skill]:
    """A skill of that id; its pool is "wide" or "narrow"."""
    stated: dict[str, Strategy[Any]] = {
        "id": st.just(name),
        "version": words,
        "purpose": words,
        "input_schema": st.just({"type": "object", "properties": {"a": {"type": "string"}}}),
        "output_schema": st.just({"type": "object", "properties": {"b": {}}, "additionalProperties": False}),
        "main_output": st.sampled_from(["b", None]),
        "latency": _spreads,
        "cost": _costs,
        "failures": st.none() | st.lists(_failure_modes, max_size=4, unique_by=lambda m: m.code).map(tuple),
        "effects": _effects,
        "effects_by": st.none() | st.builds(EffectsBy, names, st.dictionaries(names, _effects, max_size=2)),
        "retry": _policies,
        "rate_limit": st.none() | st.builds(RateLimit, st.floats(0.1, 1000), st.integers(1, 100)),
        "pool": st.sampled_from([None, *_pools]),
        "overhead": _spreads,
        "latency_by": st.none() | _growths,
        "cost_by": st.none() | _growths,
        "drift": _ratios,
        "constraints": st.dictionaries(words, json_values, max_size=2),
        "hints": st.builds(Hints, _texts, _texts, _texts),
        "enabled": st.booleans(),
    }
    return st.fixed_dictionaries(stated).map(lambda fields: Skill(**fields))


@st.composite
def catalogs(draw: st.DrawFn) -> Catalog:
    """A valid catalog of up to three skills, with everything that a catalog can have."""
    ids = draw(st.lists(names, max_size=3, unique=True))
    return Catalog(
        skills={name: draw(skills(name)) for name in ids},
        pools=_pools,
        overhead=draw(_spreads),
        correlation=Correlation(
            draw(_ratios),
            draw(_ratios),
            draw(_parts),
            draw(st.dictionaries(st.sampled_from(["tokens", "rows"]), _parts, max_size=2)),
        ),
        approval_wait=draw(_spreads),
        approval_wait_by_level=draw(st.dictionaries(st.integers(1, 5), figures(distributions()), max_size=2)),
        run_factor=draw(_factors),
        blocks=tuple(draw(st.lists(_blocks(), max_size=2))),
        donors=tuple(draw(st.lists(_donors(), max_size=1))),
    )


_factors = st.none() | st.builds(
    Figure, st.builds(Lognormal, st.floats(0.1, 10), st.floats(0, 2)), _provenances
)


def _matrix(draw: st.DrawFn, runs: int, cells: int, values: Strategy[Any]) -> Any:
    return tuple(tuple(draw(st.lists(values, min_size=cells, max_size=cells))) for _ in range(runs))


@st.composite
def _blocks(draw: st.DrawFn) -> Block:
    """Up to three recorded runs of up to three steps."""
    used = draw(st.lists(names, min_size=1, max_size=3))
    runs, steps = draw(st.integers(1, 3)), len(used)
    after = tuple(tuple(sorted(draw(st.sets(st.integers(0, i - 1))))) if i else () for i in range(steps))
    return Block(
        skills=tuple(used),
        after=after,
        gap_ms=_matrix(draw, runs, steps, _amounts),
        time_ms=_matrix(draw, runs, steps, _amounts),
        cost_cents=draw(st.none() | st.just(_matrix(draw, runs, steps, _amounts))),
        failed=_matrix(draw, runs, steps, st.booleans()),
        draws=tuple(
            Drawn(run, draw(_amounts), draw(_amounts), draw(st.floats(0.1, 1))) for run in range(runs)
        ),
        provenance=draw(_provenances),
    )


@st.composite
def _donors(draw: st.DrawFn) -> Donors:
    """Two recorded runs of up to two skills."""
    used = draw(st.lists(names, min_size=1, max_size=2, unique=True))
    times = {name: _matrix(draw, 2, draw(st.integers(1, 3)), _amounts) for name in used}
    return Donors(
        time_ms=times,
        cost_cents=draw(st.none() | st.just(times)),
        bandwidth=draw(st.floats(0.1, 2)),
        slope=draw(st.floats(0, 2)),
        provenance=draw(_provenances),
        fails={name: draw(st.floats(0, 1)) for name in used},
    )
