"""Scores of forecasts: right where the truth is known, wrong where the model is broken on purpose."""

import json
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aos.api.learning.backtest import Thresholds, backtest, calls_of
from aos.api.learning.calibrate import calibrate
from aos.domain.learning.backtest import Backtest, Pooled
from aos.domain.learning.records import Records
from aos.domain.skills.distributions import Constant, Lognormal, Quantiles, Tail
from aos.domain.skills.skill import Block, Catalog, Figure, Skill
from aos.engine.calibrate.whole_run.runs import makespan
from aos.engine.scores.backtest import Case, Draws, Seen, pool, score
from aos.engine.scores.heldout import split
from aos.engine.scores.records import put_in_order
from aos.errors import AosError
from aos.wire.catalogs.read import default_catalog
from aos.wire.plans.read import parse_plan
from aos.wire.records.read import Declared, read_csv
from tests.tools.synthetic_runs import rows


@cache
def records(runs: int = 400) -> Records:
    return read_csv(rows(runs), Declared(by=("region",)), name="synthetic").records


@cache
def learned() -> Backtest:
    return backtest(records(), base=default_catalog(), by=("region",), shapes=True)


def pooled(result: Backtest, kind: str) -> Pooled:
    (only,) = [part for part in result.pooled if part.kind == kind]
    return only


def seen(values: list[float]) -> Seen:
    column = np.array(values)
    return Seen(np.arange(len(values)), column, np.full(len(values), np.nan), np.ones(len(values), bool))


def case(drawn: list[float], past: list[float], future: list[float]) -> Case:
    return Case("skill", "fetch", seen(past), seen(future), Draws(np.sort(np.array(drawn)), None, 0.9))


# -- a known truth ---------------------------------------------------------------------------------------------


def test_the_90_percent_interval_covers_what_it_says() -> None:
    result = learned()
    assert {case.name for case in result.cases if case.kind == "skill"} == {
        f"{skill}@{region}" for skill in ("fetch", "rank", "summarise") for region in ("eu", "us")
    }
    skills = pooled(result, "skill")
    for quantity in (skills.time, skills.cost):
        assert quantity
        assert 0.85 <= quantity.in90.value <= 0.95
        assert quantity.over95.value == pytest.approx(0.05, abs=0.03)
        assert quantity.ratio
        assert quantity.ratio.value < 0.8
    assert skills.success.brier.value < 0.08


def test_a_catalog_with_latencies_halved_is_found_out() -> None:
    whole = calibrate(records(), base=default_catalog(), by=("region",)).catalog
    result = backtest(
        records(),
        base=default_catalog(),
        by=("region",),
        catalog=halved(whole),
        thresholds=Thresholds(min_coverage=0.85, max_crps_ratio=0.9),
    )
    time = pooled(result, "skill").time
    assert time
    assert time.in90.value < 0.8
    assert time.over95.value > 0.2
    assert time.pit[-1] > 3 * time.n / len(time.pit)
    assert not result.kept
    assert {gate.name for gate in result.gates if not gate.kept} >= {"time coverage of skills"}


def test_an_attempt_takes_what_it_takes_and_not_what_passes_before_it() -> None:
    lines = ["run,step,skill,start_ms,duration_ms,after"]
    for i, took in enumerate(np.random.default_rng(7).gamma(9, 10, 200)):
        lines += [f"{i},a,ask,{i * 60_000},100,", f"{i},b,tell,{i * 60_000 + 9_000},{took},a"]
    read = read_csv(lines, Declared(), name="runs").records
    (tell,) = (case for case in backtest(read, base=Catalog({})).cases if case.name == "tell")
    assert tell.time
    assert tell.time.ratio_empirical
    assert tell.time.in90.value == pytest.approx(0.9, abs=0.07)
    assert tell.time.ratio_empirical.value == pytest.approx(1, abs=0.1)


def test_plans_are_forecast_by_their_shape() -> None:
    """The runs go on after a step that failed, and so does the plan they are forecast by."""
    plans = pooled(learned(), "plan")
    assert plans.cases == 2
    for quantity in (plans.time, plans.cost):
        assert quantity
        assert quantity.n == 160
        assert quantity.in50.value == pytest.approx(0.5, abs=0.1)
        assert quantity.in90.value == pytest.approx(0.9, abs=0.05)
        assert quantity.ratio
        assert quantity.ratio.value < 0.75
    assert plans.success.brier.value < 0.05


