"""What one attempt costs, as a table of whole micro-cents: money adds up exactly."""

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aos.domain.plans.stated import Stated
from aos.domain.skills.distributions import Constant, Distribution, median, upper_bound
from aos.domain.skills.prices import ModelPrice
from aos.domain.skills.skill import CallCost, CostModel, TokenCost
from aos.engine.sampling.distributions import Floats, quantile_table, sum_table

MICRO = 1_000_000
Money = NDArray[np.int64]


class Price(NamedTuple):
    """Micro-cents of one charged attempt: `constant`, or else a draw from `table`; plus `per_ms` of its time.

    `follows` is the correlation of the draw with the attempt's latency. `typical_cents` is the price of a
    typical attempt without its `per_ms` part; `maximum` in micro-cents, None where nothing bounds it.
    """

    constant: int
    table: Money | None
    per_ms: float
    follows: float
    typical_cents: float
    maximum: int | None


def price(model: CostModel, said: Stated, prices: Mapping[str, ModelPrice]) -> Price | None:
    """The price of an attempt of a call that states this, None where nobody knows it."""
    if isinstance(model, CallCost):
        per_ms = model.per_ms.value if model.per_ms else 0.0
        follows = model.follows_latency.value if model.follows_latency else 0.0
        return _of_distribution(model.per_attempt.value, per_ms, follows)
    if said.model is None:
        return None if model.unnamed is None else _of_distribution(model.unnamed.value, 0.0, _follows(model))
    rates = prices.get(said.model)
    return rates and _of_tokens(model, rates, said.characters, said.references, said.max_tokens)


@lru_cache(maxsize=64, typed=True)
def _of_distribution(distribution: Distribution, per_ms: float, follows: float) -> Price:
    bound = upper_bound(distribution)
    maximum = None if bound is None or per_ms else round(bound * MICRO)
    if isinstance(distribution, Constant):
        return Price(round(distribution.value * MICRO), None, per_ms, 0.0, distribution.value, maximum)
    return Price(0, _micro(quantile_table(distribution)), per_ms, follows, median(distribution), maximum)


@lru_cache(maxsize=64, typed=True)
def _of_tokens(model: TokenCost, rates: ModelPrice, known: int, referred: int, limit: int | None) -> Price:
    """Input and output tokens, each times its price; both uncertain, independent of each other.

    Kept from plan to plan: those that are compared differ in few of their steps.
    """
    ratio = quantile_table(model.chars_per_token.value)
    tokens = (known / ratio)[::-1]
    if referred:
        typical_ratio = ratio[len(ratio) // 2]
        tokens = sum_table(tokens, referred * quantile_table(model.reference_chars.value) / typical_ratio)
    typical_input = float(tokens[len(tokens) // 2])
    per_input, per_output = (float(rate) / 1e6 for rate in rates.rates(round(typical_input)))
    output = quantile_table(model.output_tokens.value)
    typical_output = median(model.output_tokens.value)
    maximum = None
    if limit is not None:
        output, typical_output = np.minimum(output, limit), min(typical_output, limit)
        if not referred:
            maximum = round((tokens[-1] * per_input + limit * per_output) * MICRO)
    table = sum_table(tokens * per_input, output * per_output)
    typical = typical_input * per_input + typical_output * per_output
    return Price(0, _micro(table), 0.0, _follows(model), typical, maximum)


def _follows(model: TokenCost) -> float:
    return model.follows_latency.value if model.follows_latency else 0.0


def _micro(cents: Floats) -> Money:
    return np.rint(cents * MICRO).astype(np.int64)
