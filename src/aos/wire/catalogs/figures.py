"""Figures of a catalog as JSON: a number, or an object with one distribution and where it is from.

    500                                                  always 500, declared
    {"value": 0.01, "source": "measured", "n": 4211}     always 0.01, from 4,211 records
    {"p50": 500, "p90": 1100}                            lognormal; p95, p99 or sigma in place of p90
    {"low": 1, "high": 5}                                every value between alike
    {"levels": [0, 0.5, 1], "values": [1, 2, 9]}         stated quantiles; `tail` {shape, scale} goes on above

Null and an absent figure are unknown: None, never zero.
"""

import math
from collections.abc import Mapping
from typing import Any

from aos.domain.skills.distributions import Constant, Distribution, Lognormal, Quantiles, Tail, Uniform
from aos.domain.skills.skill import Figure, Provenance
from aos.wire.shape import MISSING, Field, Fields, Reader, at

__all__ = [
    "PROVENANCE_KEYS",
    "dump_distribution",
    "dump_figure",
    "dump_provenance",
    "dump_ratio",
    "figure",
    "ratio",
    "read_provenance",
]

DECLARED = Provenance("declared")

MAX_SIGMA = 5.0
"""A p90 of 600 times the median; beyond it no forecast says anything."""
MAX_LEVELS = 10_000
"""Stated quantiles of one figure."""

_FAMILIES = {
    "value": ("value",),
    "p50": ("p50", "p90", "p95", "p99", "sigma"),
    "low": ("low", "high"),
    "levels": ("levels", "values", "tail"),
}
PROVENANCE_KEYS = ("source", "method", "n", "as_of", "window_days")
_KEYS = frozenset(key for keys in _FAMILIES.values() for key in keys).union(PROVENANCE_KEYS)

# Standard normal quantiles: the second quantile of a lognormal is p50 * exp(z * sigma).
_Z = {"p90": 1.2815515655446004, "p95": 1.6448536269514722, "p99": 2.3263478740408408}


def figure(
    reader: Reader, value: Field, pointer: str, *, low: float = 0, high: float
) -> Figure[Distribution] | None:
    """A figure whose stated values lie between `low` and `high`, or None where it is unknown or wrong."""
    if value is MISSING or value is None:
        return None
    if not isinstance(value, dict):
        stated = reader.number(value, pointer, None, low=low, high=high)
        return None if stated is None else Figure(Constant(float(stated)), DECLARED)
    fields = reader.obj(value, pointer, known=_KEYS)
    families = [name for name, keys in _FAMILIES.items() if not fields.keys().isdisjoint(keys)]
    if len(families) != 1:
        reader.add(
            pointer,
            "bad_value",
            "a figure is one of: value; p50 with p90, p95, p99 or sigma; low and high; levels and values",
        )
        return None
    distribution = _READERS[families[0]](reader, fields, pointer, (low, high))
    return None if distribution is None else Figure(distribution, read_provenance(reader, fields, pointer))


def ratio(reader: Reader, value: Field, pointer: str, *, high: float) -> Figure[float] | None:
    """A figure that is one number between 0 and `high`, such as a probability."""
    if value is MISSING or value is None:
        return None
    if not isinstance(value, dict):
        stated = reader.number(value, pointer, None, low=0, high=high)
        return None if stated is None else Figure(float(stated), DECLARED)
    fields = reader.obj(value, pointer, known=("value", *PROVENANCE_KEYS), required=("value",))
    stated = reader.number(fields["value"], at(pointer, "value"), None, low=0, high=high)
    return None if stated is None else Figure(float(stated), read_provenance(reader, fields, pointer))


def dump_figure(stated: Figure[Distribution] | None) -> dict[str, Any] | None:
    """The object that `figure` reads back as the same figure."""
    return stated and {**dump_distribution(stated.value), **dump_provenance(stated.provenance)}


def dump_ratio(stated: Figure[float] | None) -> dict[str, Any] | None:
    """The object that `ratio` reads back as the same figure."""
    return stated and {"value": stated.value, **dump_provenance(stated.provenance)}


def dump_distribution(distribution: Distribution) -> dict[str, Any]:
    """The distribution's own keys."""
    match distribution:
        case Constant(value):
            return {"value": value}
        case Lognormal(p50, sigma):
            return {"p50": p50, "sigma": sigma}
        case Uniform(low, high):
            return {"low": low, "high": high}
        case Quantiles(levels, values, tail):
            stated = {"levels": list(levels), "values": list(values)}
            return {**stated, "tail": tail._asdict()} if tail else stated


def dump_provenance(provenance: Provenance) -> Mapping[str, Any]:
    """The keys that `read_provenance` reads back."""
    stated = {key: value for key, value in provenance._asdict().items() if value is not None}
    return stated if stated["method"] else {k: v for k, v in stated.items() if k != "method"}


def read_provenance(reader: Reader, fields: Fields, pointer: str) -> Provenance:
    """Where a figure is from; declared, unless it says otherwise."""
    source = reader.choice(
        fields["source"], at(pointer, "source"), "declared", allowed=("declared", "measured")
    )
    return Provenance(
        "measured" if source == "measured" else "declared",
        reader.text(fields["method"], at(pointer, "method"), ""),
        reader.integer(fields["n"], at(pointer, "n"), None, low=0),
        _day(reader, fields["as_of"], at(pointer, "as_of")),
        reader.number(fields["window_days"], at(pointer, "window_days"), None, low=0),
    )


