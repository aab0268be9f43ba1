"""A catalog on a later day: what was measured long ago is less sure.

A forecast from records over w days has been scored on the two thirds of w that came next (`calibrate.pool`). After that
the log of a level wanders on with the skill's drift: times are widened by a lognormal factor whose standard deviation
is 1.22 * drift * sqrt(years since the newest record, less 2/3 w), and the median stays where it is. 1.22 is how much
wider the central 90 % of Student's t with five degrees of freedom are: about that much is known of a drift.
"""

from datetime import date

import numpy as np

from aos.domain.skills.distributions import Distribution, Lognormal, Quantiles
from aos.domain.skills.skill import Block, Catalog, Figure, Provenance, Skill
from aos.engine.sampling.distributions import at_ranks, normal_scores, product_table, quantile_table

_SCORED = 2 / 3
_UNSURE = 1.22
_YEAR_DAYS = 365.25
_MOST = 0.7
"""A factor of two: beyond it records tell nothing, and a wider forecast would not tell more."""
_LEAST = 0.005
_LEVELS = tuple((i + 0.5) / 1_000 for i in range(1_000))
_GOLDEN = (np.sqrt(5) - 1) / 2


def aged(catalog: Catalog, on: date) -> tuple[Catalog, dict[str, str]]:
    """The catalog as it is to be believed on that day, and by skill a sentence that says so."""
    skills, told = dict(catalog.skills), dict[str, str]()
    for name, skill in catalog.skills.items():
        days, spread = _age(skill.latency, on), _spread(skill, on)
        if spread:
            skills[name] = _widened(skill, spread)
            wider = f"widened for a level that may be {np.exp(spread):.2f} times as high or low"
            told[name] = f"{name}: its times are {days:,} days old on {on}: {wider}"
        elif spread is None and days:
            told[name] = f"{name}: its times are {days:,} days old on {on}, and nobody knows how they drift"
    blocks = tuple(_widened_block(block, catalog, on) for block in catalog.blocks)
    return catalog._replace(skills=skills, blocks=blocks), told


def _age(figure: Figure[Distribution] | None, on: date) -> int:
    """Days since the newest record of a measured figure; 0 where there is no such day."""
    known = figure is not None and figure.provenance.source == "measured" and figure.provenance.as_of
    return max(0, (on - date.fromisoformat(known)).days) if known else 0


def _spread(skill: Skill, on: date) -> float | None:
    """By what the log of the level has spread since the records spoke of it; None where nobody knows."""
    if skill.latency is None or skill.drift is None:
        return None
    beyond = _age(skill.latency, on) - _SCORED * (skill.latency.provenance.window_days or 0.0)
    spread = _UNSURE * skill.drift.value * np.sqrt(max(0.0, beyond) / _YEAR_DAYS)
    return float(min(spread, _MOST)) if spread > _LEAST else 0.0


def _widened(skill: Skill, spread: float) -> Skill:
    growth = skill.latency_by
    return skill._replace(
        latency=_wider(skill.latency, spread),
        latency_by=growth and growth._replace(rest=_wider(growth.rest, spread) or growth.rest),
        failures=skill.failures
        and tuple(mode._replace(time=_wider(mode.time, spread)) for mode in skill.failures),
    )


def _wider(figure: Figure[Distribution] | None, spread: float) -> Figure[Distribution] | None:
    if figure is None:
        return None
    table = product_table(quantile_table(figure.value), quantile_table(Lognormal(1.0, spread)))
    wider = Quantiles(_LEVELS, tuple(map(float, at_ranks(table, len(_LEVELS)))))
    return Figure(wider, _told(figure.provenance))


def _told(provenance: Provenance) -> Provenance:
    return provenance._replace(method=f"{provenance.method}, widened by its age")


def _widened_block(block: Block, catalog: Catalog, on: date) -> Block:
    """Every draw gets a factor of its own: of evenly spread levels, in an order that no other column has."""
    spread = max((_spread(catalog.skills[name], on) or 0.0 for name in block.skills), default=0.0)
    if not spread:
        return block
    levels = (np.arange(len(block.draws)) * _GOLDEN) % 1
    factors = np.exp(spread * normal_scores()[(levels * len(normal_scores())).astype(np.intp)])
    draws = tuple(
        drawn._replace(time_scale=float(drawn.time_scale * factor))
        for drawn, factor in zip(block.draws, factors, strict=True)
    )
    return block._replace(draws=draws, provenance=_told(block.provenance))
