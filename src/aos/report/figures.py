"""How money, time and chances are written for people. What nobody knows is the word "unknown", never 0 or a dash."""

import math
from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from aos.domain import durations
from aos.domain.skills.distributions import Constant, Distribution, Lognormal, Quantiles, Tail, Uniform

if TYPE_CHECKING:
    from aos.domain.forecasts.forecast import Chance, Estimate

UNKNOWN = "unknown"

_LEAST_CENTS = 0.0001
_RARE = "< 0.1 %"
_Z90 = 1.2815515655446004


def cents(amount: float | Decimal | None) -> str:
    """`12,346c`, `48.7c`, `3.21c`: a Decimal is what somebody stated and stands in full, a float is an estimate.

    Estimates have three digits, whole cents from 100c up. One too small to be told from 0 is `< 0.0001c`.
    """
    if amount is None:
        return UNKNOWN
    if isinstance(amount, Decimal):
        return f"{_plain(f'{amount:,f}')}c"
    if 0 < amount < _LEAST_CENTS:
        return f"< {_LEAST_CENTS:f}".rstrip("0") + "c"
    return f"{number(amount)}c"


def money(amount: float | Decimal | None) -> str:
    """Like `cents`, from a dollar up with the dollars: `100c ($1.00)`."""
    if amount is None or float(amount) < 99.95:
        return cents(amount)
    exact = isinstance(amount, Decimal) and amount % 1
    return f"{cents(amount)} (${_plain(f'{amount / 100:,f}') if exact else f'{amount / 100:,.2f}'})"


def duration(ms: float | None, *, stated: bool = False) -> str:
    """`810 ms`, `1.9 s`, `3 min 20 s`: two units at most. A `stated` time, such as a deadline, is not rounded."""
    return UNKNOWN if ms is None else durations.duration(ms, stated=stated)


def chance(p: float) -> str:
    """`98.6 %`. Exactly 0 and 1 are `0 %` and `100 %`; what would round to them is `< 0.1 %` and `> 99.9 %`."""
    if p in (0, 1):
        return f"{p * 100:.0f} %"
    written = f"{p * 100:.1f}"
    return {"0.0": _RARE, "100.0": "> 99.9 %"}.get(written, f"{written} %")


def seen(p: float) -> str:
    """A share of samples: one that none of them showed is rare, not impossible, so 0 is `< 0.1 %`."""
    return chance(p) if p else _RARE


def estimate(p: "Estimate") -> str:
    """A chance with one standard error, in tenths rounded up: `96.4 % ± 0.2 %`."""
    written = chance(p.value)
    if p.se == 0 or not written[0].isdigit():
        return written
    return f"{written} ± {math.ceil(p.se * 1000 - 1e-9) / 10:.1f} %"


def between(p: "Chance") -> str:
    """A chance that an unknown figure may leave open: `at most 93.1 %`, `2 % to 93.1 %`, `unknown`."""
    low, high = p.low.value, p.high.value
    if p.known:
        return estimate(p.known)
    if low == 0:
        return UNKNOWN if high == 1 else f"at most {chance(high)}"
    return f"at least {chance(low)}" if high == 1 else f"{chance(low)} to {chance(high)}"


def percent(p: float) -> str:
    """A threshold as it was stated: `90 %`, `99.95 %`."""
    return f"{_plain(f'{p * 100:.6f}')} %"


def p90(distribution: Distribution) -> float:
    """The value that nine draws in ten do not exceed."""
    match distribution:
        case Constant(value):
            return value
        case Uniform(low, high):
            return low + 0.9 * (high - low)
        case Lognormal(p50, sigma):
            return p50 * math.exp(_Z90 * sigma)
        case Quantiles(levels, values, tail):
            return _stated_p90(levels, values, tail)


def count(n: int, noun: str) -> str:
    """`1 step`, `1,200 steps`."""
    return f"{n:,} {noun}" + ("" if n == 1 else "s")


def few(names: Sequence[str], most: int) -> str:
    """`a, b, c and 1,200 more`: the first of them, `most` at the most."""
    return ", ".join(names[:most]) + more(len(names) - most)


def more(count: int) -> str:
    """What is put behind a list that leaves out so many: ` and 1,200 more`, nothing where it leaves out none."""
    return f" and {count:,} more" if count > 0 else ""


def number(value: float) -> str:
    """Three digits of a figure, and never less than its whole part: `0.0412`, `48.7`, `20,000`."""
    if value == 0:
        return "0"
    # One digit more would be more than sampling can tell; but nothing is rounded to tens.
    decimals = max(0, 2 - math.floor(math.log10(abs(value))))
    return _plain(f"{value:,.{decimals}f}")


def _plain(number: str) -> str:
    """Without zeros at the end of a fraction."""
    return number.rstrip("0").rstrip(".") if "." in number else number


def _stated_p90(levels: tuple[float, ...], values: tuple[float, ...], tail: Tail | None) -> float:
    if tail and levels[-1] < 0.9:
        ratio = (1 - levels[-1]) / 0.1
        excess = math.log(ratio) if tail.shape == 0 else (ratio**tail.shape - 1) / tail.shape
        return values[-1] + tail.scale * excess
    for i in range(1, len(levels)):
        if levels[i - 1] <= 0.9 <= levels[i]:
            share = (0.9 - levels[i - 1]) / (levels[i] - levels[i - 1])
            return values[i - 1] + share * (values[i] - values[i - 1])
    return values[0] if levels[0] > 0.9 else values[-1]
