"""How the time or price of a skill grows with features, in a descriptor:

    {"fixed": 120, "features": {"tokens": {"each": 8.3, "seen": FIGURE}}, "rest": FIGURE, "follows_latency": RATIO}

`seen` is a figure without a source: the same records as those of `rest`.
"""

from typing import Any

from aos.domain.skills.skill import Feature, Growth
from aos.wire.catalogs.figures import dump_distribution, dump_figure, dump_ratio, figure, ratio
from aos.wire.shape import MISSING, Field, Reader, at

__all__ = ["dump_growth", "read_growth"]

_KEYS = ("fixed", "features", "rest", "follows_latency")
_MOST = 1e12
"""Of a feature, and of what one more of it adds."""


def read_growth(reader: Reader, value: Field, pointer: str, *, high: float) -> Growth | None:
    """Growth of a quantity up to `high`; None where there is none or something is wrong with it."""
    if value is None or value is MISSING:
        return None
    before = len(reader.findings)
    fields = reader.obj(value, pointer, known=_KEYS, required=_KEYS[:3])
    stated = reader.obj(fields["features"], at(pointer, "features"))
    fixed = reader.number(fields["fixed"], at(pointer, "fixed"), 0.0, low=0, high=high)
    rest = figure(reader, fields["rest"], at(pointer, "rest"), high=_MOST)
    follows = ratio(reader, fields["follows_latency"], at(pointer, "follows_latency"), high=1)
    features = [_feature(reader, name, stated[name], at(pointer, "features", name)) for name in stated]
    if not features and len(reader.findings) == before:
        reader.add(at(pointer, "features"), "bad_value", "growth needs a feature at least")
    if rest is None or len(reader.findings) > before:
        return None
    return Growth(float(fixed), tuple(f for f in features if f), rest, follows)


def _feature(reader: Reader, name: str, value: Field, pointer: str) -> Feature | None:
    fields = reader.obj(value, pointer, known=("each", "seen"), required=("each", "seen"))
    each = reader.number(fields["each"], at(pointer, "each"), 0.0, low=0, high=_MOST)
    seen = figure(reader, fields["seen"], at(pointer, "seen"), high=_MOST)
    return seen and Feature(name, float(each), seen.value)


def dump_growth(growth: Growth | None) -> dict[str, Any] | None:
    """The object that `read_growth` reads back as the same growth."""
    return growth and {
        "fixed": growth.fixed,
        "features": {f.name: {"each": f.each, "seen": dump_distribution(f.seen)} for f in growth.features},
        "rest": dump_figure(growth.rest),
        "follows_latency": dump_ratio(growth.follows_latency),
    }
