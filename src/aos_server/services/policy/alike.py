"""Questions that are decided alike: the key under which a decision is remembered.

Calls of one kind differ in nothing that decides. A forecast sees of their parameters what `aos.domain.plans.stated`
takes out of them. Rules see facts of the forecast, effects, and by name who calls what: rules that name no plan (or
agent) say the same of each, since Cedar can hold a name against another one and do nothing else with it.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from aos.domain.plans.plan import Plan
from aos.domain.plans.stated import Stated, stated
from aos.domain.skills.skill import Catalog
from aos.wire.digests import digest
from aos.wire.plans.read import plan_digest
from aos.wire.strict import Json
from aos_server.services.policy.active import Rules
from aos_server.services.tenants import Terms

__all__ = ["Kind", "Whole", "kind_of", "whole"]


class Whole(NamedTuple):
    """A question as it came, by its digest, under terms. The text of catalog and rules is in `texts`, their digest."""

    terms: Terms
    texts: str
    question: str


class Kind(NamedTuple):
    """All that a decision on a call of the `skill` rests on; terms as in `Whole`.

    `plan` is the digest of the plan that the call is, where a rule may know it.
    """

    terms: Terms
    texts: str
    skill: str
    stated: Stated
    plan: str | None


def whole(plan: Json, inputs: Mapping[str, Json], terms: Terms) -> Whole:
    """The key of a plan."""
    return Whole(_short(terms), _digest(terms.catalog, terms.rules), digest([plan, dict(inputs)]))


def kind_of(call: Plan, catalog: Catalog, terms: Terms) -> Kind:
    """The kind of a call: a plan of one step without inputs or references."""
    (step,) = call.steps
    return Kind(
        _short(terms if _name(terms.rules, "Agent") else terms._replace(agent="")),
        _digest(terms.catalog, terms.rules),
        step.skill,
        stated(step.params, catalog.skills[step.skill], {}),
        plan_digest(call) if _name(terms.rules, "Plan") else None,
    )


def _short(terms: Terms) -> Terms:
    return terms._replace(catalog=None, rules=None)


@lru_cache(maxsize=64)
def _digest(catalog: bytes | None, rules: Rules | None) -> str:
    files = None if rules is None else [[file.name, file.data.decode()] for file in rules.files]
    return digest([None if catalog is None else catalog.decode(), files])


@lru_cache(maxsize=64)
def _name(rules: Rules | None, word: str) -> bool:
    """Whether rules may name a Plan, or an Agent: without that word they can't. Those that ship don't."""
    return rules is not None and any(word.encode() in file.data for file in rules.files)
