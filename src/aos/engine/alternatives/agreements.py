"""Agreements: more slots, or more calls a minute, than the catalog says there are, which no change of a plan gives.

They are tried where the critical path waits for them, from the next larger number on.
"""

from collections.abc import Iterator, Sequence
from itertools import chain

from aos.domain.forecasts.alternatives import Agreement
from aos.engine.alternatives.edits import Edit
from aos.engine.alternatives.levers import Lever, Workshop
from aos.engine.execution.program import Program

_MOST_TIMES = 100
_NAMED = (*range(10, 20), *range(20, 40, 2), *range(40, 100, 5))
"""Of the numbers from 10 to 99 those that are tried, 3 to 13 % apart; larger ones are these with zeros behind."""


def agreements(shop: Workshop) -> Iterator[Lever]:
    """A lever for each pool of slots, and for each rate limit, that the critical path waits for."""
    calls = shop.program.calls
    for kind, number in shop.parts.waits:
        if kind == "slots":
            steps = tuple(i for i, call in enumerate(calls) if call.pool == number)
            most = sum(calls[i].items.most for i in steps)
            edits = _more_slots(shop, shop.program.pool_names[number], most, steps)
        else:
            steps = tuple(i for i, call in enumerate(calls) if call.limiter == number)
            edits = _higher_rates(shop, shop.program.limited[number], steps)
        yield Lever(frozenset({"time"}), tuple(edits))


def agreed(program: Program, agreements: Sequence[Agreement]) -> Program:
    """The program under the agreements."""
    pools, limiters = list(program.pools), list(program.limiters)
    for agreement in agreements:
        if agreement.setting == "slots":
            pools[program.pool_names.index(agreement.name)] = round(agreement.needs)
        else:
            number = program.limited.index(agreement.name)
            limiters[number] = 60_000 / agreement.needs, limiters[number][1]
    return program._replace(pools=tuple(pools), limiters=tuple(limiters))


def _more_slots(shop: Workshop, pool: str, most: int, steps: tuple[int, ...]) -> Iterator[Edit]:
    """As many as there are calls that could want one at once, at the most."""
    now = shop.catalog.pools[pool]
    for slots in _above(now, min(most, now * _MOST_TIMES)):
        yield _edit(
            Agreement("slots", pool, now, slots),
            f"{pool}: {slots:g} slots instead of {now}",
            f"there are so many of {pool}",
            steps,
        )


def _higher_rates(shop: Workshop, skill: str, steps: tuple[int, ...]) -> Iterator[Edit]:
    limit = shop.catalog.skills[skill].rate_limit
    assert limit is not None
    now = limit.per_minute
    for rate in _above(now, now * _MOST_TIMES):
        yield _edit(
            Agreement("per_minute", skill, now, rate),
            f"{skill}: {rate:g} calls a minute instead of {now:g}",
            f"the provider of {skill} allows it",
            steps,
        )


def _edit(agreement: Agreement, summary: str, assumes: str, steps: tuple[int, ...]) -> Edit:
    return Edit(
        kind="add_slots" if agreement.setting == "slots" else "raise_rate_limit",
        summary=summary,
        changes={},
        size=2 - agreement.now / agreement.needs,
        steps=steps,
        assumes=assumes,
        agreed=(agreement,),
    )


def _above(now: float, most: float) -> Iterator[float]:
    """The numbers to try above `now`: whole ones from 1 on."""
    below_1 = (n * 10.0**-places for places in range(6, 0, -1) for n in range(1, 10))
    above_9 = (n * 10.0**zeros for zeros in range(12) for n in _NAMED)
    for number in chain(below_1, range(1, 10), above_9):
        if number > most:
            return
        if number > now:
            yield float(f"{number:.2g}")
