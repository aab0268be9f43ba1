"""Prices of language models: the committed snapshot, the names that find a row of it, and genai-prices."""

import datetime
import json
import random
import re
import string
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aos.wire import prices
from aos.wire.prices import lookup, similar

BUILDER = Path(__file__).parents[2] / "tools" / "build_model_prices.py"
SNAPSHOT = Path(prices.__file__).parent / "data" / "model_prices.json"

RAW = json.loads(SNAPSHOT.read_bytes())
ROWS = {
    (provider, name): row
    for provider, models in RAW["providers"].items()
    for name, row in models.items()
    if isinstance(row, dict)
}
OTHER_NAMES = {
    (provider, name): meant
    for provider, models in RAW["providers"].items()
    for name, meant in models.items()
    if isinstance(meant, str)
}
HOSTS = {"aws", "groq", "openrouter", "together"}

rows = st.sampled_from(sorted(ROWS))


# --- the file ----------------------------------------------------------------------------------------------


def figures(row: dict[str, Any]) -> Iterator[dict[str, str]]:
    """The prices of a row, those of its tiers included."""
    for part in (row, *row.get("tiers", ())):
        yield {key: part[key] for key in ("input", "output", "cached_input") if key in part}


def test_the_snapshot_says_what_it_is() -> None:
    meta = RAW["_meta"]
    assert "cents per million tokens" in meta["about"]
    assert "genai-prices" in meta["source"]
    assert meta["licence"].startswith("The MIT License (MIT) Copyright (c) Pydantic Services Inc.")
    assert datetime.date.fromisoformat(meta["as_of"]).year >= 2026


def test_the_snapshot_is_sorted_and_small() -> None:
    text = SNAPSHOT.read_text()
    assert len(text) < 64 * 1024
    assert list(RAW["providers"]) == sorted(RAW["providers"])
    for models in RAW["providers"].values():
        assert list(models) == sorted(models)
        assert all(name == name.lower() for name in models)
    assert all(text.count(f'\n"{name}":{{"input"') >= 1 for _, name in ROWS), "one line a model"


def test_every_row_is_plausible() -> None:
    for key, row in ROWS.items():
        assert set(row) <= {"input", "output", "cached_input", "context_window", "tiers"}, key
        for part in figures(row):
            assert all(re.fullmatch(r"(0|[1-9]\d*)(\.\d*[1-9])?", cents) for cents in part.values()), key
            money = {name: Decimal(cents) for name, cents in part.items()}
            # From 1 cent to $600 a million tokens; what comes out costs 1 to 10 times what goes in.
            assert 1 <= money["input"] <= money["output"] <= 60_000, key
            assert money["output"] <= 10 * money["input"], key
            assert money.get("cached_input", money["input"]) <= money["input"], key
        starts = [tier["above_tokens"] for tier in row.get("tiers", ())]
        assert starts == sorted(set(starts)), key
        assert row.get("context_window", 1_000) >= 1_000, key


def test_what_people_use_is_in() -> None:
    assert {provider for provider, _ in ROWS} >= HOSTS | {
        "anthropic",
        "cohere",
        "deepseek",
        "google",
        "meta",
        "mistral",
        "moonshotai",
        "openai",
        "x-ai",
    }
    assert 150 <= len(ROWS) <= 400


# --- names -------------------------------------------------------------------------------------------------


def test_every_row_is_found_under_its_name() -> None:
    for (provider, name), row in ROWS.items():
        price = lookup(f"{provider}/{name}")
        assert price is not None
        assert (price.model, price.provider, price.source) == (name, provider, "snapshot")
        assert price.input_cents_per_mtok == Decimal(row["input"])
        assert price.output_cents_per_mtok == Decimal(row["output"])
        assert price.context_window == row.get("context_window")
        assert price.as_of == RAW["_meta"]["as_of"]
        assert len(price.tiers) == len(row.get("tiers", ()))


def test_another_name_finds_the_row_it_stands_for() -> None:
    for (provider, name), meant in OTHER_NAMES.items():
        assert (provider, meant) in ROWS
        assert lookup(f"{provider}:{name}") == lookup(f"{provider}/{meant}")


def test_a_makers_own_names_need_no_provider() -> None:
    for provider, name in [*ROWS, *OTHER_NAMES]:
        if provider not in HOSTS:
            assert lookup(name) == lookup(f"{provider}/{name}")


