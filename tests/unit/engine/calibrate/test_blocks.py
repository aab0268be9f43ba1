"""Runs drawn whole: which plans a block is for, and what it says of failures."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aos.api.forecast.outcomes import outcomes
from aos.api.learning.calibrate import calibrate
from aos.domain.plans.plan import OnError, Plan, Step
from aos.domain.skills.skill import Catalog
from aos.engine.calibrate.skill import pool
from aos.engine.calibrate.skill.experts import Prior
from aos.engine.calibrate.whole_run.blocks import widened
from aos.engine.scores.canonical import canonical
from aos.engine.scores.scoring import coverage
from aos.wire.records.read import Declared, read_csv

_HEADER = "run,step,skill,start_ms,end_ms,cost_cents,code,after"


def learned(lines: Sequence[str]) -> Catalog:
    read = read_csv([_HEADER, *lines], Declared(), name="runs")
    return calibrate(read.records, base=Catalog({})).catalog


def run(number: int, fails: str = "", *, stops: bool = False, names: str = "get rank score sum") -> list[str]:
    """get, then rank (300 ms or so) beside score (20 ms), then sum; at most one step fails."""
    began, pace = number * 10_000, 1 + number % 7 / 10
    get, rank, score, total = names.split()
    rows = []
    for name, skill, start, took, after in (
        (get, "fetch", 0, 100, ""),
        (rank, "rank", 110, 300, get),
        (score, "score", 110, 20, get),
        (total, "sum", 420, 50, f"{rank} {score}"),
    ):
        at = began + start * pace
        code = "BROKEN" if skill == fails else ""
        rows.append(f"r{number},{name},{skill},{at},{at + took * pace},{took * pace / 100},{code},{after}")
    return rows[:-1] if stops else rows


def plan(*steps: tuple[str, str, str], on_error: str = "") -> Plan:
    return Plan(
        tuple(
            Step(
                name,
                skill,
                {},
                needs=tuple(after.split()),
                on_error=OnError("continue" if skill == on_error else "fail"),
            )
            for name, skill, after in steps
        )
    )


AS_RECORDED = (("a", "fetch", ""), ("b", "rank", "a"), ("c", "score", "a"), ("d", "sum", "b c"))
OTHERWISE_LISTED = (("d", "sum", "c b"), ("c", "score", "a"), ("a", "fetch", ""), ("b", "rank", "a"))
WITH_AN_EDGE_TO_SPARE = (*AS_RECORDED[:3], ("d", "sum", "a b c"))


@pytest.mark.parametrize("steps", [OTHERWISE_LISTED, WITH_AN_EDGE_TO_SPARE])
def test_a_plan_draws_from_the_runs_of_its_shape_in_whatever_order_it_is_listed(
    steps: tuple[tuple[str, str, str], ...],
) -> None:
    catalog = learned([row for i in range(40) for row in run(i)])
    as_recorded = outcomes(plan(*AS_RECORDED), catalog)
    listed = outcomes(plan(*steps), catalog)
    assert (listed.time == as_recorded.time).all()
    assert (listed.cost == as_recorded.cost).all()


def test_another_shape_of_the_same_skills_draws_from_no_run() -> None:
    catalog = learned([row for i in range(40) for row in run(i)])
    chain = (("a", "fetch", ""), ("b", "rank", "a"), ("c", "score", "b"), ("d", "sum", "c"))
    with_blocks, without = (outcomes(plan(*chain), c) for c in (catalog, catalog._replace(blocks=())))
    assert (with_blocks.time == without.time).all()


def test_runs_that_name_their_steps_otherwise_are_runs_of_one_shape() -> None:
    names = ("get rank score sum", "z y x w", "1 0 3 2")
    (block,) = learned([row for i in range(60) for row in run(i, names=names[i % 3])]).blocks
    assert block.provenance.n == 60


def test_a_plan_that_goes_on_takes_as_long_as_the_runs_that_went_on() -> None:
    """Of ten runs one has a failed `rank`, and goes on."""
    catalog = learned([row for i in range(60) for row in run(i, "rank" if i % 10 == 0 else "")])
    going_on = outcomes(plan(*AS_RECORDED, on_error="rank"), catalog)
    stopping = outcomes(plan(*AS_RECORDED), catalog)
    assert np.quantile(going_on.time, 0.05) > 400
    assert going_on.success.mean() == pytest.approx(1 - 0.5 / 61, abs=0.004)
    assert stopping.success.mean() == pytest.approx(0.9 * (1 - 0.5 / 61), abs=0.01)
    assert (stopping.time <= going_on.time).all()
    assert (stopping.time < going_on.time).mean() == pytest.approx(0.1, abs=0.01)


def test_runs_that_stopped_do_not_say_what_would_have_come() -> None:
    catalog = learned(
        [row for i in range(60) for row in run(i, "rank" if i % 10 == 0 else "", stops=i % 10 == 0)]
    )
    going_on = outcomes(plan(*AS_RECORDED, on_error="rank"), catalog)
    without = outcomes(plan(*AS_RECORDED, on_error="rank"), catalog._replace(blocks=()))
    assert (going_on.time == without.time).all()
    assert outcomes(plan(*AS_RECORDED), catalog).success.mean() == pytest.approx(1 - 6.5 / 61, abs=0.01)


@pytest.mark.parametrize("runs", [3, 10, 100])
def test_runs_that_all_succeeded_promise_no_certain_success(runs: int) -> None:
    """Jeffreys' prior: after n successes the chance of a failure is 0.5 / (n + 1). It moves neither time nor cost."""
    catalog = learned([row for i in range(runs) for row in run(i)])
    drawn = outcomes(plan(*AS_RECORDED), catalog, samples=40_000)
    assert drawn.success.mean() == pytest.approx(1 - 0.5 / (runs + 1), abs=0.006)
    levels = np.linspace(0.1, 0.9, 9)
    for quantity in (drawn.time, drawn.cost):
        assert np.quantile(quantity, levels) == pytest.approx(
            np.quantile(quantity[drawn.success], levels), rel=0.02
        )


