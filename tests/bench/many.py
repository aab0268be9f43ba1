"""Many plans: how many of the demo a core answers in a second, at 10,000 samples, from a line read to a line written.

A second is one of processor time, of all processes together: neighbours on the same cores make none of them slower.
"""

import os
import resource
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from statistics import median

from aos.api.forecast.many import Terms, answers
from aos.cli.forecast.status import FAIL_ON, exit_status
from aos.files.lines import Line
from aos.wire.catalogs.read import default_catalog
from tests.bench.figures import Figure

_DEMO = Path("examples/plans/btc-to-slack/plan.json")
_LINES, _TOGETHER, _ROUNDS = 960, 16, 5


def measure() -> Iterator[Figure]:
    cores = len(os.sched_getaffinity(0))
    _rate(1)  # what is imported and tabled once is measured elsewhere
    rates = [(_rate(1), _rate(cores), _rate(cores, brief=True)) for _ in range(_ROUNDS)]
    alone, together, brief = (median(found) for found in zip(*rates, strict=True))
    yield Figure("one process: demo plans a second", alone, "/s", 300, True)
    yield Figure(f"{cores} processes: demo plans a second a core", together, "/s", 300, True)
    yield Figure(f"{cores} processes, --summary: the same", brief, "/s", 300, True)


def _rate(processes: int, *, brief: bool = False) -> float:
    terms = Terms(default_catalog(), partial(exit_status, fail_on=FAIL_ON), brief=brief)
    start = _processor_time()
    count = sum(1 for _ in answers(terms, _groups(), processes))
    return count / (_processor_time() - start)


def _processor_time() -> float:
    """Seconds of this process and of those it started that have ended."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def _groups() -> Iterator[list[Line]]:
    line = b" ".join(_DEMO.read_bytes().split())
    for first in range(1, _LINES, _TOGETHER):
        yield [(number, line) for number in range(first, first + _TOGETHER)]
