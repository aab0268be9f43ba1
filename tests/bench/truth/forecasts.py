"""From recorded runs to predictions, through the public interface alone."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from aos.api.forecast.outcomes import outcomes
from aos.api.learning.calibrate import calibrate
from aos.domain.learning.calibration import Calibration
from aos.domain.skills.skill import Catalog
from aos.engine.scores.scoring import GRID
from tests.bench.truth.cases import Question, Run, plan, records

SAMPLES = 40_000
LEVELS = np.unique(
    np.round(
        np.concatenate([GRID, [0.01, 0.05], np.arange(0.1, 0.95, 0.1), [0.25, 0.75, 0.95, 0.975, 0.99]]), 6
    )
)


class Prediction(NamedTuple):
    """Quantiles at LEVELS in the case's unit; the chance of success; quantiles of the cost in cents."""

    id: str
    quantiles: np.ndarray
    success: float | None
    cents: np.ndarray | None

    def line(self) -> dict[str, Any]:
        """The object that is handed in."""
        out: dict[str, Any] = {"case_id": self.id, "quantiles": _told(self.quantiles)}
        if self.success is not None:
            out["success_prob"] = self.success
        if self.cents is not None:
            out["cost_quantiles"] = _told(self.cents)
        return out


def learn(runs: Sequence[Run], by: tuple[str, ...]) -> Calibration:
    """What the runs teach, with nothing known before."""
    return calibrate(records(runs, by), base=Catalog({}), by=by)


def predict(question: Question, learned: Calibration) -> Prediction:
    """Forecast one case."""
    drawn = outcomes(plan(question, learned), learned.catalog, samples=SAMPLES)
    time = drawn.time[drawn.success] if question.given_success and drawn.success.any() else drawn.time
    return Prediction(
        question.id,
        np.quantile(time, LEVELS) / question.unit_ms,
        float(drawn.success.mean()) if question.says_success else None,
        np.quantile(drawn.cost, LEVELS) if question.says_cost else None,
    )


def _told(values: np.ndarray) -> dict[str, float]:
    return {f"{level:g}": float(f"{value:.6g}") for level, value in zip(LEVELS, values, strict=True)}
