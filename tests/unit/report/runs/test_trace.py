"""A run beside its forecast."""

from decimal import Decimal

import pytest

from aos.domain.runs.recorded import RunState
from aos.domain.runs.run import Money, RunEnd, RunStart
from aos.report.runs.trace import trace


@pytest.mark.parametrize(
    ("deadline_ms", "shown"),
    [
        (None, "1.2 s"),
        (1_500.0, "1.2 s of 1.5 s"),
        (1_200.0, "1.2 s of 1.2 s"),
        (1_000.0, "1.2 s of 1 s, late"),
    ],
)
def test_the_time_stands_beside_its_deadline(deadline_ms: float | None, shown: str) -> None:
    start = RunStart("r1", {}, "", "", {}, None, deadline_ms, 0.0)
    end = RunEnd("r1", "succeeded", 1_200.0, 1_200.0)
    nothing = Money(None, Decimal(0), Decimal(0))
    state = RunState(start, "succeeded", (), {}, nothing, 1_200.0, end, frozenset())
    (line,) = (line for line in trace(state, (), 80, False).splitlines() if " time " in line)
    assert line.split("unknown")[-1].strip() == shown
