"""How long people take to decide, learned from requests that were decided: the `approval_wait` figures of a catalog.

Of all levels, and of each by itself. A level of which little is known is mostly like the others: its quantiles are
those of its own decisions together with all there are, which count as `OTHERS` more. No shape is fitted: how long
people take goes by nights and weekends.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import accumulate
from typing import Any, NamedTuple

from aos.domain.skills.distributions import Constant, Distribution, Quantiles
from aos.domain.skills.skill import Figure, Provenance
from aos.errors import AosError
from aos.sdk.client import Client
from aos.sdk.core import Document
from aos.wire.catalogs.figures import dump_figure

__all__ = ["LEAST", "Waits", "learned", "requests_decided"]

LEAST = 5
"""Fewer decisions than that say nothing of how long one takes."""

_LEVELS = tuple(i / 20 for i in range(21))
_DECIDED = ("approved", "consumed", "rejected")
_PAGES, _PAGE = 10, 200


OTHERS = 10
"""Decisions as which all levels together count beside those of one."""


class Waits(NamedTuple):
    """What was learned, of all levels and of each. `by_level` has the waits (ms) of each level in order."""

    figure: Figure[Distribution]
    figures: dict[int, Figure[Distribution]]
    by_level: dict[int, tuple[float, ...]]

    @property
    def catalog(self) -> Document:
        """A catalog that says this and nothing else."""
        levels = {str(level): dump_figure(figure) for level, figure in self.figures.items()}
        figures = {"approval_wait_ms": dump_figure(self.figure), "approval_wait_by_level_ms": levels}
        return {"aos_catalog": "1", **figures}


def requests_decided(client: Client) -> Iterator[Document]:
    """The latest requests on which somebody decided, as far as 2,000 of each status go."""
    for status in _DECIDED:
        cursor: str | None = None
        for _ in range(_PAGES):
            page = client.approval_requests(status=status, limit=_PAGE, cursor=cursor)
            yield from page["requests"]
            cursor = page["next"]
            if cursor is None:
                break


def learned(decided: Sequence[Document]) -> Waits:
    """The waits of requests that people decided on; what the policy approves by itself at level 1 waits for nobody.

    Each distribution goes through the quantiles in steps of 5 %. Raises AosError(invalid_records) for too few of them.
    """
    people = [one for one in decided if one["required_level"] > 1 and one["decided_at"]]
    by_level: dict[int, list[float]] = {}
    for one in people:
        by_level.setdefault(one["required_level"], []).append(_wait_ms(one))
    waits = sorted(wait for found in by_level.values() for wait in found)
    if len(waits) < LEAST:
        detail = f"{len(waits)} requests were decided by people; it takes {LEAST} to say how long that takes"
        raise AosError(
            "invalid_records", detail, fix="Declare `approval_wait_ms` in a catalog until there are more."
        )
    until = max(str(one["decided_at"]) for one in people)[:10]
    every = [(wait, 1.0) for wait in waits]
    how = Provenance("measured", "from asked to decided", len(waits), until)
    return Waits(
        Figure(_distribution(every), how),
        {level: _of_level(found, waits, how) for level, found in sorted(by_level.items())},
        {level: tuple(sorted(found)) for level, found in sorted(by_level.items())},
    )


def _of_level(own: Sequence[float], every: Sequence[float], how: Provenance) -> Figure[Distribution]:
    weighed = [(wait, 1.0) for wait in own] + [(wait, OTHERS / len(every)) for wait in every]
    method = f"{how.method}; all levels count as {OTHERS} more"
    return Figure(_distribution(sorted(weighed)), how._replace(n=len(own), method=method))


def _distribution(waits: Sequence[tuple[float, float]]) -> Distribution:
    """Waits in order, each with its weight; a wait stands in the middle of its weight."""
    sums = accumulate(weight for _, weight in waits)
    middles = [above - weight / 2 for above, (_, weight) in zip(sums, waits, strict=True)]
    first, last = middles[0], middles[-1]
    wanted = [first + level * (last - first) for level in _LEVELS]
    nearest = [min(range(len(waits)), key=lambda i: abs(middles[i] - place)) for place in wanted]
    values = tuple(waits[i][0] for i in nearest)
    return Constant(values[0]) if values[0] == values[-1] else Quantiles(_LEVELS, values)


def _wait_ms(one: dict[str, Any]) -> float:
    asked, decided = (datetime.fromisoformat(one[name]) for name in ("created_at", "decided_at"))
    return max(0.0, round((decided - asked).total_seconds() * 1000))
