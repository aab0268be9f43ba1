"""What language models cost, known offline.

The snapshot `data/model_prices.json` holds the common models; `tests/tools/build_model_prices.py` makes it
from genai-prices. A model outside it is asked of genai-prices itself where that is installed (the extra
`prices`). A price that neither states is unknown: `lookup` answers None, never zero.

How a name finds its price, upper and lower case alike:

1. `groq/NAME` or `groq:NAME` is what that provider calls NAME. Any other name belongs to the one provider
   that uses it; a name that several use stays unknown, because their prices differ.
2. Where that finds nothing, once more without the release at its end: `-20250929`, `@20250929`,
   `-2025-08-07`, `-latest`, or the `-v1:0` of Bedrock. A release that has a price of its own is in the
   snapshot under its full name.
"""

import functools
import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aos.domain.skills.prices import ModelPrice, PriceTier

if TYPE_CHECKING:
    from datetime import datetime

    from genai_prices.types import MatchLogic, ModelInfo, TieredPrices
    from genai_prices.types import ModelPrice as StatedPrices

    Stated = Decimal | TieredPrices

__all__ = ["ModelPrice", "PriceTier", "from_library", "library_names", "lookup", "similar", "without_release"]

_SNAPSHOT = Path(__file__).parent / "data" / "model_prices.json"

# No real name comes near, and comparing takes time.
_LONGEST_NAME = 200

_PREFIXED = re.compile(r"([a-z0-9_-]+)[/:](.+)")
_RELEASE = re.compile(r"(?:[-@](?:20\d{6}|20\d\d-\d\d-\d\d|latest))?(?:-v\d+:\d+)?$")

# What LiteLLM, pydantic-ai and Hugging Face put in front of a name where it is not the provider's id.
_ALSO_CALLED = {
    "bedrock": "aws",
    "gemini": "google",
    "google-gla": "google",
    "google-vertex": "google",
    "mistralai": "mistral",
    "moonshot": "moonshotai",
    "together_ai": "together",
    "vertex_ai": "google",
    "xai": "x-ai",
    "z-ai": "zai",
}


def lookup(model: str) -> ModelPrice | None:
    """The price of the model with that name, None where it is unknown."""
    name = _plain(model)
    found = _find(name)
    if not found:
        return _ask_library(name)
    if len(found) > 1:
        return None
    return _read(*found[0])


def similar(model: str) -> list[str]:
    """Names with a known price that may have been meant: three at most, the likeliest first.

    Where several providers use the name: all of them, each name with its provider.
    """
    name = _plain(model)
    found = _find(name)
    if len(found) > 1:
        return sorted(f"{provider}/{model_id}" for provider, model_id in found)
    import difflib

    return difflib.get_close_matches(name, list(_names()), n=3, cutoff=0.6)


def from_library(provider: str, model: "ModelInfo", as_of: str) -> ModelPrice | None:
    """The price of a model of genai-prices, at the dearest half hour (UTC) of the day `as_of`.

    None unless the price of text in and text out is stated and depends on tokens alone. A stated zero is a
    price; an absent one is unknown, also where the library would charge nothing.
    """
    offers = [_token_prices(model.get_prices(moment)) for moment in _half_hours(as_of)]
    known = [offer for offer in offers if offer]
    if len(known) < len(offers):
        return None
    paid, received, cached = max(known, key=lambda offer: _cents(offer[1], 0))
    base, *tiers = [
        PriceTier(
            start,
            _cents(paid, start),
            _cents(received, start),
            None if cached is None else _cents(cached, start),
        )
        for start in _starts(paid, received, cached)
    ]
    return ModelPrice(
        model=model.id.lower(),
        provider=provider,
        input_cents_per_mtok=base.input_cents_per_mtok,
        output_cents_per_mtok=base.output_cents_per_mtok,
        cached_input_cents_per_mtok=base.cached_input_cents_per_mtok,
        tiers=tuple(tiers),
        context_window=model.context_window,
        as_of=as_of,
        source="genai-prices",
    )


def library_names(model: "ModelInfo") -> set[str]:
    """The names by which genai-prices knows a model, in lower case; some are only beginnings of names."""
    return {model.id.lower(), *(text.lower() for text in _texts(model.match))}


def without_release(name: str) -> str:
    """The name less the release at its end, the name itself where it has none."""
    return _RELEASE.sub("", name)


# --- the snapshot ---------------------------------------------------------------------------------------

# One provider's rows by name; a string is the name of the row that is meant.
Rows = Mapping[str, Any]


@functools.cache
def _snapshot() -> dict[str, Any]:
    snapshot: dict[str, Any] = json.loads(_SNAPSHOT.read_bytes())
    return snapshot


def _plain(model: str) -> str:
    return model.strip().lower() if len(model) <= _LONGEST_NAME else ""


