"""Recorded runs at full size: how long learning takes, and how much memory ten million rows do."""

import subprocess
import sys
import time
from array import array
from collections.abc import Iterator

import numpy as np

from aos.api.learning.calibrate import calibrate
from aos.domain.learning.records import Coded, Records
from aos.domain.skills.skill import Catalog
from tests.bench.figures import Figure

_VARIANTS, _RUNS, _STEPS = 450, 140, 63_000
_ROWS = 10_000_000

_WRITER = """
import sys
out = sys.stdout
out.write("run,step,skill,start,duration_ms,cost_cents,outcome,region,tokens\\n")
for i in range({rows}):
    numbers = f"{{i * 2}},{{100 + i % 977}},0.{{i % 89}}"
    out.write(f"r{{i // 5}},s{{i % 5}},k{{i % 5}},{{numbers}},succeeded,eu,{{i % 4001}}\\n")
"""
_READER = """
import resource
from aos.api.learning.records import load_records
read = load_records("-", by=("region",), features=("tokens",))
assert len(read.records.start_ms) == {rows}, len(read.records.start_ms)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def measure() -> Iterator[Figure]:
    steps = f"{_STEPS:,} recorded steps of {_VARIANTS} skills learned, one core"
    plain = _records()
    yield Figure(steps, _learned(plain), " s", 20, False)
    yield Figure(
        "the same with three columns of sizes, of which one tells", _learned(_sized(plain)), " s", 20, False
    )
    writer = subprocess.Popen([sys.executable, "-c", _WRITER.format(rows=_ROWS)], stdout=subprocess.PIPE)
    reader = [sys.executable, "-c", _READER.format(rows=_ROWS)]
    peak = subprocess.run(reader, stdin=writer.stdout, check=True, capture_output=True, text=True).stdout
    writer.wait()
    yield Figure(f"peak memory, {_ROWS:,} rows of records", float(peak), " MiB", 1_000, False)


def _learned(made: Records) -> float:
    """The seconds of a processor that it takes."""
    start = time.process_time()
    learned = calibrate(made, base=Catalog({}))
    taken = time.process_time() - start
    assert len(learned.rows) == _VARIANTS
    growing = sum(bool(row.features) for row in learned.rows)
    assert growing > 0.9 * _VARIANTS if made.features else not growing
    return taken


def _sized(plain: Records) -> Records:
    """Times and prices that grow with the first of three columns."""
    rng = np.random.default_rng(1)
    tokens, rows = rng.lognormal(6, 1, _STEPS), rng.lognormal(3, 1, _STEPS)
    start = np.array(plain.start_ms)
    took = (np.array(plain.end_ms) - start) * (0.3 + 0.7 * tokens / 400)
    columns = {"tokens": tokens, "rows": rows, "images": rng.integers(1, 9, _STEPS)}
    return plain._replace(
        end_ms=array("d", start + took),
        cost_cents=array("d", took / 1_000),
        features={name: array("d", column.tolist()) for name, column in columns.items()},
    )


def _records() -> Records:
    """Runs of one step, of skills that differ in level, spread and drift; every twentieth attempt fails."""
    rng = np.random.default_rng(0)
    variant = np.tile(np.arange(_VARIANTS), _RUNS)
    level, spread = rng.normal(6, 1, _VARIANTS), rng.uniform(0.05, 0.8, _VARIANTS)
    drift = np.linspace(0, 1, _STEPS) * rng.normal(0, 0.3, _VARIANTS)[variant]
    took = np.exp(level[variant] + drift + spread[variant] * rng.normal(0, 1, _STEPS))
    start = 1.7e12 + np.arange(_STEPS) * 60_000.0
    failed = rng.random(_STEPS) < 0.05
    numbers = array("i", range(_STEPS))
    return Records(
        run=Coded(numbers, tuple(map(str, range(_STEPS)))),
        step=Coded(array("i", [0] * _STEPS), ("s",)),
        skill=Coded(array("i", variant.tolist()), tuple(f"k{i}" for i in range(_VARIANTS))),
        start_ms=array("d", start.tolist()),
        end_ms=array("d", (start + took).tolist()),
        cost_cents=array("d", (took / 1_000).tolist()),
        failed=bytearray(failed.tolist()),
        code=Coded(array("i", np.where(failed, 0, -1).tolist()), ("BUSY",)),
        attempt=array("i", [1] * _STEPS),
        after=Coded(array("i", [-1] * _STEPS), ()),
        conditions={},
        features={},
    )
