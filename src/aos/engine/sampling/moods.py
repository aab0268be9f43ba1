"""How the steps of a run depend: the normal scores that they share, siblings among themselves more than the rest.

A step whose sizes a plan states is slow or quick by what sizes leave unexplained alone, which has moods of its own.
They follow the moods of whole latencies as closely as records say. All are sums of independent scores, so that no set
of correlations that a catalog may state is impossible.
"""

from typing import NamedTuple

import numpy as np

from aos.domain.skills.skill import Correlation, Figure
from aos.engine.sampling.distributions import Floats, normal_scores
from aos.engine.sampling.streams import OF_RESTS, RUN_MOOD, SIBLINGS, Streams

__all__ = ["Dependence", "Moods", "Shares", "dependence"]


class Shares(NamedTuple):
    """The share of a score that is the run's, and the one that is the run's and the siblings' together."""

    run: float
    siblings: float


class Dependence(NamedTuple):
    """Of `whole` latencies, of `rests` where sizes are stated, and how closely the moods of these `follow` those."""

    whole: Shares
    rests: Shares
    follow: float


def dependence(stated: Correlation) -> Dependence:
    """The shares that have the stated correlations.

    With shares w and r of the run, the rest of one step and the whole latency of another correlate by
    follow * sqrt(w r). Where nobody knows how rests do among themselves, r is the least that the stated one allows.
    """
    whole = _shares(stated.run, stated.siblings)
    run, siblings, between = stated.rests
    if between is None:
        return Dependence(whole, _shares(run, siblings) if run or siblings else whole, 1.0)
    if run is None and whole.run:
        run = between._replace(value=min(between.value**2 / whole.run, 1.0))
    rests = _shares(run, siblings)
    most = np.sqrt(whole.run * rests.run)
    return Dependence(whole, rests, float(min(between.value / most, 1.0)) if most else 1.0)


def _shares(run: Figure[float] | None, siblings: Figure[float] | None) -> Shares:
    of_run = run.value if run else 0.0
    return Shares(of_run, max(of_run, siblings.value if siblings else 0.0))


class Moods:
    """The moods of a chunk of samples, each drawn once, when a call first asks for it."""

    def __init__(self, shared: Dependence, streams: Streams, count: int) -> None:
        self._shared = shared
        self._streams = streams
        self._count = count
        self._drawn: dict[tuple[int, bool], Floats] = {}
        self._moods: dict[tuple[int, bool], Floats] = {}

    def of(self, group: int, sized: bool) -> tuple[Floats | None, float]:
        """The mood of calls of a group of siblings whose sizes are stated or not, and its share of their scores."""
        run, siblings = self._shared.rests if sized else self._shared.whole
        if siblings == 0:
            return None, 0.0
        found = self._moods.get((group, sized))
        if found is None:
            of_run = self._scores(RUN_MOOD, sized)
            found = np.sqrt(run / siblings) * of_run
            found += np.sqrt(1 - run / siblings) * self._scores(SIBLINGS + group, sized)
            self._moods[group, sized] = found
        return found, siblings

    def _scores(self, stream: int, of_rests: bool) -> Floats:
        """Independent normal scores; those of rests follow those of whole latencies as far as they do."""
        follow = self._shared.follow
        if of_rests and follow == 1:
            return self._scores(stream, False)
        found = self._drawn.get((stream, of_rests))
        if found is None:
            drawn = self._streams.indices(self._count, stream + OF_RESTS if of_rests else stream)
            found = normal_scores().take(drawn)
            if of_rests and follow:
                found = follow * self._scores(stream, False) + np.sqrt(1 - follow**2) * found
            self._drawn[stream, of_rests] = found
        return found
