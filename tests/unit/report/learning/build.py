"""Scores written by hand, to be shown."""

from aos.domain.forecasts.forecast import Estimate
from aos.domain.learning.backtest import (
    BINS,
    Backtest,
    Gate,
    LeftOut,
    Pinball,
    Pooled,
    Quantity,
    Said,
    Scored,
    Success,
)

SPLIT_MS = 1_772_000_000_000.0


def quantity(
    n: int = 80, ratio: float | None = 0.73, pit: tuple[float, ...] = (1.0,) * 9 + (71.0,)
) -> Quantity:
    """Outcomes most of which are above the p90 of their forecast."""
    relative = None if ratio is None else Estimate(ratio, 0.018)
    in50, in90, in95, over95, over99 = (Estimate(value, 0.0204) for value in (0.45, 0.91, 0.96, 0.04, 0.0))
    loss = Pinball(0.95, Estimate(0.125, 0.01), 0.375, 0.25)
    crps = Estimate(310.0, 12.0)
    return Quantity(n, in50, in90, in95, over95, over99, crps, 425.0, 330.0, relative, relative, (loss,), pit)


def success(n: int = 80) -> Success:
    said = (Said(n // 4, 0.55, Estimate(0.5, 0.11)), Said(n - n // 4, 0.97, Estimate(1.0, 0.0)))
    return Success(n, Estimate(0.021, 0.004), 0.025, Estimate(0.1, 0.01), 0.12, said)


def backtest(
    name: str = "fetch@eu", *, kept: bool = False, gates: bool = True, split_ms: float = SPLIT_MS
) -> Backtest:
    """A skill with a cost that nobody recorded, a plan with one that is always the same."""
    flat = quantity(ratio=None, pit=(8.0,) * BINS)
    return Backtest(
        split_ms=split_ms,
        past_runs=120,
        future_runs=80,
        pooled=(
            Pooled("skill", 1, quantity(), None, success()),
            Pooled("plan", 1, quantity(), flat, success()),
        ),
        cases=(
            Scored("skill", name, 53, quantity(), None, success()),
            Scored("plan", f"{name} > {name}", 53, quantity(), flat, success()),
        ),
        left_out=(LeftOut(name, "not recorded before the split", 7),),
        gates=(Gate("time coverage of skills", 0.91, 0.02, 0.9 if kept else 0.95, kept),) if gates else (),
    )
