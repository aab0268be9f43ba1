"""What was learned from records: a catalog, and for every skill in it how well it is known."""

from typing import NamedTuple

from aos.domain.skills.skill import Catalog


class Measured(NamedTuple):
    """A skill of the catalog that records speak of.

    `id` is what plans call: `skill`, or `skill@value:value` where conditions split it. `n` counts its attempts,
    `failed` those of them that failed. `as_of` is the day of the newest record and `window_days` how far back they
    reach, both None where times count from no date. `method` is how its latency was fitted, `drift` how its level
    moved. `features` are those that its time or price was found to grow with.
    """

    id: str
    skill: str
    conditions: tuple[tuple[str, str], ...]
    n: int
    failed: int
    as_of: str | None
    window_days: float | None
    method: str
    drift: str
    features: tuple[str, ...] = ()


class Calibration(NamedTuple):
    """A catalog learned from records, with a row for each skill that they speak of, by id."""

    catalog: Catalog
    rows: tuple[Measured, ...]

    def variant(self, skill: str, conditions: tuple[str, ...] = ()) -> str:
        """The id of a skill under the values of the conditions. Raises KeyError where nothing was recorded."""
        for row in self.rows:
            if row.skill == skill and tuple(value for _, value in row.conditions) == conditions:
                return row.id
        raise KeyError((skill, conditions))
