"""Replay a policy: what is on record here under two sets of rules, and what that comes to."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from aos.api.forecast.policies import load_policy
from aos.domain.approvals.replays import CHANGES, Recorded, Replay, Row
from aos.errors import Exit
from aos.policy.replay import replay
from aos.wire.encode import one_line
from aos.wire.problems import visible
from aos.wire.results.replays import Compared, row_document

__all__ = ["FAIL_ON", "MOST_UNDETERMINED", "lines", "replayed", "status"]

FAIL_ON = frozenset(CHANGES[:2])
"""Changes that are a no unless said: what nobody can let through any more, and what nobody looks at any more."""
MOST_UNDETERMINED = 0.1
"""The share of records that may be undetermined before the answer is."""


def replayed(
    candidate: str, current: str | None, records: Callable[[], Iterable[Recorded | None]]
) -> tuple[Replay, Compared]:
    """Records under the rules at two places, and what people call these. `current` None: the rules that ship.

    Both are read before any record is; None is a record of something else, and passed over. Raises
    InputError(invalid_policy) with everything that is wrong with rules.
    """
    after, before = load_policy(candidate), load_policy(current)
    names = Compared(visible(current or "the rules that ship", 200), visible(candidate, 200))
    found = list(records())
    known = [one for one in found if one is not None]
    return replay(before, after, known)._replace(passed_over=len(found) - len(known)), names


def lines(rows: Iterable[Row]) -> str:
    """Every row, a line of JSON each."""
    return "".join(f"{one_line(row_document(row))}\n" for row in rows)


def status(document: Mapping[str, Any], fail_on: frozenset[str], most_undetermined: float) -> Exit:
    """3 where there are changes of those kinds; else 5 where too little is known to say so: nothing was there to be
    looked at, or too much of it could not be told."""
    if any(document["changes"][kind] for kind in fail_on & set(CHANGES)):
        return Exit.NO
    unknown = document["undetermined"] + document["left_off"]
    every = document["total"] + document["left_off"]
    return Exit.UNDETERMINED if not every or unknown > most_undetermined * every else Exit.YES
