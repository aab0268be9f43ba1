"""Slots: the limit of concurrency that recorded fan-outs show, where they show one.

Siblings are limited to s at once where no run ever had more of them, most runs had that many, and each further one
started when one before it had ended: soon after, measured by how far apart siblings of neighbouring turns start.
Fan-outs that start late for another reason (a slow scheduler, cold starts) overlap as it happens, and have a law of
delays instead.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from aos.engine.calibrate.whole_run.runs import Shape
from aos.engine.sampling.distributions import Floats

_LEAST_RUNS = 5
_FULL = 0.9
"""Share of the runs that must have come to the limit."""
_SOON, _LATEST = 0.15, 0.5
"""The median and the 90th percentile of what passes until a slot is taken again, over the time between two turns."""
_INSTANT = 1e-6


class Slots(NamedTuple):
    """`slots` siblings at once, told by `runs` runs of more. `gap` is how late those start that need not wait, ms."""

    slots: int
    runs: int
    gap: Floats


class _FanOut(NamedTuple):
    """Recorded siblings, [run, sibling]: when each started and ended since it could, by start, ms."""

    start: Floats
    end: Floats

    def overlap(self) -> Floats:
        """The most siblings at once, run by run: when one starts, it and those before it that have not ended."""
        started = np.arange(1, self.start.shape[1] + 1)
        ended = [
            np.searchsorted(np.sort(end), start, side="right")
            for start, end in zip(self.start + _INSTANT, self.end, strict=True)
        ]
        most: Floats = (started - np.array(ended, np.float64)).max(axis=1)
        return most


def slots(shapes: Sequence[Shape]) -> dict[int, Slots]:
    """The limit of each variant whose fan-outs show one."""
    found = {variant: _limit(fan_outs) for variant, fan_outs in _fan_outs(shapes).items()}
    return {variant: limit for variant, limit in found.items() if limit}


def _fan_outs(shapes: Sequence[Shape]) -> dict[int, list[_FanOut]]:
    out: dict[int, list[_FanOut]] = {}
    for shape in shapes:
        through = shape.ran_through
        for variant, siblings in shape.siblings() if through.any() else ():
            start = shape.gap[through][:, siblings]
            end = start + shape.time[through][:, siblings]
            ranked = np.argsort(start, axis=1, kind="stable")
            by_start = (np.take_along_axis(times, ranked, axis=1) for times in (start, end))
            out.setdefault(variant, []).append(_FanOut(*by_start))
    return out


def _limit(fan_outs: Sequence[_FanOut]) -> Slots | None:
    overlaps = [fan_out.overlap() for fan_out in fan_outs]
    most = int(max(overlap.max() for overlap in overlaps))
    wider = [k for k, fan_out in enumerate(fan_outs) if fan_out.start.shape[1] > most]
    if not wider or most < 1:  # what took no time was never there at once
        return None
    full = np.concatenate([overlaps[k] == most for k in wider])
    if len(full) < _LEAST_RUNS or full.mean() < _FULL:
        return None
    taken = np.concatenate([_taken(fan_outs[k], most) for k in wider])
    middle, late = np.quantile(taken, [0.5, 0.9])
    if middle > _SOON or late > _LATEST:
        return None
    gap = np.concatenate([fan_out.start[:, :most].ravel() for fan_out in fan_outs])
    return Slots(most, len(full), gap)


def _taken(fan_out: _FanOut, slots: int) -> Floats:
    """What passed between the end that freed a slot and the start that took it, over the time between two turns."""
    freed = np.sort(fan_out.end, axis=1)[:, :-slots]
    late = fan_out.start[:, slots:]
    turn = np.maximum(late - fan_out.start[:, :-slots], _INSTANT)
    taken: Floats = ((late - freed) / turn).ravel()
    return taken
