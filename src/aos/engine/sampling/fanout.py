"""How late the siblings of a fan-out start."""

from typing import NamedTuple

import numpy as np

from aos.domain.skills.skill import FanOut
from aos.engine.sampling.distributions import Floats, normal_scores, quantile_table
from aos.engine.sampling.streams import FAN_OUT, FAN_OUT_GROWTH, Streams


class Late(NamedTuple):
    """The delay of one group: `shares[j]` is what sibling j waits of the last one's delay."""

    group: int
    delay: Floats
    growth: float
    growth_sd: float
    shares: Floats

    def draw(self, streams: Streams, count: int) -> Floats:
        """The last sibling's delay in each sample, ms."""
        delay = self.delay.take(streams.indices(count, FAN_OUT + self.group))
        if self.growth == 0 and self.growth_sd == 0:
            return delay
        scores = normal_scores().take(streams.indices(count, FAN_OUT_GROWTH + self.group))
        # Through float32, like every table: exp differs in its last bits between processors.
        return delay * np.exp(self.growth + self.growth_sd * scores).astype(np.float32)


def late(law: FanOut, width: int, group: int) -> Late:
    """The delays of `width` siblings; the growth over several doublings is a sum of independent draws."""
    doublings = float(np.log2(width / law.width))
    stairs = np.linspace(0, 1, len(law.stairs))
    return Late(
        group=group,
        delay=quantile_table(law.delay),
        growth=law.growth * doublings,
        growth_sd=law.growth_sd * float(np.sqrt(abs(doublings))),
        shares=np.interp((np.arange(width) + 1) / width, stairs, law.stairs),
    )