@pytest.mark.parametrize(
    ("typed", "provider", "model"),
    [
        ("claude-sonnet-4-5", "anthropic", "claude-sonnet-4-5"),
        ("anthropic/claude-sonnet-4-5", "anthropic", "claude-sonnet-4-5"),
        ("anthropic/claude-sonnet-4.5", "anthropic", "claude-sonnet-4-5"),
        ("openrouter/anthropic/claude-sonnet-4.5", "openrouter", "anthropic/claude-sonnet-4.5"),
        ("claude-sonnet-4-5-20250929", "anthropic", "claude-sonnet-4-5"),
        ("vertex_ai/gemini-2.5-pro", "google", "gemini-2.5-pro"),
        ("claude-3-5-haiku-20241022", "anthropic", "claude-3-5-haiku-latest"),
        ("openai:gpt-5", "openai", "gpt-5"),
        ("gpt-5-2025-08-07", "openai", "gpt-5"),
        ("OpenAI/GPT-5-latest ", "openai", "gpt-5"),
        ("gpt-4o-2024-11-20", "openai", "gpt-4o"),
        ("gpt-4o-2024-05-13", "openai", "gpt-4o-2024-05-13"),
        ("xai/grok-4", "x-ai", "grok-4-0709"),
        ("bedrock/amazon.nova-pro-v1:0", "aws", "amazon.nova-pro-v1:0"),
        ("global.anthropic.claude-opus-4-5-20251101-v1:0", "aws", "global.anthropic.claude-opus-4-5-v1:0"),
        ("llama-3.3-70b-versatile", "groq", "llama-3.3-70b-versatile"),
        ("together_ai/openai/gpt-oss-120b", "together", "openai/gpt-oss-120b"),
        ("meta-llama/Llama-3.3-70B-Instruct-Turbo", "together", "meta-llama/llama-3.3-70b-instruct-turbo"),
        ("qwen/qwen3-max", "openrouter", "qwen/qwen3-max"),
    ],
)
def test_a_name_as_people_type_it(typed: str, provider: str, model: str) -> None:
    price = lookup(typed)
    assert price is not None
    assert (price.provider, price.model) == (provider, model)


def test_a_release_with_its_own_price_keeps_it() -> None:
    first, today = lookup("gpt-4o-2024-05-13"), lookup("gpt-4o")
    assert first is not None
    assert today is not None
    assert first.input_cents_per_mtok > today.input_cents_per_mtok


@pytest.mark.parametrize("name", ["openai/gpt-oss-120b", "qwen/qwen3-32b"])
def test_a_name_that_several_sell_has_no_price(name: str) -> None:
    assert lookup(name) is None
    sellers = similar(name)
    assert len(sellers) >= 2
    assert all(seller.endswith(f"/{name}") for seller in sellers)
    assert all(lookup(seller) is not None for seller in sellers)


@pytest.mark.parametrize(
    "name", ["", " ", "gpt", "no-such-model", "groq/gpt-5", "gpt-5-pro-max", "a" * 10_000_000]
)
def test_an_unknown_name_has_no_price(name: str) -> None:
    assert lookup(name) is None


@given(rows, st.randoms(), st.sampled_from(["", " ", "\n"]))
def test_case_and_surrounding_space_do_not_matter(
    row: tuple[str, str], letters: random.Random, space: str
) -> None:
    name = "/".join(row)
    shouted = "".join(letters.choice([letter, letter.upper()]) for letter in name)
    assert lookup(space + shouted + space) == lookup(name)


@given(
    rows,
    st.dates(datetime.date(2020, 1, 1), datetime.date(2039, 12, 31)),
    st.sampled_from(["-%Y%m%d", "@%Y%m%d", "-%Y-%m-%d"]),
)
def test_a_release_costs_what_its_model_costs(row: tuple[str, str], day: datetime.date, style: str) -> None:
    provider, name = row
    release = f"{name}{day.strftime(style)}"
    if (provider, release) not in ROWS | OTHER_NAMES and prices.without_release(name) == name:
        assert lookup(f"{provider}/{release}") == lookup(f"{provider}/{name}")


@given(st.text(max_size=40) | st.text(string.ascii_lowercase + string.digits + "-/:.@", max_size=40))
def test_any_text_is_unknown_or_has_a_price(text: str) -> None:
    price = lookup(text)
    assert price is None or 0 <= price.input_cents_per_mtok <= price.output_cents_per_mtok


@given(rows, st.integers(0, 40), st.sampled_from(string.ascii_lowercase))
@settings(max_examples=30)
def test_what_is_similar_has_a_price(row: tuple[str, str], at: int, letter: str) -> None:
    name = row[1][:at] + letter + row[1][at + 1 :]
    assert all(lookup(suggestion) is not None for suggestion in similar(name))


def test_similar_finds_what_was_meant() -> None:
    assert similar("claude-sonet-4-5")[0] == "claude-sonnet-4-5"
    assert similar("gpt5")[0] == "gpt-5"
    assert similar("nothing like any of them at all") == []
    assert similar("x" * 10_000_000) == []


# --- prices ------------------------------------------------------------------------------------------------


