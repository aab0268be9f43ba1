"""First come, first served against SimPy: a random DAG of 100 steps, lognormal latency, one pool of 4 slots for all.

Both sides get the same latencies, drawn beforehand. `python -m tests.bench.contention` prints this room alone.
"""

from collections.abc import Callable, Generator, Iterator
from functools import partial

import numpy as np
import simpy
from numpy.random import default_rng
from numpy.typing import NDArray

from aos.engine.execution.contention import schedule
from tests.bench.figures import Figure, interleaved
from tests.unit.engine.execution import reference_loop

STEPS, SAMPLES, SLOTS = 100, 10_000, 4
_SIMPY_SAMPLES, _LOOP_SAMPLES = 100, 20

Floats = NDArray[np.float64]
OneSample = Callable[[list[list[int]], list[float]], list[float]]


def measure() -> Iterator[Figure]:
    rng = default_rng(0)
    after = _random_dag(rng)
    hold = rng.lognormal(np.log(300), 0.8, (STEPS, SAMPLES))
    active = rng.random(hold.shape) < 0.9
    few, fewer = hold[:, :_SIMPY_SAMPLES], hold[:, :_LOOP_SAMPLES]
    taken = interleaved(
        {
            "simpy": partial(_one_by_one, by_simpy, after, few),
            "loop": partial(_one_by_one, by_reference, after, fewer),
            "all": partial(by_schedule, after, hold),
            "nine in ten": partial(by_schedule, after, hold, active),
        },
        5,
    )
    rate = {"simpy": few.size / taken["simpy"], "loop": fewer.size / taken["loop"]}
    rate |= {name: hold.size / taken[name] for name in ("all", "nine in ten")}
    apart = np.abs(by_schedule(after, few) - _one_by_one(by_simpy, after, few)).max()
    inactive = rate["nine in ten"]
    yield Figure("4 slots: times SimPy on the same model", rate["all"] / rate["simpy"], "x", 60, True)
    yield Figure(
        "4 slots, a tenth of the steps inactive: times SimPy", inactive / rate["simpy"], "x", 60, True
    )
    yield Figure("4 slots: times the plain loop the tests trust", rate["all"] / rate["loop"], "x", 0, True)
    yield Figure("4 slots: million step-samples a second", rate["all"] / 1e6, "M/s", 0, True)
    yield Figure("SimPy with 4 slots: million step-samples a second", rate["simpy"] / 1e6, "M/s", 0, True)
    yield Figure("4 slots: starts as SimPy's, but for rounding to 1 us", apart * 1000, "us", STEPS, False)


def _random_dag(rng: np.random.Generator) -> list[list[int]]:
    """None to three of all steps before it for each step."""
    return [sorted(rng.choice(i, min(i, int(rng.integers(4))), replace=False).tolist()) for i in range(STEPS)]


def _one_by_one(function: OneSample, after: list[list[int]], hold: Floats) -> Floats:
    return np.array([function(after, sample) for sample in hold.T.tolist()]).T


def by_simpy(after: list[list[int]], hold: list[float]) -> list[float]:
    """Start of each step of one sample."""
    environment = simpy.Environment()
    pool = simpy.Resource(environment, SLOTS)
    start = [0.0] * len(after)
    ended: list[simpy.Process] = []

    def step(i: int) -> Generator[simpy.Event, None, None]:
        yield environment.all_of([ended[before] for before in after[i]])
        with pool.request() as slot:
            yield slot
            start[i] = environment.now
            yield environment.timeout(hold[i])

    for i in range(len(after)):
        ended.append(environment.process(step(i)))
    environment.run()
    return start


def by_reference(after: list[list[int]], hold: list[float]) -> list[float]:
    """The same by the loop that says what is right."""
    steps = len(after)
    nothing, always, ones, pool = [0.0] * steps, [True] * steps, [1] * steps, [0] * steps
    start, _ = reference_loop.run(after, nothing, hold, always, pool, [SLOTS], [-1] * steps, [], ones)
    return start


def by_schedule(after: list[list[int]], hold: Floats, active: NDArray[np.bool_] | None = None) -> Floats:
    """Start of each step in all samples."""
    steps = len(after)
    gap = np.zeros_like(hold)
    return schedule(after, gap, hold, active, [0] * steps, [SLOTS], [-1] * steps, [], None)[0]


if __name__ == "__main__":
    for figure in measure():
        print(figure)
