"""How a run's own forecast did."""

from collections.abc import Mapping, Sequence
from typing import Any

from aos.domain.runs.recorded import RunState
from aos.wire.results.documents import significant

__all__ = ["score"]

_TAIL = (0.95, 0.99)


def score(state: RunState) -> Mapping[str, Any] | None:
    """Cost, time and success of a run against the forecast that was recorded with it, as a JSON object.

    None where the run has not ended by itself, or in a later try, or with somebody's hand in it: that was not forecast.
    A quantity is null where the forecast, or what happened, is unknown. The forecast is read back from its published
    figures: a histogram up to its p95, and its p99.
    """
    told = state.start.simulation
    if state.tries > 1 or any(end.by_hand for end in state.steps.values()):
        return None
    if state.status not in ("succeeded", "failed") or not isinstance(told, Mapping) or "forecast" not in told:
        return None
    spent = None if state.money.unknown else float(state.money.spent)
    chance = (told.get("chances") or {}).get("success") or {}
    likely = chance.get("value")
    happened = state.status == "succeeded"
    brier = None if likely is None else significant((likely - happened) ** 2)
    samples = told.get("samples") or 0
    return {
        "cost": _quantity(told["forecast"].get("cost_cents"), spent, samples),
        "time": _quantity(told["forecast"].get("duration_ms"), state.active_ms, samples),
        "success": {"chance": likely, "happened": happened, "brier": brier},
    }


def _quantity(
    spread: Mapping[str, Any] | None, actual: float | None, samples: int
) -> Mapping[str, Any] | None:
    if spread is None or actual is None or not samples:
        return None
    from aos.engine.scores.scoring import own_score

    levels, values = _quantiles(spread["histogram"], samples)
    at, beyond = _TAIL
    levels, values = (
        [level for level in levels if level < at] + [at, beyond],
        [value for level, value in zip(levels, values, strict=True) if level < at]
        + [spread["p95"]["value"], spread["p99"]["value"]],
    )
    found = own_score(levels, values, actual)
    return {
        "actual": significant(actual),
        "percentile": significant(found.percentile),
        "crps": significant(found.crps),
        "pinball": {f"p{level * 100:g}": significant(loss) for level, loss in found.pinball},
    }


def _quantiles(histogram: Mapping[str, Sequence[float]], samples: int) -> tuple[list[float], list[float]]:
    """The levels reached at the edges of the bins, and the edges."""
    reached, levels = 0.0, [0.0]
    for count in histogram["counts"]:
        reached += count
        levels.append(min(1.0, reached / samples))
    edges = list(histogram["edges"])  # a single one where all samples are the same
    return levels[: len(edges)], edges
