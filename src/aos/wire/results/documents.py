"""What every document starts with, and how a figure looks in it.

Figures are rounded to 6 significant digits, so that the same plan, catalog, seed and samples give the same
bytes on every machine.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import aos

if TYPE_CHECKING:
    from decimal import Decimal

    from aos.domain.forecasts.forecast import Estimate

Document = dict[str, Any]


def envelope(schema: str) -> Document:
    """The keys that every document starts with: `schema` ("aos.simulation/1") and `aos_version`."""
    return {"schema": schema, "aos_version": aos.__version__}


def headed(document: Mapping[str, Any]) -> Document:
    """The same with those keys first again: a database that keeps JSON by its meaning forgets their order."""
    return {**{key: document[key] for key in ("schema", "aos_version") if key in document}, **document}


def significant(value: float) -> float | int:
    """Six significant digits; whole numbers as integers."""
    rounded = float(f"{value:.6g}")
    return int(rounded) if rounded.is_integer() and abs(rounded) < 2**53 else rounded


def figure(value: float | None) -> float | int | None:
    """Six significant digits; None for what is unknown."""
    return None if value is None else significant(value)


def estimate(made: "Estimate") -> Document:
    """A figure with its standard error, six significant digits of each."""
    return {"value": significant(made.value), "se": significant(made.se)}


def money(cents: "Decimal | None") -> float | int | None:
    """Cents as a JSON number of at most 6 decimals."""
    if cents is None:
        return None
    return int(cents) if cents == cents.to_integral_value() else float(round(cents, 6))


def options(flags: Sequence[str]) -> list[str]:
    """Options with their values: `["--budget 137", "--deadline 4500"]`."""
    return [f"{option} {value}" for option, value in zip(flags[::2], flags[1::2], strict=True)]
