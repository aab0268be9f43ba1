"""Cut-offs: a time limit on the attempts of a slow step, so that one that takes long is given up and made again.

Of attempts that take A, cut off at T and made again after pauses, more than n are needed with a chance of P(A > T)^n.
So what a share c of calls takes at most is (n-1) T and the pauses, with the least n for which P(A > T)^n <= 1 - c, and
the last attempt: the quantile of A at 1 - (1 - c) / P(A > T)^(n-1). It falls with T until too many good attempts are
cut off. Attempts that fail for another reason are taken for good ones here: only the simulation knows better.
"""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from aos.domain.plans.plan import Step
from aos.domain.skills.skill import RetryPolicy
from aos.engine.alternatives.edits import Edit
from aos.engine.alternatives.levers import Lever, Workshop, named, round_up
from aos.engine.execution.program import Call
from aos.engine.sampling.attempts import TIMEOUT, retried
from aos.engine.sampling.distributions import SIZE, Floats

_SLOWEST, _STANDS_OUT, _MOST_STEPS = 0.1, 0.1, 8
_LEAST_MS = 1.0
_LEVELS = (0.995, 0.99, 0.98, 0.95, 0.9, 0.85, 0.8, 0.7, 0.6, 0.5)


class _Cut(NamedTuple):
    """A step (by index) with the limit, and what its calls then take, in ms."""

    place: int
    step: Step
    takes: float


def cutoffs(shop: Workshop, level: float) -> Iterator[Lever]:
    """A lever for the step that most of the tail of the time comes from, and one for all that a tenth of it does.

    `level` is the share of runs that are to be in time. Steps whose attempts may not be made again are left out.
    """
    if shop.program.rows or shop.program.loans:
        return  # what is drawn as it was recorded knows no limits
    tail = _of_the_tail(shop)
    each = level ** (1 / max(1, len(tail)))
    cuts = [found for i in tail if (found := _cuts(shop, i, each))]
    for together in (cuts[:1], cuts) if len(cuts) > 1 else (cuts,):
        longest = max((len(found) for found in together), default=0)
        edits = (_edit([found[min(k, len(found) - 1)] for found in together]) for k in range(longest))
        yield Lever(frozenset({"time"}), tuple(edits))


def kept(took: Floats, limit: float, retry: RetryPolicy, level: float) -> float | None:
    """What a share `level` of calls takes at most (ms), of which an attempt takes `took` (ascending), `limit` at most.

    None where too many use up all their attempts.
    """
    cut_off = 1 - float(np.searchsorted(took, limit, side="right")) / len(took)
    lost, left = 0.0, 1 - level
    for tries in range(1, retry.max_attempts + 1):
        if cut_off <= left:
            return lost + float(took[max(0, math.ceil((1 - left) * len(took)) - 1)])
        lost += limit + retry.backoff(tries)
        left /= cut_off
    return None


def _of_the_tail(shop: Workshop) -> list[int]:
    """Steps (indices) that add a tenth or more of what the slowest tenth of runs takes longer than all, most first."""
    time = shop.chunk.time
    slow = np.argsort(time, kind="stable")[-max(1, round(len(time) * _SLOWEST)) :]
    more = shop.parts.time[:, slow].mean(axis=1) - shop.parts.time.mean(axis=1)
    order = np.argsort(-more, kind="stable")[:_MOST_STEPS]
    return [int(i) for i in order if more[i] > 0 and more[i] >= _STANDS_OUT * more.sum()]


def _cuts(shop: Workshop, i: int, level: float) -> list[_Cut]:
    """Shorter and shorter limits, as long as that makes what the calls of the step take shorter."""
    step, call = shop.plan.steps[i], shop.program.calls[i]
    if call.retry.max_attempts == 1:
        step, call = step._replace(retry=None), call._replace(retry=shop.catalog.skills[step.skill].retry)
    if not (call.attempts.latency_known and _made_again(call)):
        return []
    took = np.sort(call.attempts.time)
    each = level ** (1 / max(1, call.items.typical))
    shortest = float(took[math.ceil(each * SIZE) - 1])
    found = []
    for share in _LEVELS:
        seconds = round_up(max(float(np.quantile(took, share, method="higher")), _LEAST_MS) / 1000)
        takes = kept(took, seconds * 1000, call.retry, each)
        if takes is not None and takes < shortest:
            found.append(_Cut(i, step._replace(timeout_s=seconds), takes * step.iterations))
            shortest = takes
    return found


def _made_again(call: Call) -> bool:
    """Whether an attempt that was cut off is made again."""
    mode = next((mode for mode in call.attempts.modes if mode.code == TIMEOUT.code), TIMEOUT)
    return call.retry.max_attempts > 1 and bool(retried([mode], call.retry, call.effects).all())


def _edit(cuts: Sequence[_Cut]) -> Edit:
    cuts = sorted(cuts)
    seconds = " and ".join(dict.fromkeys(f"{cut.step.timeout_s:g} s" for cut in cuts))
    names = named(cut.step for cut in cuts)
    return Edit(
        kind="limit_time",
        summary=f"{names}: give an attempt up after {seconds}, and try again",
        changes={cut.step.id: cut.step for cut in cuts},
        size=float(len(cuts)),
        steps=tuple(cut.place for cut in cuts),
        at_most_ms=tuple(cut.takes for cut in cuts),
        assumes=f"an attempt of {names} that takes longer may be given up",
    )
