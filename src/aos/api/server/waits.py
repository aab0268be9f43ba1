"""How long people take to decide, learned from requests that were decided: `approval_wait_ms` of a catalog."""

from collections.abc import Iterator, Sequence
from datetime import datetime
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


class Waits(NamedTuple):
    """What was learned. `by_level` has the waits (ms) of each level in order, `ended` the last decision's day."""

    figure: Figure[Distribution]
    by_level: dict[int, tuple[float, ...]]

    @property
    def catalog(self) -> Document:
        """A catalog that says this and nothing else."""
        return {"aos_catalog": "1", "approval_wait_ms": dump_figure(self.figure)}


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

    The distribution goes through the quantiles in steps of 5 %. Raises AosError(invalid_records) for too few of them.
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
    how = Provenance("measured", "from asked to decided", len(waits), until)
    return Waits(
        Figure(_distribution(waits), how),
        {level: tuple(sorted(found)) for level, found in sorted(by_level.items())},
    )


def _distribution(waits: Sequence[float]) -> Distribution:
    values = tuple(waits[round(level * (len(waits) - 1))] for level in _LEVELS)
    return Constant(values[0]) if values[0] == values[-1] else Quantiles(_LEVELS, values)


def _wait_ms(one: dict[str, Any]) -> float:
    asked, decided = (datetime.fromisoformat(one[name]) for name in ("created_at", "decided_at"))
    return max(0.0, round((decided - asked).total_seconds() * 1000))
