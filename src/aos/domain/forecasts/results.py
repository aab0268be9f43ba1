"""What a simulation gives back: the question as it was understood, and the answer."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, NamedTuple

from aos.domain.forecasts.alternatives import Alternative
from aos.domain.forecasts.attribution import Attribution, Evidence
from aos.domain.forecasts.forecast import Forecast
from aos.domain.forecasts.verdicts import Limits, Verdict
from aos.domain.plans.plan import Plan
from aos.domain.skills.prices import ModelPrice
from aos.domain.skills.skill import Skill

if TYPE_CHECKING:
    from aos.domain.approvals.policies import PolicyVerdict

Search = Literal["done", "not_needed", "off"]
"""Whether alternatives were sought, or why not: the plan is feasible as it is, or nobody asked for them."""


class Digests(NamedTuple):
    """What the answer rests on, each `sha256:<hex>`: see `aos.wire.digests`."""

    plan: str
    catalog: str
    catalog_contract: str


class SimulationResult(NamedTuple):
    """A simulated plan. `skills` are those it calls, `prices` those of the models it names, by that name;
    `notes` say how the plan was normalised.

    `samples` and `seed` are what was asked for; `forecast.samples` is what it took. `attribution` is None, and
    `evidence` and `alternatives` are empty, where nobody asked for them;
    so is `policy`, what the rules say.
    """

    plan: Plan
    limits: Limits
    samples: int
    seed: int
    verdict: Verdict
    forecast: Forecast
    skills: Mapping[str, Skill]
    prices: Mapping[str, ModelPrice]
    digests: Digests
    notes: tuple[str, ...]
    attribution: Attribution | None = None
    evidence: tuple[Evidence, ...] = ()
    alternatives: tuple[Alternative, ...] = ()
    search: Search = "off"
    policy: "PolicyVerdict | None" = None
