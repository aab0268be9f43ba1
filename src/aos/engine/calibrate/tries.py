"""How often steps were tried."""

import numpy as np

from aos.domain.learning.records import Records

__all__ = ["most_tries"]


def most_tries(records: Records) -> dict[str, int]:
    """The most attempts that any step of each skill had."""
    most = np.zeros(len(records.skill.names), np.int64)
    np.maximum.at(most, np.asarray(records.skill.codes), np.asarray(records.attempt))
    return dict(zip(records.skill.names, most.tolist(), strict=True))
