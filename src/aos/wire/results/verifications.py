"""Verifications as JSON documents."""

from aos.domain.forecasts.verifications import Verification
from aos.wire.plans.changes import dump_change
from aos.wire.results.documents import Document, envelope

__all__ = ["MAX_FIGURES", "verification"]

MAX_FIGURES = 100
"""A document lists this many figures that differ; `figures_omitted` counts the rest."""


def verification(found: Verification, exit_status: int) -> Document:
    """The document `aos.verification/1`: whether it matches, what drifted, which figures are others."""
    return {
        **envelope("aos.verification/1"),
        "match": found.match,
        "exit_code": exit_status,
        "computed_by": found.computed_by,
        "recomputed": found.recomputed,
        "drift": [drift._asdict() for drift in found.drifts],
        "figures": [dump_change(change) for change in found.figures[:MAX_FIGURES]],
        "figures_omitted": max(0, len(found.figures) - MAX_FIGURES),
    }
