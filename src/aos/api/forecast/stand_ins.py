"""Models that may stand in for those a plan names: few, so that each can be tried.

First the plan's own models, since its author trusts them; then, of their providers, the common models that
write for less; then the lightest of each large provider. Six at the most.
What "common" is nobody computes: `COMMON` says it, and a test holds it to the snapshot of prices.
"""

from collections.abc import Iterable, Iterator, Mapping

from aos.domain.plans.plan import Plan
from aos.domain.skills.prices import ModelPrice
from aos.domain.skills.skill import Catalog, TokenCost

COMMON: Mapping[str, tuple[str, ...]] = {
    "anthropic": ("claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-4-5", "claude-haiku-5-5"),
    "openai": ("gpt-6.1-sol", "gpt-6.1-terra", "gpt-5-mini", "gpt-6-luna"),
    "google": ("gemini-4-argon", "gemini-3.8-flash", "gemini-3.5-flash-lite", "gemini-2.5-flash-lite"),
    "mistral": ("mistral-large-4", "mistral-small-2603"),
    "deepseek": ("deepseek-v4-pro", "deepseek-v4-flash"),
    "x-ai": ("grok-4.7", "grok-4.3", "grok-4-fast-non-reasoning"),
}
"""Models that many use, by provider, from the strongest to the lightest."""

_LARGE = ("anthropic", "openai", "google")
_MOST = 6


def stand_ins(plan: Plan, catalog: Catalog, prices: Mapping[str, ModelPrice]) -> dict[str, ModelPrice]:
    """Prices of the models to try, by name; none where no step asks a model.

    `prices` are those of the models that the plan names. Which of them are cheaper in which step, the engine
    finds out.
    """
    if not any(isinstance(catalog.skills[step.skill].cost, TokenCost) for step in plan.steps):
        return {}
    return dict([*_candidates(prices).items()][:_MOST])


def _candidates(named: Mapping[str, ModelPrice]) -> dict[str, ModelPrice]:
    """In the order in which they are to be tried."""
    found = dict(named)
    for price in named.values():
        found |= {
            name: other
            for name, other in _priced(COMMON.get(price.provider, ()))
            if other.output_cents_per_mtok < price.output_cents_per_mtok
        }
    return found | dict(_priced(COMMON[provider][-1] for provider in _LARGE))


def _priced(names: Iterable[str]) -> Iterator[tuple[str, ModelPrice]]:
    from aos.wire.prices import lookup

    for name in names:
        if price := lookup(name):
            yield name, price
