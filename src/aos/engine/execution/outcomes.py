"""What a plan's runs come to, sample by sample: for scores and quantiles of any level."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aos.engine.execution.program import Program
from aos.engine.sampling.distributions import Floats
from aos.engine.sampling.prices import MICRO
from aos.engine.simulate import Simulation


class Outcomes(NamedTuple):
    """One value a sample: active time in ms, cost in cents, whether the run succeeded; the known part of each."""

    time: Floats
    cost: Floats
    success: NDArray[np.bool_]


def outcomes(program: Program, samples: int, seed: int) -> Outcomes:
    """Draw that many runs of a program."""
    drawn = list(Simulation(program, seed, detail=False).take(samples))
    return Outcomes(
        time=np.concatenate([chunk.time for chunk in drawn]),
        cost=np.concatenate([chunk.cost for chunk in drawn]) / MICRO,
        success=np.concatenate([chunk.success for chunk in drawn]),
    )