def drifting(rng: np.random.Generator, count: int) -> np.ndarray:
    """Totals of runs, in ms, whose level wanders a little from run to run."""
    return np.exp(5 + rng.normal(0, 0.03, count).cumsum() + rng.normal(0, 0.1, count))


@pytest.mark.parametrize("count", [5, 10])
def test_a_few_runs_in_a_row_do_not_pretend_to_know_how_levels_move(count: int) -> None:
    plain: list[float] = []
    wide: list[float] = []
    levels = (np.arange(1_000) + 0.5) / 1_000
    for seed in range(80):
        totals = drifting(np.random.default_rng(seed), count + 40)
        fitted = pool.fit([totals[:count]], [()])
        told = fitted.quantiles(0, levels)
        for found, forecast in (
            (plain, told),
            (wide, widened(told, totals[:count], fitted.family.priors[0])),
        ):
            low, high = np.quantile(forecast, [0.05, 0.95])
            found.append(coverage(low, high, totals[count:]))
    assert np.mean(wide) >= 0.85
    assert np.mean(wide) > np.mean(plain) + 0.02


@given(st.integers(40, 400), st.floats(0, 1))
def test_the_level_of_many_runs_is_known(count: int, sigma: float) -> None:
    rng = np.random.default_rng(count)
    told = np.sort(rng.lognormal(5, sigma, 1_000))
    totals = rng.lognormal(5, sigma, count)
    assert widened(told, totals, Prior(sigma**2, 5.0, 5.0, 1.0)) == pytest.approx(told, rel=0.04)


def test_runs_that_never_differ_stay_as_they_are_unless_others_differ() -> None:
    same, told = np.full(4, 200.0), np.full(1_000, 200.0)
    steady = widened(told, same, Prior(0.0, 5.0, 5.3, 1.0))
    assert steady == pytest.approx([200.0] * 1_000)
    among = widened(told, same, Prior(0.09, 5.0, 5.3, 1.0))
    assert np.quantile(among, [0.05, 0.95]) == pytest.approx(200 * np.exp([-0.49, 0.49]), rel=0.02)


@st.composite
def dags(draw: st.DrawFn) -> tuple[list[str], list[tuple[int, ...]]]:
    labels = draw(st.lists(st.sampled_from("ab"), min_size=1, max_size=6))
    after = [tuple(j for j in range(i) if draw(st.booleans())) for i in range(len(labels))]
    return labels, after


@given(dags(), st.data())
def test_the_canonical_order_does_not_depend_on_how_steps_are_listed(
    dag: tuple[list[str], list[tuple[int, ...]]], data: st.DataObject
) -> None:
    labels, after = dag
    agree(labels, after, data.draw(st.permutations(range(len(labels)))))


def agree(labels: Sequence[str], after: Sequence[Sequence[int]], listed: Sequence[int]) -> None:
    """Both listings have one canonical order, in which steps stand behind those they wait for."""
    place = {old: new for new, old in enumerate(listed)}
    one = canonical(labels, after)
    other = canonical(
        [labels[old] for old in listed], [tuple(place[j] for j in after[old]) for old in listed]
    )
    assert one
    assert other
    assert one.after == other.after
    assert [labels[i] for i in one.order] == [labels[listed[i]] for i in other.order]
    assert all(j < k for k, before in enumerate(one.after) for j in before)


def rings(*sizes: int) -> list[tuple[int, ...]]:
    """In each ring as many steps wait for two neighbours of as many others: from near by all look alike."""
    first = [sum(sizes[:k]) for k in range(len(sizes))]
    waits: list[tuple[int, ...]] = [
        (base + k, base + (k + 1) % size)
        for base, size in zip(first, sizes, strict=True)
        for k in range(size)
    ]
    return [*[()] * sum(sizes), *waits]


@pytest.mark.parametrize(
    "after",
    [
        # Told apart only by those who wait for the same step.
        [(), (), (), (1,), (), (0, 2)],
        rings(2, 3),
        rings(3, 4, 5),
        rings(4, 4, 3, 3),
        [()] * 8 + [(i,) for i in range(16)],
    ],
)
@given(data=st.data())
def test_steps_that_look_alike_are_told_apart_where_they_differ(
    after: list[tuple[int, ...]], data: st.DataObject
) -> None:
    agree("a" * len(after), after, data.draw(st.permutations(range(len(after)))))


def test_steps_that_wait_for_each_other_have_no_order() -> None:
    assert canonical("ab", [(1,), (0,)]) is None


def test_long_chains_are_put_in_order_quickly_and_in_little_memory() -> None:
    found = canonical(["a"] * 5_000, [(i - 1,) if i else () for i in range(5_000)])
    assert found
    assert found.order == tuple(range(5_000))


@pytest.mark.parametrize("after", [[()] * 200 + [(i,) for i in range(400)], rings(200), rings(*[40] * 20)])
def test_a_great_many_steps_that_look_alike_are_put_in_some_order(after: list[tuple[int, ...]]) -> None:
    found = canonical("a" * len(after), after)
    assert found
    assert sorted(found.order) == list(range(len(after)))
