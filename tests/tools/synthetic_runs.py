"""Recorded runs with a known truth, for tests and examples: `python -m tests.tools.synthetic_runs 400 > runs.csv`.

A run fetches, ranks three times at once, and writes a summary. Every skill is lognormal around its median, all steps
of a run share its mood, and `rank` fails now and then. Same arguments, same records.
"""

import random
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

HEADER = "run,step,skill,start,end,cost_cents,outcome,code,attempt,after,region,tokens"


class Truth(NamedTuple):
    """A skill: exp(N(ln median_ms, sigma^2)) ms, cents per second, the chance that an attempt fails."""

    median_ms: float
    sigma: float
    cents_per_s: float
    fails: float


SKILLS = {
    "fetch": Truth(400, 0.5, 0.0, 0.0),
    "rank": Truth(1_200, 0.3, 0.8, 0.1),
    "summarise": Truth(3_000, 0.4, 1.5, 0.02),
}
REGIONS = {"eu": 1.0, "us": 1.4}
MOOD = 0.15
OVERHEAD_MS = 20.0

_STEPS = (
    ("get", "fetch", ""),
    *((f"rank{i}", "rank", "get") for i in range(3)),
    ("sum", "summarise", "rank0 rank1 rank2"),
)
_START = datetime(2026, 3, 1, tzinfo=UTC).timestamp()
_EVERY_S = 600.0


def rows(runs: int, seed: int = 0) -> Iterator[str]:
    """The lines of a CSV file, header first, without line ends; those of a run by start."""
    chance = random.Random(seed)
    yield HEADER
    for number in range(runs):
        mood = chance.gauss(0, MOOD)
        region = chance.choice(list(REGIONS))
        ended: dict[str, float] = {}
        lines: list[tuple[float, str]] = []
        for step, skill, after in _STEPS:
            truth = SKILLS[skill]
            ready = max((ended[name] for name in after.split()), default=_START + number * _EVERY_S)
            start = ready + (OVERHEAD_MS / 1000 * chance.uniform(0.5, 1.5) if after else 0.0)
            took = truth.median_ms / 1000 * REGIONS[region] * chance.lognormvariate(mood, truth.sigma)
            ended[step] = start + took
            failed = chance.random() < truth.fails
            outcome = "failed,ERROR" if failed else "succeeded,"
            cells = (f"r{number}", step, skill, _written(start), _written(ended[step]))
            cost = f"{took * truth.cents_per_s:.4f}"
            line = ",".join((*cells, cost, outcome, "1", after, region, str(chance.randrange(100, 4_000))))
            lines.append((start, line))
        yield from (line for _, line in sorted(lines))


def _written(epoch_s: float) -> str:
    return datetime.fromtimestamp(epoch_s, UTC).isoformat(timespec="microseconds")


if __name__ == "__main__":
    print("\n".join(rows(*map(int, sys.argv[1:]))))
