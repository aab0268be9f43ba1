"""Learn a catalog from recorded runs."""

from collections.abc import Sequence

from aos.domain.learning.calibration import Calibration
from aos.domain.learning.records import Records
from aos.domain.skills.skill import Catalog
from aos.errors import AosError


def calibrate(records: Records, *, base: Catalog, by: Sequence[str] = ()) -> Calibration:
    """The catalog `base` with the figures that records give: latency, price, failures, and how steps depend.

    `by` names condition columns that split a skill into variants (`llm_invoke@eu:large`); related variants lend
    each other strength where one has few records. What the records do not tell stays as `base` has it. Blocks, donors
    and fan-out laws are learned where the records have runs for them. Same records, same catalog.

    Raises AosError(usage) for a condition that the records do not have.
    """
    missing = [name for name in by if name not in records.conditions]
    if missing:
        known = ", ".join(records.conditions) or "none"
        raise AosError("usage", f'the records have no condition "{missing[0]}"; they have: {known}')
    from aos.engine.calibrate.catalog import learn

    return learn(records, base, tuple(by))


def conditions(records: Records, share: float = 1.0) -> tuple[str, ...]:
    """Those condition columns of records that help to foretell later ones, the most helpful first.

    Only the first `share` of the records, in the order of time, is looked at: the rest may be there to score by.
    """
    from aos.engine.calibrate.skill.conditions import choose

    return choose(records, share)