def _find(name: str) -> list[tuple[str, str]]:
    """Provider and model id of every row that the name can mean."""
    providers = _snapshot()["providers"]
    prefix, rest = _split(name)
    if prefix in providers and (found := _rows_named(rest, {prefix: providers[prefix]})):
        return found
    return _rows_named(name, providers)


def _split(name: str) -> tuple[str, str]:
    """What stands in front of the first `/` or `:`, as a provider's id, and the rest; ("", name) without."""
    if not (prefixed := _PREFIXED.fullmatch(name)):
        return "", name
    return _ALSO_CALLED.get(prefixed[1], prefixed[1]), prefixed[2]


def _rows_named(name: str, providers: Mapping[str, Rows]) -> list[tuple[str, str]]:
    for spelling in (name, without_release(name)):
        rows = {provider: rows[spelling] for provider, rows in providers.items() if spelling in rows}
        if rows:
            return [(provider, row if isinstance(row, str) else spelling) for provider, row in rows.items()]
    return []


def _read(provider: str, model_id: str) -> ModelPrice:
    snapshot = _snapshot()
    row = snapshot["providers"][provider][model_id]
    paid, received, cached = _cents_of(row)
    return ModelPrice(
        model=model_id,
        provider=provider,
        input_cents_per_mtok=paid,
        output_cents_per_mtok=received,
        cached_input_cents_per_mtok=cached,
        tiers=tuple(PriceTier(tier["above_tokens"], *_cents_of(tier)) for tier in row.get("tiers", ())),
        context_window=row.get("context_window"),
        as_of=snapshot["_meta"]["as_of"],
        source="snapshot",
    )


def _cents_of(row: Rows) -> tuple[Decimal, Decimal, Decimal | None]:
    cached = row.get("cached_input")
    return Decimal(row["input"]), Decimal(row["output"]), Decimal(cached) if cached else None


def _names() -> Iterator[str]:
    """A name for every row: its id, with the provider in front where the id alone is not enough."""
    for provider, rows in _snapshot()["providers"].items():
        for name, row in rows.items():
            if not isinstance(row, str):
                yield name if _find(name) == [(provider, name)] else f"{provider}/{name}"


# --- genai-prices ---------------------------------------------------------------------------------------


def _ask_library(name: str) -> ModelPrice | None:
    """The price on the snapshot's day: a forecast must not change with the clock."""
    try:
        from genai_prices import Usage, calc_price
    except ImportError:
        return None
    snapshot = _snapshot()
    prefix, rest = _split(name)
    meant: list[tuple[str | None, str]] = [(prefix, rest)] if prefix else []
    if prefix not in snapshot["providers"]:
        meant.append((None, name))
    for provider_id, model_ref in meant:
        try:
            found = calc_price(Usage(), model_ref, provider_id=provider_id)
        except LookupError:
            continue
        # The library takes any name that begins like a model's, also one that costs several times as much.
        if without_release(model_ref) in {without_release(name) for name in library_names(found.model)}:
            return from_library(found.provider.id, found.model, snapshot["_meta"]["as_of"])
    return None


def _texts(rule: "MatchLogic") -> Iterator[str]:
    """All texts in a rule that names are compared with; patterns are left out."""
    for kind, value in vars(rule).items():
        if isinstance(value, list):
            for part in value:
                yield from _texts(part)
        elif kind != "regex":
            yield value


def _half_hours(day: str) -> "Iterator[datetime]":
    from datetime import UTC, datetime, timedelta

    midnight = datetime.fromisoformat(day).replace(tzinfo=UTC)
    return (midnight + timedelta(minutes=30 * n) for n in range(48))


def _token_prices(prices: "StatedPrices") -> "tuple[Stated, Stated, Stated | None] | None":
    """Dollars per million tokens of input, output and cached input, if a call with text pays nothing else."""
    stated = {key: price for key, price in vars(prices).items() if price is not None}
    paid, received = stated.pop("input_mtok", None), stated.pop("output_mtok", None)
    not_for_text = (
        "cache_",
        "web_searches_",
        "storage_searches_",
        "input_audio_",
        "input_image_",
        "input_video_",
    )
    if paid is None or received is None or not all(key.startswith(not_for_text) for key in stated):
        return None
    return paid, received, stated.get("cache_read_mtok")


def _starts(*prices: "Stated | None") -> list[int]:
    """Prompt lengths above which a price changes, and 0."""
    return sorted({0} | {tier.start for price in prices for tier in getattr(price, "tiers", ())})


def _cents(price: "Stated", above_tokens: int) -> Decimal:
    """The price of a prompt just longer than that."""
    if isinstance(price, Decimal):
        return price * 100
    reached = [tier.price for tier in price.tiers if tier.start <= above_tokens]
    return [price.base, *reached][-1] * 100
