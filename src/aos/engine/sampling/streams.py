"""Random indices: one independent stream for each call of a plan, so that changing one step disturbs no other."""

import numpy as np
from numpy.random import SFC64, SeedSequence

from aos.engine.sampling.distributions import Indices

# What a stream is drawn for. A call has a stream for each of its nodes and purposes: node * PURPOSES + purpose.
LATENCY, RETRY, PRICE, RETRY_PRICE, OVERHEAD, OWN_MOOD, OUTAGE, ITEMS, WAIT, PURPOSES = range(10)

# Streams that belong to no call, numbered above any; a group of siblings adds its own number.
RUN_MOOD, RUN_FACTOR, RECORDED_RUN = range(1 << 24, (1 << 24) + 3)
SIBLINGS, FAN_OUT, FAN_OUT_GROWTH = (kind << 25 for kind in (1, 2, 3))
OF_RESTS = 4 << 25
"""Added to the streams of moods: those of what sizes leave unexplained."""
OF_SIZE = 8 << 25
"""Times 1, 2, ... added to the streams of calls and of moods: sizes that a plan leaves open."""

_PER_WORD = 4


class Streams:
    """Table indices drawn from raw 64-bit words of SFC64, keyed by call and purpose.

    The words are taken as they come, with no arithmetic on the way: the same bytes on every machine.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._open: dict[tuple[int, int], SFC64] = {}

    def indices(self, count: int, call: int, purpose: int = 0) -> Indices:
        """The next `count` uniform indices in [0, 65,536) of the stream (call, purpose)."""
        key = (call, purpose)
        bits = self._open.get(key)
        if bits is None:
            bits = self._open[key] = SFC64(SeedSequence(self._seed, spawn_key=key))
        words = bits.random_raw(-(-count // _PER_WORD))
        return words.astype("<u8", copy=False).view(np.uint16)[:count]
