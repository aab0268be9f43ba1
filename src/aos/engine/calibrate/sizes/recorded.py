"""How large recorded attempts were, by what the time of their skill was found to grow with."""

from collections.abc import Sequence

import numpy as np

from aos.domain.skills.skill import LEAST_SIZE, Skill
from aos.engine.calibrate.table import Table
from aos.engine.sampling.distributions import Floats
from aos.engine.sampling.growth import size


def beside_others(table: Table, skills: Sequence[Skill]) -> dict[str, Floats]:
    """Of each feature that a skill's time grows with beside others, the column: NaN where it does not, or is unknown.

    These are the sizes that a step may leave open and still state some. `skills` stand as the variants of the table.
    """
    found: dict[str, Floats] = {}
    for skill, rows in zip(skills, table.rows_of(), strict=True):
        names = [f.name for f in skill.latency_by.features] if skill.latency_by else []
        for name in names if len(names) > 1 else ():
            column = found.setdefault(name, np.full(len(table.variant), np.nan))
            column[rows] = table.x[rows, table.features.index(name)]
    return found


def sizes(table: Table, skills: Sequence[Skill]) -> Floats:
    """What each row of the table takes by its features alone, ms; NaN where its skill does not grow, or one is unknown.

    `skills` stand as the variants of the table do.
    """
    found = np.full(len(table.variant), np.nan)
    for skill, rows in zip(skills, table.rows_of(), strict=True):
        if skill.latency_by:
            columns = {name: table.x[rows, k] for k, name in enumerate(table.features)}
            found[rows] = np.maximum(size(skill.latency_by, columns, len(rows)), LEAST_SIZE)
    return found
