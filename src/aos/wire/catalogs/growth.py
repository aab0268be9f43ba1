"""How the time or price of a skill grows with features, in a descriptor: as a sum, or as a product of powers.

    {"fixed": 120, "features": {"tokens": {"each": 8.3, "seen": FIGURE}}, "rest": FIGURE, "follows_latency": RATIO}
    {"level": 950, "features": {"rows": {"typical": 4000, "exponent": 0.7, "seen": FIGURE}}, "rest": FIGURE}

`seen` is a figure without a source: the same records as those of `rest`.
"""

from typing import Any

from aos.domain.skills.skill import (
    LEAST_SIZE,
    MAX_EXPONENT,
    AnyGrowth,
    Feature,
    Growth,
    Power,
    PowerGrowth,
)
from aos.wire.catalogs.figures import dump_distribution, dump_figure, dump_ratio, figure, ratio
from aos.wire.shape import MISSING, Field, Reader, at

__all__ = ["dump_growth", "read_growth"]

_KEYS = ("features", "rest", "follows_latency")
_MOST = 1e12
"""Of a feature, and of what one more of it adds."""


def read_growth(reader: Reader, value: Field, pointer: str, *, high: float) -> AnyGrowth | None:
    """Growth of a quantity up to `high`; None where there is none or something is wrong with it."""
    if value is None or value is MISSING:
        return None
    before = len(reader.findings)
    power = isinstance(value, dict) and "level" in value and "fixed" not in value
    start, least = ("level", LEAST_SIZE) if power else ("fixed", 0.0)
    fields = reader.obj(value, pointer, known=(start, *_KEYS), required=(start, "features", "rest"))
    stated = reader.obj(fields["features"], at(pointer, "features"))
    size = float(reader.number(fields[start], at(pointer, start), 0.0, low=least, high=high))
    rest = figure(reader, fields["rest"], at(pointer, "rest"), high=_MOST)
    follows = ratio(reader, fields["follows_latency"], at(pointer, "follows_latency"), high=1)
    places = {name: at(pointer, "features", name) for name in stated}
    powers = [_power(reader, name, stated[name], place) for name, place in places.items() if power]
    terms = [_feature(reader, name, stated[name], place) for name, place in places.items() if not power]
    if not stated and len(reader.findings) == before:
        reader.add(at(pointer, "features"), "bad_value", "growth needs a feature at least")
    if rest is None or len(reader.findings) > before:
        return None
    if power:
        return PowerGrowth(size, tuple(f for f in powers if f), rest, follows)
    return Growth(size, tuple(f for f in terms if f), rest, follows)


def _feature(reader: Reader, name: str, value: Field, pointer: str) -> Feature | None:
    fields = reader.obj(value, pointer, known=("each", "seen"), required=("each", "seen"))
    each = reader.number(fields["each"], at(pointer, "each"), 0.0, low=0, high=_MOST)
    seen = figure(reader, fields["seen"], at(pointer, "seen"), high=_MOST)
    return seen and Feature(name, float(each), seen.value)


def _power(reader: Reader, name: str, value: Field, pointer: str) -> Power | None:
    keys = ("typical", "exponent", "seen")
    fields = reader.obj(value, pointer, known=keys, required=keys)
    typical = reader.number(fields["typical"], at(pointer, "typical"), 1.0, low=LEAST_SIZE, high=_MOST)
    exponent = reader.number(fields["exponent"], at(pointer, "exponent"), 0.0, low=0, high=MAX_EXPONENT)
    seen = figure(reader, fields["seen"], at(pointer, "seen"), low=LEAST_SIZE, high=_MOST)
    return seen and Power(name, float(typical), float(exponent), seen.value)


def dump_growth(growth: AnyGrowth | None) -> dict[str, Any] | None:
    """The object that `read_growth` reads back as the same growth."""
    match growth:
        case None:
            return None
        case Growth(fixed, terms):
            start = {"fixed": fixed}
            features = {f.name: {"each": f.each, "seen": dump_distribution(f.seen)} for f in terms}
        case PowerGrowth(level, powers):
            start = {"level": level}
            features = {
                f.name: {"typical": f.typical, "exponent": f.exponent, "seen": dump_distribution(f.seen)}
                for f in powers
            }
    rest = {"rest": dump_figure(growth.rest), "follows_latency": dump_ratio(growth.follows_latency)}
    return {**start, "features": features, **rest}