def test_a_long_prompt_pays_the_higher_rate_for_every_token() -> None:
    price = lookup("claude-sonnet-4-5")
    assert price is not None
    assert price.rates(0) == price.rates(200_000) == (Decimal(300), Decimal(1500))
    assert price.rates(200_001) == (Decimal(600), Decimal(2250))


@given(rows, st.integers(0, 2_000_000), st.integers(0, 2_000_000))
def test_a_longer_prompt_never_costs_less_per_token(row: tuple[str, str], one: int, other: int) -> None:
    price = lookup("/".join(row))
    assert price is not None
    assert price.rates(min(one, other)) <= price.rates(max(one, other))


def fresh_python(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_without_the_library_a_model_outside_the_snapshot_is_unknown() -> None:
    absent = "import sys; sys.modules['genai_prices'] = None; from aos.wire.prices import lookup; "
    assert fresh_python(absent + "print(lookup('azure/gpt-5'))") == "None\n"


def test_a_model_of_the_snapshot_needs_no_library() -> None:
    code = "from aos.wire.prices import lookup; import sys; lookup('gpt-5'); print(*sys.modules)"
    loaded = set(fresh_python(code).split())
    assert "aos.wire.prices" in loaded
    assert not {"genai_prices", "pydantic", "httpx", "numpy", "difflib"} & loaded


# --- against genai-prices ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def library() -> Any:
    return pytest.importorskip("genai_prices")


def of_library(provider_id: str, model_id: str) -> tuple[Any, Any]:
    """The provider and the model behind a row, as genai-prices has them."""
    from genai_prices.data_snapshot import get_snapshot

    [provider] = [provider for provider in get_snapshot().providers if provider.id == provider_id]
    [model] = [model for model in provider.models if model.id.lower() == model_id]
    return provider, model


def test_the_builder_makes_the_committed_bytes(library: Any, tmp_path: Path) -> None:
    made = tmp_path / "model_prices.json"
    subprocess.run([sys.executable, str(BUILDER), str(made)], check=True)
    assert made.read_bytes() == SNAPSHOT.read_bytes()


@given(row=rows, prompt=st.integers(0, 1_500_000), answer=st.integers(0, 200_000), hour=st.integers(0, 23))
def test_the_library_computes_the_same_cost(
    library: Any, row: tuple[str, str], prompt: int, answer: int, hour: int
) -> None:
    price = lookup("/".join(row))
    assert price is not None
    provider, model = of_library(*row)
    moment = datetime.datetime.fromisoformat(f"{price.as_of}T{hour:02}:00+00:00")
    usage = library.Usage(input_tokens=prompt, output_tokens=answer)
    theirs = model.calc_price(usage, provider, genai_request_timestamp=moment).total_price
    paid, received = price.rates(prompt)
    ours = (paid * prompt + received * answer) / 1_000_000 / 100
    # DeepSeek is cheaper at some hours; the snapshot has the dearest.
    assert ours >= theirs if price.provider == "deepseek" else ours == theirs


def test_whatever_the_library_calls_a_model_has_its_price(library: Any) -> None:
    from genai_prices.data_snapshot import get_snapshot

    compared = 0
    for provider in get_snapshot().providers:
        names = {
            name for model in provider.models for name in re.findall(r"equals='([^']+)'", repr(model.match))
        }
        for name in names:
            ours, model = lookup(f"{provider.id}/{name}"), provider.find_model(name)
            if model and ours and (ours.source, ours.provider) == ("snapshot", provider.id):
                theirs = prices.from_library(provider.id, model, ours.as_of)
                assert theirs is not None, name
                assert (theirs.rates(1), theirs.tiers) == (ours.rates(1), ours.tiers), name
                compared += 1
    assert compared > 300


def test_a_model_outside_the_snapshot_is_asked_of_the_library(library: Any) -> None:
    price = lookup("azure/gpt-5")
    assert price is not None
    assert (price.source, price.provider, price.as_of) == ("genai-prices", "azure", RAW["_meta"]["as_of"])
    assert price.input_cents_per_mtok == Decimal(125)
    for name, provider in {
        "accounts/fireworks/models/kimi-k3": "fireworks",
        "vertex_ai/claude-sonnet-4-5@20250929": "google",
        "bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0": "aws",
    }.items():
        found = lookup(name)
        assert found is not None
        assert found.provider == provider


@pytest.mark.parametrize(
    "name",
    [
        "perplexity/sonar-pro",  # has a fee for each request as well
        "openrouter/deepseek/deepseek-r1:free",  # no price is stated
        "github-copilot/gpt-4o",  # part of a subscription
        "openai/text-embedding-3-small",  # nothing comes out
        "openai/whisper-1",  # by the hour
        "anthropic/claude-opus-4-6-fast",  # begins like another's name, and costs six times as much
    ],
)
def test_what_tokens_alone_do_not_price_is_unknown(library: Any, name: str) -> None:
    assert lookup(name) is None
