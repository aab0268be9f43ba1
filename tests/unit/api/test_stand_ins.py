from aos.api.forecast.stand_ins import COMMON, stand_ins
from aos.domain.plans.plan import Plan, Step
from aos.wire.catalogs.read import default_catalog
from aos.wire.prices import lookup

CATALOG = default_catalog()


def tried(*models: str) -> list[str]:
    plan = Plan(tuple(Step(f"s{i}", "llm_invoke", {"model": name}) for i, name in enumerate(models)))
    return list(stand_ins(plan, CATALOG, {name: price for name in models if (price := lookup(name))}))


def test_every_common_model_has_a_price_of_its_provider() -> None:
    """And they stand in the order of their prices: whoever makes the snapshot anew may have to choose anew."""
    for provider, names in COMMON.items():
        prices = [lookup(name) for name in names]
        assert [price and price.provider for price in prices] == [provider] * len(names)
        written = [price.output_cents_per_mtok for price in prices if price]
        assert written == sorted(written, reverse=True)


def test_the_same_provider_comes_before_others() -> None:
    assert tried("claude-opus-4-1") == [
        *("claude-opus-4-1", "claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-4-5", "claude-haiku-5-5"),
        "gpt-6-luna",
    ]


def test_only_cheaper_ones_of_the_provider() -> None:
    assert tried("claude-haiku-4-5") == [
        *("claude-haiku-4-5", "claude-haiku-5-5", "gpt-6-luna", "gemini-2.5-flash-lite")
    ]


def test_what_the_plan_names_comes_first() -> None:
    assert tried("gpt-6.1-sol", "mistral-large-4")[:2] == ["gpt-6.1-sol", "mistral-large-4"]


def test_six_at_the_most() -> None:
    assert len(tried(*(names[0] for names in COMMON.values()))) == 6


def test_for_a_model_without_a_price_the_lightest_of_the_large_providers() -> None:
    assert tried("in-house") == [COMMON[provider][-1] for provider in ("anthropic", "openai", "google")]


def test_none_where_no_step_asks_a_model() -> None:
    assert stand_ins(Plan((Step("s", "fs_read", {"path": "x"}),)), CATALOG, {}) == {}
