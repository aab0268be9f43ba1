"""Conditions found: columns that help to foretell are taken in, those that do not are left out."""

from array import array

import numpy as np
import pytest

from aos.api.learning.calibrate import conditions
from aos.domain.learning.records import Records
from tests.unit.engine.calibrate.recorded import coded, records, singles


def made(
    count: int, seed: int, *, slower: float = 1.0, dearer: float = 1.0, fails: float = 0.0, names: int = 3
) -> Records:
    """Attempts in two regions, one of them slower, dearer or failing; and a column that says nothing."""
    rng = np.random.default_rng(seed)
    us = rng.random(count) < 0.5
    rows = [
        row._replace(region="us" if there else "eu", code="BUSY" if there and rng.random() < fails else "")
        for row, there in zip(
            singles(rng.lognormal(5, 0.5, count) * np.where(us, slower, 1)), us, strict=True
        )
    ]
    found = records(rows)
    noise = coded([f"n{k}" for k in rng.integers(0, names, count)])
    cost = array("d", rng.lognormal(0, 0.3, count) * np.where(us, dearer, 1))
    return found._replace(conditions={"noise": noise, **found.conditions}, cost_cents=cost)


@pytest.mark.parametrize("effect", [{"slower": 2.0}, {"dearer": 2.0}, {"fails": 0.5}])
def test_what_tells_of_time_cost_or_success_is_found(effect: dict[str, float]) -> None:
    assert conditions(made(1_000, 0, **effect)) == ("region",)  # type: ignore[arg-type]


@pytest.mark.parametrize("names", [2, 40])
def test_what_tells_nothing_is_hardly_ever_found(names: int) -> None:
    assert sum(bool(conditions(made(200, seed, names=names))) for seed in range(40)) <= 2


def test_a_column_that_is_always_the_same_or_unknown_is_not_found() -> None:
    found = made(300, 1, slower=2.0)
    same = {"one": coded(["x"] * 300), "none": coded([""] * 300)}
    assert conditions(found._replace(conditions=same)) == ()


def test_the_records_to_score_by_are_not_looked_at() -> None:
    early, late = made(600, 2), made(600, 3, slower=5.0)
    joined = early._replace(
        start_ms=early.start_ms + array("d", [t + 1e9 for t in late.start_ms]),
        end_ms=early.end_ms + array("d", [t + 1e9 for t in late.end_ms]),
        skill=coded(["work"] * 1_200),
        cost_cents=early.cost_cents + late.cost_cents,
        failed=early.failed + late.failed,
        conditions={"region": coded(_names(early) + _names(late))},
    )
    assert conditions(joined) == ("region",)
    assert conditions(joined, share=0.5) == ()


def test_with_few_records_nothing_is_split() -> None:
    assert conditions(made(25, 4, slower=10.0)) == ()


def _names(found: Records) -> list[str]:
    column = found.conditions["region"]
    return [column.names[code] for code in column.codes]
