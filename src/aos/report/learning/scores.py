"""Scores in words: shares with their noise, errors in multiples of the naive forecast's."""

import math

from aos.domain.forecasts.forecast import Estimate
from aos.domain.learning.backtest import Quantity, Success
from aos.report.figures import chance


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
