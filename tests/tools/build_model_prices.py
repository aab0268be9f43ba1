"""Make the snapshot of model prices from genai-prices: `python build_model_prices.py OUT.json`.

To take over a newer genai-prices: its version in the `dev` extra and in `VERSION`, its day in `AS_OF`, run
this. The same version gives the same bytes. `CHOSEN` decides what is in the snapshot; `aos.wire.prices`,
which reads it, what counts as a price.
"""

import json
import re
import sys
from collections.abc import Iterator
from decimal import Decimal
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import ModelInfo, Provider

from aos.wire.prices import ModelPrice, PriceTier, from_library, library_names, without_release

VERSION = "0.2.3"

# The day whose prices these are. The library names none: this is the last day on which one of its prices
# changed, not counting the changes it announces for later.
AS_OF = "2026-11-09"

# Provider -> how the ids of its common models begin: first those who sell their own models, then those who
# sell the models of others.
CHOSEN = {
    "anthropic": r"claude-(?!2|v1)",
    "cohere": r"command-[ar]",
    "deepseek": r"deepseek-",
    "google": r"gemini-(1\.5|[234])",
    "meta": r"muse-",
    "minimax": r"minimax-m[23]",
    "mistral": r"(code|dev|magi|mini|mi)stral-|codestral|mixtral-|pixtral-",
    "moonshotai": r"kimi-",
    "openai": r"chatgpt-4o|codex|gpt-(3\.5-turbo|[456])|o[134]",
    "x-ai": r"grok-",
    "zai": r"glm-(4\.[567]|5)",
    "aws": r"amazon\.nova-|global\.(amazon\.nova|anthropic\.claude)|meta\.llama(3-[13]|4)|deepseek\.",
    "groq": r"llama-3\.[13]|meta-llama/llama-4|(moonshotai|openai|qwen)/",
    "openrouter": (
        r"anthropic/claude-.*-(4\.[5-9]|5)(?!.*fast)|deepseek/deepseek-(r1$|v[34])|google/gemini-(2\.5|[34])"
        r"|meta-llama/llama-(3\.[13]|4)|openai/gpt-(4o|4\.1|5(?!\.[123])|oss|[6-9])|qwen/qwen3(-32b|-235b|-coder|-max|\.[78])"
        r"|x-ai/grok-4\.[2-9]"
    ),
    "together": (
        r"meta-llama/(meta-llama-3\.1|llama-[34]\W)|deepseek-ai/deepseek-v|qwen/qwen3|(openai|zai-org)/"
    ),
}

# Not a prompt and its answer, or one more variant of a model that is in.
LEFT_OUT = re.compile(
    r"audio|computer|cyber|deep-research|embed|ft-|guard|image|live|ocr|omni|realtime|robotics|rosalind|safety"
    r"|search|sonic|transcribe|tts|turbo-instruct|vision|voice|:(?!\d+$)"
    r"|-(0301|0613|1106|16k|32k|contributor|customtools|exp|highspeed|legal|preview-\d.*|prime|[a-z]+-pro)$"
)

ABOUT = (
    "Prices of language models in cents per million tokens, exact decimals. A string in place of a row is "
    "another name for the row it names. A tier holds for all tokens of a call whose prompt is longer than "
    "above_tokens. Made by tests/tools/build_model_prices.py: do not edit."
)


def main() -> None:
    """Write the snapshot to the file named on the command line."""
    library = distribution("genai-prices")
    if library.version != VERSION:
        sys.exit(f"genai-prices is {library.version}, not {VERSION}: set VERSION and AS_OF")
    meta = {
        "about": ABOUT,
        "as_of": AS_OF,
        "source": f"genai-prices {VERSION}, https://github.com/pydantic/genai-prices",
        "licence": " ".join((library.read_text("licenses/LICENSE") or "").split()),
    }
    providers = {
        provider.id: dict(rows(provider)) for provider in get_snapshot().providers if provider.id in CHOSEN
    }
    Path(sys.argv[1]).write_bytes(render(meta, providers))


def rows(provider: Provider) -> Iterator[tuple[str, Any]]:
    """Each chosen model by its id, and by the other names that the lookup would not find by itself."""
    chosen = re.compile(CHOSEN[provider.id])
    for model in provider.models:
        model_id = model.id.lower()
        if model.deprecated or not chosen.match(model_id) or LEFT_OUT.search(model_id):
            continue
        if price := from_library(provider.id, model, AS_OF):
            yield model_id, row(price)
            yield from ((name, model_id) for name in other_names(provider, model))


def row(price: ModelPrice) -> dict[str, Any]:
    """A price as JSON; what is unknown is left out."""
    tiers = [{"above_tokens": tier.above_tokens, **cents(tier)} for tier in price.tiers]
    window = price.context_window
    return cents(price) | ({"context_window": window} if window else {}) | ({"tiers": tiers} if tiers else {})


def cents(price: ModelPrice | PriceTier) -> dict[str, Any]:
    stated = {
        "input": price.input_cents_per_mtok,
        "output": price.output_cents_per_mtok,
        "cached_input": price.cached_input_cents_per_mtok,
    }
    return {key: plain(value) for key, value in stated.items() if value is not None}


def plain(value: Decimal) -> str:
    """Without exponent and trailing zeros: equal prices are equal text."""
    return f"{value.normalize():f}"


def other_names(provider: Provider, model: ModelInfo) -> Iterator[str]:
    """Whole names that the library knows the model by and that are not a known one and a release."""
    known = {model.id.lower()}
    for name in sorted(library_names(model) - known, key=lambda name: (len(name), name)):
        whole = re.fullmatch(r"[a-z][a-z0-9./-]*[a-z0-9]", name) and not re.search(r"-(20\d\d|0|v1)$", name)
        in_style = ("/" in name) == ("/" in model.id) and not LEFT_OUT.search(name)
        if whole and in_style and without_release(name) not in known and provider.find_model(name) is model:
            known.add(name)
            yield name


def render(meta: dict[str, str], providers: dict[str, dict[str, Any]]) -> bytes:
    """Sorted, one line a model: a price that changed is one line that changed."""
    blocks = []
    for provider, models in sorted(providers.items()):
        lines = ",\n".join(f"{dense(name)}:{dense(models[name])}" for name in sorted(models))
        blocks.append(f"{dense(provider)}:{{\n{lines}\n}}")
    header, body = json.dumps(meta, indent=1), ",\n".join(blocks)
    return f'{{"_meta":{header},\n"providers":{{\n{body}\n}}}}\n'.encode()


def dense(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


if __name__ == "__main__":
    main()
