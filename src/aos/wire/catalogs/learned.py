"""What was learned from records, and how forecasts did on them, as JSON documents."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from aos.domain.learning.backtest import Backtest, Gate, Pinball, Pooled, Quantity, Said, Scored, Success
from aos.domain.learning.calibration import Measured
from aos.domain.learning.records import ReadRecords
from aos.wire.results.documents import Document, envelope, estimate, figure, significant

__all__ = ["Compared", "Typical", "backtest", "calibration"]


class Typical(NamedTuple):
    """A skill in a few figures: time of an attempt in ms, its price in cents, None where unknown."""

    p50_ms: float | None
    p90_ms: float | None
    p50_cents: float | None
    fails: float | None


class Compared(NamedTuple):
    """A skill that records speak of, with what was said of it before (None: nothing) and what they say."""

    row: Measured
    declared: Typical | None
    measured: Typical


def calibration(
    read: ReadRecords,
    compared: Sequence[Compared],
    catalog: Document,
    *,
    name: str,
    by: Sequence[str],
    written: Sequence[str],
    tried_again: Mapping[str, int],
) -> Document:
    """The document `aos.calibration/1`; `by` are the columns that split skills."""
    return {
        **envelope("aos.calibration/1"),
        "records": _records(read, name),
        "by": list(by),
        "skills": [_compared(one) for one in compared],
        "tried_again": dict(tried_again),
        "catalog": catalog,
        "written": list(written),
    }


def backtest(read: ReadRecords, result: Backtest, *, name: str, exit_status: int) -> Document:
    """The document `aos.backtest/1`."""
    return {
        **envelope("aos.backtest/1"),
        "kept": result.kept,
        "exit_code": exit_status,
        "records": _records(read, name),
        "split_ms": significant_time(result.split_ms),
        "past_runs": result.past_runs,
        "future_runs": result.future_runs,
        "gates": [_gate(gate) for gate in result.gates],
        "pooled": [_pooled(part) for part in result.pooled],
        "cases": [_scored(case) for case in result.cases],
        "left_out": [left._asdict() for left in result.left_out],
    }


def significant_time(ms: float) -> float | int:
    """A moment to the millisecond: six digits of it would be a day and a half."""
    return round(ms) if abs(ms) < 2**53 else significant(ms)


def _records(read: ReadRecords, name: str) -> Document:
    return {
        "name": name,
        "rows": read.rows,
        "used": len(read.records.start_ms),
        "flaws": [flaw._asdict() for flaw in read.flaws],
    }


def _compared(one: Compared) -> Document:
    row = one.row
    return {
        "id": row.id,
        "skill": row.skill,
        "conditions": dict(row.conditions),
        "n": row.n,
        "failed": row.failed,
        "as_of": row.as_of,
        "window_days": row.window_days,
        "method": row.method,
        "drift": row.drift,
        "features": list(row.features),
        "declared": one.declared and _typical(one.declared),
        "measured": _typical(one.measured),
    }


def _typical(typical: Typical) -> Document:
    return {key: figure(value) for key, value in typical._asdict().items()}


def _gate(gate: Gate) -> Document:
    return {
        "name": gate.name,
        "value": significant(gate.value),
        "se": significant(gate.se),
        "threshold": gate.threshold,
        "kept": gate.kept,
    }


def _pooled(part: Pooled) -> Document:
    return {"kind": part.kind, "cases": part.cases, **_scores(part)}


def _scored(case: Scored) -> Document:
    return {
        "kind": case.kind,
        "name": case.name,
        "past": case.past,
        "sizes": list(case.sizes),
        **_scores(case),
    }


def _scores(scored: Scored | Pooled) -> Document:
    return {
        "time": scored.time and _quantity(scored.time),
        "cost": scored.cost and _quantity(scored.cost),
        "success": _success(scored.success),
    }


def _quantity(quantity: Quantity) -> Document:
    shares = ("in50", "in90", "in95", "over95", "over99", "crps")
    return {
        "n": quantity.n,
        **{key: estimate(getattr(quantity, key)) for key in shares},
        "crps_naive": significant(quantity.naive),
        "crps_empirical": significant(quantity.empirical),
        "crps_ratio": quantity.ratio and estimate(quantity.ratio),
        "crps_ratio_empirical": quantity.ratio_empirical and estimate(quantity.ratio_empirical),
        "pinball": [_pinball(one) for one in quantity.pinball],
        "pit": [significant(count) for count in quantity.pit],
    }


def _pinball(one: Pinball) -> Document:
    return {
        "level": one.level,
        "forecast": estimate(one.forecast),
        "naive": significant(one.naive),
        "empirical": significant(one.empirical),
    }


def _success(success: Success) -> Document:
    return {
        "n": success.n,
        "brier": estimate(success.brier),
        "brier_naive": significant(success.brier_naive),
        "log_loss": estimate(success.log_loss),
        "log_loss_naive": significant(success.log_loss_naive),
        "reliability": [_said(said) for said in success.said],
    }


def _said(said: Said) -> Document:
    return {
        "n": said.n,
        "forecast": significant(said.forecast),
        "happened": estimate(said.happened),
    }
