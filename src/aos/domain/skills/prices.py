"""Prices of language models, per million tokens."""

from decimal import Decimal
from typing import Literal, NamedTuple


class PriceTier(NamedTuple):
    """What every token of a call costs once its prompt is longer than `above_tokens` tokens."""

    above_tokens: int
    input_cents_per_mtok: Decimal
    output_cents_per_mtok: Decimal
    cached_input_cents_per_mtok: Decimal | None


class ModelPrice(NamedTuple):
    """A provider's price of one model in cents per million tokens, in force on the day `as_of` (ISO 8601).

    `model` is the provider's name for it in lower case, which need not be the one asked for. The context
    window counts tokens; it and the price of cached input are None where the source is silent. Where the
    price depends on the hour, the dearest hour counts.
    """

    model: str
    provider: str
    input_cents_per_mtok: Decimal
    output_cents_per_mtok: Decimal
    cached_input_cents_per_mtok: Decimal | None
    tiers: tuple[PriceTier, ...]
    context_window: int | None
    as_of: str
    source: Literal["snapshot", "genai-prices"]

    def rates(self, prompt_tokens: int) -> tuple[Decimal, Decimal]:
        """Cents per million input and output tokens of a call whose prompt has that length."""
        reached = [tier for tier in self.tiers if prompt_tokens > tier.above_tokens]
        row = reached[-1] if reached else self
        return row.input_cents_per_mtok, row.output_cents_per_mtok
