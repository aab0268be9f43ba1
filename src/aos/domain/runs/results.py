"""What a run gives back."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from aos.domain.forecasts.results import SimulationResult
from aos.domain.plans.plan import Plan
from aos.domain.runs.recorded import RunState


class RunResult(NamedTuple):
    """A plan that was run. `state` is None where it was not started, since the verdict is not feasible.

    `simulation` is the `aos.simulation/1` document that it was started on, `forecast` the same as values (None where
    the run was resumed).
    """

    plan: Plan
    simulation: Mapping[str, Any]
    state: RunState | None
    forecast: SimulationResult | None = None
