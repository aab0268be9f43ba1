"""How long something takes, as people say it."""

import math

__all__ = ["duration", "rounded_up"]

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_LEAST_MS = 0.01
_LEAST_POWER = -12
"""Of ten, in ms: no time is told more finely."""


def duration(ms: float, *, stated: bool = False) -> str:
    """`810 ms`, `1.9 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`: two units at most.

    A `stated` time, such as a deadline, is not rounded: `1.95 s`, `3 min 20.5 s`.
    """
    if ms < 999.5:
        return _milliseconds(ms, stated)
    seconds = ms / 1000
    if stated or seconds < 59.95:
        minutes, rest = divmod(seconds, _MINUTE) if seconds >= _MINUTE else (0, seconds)
        exact = _plain(f"{rest:.6f}" if stated else f"{rest:.1f}")
        return " ".join([f"{minutes:,.0f} min"] * bool(minutes) + [f"{exact} s"] * (rest > 0 or not minutes))
    return _long(seconds)


def rounded_up(ms: float) -> float:
    """To three digits, so that what is enough stays enough."""
    if ms <= 0:
        return 0.0
    step = 10.0 ** max(math.floor(math.log10(ms)) - 2, _LEAST_POWER)
    return float(f"{math.ceil(ms / step) * step:.3g}")


def _milliseconds(ms: float, stated: bool) -> str:
    if stated:
        return f"{_plain(f'{ms:.6f}')} ms"
    if 0 < ms < _LEAST_MS:
        return f"< {_LEAST_MS} ms"
    return f"{_plain(f'{ms:.2f}' if ms < 1 else f'{ms:.1f}' if ms < 9.95 else f'{ms:.0f}')} ms"


def _long(seconds: float) -> str:
    """From a minute up, in the two units that matter; the smaller one rounded."""
    big, small, names = _DAY, _HOUR, ("d", "h")
    if seconds < _HOUR - 0.5:
        big, small, names = _MINUTE, 1, ("min", "s")
    elif seconds < _DAY - _MINUTE / 2:
        big, small, names = _HOUR, _MINUTE, ("h", "min")
    units = round(seconds / small)
    whole, rest = divmod(units, big // small)
    return f"{whole:,} {names[0]}" + (f" {rest} {names[1]}" if rest else "")


def _plain(number: str) -> str:
    """Without zeros at the end of a fraction."""
    return number.rstrip("0").rstrip(".") if "." in number else number
