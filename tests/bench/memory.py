"""Peak memory of a large simulation, in a process of its own."""

import subprocess
import sys
from collections.abc import Iterator

from tests.bench.figures import Figure

_PROGRAM = """
import resource
from aos.domain.plans.plan import Plan, Step
from aos.domain.forecasts.verdicts import Limits
from aos.engine.feasibility import judge
from aos.engine.execution.program import compile_plan
from tests.bench.engine import _catalog
steps = tuple(Step(f"s{i}", "work", {}) for i in range(200))
judge(compile_plan(Plan(steps), _catalog(), {}), Limits(), samples=100_000, seed=0)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def measure() -> Iterator[Figure]:
    peak = subprocess.run([sys.executable, "-c", _PROGRAM], check=True, capture_output=True, text=True).stdout
    yield Figure("peak memory, 100,000 samples x 200 steps", float(peak), " MiB", 300, False)