@pytest.mark.parametrize(("spread", "too_sure"), [(0.4, True), (3.0, False)])
def test_blocks_that_vary_too_little_or_too_much_are_found_out(spread: float, too_sure: bool) -> None:
    whole = calibrate(records(), base=default_catalog(), by=("region",)).catalog
    broken = whole._replace(blocks=tuple(stretched(block, spread) for block in whole.blocks))
    result = backtest(records(), base=default_catalog(), by=("region",), shapes=True, catalog=broken)
    time = pooled(result, "plan").time
    assert time
    if too_sure:
        assert (time.in50.value, time.in90.value) < (0.35, 0.65)
        assert time.pit[0] + time.pit[-1] > 0.5 * time.n
    else:
        assert time.in50.value > 0.7
        assert time.pit[0] + time.pit[-1] < 0.1 * time.n


def stretched(block: Block, spread: float) -> Block:
    """Every draw's total moved from the median total, or towards it."""
    made = makespan(block.after, np.array(block.gap_ms), np.array(block.time_ms))
    middle = np.median([made[d.run] * d.time_scale for d in block.draws])
    moved = (middle * (made[d.run] * d.time_scale / middle) ** spread for d in block.draws)
    draws = (d._replace(time_scale=to / made[d.run]) for d, to in zip(block.draws, moved, strict=True))
    return block._replace(draws=tuple(draws))


def test_a_plan_is_held_against_the_runs_of_its_skills() -> None:
    result = backtest(records(), base=default_catalog(), by=("region",), plan=ranking(3))
    plan = pooled(result, "plan")
    (others,) = result.left_out
    assert plan.success.n + others.n == result.future_runs
    assert plan.success.n > 50
    assert plan.time
    assert 0.85 < plan.time.in90.value < 0.97


def ranking(times: int, **step: Any) -> str:
    """The plan of the recorded runs, which ranks so many times at once."""
    ranks = [
        {"id": f"r{i}", "skill": "rank@eu", "params": {}, "needs": ["get"], **step} for i in range(times)
    ]
    last = {"skill": "summarise@eu", "params": {}, "needs": [rank["id"] for rank in ranks]}
    return json.dumps([{"id": "get", "skill": "fetch@eu", "params": {}}, *ranks, last])


@pytest.mark.parametrize("times", [1, 4])
def test_runs_that_call_a_skill_more_or_less_often_are_none_of_the_plan(times: int) -> None:
    result = backtest(records(), base=default_catalog(), by=("region",), plan=ranking(times))
    few = sum(part.success.n for part in result.pooled if part.kind == "plan")
    assert few < 20  # those that failed before they came to it
    assert sum(one.n for one in result.left_out) == result.future_runs - few


@pytest.mark.parametrize(
    ("rank", "bounds"),
    [
        ({}, (1, 1)),
        ({"iterations": 3}, (3, 3)),
        ({"for_each": [1, 2, 3]}, (3, 3)),
        ({"for_each": "${inputs.pages}", "expect": {"items": 3}}, (0, 50)),
        ({"when": 'steps.get.outcome == "succeeded"'}, (0, 1)),
    ],
)
def test_a_plan_says_how_often_a_run_calls_a_skill(rank: dict[str, Any], bounds: tuple[int, int]) -> None:
    known = calibrate(records(), base=default_catalog(), by=("region",)).catalog
    plan = {"aos_plan": "1", "inputs": {"pages": [1]}, "steps": json.loads(ranking(1, **rank))}
    assert calls_of(parse_plan(plan, known, name="plan", inputs={}).plan, "rank@eu") == bounds


def test_a_step_that_a_plan_goes_on_after_may_fail_in_its_runs() -> None:
    def succeeded(plan: str) -> float:
        result = backtest(records(), base=default_catalog(), by=("region",), plan=plan)
        (said,) = pooled(result, "plan").success.said
        return said.happened.value

    assert succeeded(ranking(3)) < 0.8
    assert succeeded(ranking(3, on_error="continue")) > 0.95


def halved(catalog: Catalog) -> Catalog:
    return catalog._replace(skills={name: half(skill) for name, skill in catalog.skills.items()})


def half(skill: Skill) -> Skill:
    if skill.latency is None:
        return skill
    value, provenance = skill.latency
    match value:
        case Quantiles(levels, values, tail):
            less = tail and Tail(tail.shape, tail.scale / 2)
            return skill._replace(
                latency=Figure(Quantiles(levels, tuple(v / 2 for v in values), less), provenance)
            )
        case Lognormal(p50, sigma):
            return skill._replace(latency=Figure(Lognormal(p50 / 2, sigma), provenance))
        case Constant(value=ms):
            return skill._replace(latency=Figure(Constant(ms / 2), provenance))
    return skill


# -- splits ----------------------------------------------------------------------------------------------------


def test_the_split_is_between_runs_and_by_time() -> None:
    parts = split(records(), 0.6)
    assert parts
    assert (parts.past_runs, parts.future_runs) == (240, 160)
    assert not set(parts.past.run.codes) & set(parts.future.run.codes)
    assert min(parts.future.start_ms) == parts.at_ms
    assert len(parts.past.start_ms) + len(parts.future.start_ms) == len(records().start_ms)


