"""A catalog learned from records, beside what was said before, and as the text of a file."""

from collections.abc import Sequence
from typing import Any

from aos.domain.learning.calibration import Calibration
from aos.domain.learning.records import Records
from aos.domain.skills.distributions import Distribution
from aos.domain.skills.skill import CallCost, Catalog, Skill
from aos.wire.catalogs.learned import Compared, Typical
from aos.wire.catalogs.read import dump_catalog
from aos.wire.encode import indented

__all__ = ["catalog_text", "compared", "learned_document", "tried_again"]


def compared(calibration: Calibration, base: Catalog) -> tuple[Compared, ...]:
    """Every skill that the records speak of: a few of its figures in the base catalog, and as learned."""
    return tuple(
        Compared(
            row,
            _typical(base.skills[row.skill]) if row.skill in base.skills else None,
            _typical(calibration.catalog.skills[row.id]),
        )
        for row in calibration.rows
    )


def tried_again(calibration: Calibration, records: Records) -> dict[str, int]:
    """Skills of whose steps the records have more attempts than their catalog would make, and how many.

    Records don't say by which rule they were made, nor whether a call may be made twice; a catalog does.
    """
    from aos.engine.calibrate.tries import most_tries

    most = most_tries(records)
    skills = calibration.catalog.skills
    return {
        row.skill: most[row.skill]
        for row in calibration.rows
        if most[row.skill] > skills[row.id].retry.max_attempts
    }


def learned_document(calibration: Calibration) -> dict[str, Any]:
    """The catalog without nulls, which TOML does not have: a figure that is left out is unknown as well."""
    document: dict[str, Any] = _stated(dump_catalog(calibration.catalog))
    return document


def catalog_text(document: dict[str, Any], form: str) -> str:
    """The catalog as `.toml` or `.json`."""
    if form == ".json":
        return indented(document) + "\n"
    import tomli_w

    return tomli_w.dumps(document)


def _typical(skill: Skill) -> Typical:
    time = skill.latency and skill.latency.value
    price = skill.cost.per_attempt.value if isinstance(skill.cost, CallCost) else None
    chances: Sequence[float | None] = [
        mode.probability and mode.probability.value for mode in skill.failures or ()
    ]
    known = [chance for chance in chances if chance is not None]
    return Typical(
        p50_ms=_quantile(time, 0.5),
        p90_ms=_quantile(time, 0.9),
        p50_cents=_quantile(price, 0.5),
        fails=None if skill.failures is None or len(known) < len(chances) else min(1.0, sum(known)),
    )


def _quantile(distribution: Distribution | None, level: float) -> float | None:
    if distribution is None:
        return None
    from aos.engine.sampling.distributions import SIZE, quantile_table

    return float(quantile_table(distribution)[int(level * SIZE)])


def _stated(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _stated(inner) for key, inner in value.items() if inner is not None}
    return [_stated(inner) for inner in value] if isinstance(value, list | tuple) else value
