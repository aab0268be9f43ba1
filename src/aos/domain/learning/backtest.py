"""How forecasts made from the past did on what came after."""

from typing import Literal, NamedTuple

from aos.domain.forecasts.forecast import Estimate

BINS = 10


class Pinball(NamedTuple):
    """Pinball loss at one level, in units of the quantity: the forecast's, the mean's, the plain quantile's."""

    level: float
    forecast: Estimate
    naive: float
    empirical: float


class Quantity(NamedTuple):
    """Forecasts of a time (ms) or a cost (cents) against `n` outcomes, each share with its standard error over runs.

    `in50`, `in90` and `in95` are the shares of outcomes inside the central intervals, `over95` and `over99` those above
    the quantile. CRPS is in the quantity's unit; `ratio` is the forecast's over that of the naive forecast, the past's
    mean, and `ratio_empirical` over that of the past's plain distribution; None where that one makes no error.
    `pit` counts outcomes by the level at which they stand in their forecast, in tenths: level if the forecast is right.
    """

    n: int
    in50: Estimate
    in90: Estimate
    in95: Estimate
    over95: Estimate
    over99: Estimate
    crps: Estimate
    naive: float
    empirical: float
    ratio: Estimate | None
    ratio_empirical: Estimate | None
    pinball: tuple[Pinball, ...]
    pit: tuple[float, ...]


class Said(NamedTuple):
    """Of the `n` times that a chance in this tenth was forecast, `forecast` on average, it came true `happened`."""

    n: int
    forecast: float
    happened: Estimate


class Success(NamedTuple):
    """Forecasts of success: Brier score and log loss, also of the past's share of successes (naive)."""

    n: int
    brier: Estimate
    brier_naive: float
    log_loss: Estimate
    log_loss_naive: float
    said: tuple[Said, ...]


class Scored(NamedTuple):
    """The scores of one skill (its single attempts) or one plan (whole runs); what was not recorded is None.

    `sizes` names the features that its outcomes are forecast by, each by its own; without any all have one forecast.
    """

    kind: Literal["skill", "plan"]
    name: str
    past: int
    time: Quantity | None
    cost: Quantity | None
    success: Success
    sizes: tuple[str, ...] = ()


class Pooled(NamedTuple):
    """All skills or all plans together. Losses are first divided by the naive forecast's in their case, so that slow
    steps don't outweigh quick ones; they have no unit then."""

    kind: Literal["skill", "plan"]
    cases: int
    time: Quantity | None
    cost: Quantity | None
    success: Success


class Gate(NamedTuple):
    """A threshold and what was measured against it. `name` is `time coverage of skills` and the like."""

    name: str
    value: float
    se: float
    threshold: float
    kept: bool


class LeftOut(NamedTuple):
    """What could not be scored, and why: rows of a skill, runs of a shape."""

    what: str
    why: str
    n: int


class Backtest(NamedTuple):
    """Forecasts from the runs up to `split_ms` against the runs from it on."""

    split_ms: float
    past_runs: int
    future_runs: int
    pooled: tuple[Pooled, ...]
    cases: tuple[Scored, ...]
    left_out: tuple[LeftOut, ...]
    gates: tuple[Gate, ...]

    @property
    def kept(self) -> bool:
        """Whether every threshold is kept."""
        return all(gate.kept for gate in self.gates)