def test_runs_written_newest_first_are_split_by_time_all_the_same() -> None:
    head, *lines = rows(50)
    listed = read_csv([head, *reversed(lines)], Declared(), name="reversed")
    ordered, _ = put_in_order(listed.records, listed.lines, has_steps=True, has_attempts=True)
    parts = split(ordered, 0.6)
    assert parts
    assert (parts.past_runs, parts.future_runs) == (30, 20)
    assert max(parts.past.start_ms) < min(parts.future.start_ms)


@pytest.mark.parametrize("share", [0.0, 0.0001, 1.0])
def test_runs_on_one_side_alone_are_refused(share: float) -> None:
    with pytest.raises(AosError, match="split"):
        backtest(records(), base=default_catalog(), split=share)


# -- scores ----------------------------------------------------------------------------------------------------


VALUES = st.lists(st.floats(0, 1e4), min_size=1, max_size=12)


@given(st.lists(st.floats(0, 1e4), min_size=200, max_size=200), VALUES, VALUES)
def test_crps_is_the_distance_between_the_forecast_and_what_happened(
    drawn: list[float], past: list[float], future: list[float]
) -> None:
    """E|X - y| - E|X - X'| / 2. Source: Gneiting & Raftery (2007), eq. 20."""
    time = score(case(drawn, past, future)).time
    assert time
    x, y = np.array(drawn), np.array(future)
    energy = np.abs(x[:, None] - y).mean() - np.abs(x[:, None] - x).mean() / 2
    assert time.crps.value == pytest.approx(energy, rel=0.05, abs=0.01 * (x.max() - x.min()) + 1e-6)
    assert time.naive == pytest.approx(np.abs(np.mean(past) - y).mean())


@given(VALUES, VALUES, VALUES)
def test_every_outcome_stands_somewhere_in_its_forecast(
    drawn: list[float], past: list[float], future: list[float]
) -> None:
    time = score(case(drawn, past, future)).time
    assert time
    assert sum(time.pit) == pytest.approx(len(future), rel=1e-6)
    assert time.in50.value <= time.in90.value <= time.in95.value
    assert time.over99.value <= time.over95.value


def test_ours_is_no_multiple_of_next_to_nothing() -> None:
    time = score(case([4.0], [1e-308], [0.0])).time
    assert time
    assert (time.ratio, time.crps.value) == (None, 4.0)
    pooled_time = pool([case([4.0], [1e-308], [0.0])]).time
    assert pooled_time
    assert pooled_time.crps.value == 1.0


@given(VALUES, VALUES, VALUES, st.floats(0.01, 100))
def test_pooled_scores_do_not_depend_on_the_unit(
    drawn: list[float], past: list[float], future: list[float], unit: float
) -> None:
    one = pool([case(drawn, past, future)]).time
    other = pool([case(*([v * unit for v in values] for values in (drawn, past, future)))]).time
    assert (one is None) == (other is None)
    if one and other and one.ratio and other.ratio:
        assert other.ratio.value == pytest.approx(one.ratio.value, rel=1e-6, abs=1e-9)


def test_outcomes_of_one_run_are_not_taken_for_independent() -> None:
    chance = np.random.default_rng(0)
    drawn = np.sort(chance.lognormal(0, 1, 1_000))
    moods = np.repeat(chance.lognormal(0, 1, 40), 25)
    column, success = np.full(1_000, np.nan), np.ones(1_000, bool)

    def se(run: np.ndarray[tuple[int], np.dtype[np.intp]]) -> float:
        future = Seen(run, moods, column, success)
        time = score(Case("skill", "fetch", seen([1.0]), future, Draws(drawn, None, 1.0))).time
        assert time
        return time.crps.se

    assert se(np.repeat(np.arange(40), 25)) == pytest.approx(5 * se(np.arange(1_000)), rel=0.1)


def test_a_wrong_forecast_of_what_never_changes_counts_and_a_right_one_flatters_nothing() -> None:
    wrong = pool([case([1.0], [5.0], [5.0]), case([1.0, 2.0], [1.0, 2.0], [1.5])]).time
    assert wrong
    assert (wrong.n, wrong.in90.value) == (2, 0.5)
    right = pool([case([5.0], [5.0], [5.0]), case([1.0], [1.0, 2.0], [1.2])]).time
    assert right
    assert (right.n, right.in90.value) == (1, 0.0)


def test_what_nobody_recorded_is_not_scored() -> None:
    scored = score(case([1.0, 2.0], [1.0], [1.5]))
    assert scored.cost is None
    assert score(case([1.0], [1.0], [float("nan")])).time is None
