"""Counters out of what a server tells Prometheus."""

from collections import defaultdict
from contextlib import suppress
from math import isfinite

__all__ = ["counters"]


def counters(text: str) -> dict[str, float]:
    """Each counter added up over its labels. What is no line of the text format is passed over."""
    found: dict[str, float] = defaultdict(float)
    for line in text.split("\n"):
        name = line.partition("{")[0].partition(" ")[0]
        if not name.endswith("_total"):
            continue
        rest = line.rpartition("}")[2] if "{" in line else line.partition(" ")[2]
        with suppress(ValueError, IndexError):
            value = float(rest.split()[0])
            if isfinite(value):
                found[name] += value
    return dict(found)
