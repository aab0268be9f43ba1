"""Probability distributions of one non-negative quantity, as a catalog states them.

Times are milliseconds, money is cents. `aos.engine.sampling.distributions` turns them into quantile tables.
"""

from typing import NamedTuple


class Constant(NamedTuple):
    """Always the same value."""

    value: float


class Uniform(NamedTuple):
    """Every value between `low` and `high` alike."""

    low: float
    high: float


class Lognormal(NamedTuple):
    """exp(N(ln p50, sigma^2)): most values near the median, few far above it."""

    p50: float
    sigma: float


class Tail(NamedTuple):
    """Generalised Pareto excess over the highest stated quantile.

    P(X > u + y | X > u) = (1 + shape*y/scale)^(-1/shape); shape 0 is the exponential tail.
    Source: Pickands (1975), "Statistical inference using extreme order statistics".
    """

    shape: float
    scale: float


class Quantiles(NamedTuple):
    """Stated quantiles, linear in between: values measured as they are, of any shape.

    `levels` rise strictly inside [0, 1], `values` never fall. Below the first level the first value
    holds; above the last one the `tail` goes on, or the last value holds where there is none.
    """

    levels: tuple[float, ...]
    values: tuple[float, ...]
    tail: Tail | None = None


Distribution = Constant | Uniform | Lognormal | Quantiles


def median(distribution: Distribution) -> float:
    """The typical value: half of all draws are below it."""
    match distribution:
        case Constant(value):
            return value
        case Uniform(low, high):
            return (low + high) / 2
        case Lognormal(p50, _):
            return p50
        case Quantiles(levels, values, _):
            return _interpolate(0.5, levels, values)


def upper_bound(distribution: Distribution) -> float | None:
    """The largest value that can be drawn, None where there is none."""
    match distribution:
        case Constant(value):
            return value
        case Uniform(_, high):
            return high
        case Lognormal(p50, sigma):
            return p50 if sigma == 0 or p50 == 0 else None
        case Quantiles(_, values, tail):
            return values[-1] if tail is None else None


def scaled(distribution: Distribution, factor: float) -> Distribution:
    """The distribution of a draw times `factor`, which is not below 0."""
    match distribution:
        case Constant(value):
            return Constant(value * factor)
        case Uniform(low, high):
            return Uniform(low * factor, high * factor)
        case Lognormal(p50, sigma):
            return Lognormal(p50 * factor, sigma)
        case Quantiles(levels, values, tail):
            grown = tail and Tail(tail.shape, tail.scale * factor)
            return Quantiles(levels, tuple(value * factor for value in values), grown)


def _interpolate(level: float, levels: tuple[float, ...], values: tuple[float, ...]) -> float:
    if level <= levels[0]:
        return values[0]
    for i in range(1, len(levels)):
        if level <= levels[i]:
            share = (level - levels[i - 1]) / (levels[i] - levels[i - 1])
            return values[i - 1] + share * (values[i] - values[i - 1])
    return values[-1]
