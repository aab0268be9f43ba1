"""Scores in words: shares with their noise, errors in multiples of the naive forecast's."""

import math
from collections.abc import Iterator, Sequence

from aos.domain.forecasts.forecast import Estimate
from aos.domain.learning.backtest import Quantity, Scored, Success
from aos.report.figures import chance, count


def noise(estimate: Estimate) -> str:
    """One standard error of a share in percent, in tenths rounded up."""
    return f"{math.ceil(estimate.se * 1000 - 1e-9) / 10:.1f}"


def share(estimate: Estimate) -> str:
    """`49.5 % ± 2.5`."""
    return f"{chance(estimate.value)} ± {noise(estimate)}"


def times(quantity: Quantity | None) -> str:
    """CRPS in multiples of the naive forecast's, which makes no error where outcomes are always the same."""
    if quantity is None:
        return "none"
    if quantity.ratio:
        return f"{quantity.ratio.value:.3f}"
    return "wrong" if quantity.crps.value else "exact"


def succeeded(success: Success) -> str:
    """The scores of the chances of success, beside those of the past's share."""
    return (
        f"Brier {success.brier.value:.4f} ± {success.brier.se:.4f} (past share {success.brier_naive:.4f}), "
        f"log loss {success.log_loss.value:.4f} ± {success.log_loss.se:.4f} ({success.log_loss_naive:.4f})"
    )


def conditioned(cases: Sequence[Scored]) -> Iterator[str]:
    """What forecasts were made of: a sentence for each kind of them of which sizes were known."""
    for kind, what, alone in (("skill", "attempt", "skill"), ("plan", "run", "shape")):
        of_kind = [case for case in cases if case.kind == kind]
        sized = [case for case in of_kind if case.sizes]
        if sized:
            names = ", ".join(dict.fromkeys(name for case in sized for name in case.sizes))
            rest = len(of_kind) - len(sized)
            others = f"; of {count(rest, 'other')} by the {alone} alone" if rest else ""
            yield f"each {what} of {count(len(sized), kind)} is forecast by its own sizes ({names}){others}"
