"""How long people take to decide, out of what they decided."""

from typing import Any

import pytest

from aos.api.forecast.simulate import simulate
from aos.api.server.waits import LEAST, learned, requests_decided
from aos.domain.plans.plan import Plan, Step
from aos.errors import AosError
from aos.wire.catalogs.read import default_catalog, parse_catalog


def decided(seconds: int, level: int = 3) -> dict[str, Any]:
    minutes, rest = divmod(seconds, 60)
    return {
        "required_level": level,
        "created_at": "2026-11-26T04:00:00.000000Z",
        "decided_at": f"2026-11-26T04:{minutes:02}:{rest:02}.000000Z",
    }


class Pages:
    """A server with two pages of each status."""

    def approval_requests(self, *, status: str, limit: int, cursor: str | None) -> dict[str, Any]:
        return {"requests": [decided(60)], "next": None if cursor else "more"}


def test_the_forecast_has_the_waits_that_were_learned() -> None:
    catalog = parse_catalog(
        learned([decided(s) for s in range(60, 660, 6)]).catalog, name="w", base=default_catalog()
    )
    plan = Plan((Step("a", "json_transform", {"query": "a", "input": {}}, approval=3),))
    told = simulate(plan, catalog, samples=2000, explain=False, alternatives=False).forecast
    assert told.elapsed
    assert told.elapsed.p50.value == pytest.approx(360_000, rel=0.05)
    assert simulate(plan, samples=200, explain=False, alternatives=False).forecast.elapsed is None


def test_by_level_and_without_what_the_policy_approved() -> None:
    found = learned([decided(30, 4), *[decided(s) for s in (50, 40, 30, 20)], *[decided(0, 1)] * 9])
    assert found.by_level == {3: (20_000, 30_000, 40_000, 50_000), 4: (30_000,)}
    assert found.figure.provenance[:4] == ("measured", "from asked to decided", 5, "2026-11-26")


def test_alike_is_constant_and_too_few_say_nothing() -> None:
    assert learned([decided(60)] * LEAST).catalog["approval_wait_ms"]["value"] == 60_000
    with pytest.raises(AosError, match="it takes 5"):
        learned([decided(60)] * (LEAST - 1))


def test_all_pages_are_read() -> None:
    assert len(list(requests_decided(Pages()))) == 6  # type: ignore[arg-type]
