"""How long people take to decide, out of what they decided."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from aos.api.forecast.simulate import simulate
from aos.api.server.waits import LEAST, Waits, learned, requests_decided
from aos.domain.plans.plan import Plan, Step
from aos.errors import AosError, InputError
from aos.wire.catalogs.read import default_catalog, parse_catalog
from aos.wire.strict import Json


def decided(seconds: int, level: int = 3) -> dict[str, Any]:
    asked = datetime(2026, 11, 26, 4, tzinfo=UTC)
    times = {"created_at": asked, "decided_at": asked + timedelta(seconds=seconds)}
    return {"required_level": level, **{name: time.isoformat() for name, time in times.items()}}


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


def elapsed(found: Waits, level: int) -> float:
    """The median time of a plan that waits for an approval of that level and does next to nothing."""
    catalog = parse_catalog(found.catalog, name="w", base=default_catalog())
    plan = Plan((Step("a", "json_transform", {"query": "a", "input": {}}, approval=level),))
    told = simulate(plan, catalog, samples=2000, explain=False, alternatives=False).forecast
    assert told.elapsed
    return told.elapsed.p50.value


def test_each_level_has_its_own_wait() -> None:
    found = learned([decided(s, 2) for s in range(60, 120)] + [decided(s * 10, 4) for s in range(60, 120)])
    assert elapsed(found, 2) == pytest.approx(95_000, rel=0.1)
    assert elapsed(found, 4) == pytest.approx(850_000, rel=0.1)
    assert found.figures[4].provenance.n == 60


def test_a_level_of_which_little_is_known_is_mostly_like_all() -> None:
    """One odd decision says little, twenty outweigh the ten as which all count."""
    usual = [decided(100, 2)] * 50
    assert elapsed(learned([*usual, decided(3_000, 4)]), 4) == pytest.approx(100_000, rel=0.02)
    assert elapsed(learned([*usual, *[decided(3_000, 4)] * 20]), 4) == pytest.approx(3_000_000, rel=0.02)


def test_a_level_on_which_nobody_decided_has_the_wait_of_all() -> None:
    found = learned([decided(100, 2)] * 9 + [decided(300, 4)] * 9)
    assert 5 not in found.figures
    assert elapsed(found, 5) == pytest.approx(elapsed(found, 3))
    catalog = parse_catalog(found.catalog, name="w", base=default_catalog())
    assert catalog.wait(5) == catalog.approval_wait != catalog.wait(4)


def test_who_says_how_long_people_take_means_all_of_them() -> None:
    known = parse_catalog(learned([decided(100, 2)] * 9).catalog, name="w", base=default_catalog())
    wait: dict[str, Json] = {"value": 5, "source": "declared"}
    said = parse_catalog({"aos_catalog": "1", "approval_wait_ms": wait}, name="x", base=known)
    assert said.wait(2) == said.approval_wait
    with pytest.raises(InputError, match="unknown key"):
        parse_catalog({"aos_catalog": "1", "approval_wait_by_level_ms": {"6": wait}}, name="x")


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
