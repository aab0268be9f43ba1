"""Verifications: whether a saved result can still be had from the inputs that it names."""

from typing import Literal, NamedTuple

from aos.domain.forecasts.differences import Change

Input = Literal["plan", "catalog", "prices", "samples", "seed", "version"]


class Drift(NamedTuple):
    """An input that is not what it was: as it was saved, as it is now (None: there is none), in words."""

    input: Input
    saved: str | int | None
    now: str | int | None
    detail: str


class Verification(NamedTuple):
    """What has drifted, and the figures that come out otherwise: the saved value before, the one of now after.

    `recomputed` is False where the plan makes no sense any more with the inputs of now; then no figure is told.
    `computed_by` is the version that the saved result is of.
    """

    drifts: tuple[Drift, ...]
    figures: tuple[Change, ...]
    recomputed: bool
    computed_by: str

    @property
    def match(self) -> bool:
        """Whether nothing differs at all."""
        return self.recomputed and not self.drifts and not self.figures
