"""What a record tells of a skill."""

from collections.abc import Mapping
from typing import NamedTuple


class Measured(NamedTuple):
    """What recorded attempts of a skill were like. Latencies are of those that succeeded, in ms; None: there is none.

    `cost_cents` is the mean of those whose cost is known, `codes` counts failures by code, `last_ms` is Unix time.
    """

    n: int
    failed: int
    codes: Mapping[str, int]
    latency_p50: float | None
    latency_p90: float | None
    cost_cents: float | None
    last_ms: float