def _day(reader: Reader, value: Field, pointer: str) -> str | None:
    text = reader.text(value, pointer, None)
    if text is None:
        return None
    from datetime import date

    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        reader.add(pointer, "bad_value", "expected a day such as 2026-01-31")
        return None


# -- one reader per family -------------------------------------------------------------------------------

Bounds = tuple[float, float]


def _constant(reader: Reader, fields: Fields, pointer: str, bounds: Bounds) -> Distribution | None:
    value = reader.number(fields["value"], at(pointer, "value"), None, low=bounds[0], high=bounds[1])
    return None if value is None else Constant(float(value))


def _uniform(reader: Reader, fields: Fields, pointer: str, bounds: Bounds) -> Distribution | None:
    if not _together(reader, fields, pointer, "low", "high"):
        return None
    low = reader.number(fields["low"], at(pointer, "low"), None, low=bounds[0], high=bounds[1])
    high = reader.number(fields["high"], at(pointer, "high"), None, low=bounds[0], high=bounds[1])
    if low is None or high is None:
        return None
    if low > high:
        reader.add(at(pointer, "high"), "bad_value", f"{high} is below `low`, {low}")
        return None
    return Uniform(float(low), float(high))


def _together(reader: Reader, fields: Fields, pointer: str, one: str, other: str) -> bool:
    if one in fields and other in fields:
        return True
    reader.add(pointer, "missing_key", f"`{one}` and `{other}` belong together")
    return False


def _lognormal(reader: Reader, fields: Fields, pointer: str, bounds: Bounds) -> Distribution | None:
    seconds = [key for key in ("p90", "p95", "p99", "sigma") if key in fields]
    if len(seconds) != 1 or "p50" not in fields:
        reader.add(pointer, "bad_value", "p50 takes one of p90, p95, p99 and sigma beside it")
        return None
    key = seconds[0]
    p50 = reader.number(fields["p50"], at(pointer, "p50"), None, low=bounds[0], high=bounds[1])
    second = reader.number(fields[key], at(pointer, key), None, low=0)
    if p50 is None or second is None:
        return None
    sigma = float(second) if key == "sigma" else _sigma(p50, second, _Z[key])
    if sigma is None or sigma > MAX_SIGMA:
        reader.add(
            at(pointer, key), "bad_value", f"{second} is no {key} of a lognormal with the median {p50}"
        )
        return None
    return Lognormal(float(p50), sigma)


def _sigma(p50: float, quantile: float, z: float) -> float | None:
    """The spread of ln X, from the ratio of a higher quantile to the median."""
    if p50 == quantile:
        return 0.0
    return math.log(quantile / p50) / z if 0 < p50 < quantile else None


def _quantiles(reader: Reader, fields: Fields, pointer: str, bounds: Bounds) -> Distribution | None:
    if not _together(reader, fields, pointer, "levels", "values"):
        return None
    before = len(reader.findings)
    levels = _rising(reader, fields["levels"], at(pointer, "levels"), (0, 1), strictly=True)
    values = _rising(reader, fields["values"], at(pointer, "values"), bounds, strictly=False)
    if len(reader.findings) == before and len(levels) != len(values):
        reader.add(at(pointer, "values"), "bad_value", f"{len(values)} values for {len(levels)} levels")
    tail = _tail(reader, fields["tail"], at(pointer, "tail"), bounds[1])
    return None if len(reader.findings) > before else Quantiles(levels, values, tail)


def _rising(
    reader: Reader, value: Field, pointer: str, bounds: Bounds, *, strictly: bool
) -> tuple[float, ...]:
    """Numbers within bounds, at least one, each above (or at) the one before."""
    items = reader.array(value, pointer, max_len=MAX_LEVELS)
    numbers: list[float] = []
    for i, item in enumerate(items):
        number = reader.number(item, at(pointer, i), None, low=bounds[0], high=bounds[1])
        if number is None:
            continue
        if numbers and (number < numbers[-1] or (strictly and number == numbers[-1])):
            reader.add(at(pointer, i), "bad_value", f"{number} after {numbers[-1]}: these must rise")
        numbers.append(float(number))
    if value == []:
        reader.add(pointer, "bad_value", "at least one number is needed")
    return tuple(numbers)


def _tail(reader: Reader, value: Field, pointer: str, top: float) -> Tail | None:
    if value is MISSING or value is None:
        return None
    fields = reader.obj(value, pointer, known=("shape", "scale"), required=("shape", "scale"))
    # From shape 1 on the mean is infinite.
    shape = reader.number(fields["shape"], at(pointer, "shape"), None, low=0, high=0.95)
    scale = reader.number(fields["scale"], at(pointer, "scale"), None, low=0, high=top)
    return None if shape is None or scale is None else Tail(float(shape), float(scale))


_READERS = {"value": _constant, "p50": _lognormal, "low": _uniform, "levels": _quantiles}
