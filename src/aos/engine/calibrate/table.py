"""Records as arrays: which variant of a skill each attempt called, which step of which run it belongs to."""

import re
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aos.domain.learning.records import Coded, Records
from aos.engine.sampling.distributions import Floats

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

_FOREIGN = re.compile(r"[^A-Za-z0-9._:@-]")
_LONGEST = 128
_EPOCH_MS = (946_684_800_000.0, 4_102_444_800_000.0)
"""Times between the years 2000 and 2100 are dates; others count from no date that matters."""
_DAY_MS = 86_400_000.0


class Variant(NamedTuple):
    """A skill under one set of conditions: its id, the skill, the values of the conditions."""

    id: str
    skill: str
    values: tuple[str, ...]


class Table(NamedTuple):
    """Attempts, one a row, in the order of their start; `time` NaN where no end was recorded.

    `x` is [row, feature], NaN where nobody recorded it.
    """

    variants: tuple[Variant, ...]
    variant: Ints
    run: Ints
    step: Ints
    steps: tuple[str, ...]
    after: Ints
    afters: tuple[str, ...]
    start: Floats
    end: Floats
    cost: Floats
    failed: Flags
    code: Ints
    codes: tuple[str, ...]
    attempt: Ints
    features: tuple[str, ...]
    x: Floats

    @property
    def time(self) -> Floats:
        """How long each attempt took, ms."""
        return self.end - self.start

    def rows_of(self) -> list[Ints]:
        """The rows of each variant."""
        ranked = np.argsort(self.variant, kind="stable")
        return np.split(ranked, np.searchsorted(self.variant[ranked], np.arange(1, len(self.variants))))


class Age(NamedTuple):
    """The day of the newest record and how many days the records reach back; None without dates."""

    as_of: str | None
    window_days: float | None


def table(records: Records, by: tuple[str, ...]) -> Table:
    """The records, with skills split by the conditions."""
    start = _floats(records.start_ms)
    ranked = np.argsort(start, kind="stable")
    keys = np.array([_ints(c.codes) for c in (records.skill, *(records.conditions[name] for name in by))])
    found, variant = np.unique(keys, axis=1, return_inverse=True)
    columns = [records.conditions[name] for name in by]
    named = [
        (_name(records.skill, int(skill)), tuple(map(_name, columns, map(int, codes))))
        for skill, *codes in found.T
    ]
    return Table(
        variants=_variants(named),
        variant=variant.reshape(-1)[ranked],
        run=_ints(records.run.codes)[ranked],
        step=_ints(records.step.codes)[ranked],
        steps=records.step.names,
        after=_ints(records.after.codes)[ranked],
        afters=records.after.names,
        start=start[ranked],
        end=_floats(records.end_ms)[ranked],
        cost=_floats(records.cost_cents)[ranked],
        failed=np.frombuffer(records.failed, np.uint8).astype(bool)[ranked],
        code=_ints(records.code.codes)[ranked],
        codes=records.code.names,
        attempt=_ints(records.attempt)[ranked],
        features=tuple(records.features),
        x=np.array([_floats(column)[ranked] for column in records.features.values()])
        .reshape(-1, len(start))
        .T,
    )


def age(start: Floats) -> Age:
    """How old records are that started then."""
    start = start[np.isfinite(start)]
    if not start.size or not _EPOCH_MS[0] <= start.min() <= start.max() <= _EPOCH_MS[1]:
        return Age(None, None)
    newest = str(np.datetime64(int(start.max()), "ms"))[:10]
    return Age(newest, round(float(start.max() - start.min()) / _DAY_MS, 3))


def moments(start: Floats) -> Floats:
    """When records were made that started then, for their ages: their order where that is no date."""
    return (
        start if age(start).as_of is not None and np.isfinite(start).all() else np.arange(float(len(start)))
    )


def _variants(named: list[tuple[str, tuple[str, ...]]]) -> tuple[Variant, ...]:
    """Ids of the characters that ids may have; where two would be the same, the later one is numbered."""
    taken: set[str] = set()
    out = []
    for skill, values in named:
        wanted = f"{skill}@{':'.join(values)}" if values else skill
        wanted = _FOREIGN.sub("-", wanted)[:_LONGEST] or "-"
        name, number = wanted, 1
        while name in taken:
            number += 1
            name = f"{wanted[: _LONGEST - 6]}.{number}"
        taken.add(name)
        out.append(Variant(name, skill, values))
    return tuple(out)


def _name(column: Coded, code: int) -> str:
    return column.names[code] if code >= 0 else ""


def _floats(column: object) -> Floats:
    return np.asarray(column, np.float64)


def _ints(column: object) -> Ints:
    return np.asarray(column, np.int64)
