"""Catalogs on a given day: what was measured long ago is less sure."""

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

from aos.domain.plans.plan import Plan
from aos.domain.skills.skill import Catalog

__all__ = ["OnDay", "on_day"]


class OnDay(NamedTuple):
    """A catalog as it is to be believed on a day; `told` says of a skill that it has aged by then, and how far."""

    catalog: Catalog
    told: Mapping[str, str]

    def notes(self, plan: Plan) -> tuple[str, ...]:
        """A sentence for each skill of the plan that has aged."""
        used = dict.fromkeys(step.skill for step in plan.steps)
        return tuple(self.told[name] for name in used if name in self.told)


def on_day(catalog: Catalog, day: date | None) -> OnDay:
    """The catalog on that day; without one as it is, so that the same catalog gives the same forecast on every day."""
    if day is None:
        return OnDay(catalog, {})
    from aos.engine.sampling.ageing import aged

    return OnDay(*aged(catalog, day))
