"""How the steps of a run depend: the normal scores that they share, siblings among themselves more than the rest.

A step whose sizes a plan states is slow or quick by what sizes leave unexplained alone, which has moods of its own.
They follow the moods of whole latencies as closely as records say. All are sums of independent scores, so that no set
of correlations that a catalog may state is impossible.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from aos.domain.skills.skill import Correlation, Figure, PartCorrelation
from aos.engine.sampling.distributions import Floats, normal_scores
from aos.engine.sampling.streams import OF_RESTS, OF_SIZE, RUN_MOOD, SIBLINGS, Streams

__all__ = ["REST", "WHOLE", "Dependence", "Moods", "Part", "Shares", "dependence"]


class Shares(NamedTuple):
    """The share of a score that is the run's, and the one that is the run's and the siblings' together."""

    run: float
    siblings: float


class Part(NamedTuple):
    """Of a part of latencies the shares, and how closely its moods `follow` those of whole latencies."""

    shares: Shares
    follow: float


class Dependence(NamedTuple):
    """Of `whole` latencies, and of their `parts` by name: of the rests first, which bears none, then of sizes."""

    whole: Shares
    parts: Mapping[str, Part]

    @property
    def rests(self) -> Shares:
        """Of what sizes leave unexplained."""
        return self.parts[REST].shares

    @property
    def follow(self) -> float:
        """How closely the moods of rests follow those of whole latencies."""
        return self.parts[REST].follow


REST = ""
WHOLE: None = None
_NOTHING = 1e-9


def dependence(stated: Correlation) -> Dependence:
    """The shares that have the stated correlations.

    With shares w and r of the run, the rest of one step and the whole latency of another correlate by
    follow * sqrt(w r). Where nobody knows how rests do among themselves, r is the least that the stated one allows. So
    do sizes. Parts are independent of each other: a whole mood is made of theirs, so that the squares of all `follow`
    are 1 together, at the most.
    """
    whole = _shares(stated.run, stated.siblings)
    run, siblings, between = stated.rests
    if between is None:
        rests = Part(_shares(run, siblings) if run or siblings else whole, 1.0)
    else:
        rests = _part(whole, stated.rests)
    sizes = {name: _part(whole, stated.sizes[name]) for name in sorted(stated.sizes)}
    left, wanted = 1 - rests.follow**2, sum(part.follow**2 for part in sizes.values())
    most = min(1.0, float(np.sqrt(left / wanted))) if wanted else 1.0
    less = {name: part._replace(follow=part.follow * most) for name, part in sizes.items()}
    return Dependence(whole, {REST: rests, **less})


def _part(whole: Shares, stated: PartCorrelation) -> Part:
    run, siblings, between = stated
    if between is None:
        return Part(_shares(run, siblings), 0.0)
    if run is None and whole.run:
        run = between._replace(value=min(between.value**2 / whole.run, 1.0))
    shares = _shares(run, siblings)
    most = np.sqrt(whole.run * shares.run)
    return Part(shares, float(min(between.value / most, 1.0)) if most else 1.0)


def _shares(run: Figure[float] | None, siblings: Figure[float] | None) -> Shares:
    of_run = run.value if run else 0.0
    return Shares(of_run, max(of_run, siblings.value if siblings else 0.0))


class Moods:
    """The moods of a chunk of samples, each drawn once, when a call first asks for it."""

    def __init__(self, shared: Dependence, streams: Streams, count: int) -> None:
        self._shared = shared
        self._parts = list(shared.parts)
        self._streams = streams
        self._count = count
        self._drawn: dict[tuple[int, str | None], Floats] = {}
        self._left: dict[tuple[int, int], Floats] = {}
        self._moods: dict[tuple[int, str | None], Floats] = {}

    def of(self, group: int, part: str | None) -> tuple[Floats | None, float]:
        """The mood of a part, or of whole latencies, of a group of siblings, and its share of their scores."""
        if part not in self._shared.parts and part is not WHOLE:
            return None, 0.0
        run, siblings = self._shared.whole if part is WHOLE else self._shared.parts[part].shares
        if siblings == 0:
            return None, 0.0
        found = self._moods.get((group, part))
        if found is None:
            of_run = self._scores(RUN_MOOD, part)
            found = np.sqrt(run / siblings) * of_run
            found += np.sqrt(1 - run / siblings) * self._scores(SIBLINGS + group, part)
            self._moods[group, part] = found
        return found, siblings

    def number(self, part: str) -> int:
        """Where a part stands among those that a catalog tells, the rest at 0."""
        return self._parts.index(part)

    def _scores(self, stream: int, part: str | None) -> Floats:
        """Independent normal scores; those of a part follow those of whole latencies as far as they do."""
        found = self._drawn.get((stream, part))
        if found is None:
            found = self._draw(stream, part)
            self._drawn[stream, part] = found
        return found

    def _draw(self, stream: int, part: str | None) -> Floats:
        if part is WHOLE:
            return normal_scores().take(self._streams.indices(self._count, stream))
        number = self._parts.index(part)
        follow = self._follow(number)
        if follow == 1:
            return self._rest_of_whole(stream, number)
        found = normal_scores().take(self._streams.indices(self._count, stream + _of_part(number)))
        if follow:
            found = follow * self._rest_of_whole(stream, number) + np.sqrt(1 - follow**2) * found
        return found

    def _follow(self, number: int) -> float:
        """How closely a part follows what those before it leave of the whole."""
        follow = [part.follow for part in self._shared.parts.values()]
        left = self._left_after(number)
        return min(1.0, follow[number] / np.sqrt(left)) if left > _NOTHING else 0.0

    def _left_after(self, number: int) -> float:
        return 1 - sum(part.follow**2 for part in list(self._shared.parts.values())[:number])

    def _rest_of_whole(self, stream: int, number: int) -> Floats:
        """Scores of whole latencies less what the parts before say of them, with the variance 1."""
        if number == 0:
            return self._scores(stream, WHOLE)
        found = self._left.get((stream, number))
        if found is None:
            before = self._parts[number - 1]
            follow = self._follow(number - 1)
            rest = self._rest_of_whole(stream, number - 1) - follow * self._scores(stream, before)
            found = self._left[stream, number] = rest / np.sqrt(1 - follow**2)
        return found


def _of_part(number: int) -> int:
    return number * OF_SIZE or OF_RESTS
