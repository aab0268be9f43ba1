"""A load test as a JSON document."""

from collections.abc import Iterable

from aos.domain.loads import LEVELS, Goal, Judged, Load, Quantile, Shot, quantile
from aos.wire.results.documents import Document, envelope, figure, significant

__all__ = ["load_test"]


def load_test(load: Load, goal: Goal, judged: Judged, *, server: str, exit_status: int) -> Document:
    """The document `aos.load-test/1`."""
    names = sorted({shot.call for shot in load.shots})
    missing = (
        [] if load.counted is not None else [{"pointer": "/counted", "reason": "/metrics is not shown to us"}]
    )
    return {
        **envelope("aos.load-test/1"),
        "passed": judged.passed,
        "reasons": [reason._asdict() for reason in judged.reasons],
        "exit_code": exit_status,
        "server": server,
        "workers": load.workers,
        "took_s": significant(load.took_s),
        **_measured(load.shots),
        "per_second": figure(len(load.shots) / load.took_s if load.took_s else None),
        "caller_busy": significant(load.busy),
        "by_call": {name: _measured([shot for shot in load.shots if shot.call == name]) for name in names},
        "errors": dict(load.errors.most_common()),
        "counted": None
        if load.counted is None
        else {name: significant(by) for name, by in load.counted.items()},
        "goal": {"p95_ms": significant(goal.p95_ms), "max_errors": significant(goal.max_errors)},
        "unknowns": missing,
    }


def _measured(shots: Iterable[Shot]) -> Document:
    """How many calls, and how long those took that were answered."""
    every = list(shots)
    took = sorted(shot.ms for shot in every if shot.code is None)
    latency = {f"p{100 * level:.0f}": _quantile(quantile(took, level)) for level in LEVELS}
    return {"calls": len(every), "latency_ms": {**latency, "max": figure(took[-1] if took else None)}}


def _quantile(found: Quantile | None) -> Document | None:
    return found and {name: figure(value) for name, value in found._asdict().items()}
