"""How a benchmark times and prints: medians of interleaved rounds, each figure next to its limit."""

import time
from collections.abc import Callable, Mapping
from statistics import median
from typing import NamedTuple


class Figure(NamedTuple):
    """A measured figure and the limit it is held against (`at least` or `at most`)."""

    name: str
    value: float
    unit: str
    limit: float
    at_least: bool

    @property
    def kept(self) -> bool:
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    def __str__(self) -> str:
        bound = f"{'>=' if self.at_least else '<='} {self.limit:g}{self.unit}"
        return (
            f"{self.name:<62} {self.value:>9.3g}{self.unit:<5} {bound:<12} {'ok' if self.kept else 'MISSED'}"
        )


def interleaved(jobs: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Median seconds of each job; the jobs take turns, so that a slow spell of the machine hits all of them."""
    taken: dict[str, list[float]] = {name: [] for name in jobs}
    for _ in range(rounds):
        for name, job in jobs.items():
            start = time.perf_counter()
            job()
            taken[name].append(time.perf_counter() - start)
    return {name: median(times) for name, times in taken.items()}
