"""Calibration: what is learned from records of a known truth, and that simulating it brings the truth back."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aos.api.forecast.outcomes import outcomes
from aos.api.learning.calibrate import calibrate
from aos.domain.learning.calibration import Calibration
from aos.domain.plans.plan import Plan, Step
from aos.domain.skills.distributions import Quantiles, median
from aos.domain.skills.skill import Catalog, FailureMode
from aos.engine.calibrate.skill import pool
from aos.engine.calibrate.skill.priors import family
from aos.engine.calibrate.skill.rates import pooled_chances
from aos.engine.calibrate.skill.students import t_quantiles
from aos.engine.sampling.distributions import Floats
from aos.engine.scores.scoring import GRID, coverage, crps
from aos.errors import AosError
from tests.unit.engine.build import skill
from tests.unit.engine.calibrate.recorded import DAY, EPOCH, NAN, PAIR, Row, pairs, records, singles

NOTHING = Catalog({})


def learn(rows: Sequence[Row], by: tuple[str, ...] = (), base: Catalog = NOTHING) -> Calibration:
    return calibrate(records(rows), base=base, by=by)


def modes(learned: Calibration) -> tuple[FailureMode, ...]:
    return learned.catalog.skills["work"].failures or ()


def test_a_measured_skill_says_where_its_figures_are_from() -> None:
    learned = learn(singles(np.random.default_rng(0).lognormal(5, 0.3, 49)))
    latency = learned.catalog.skills["work"].latency
    assert latency is not None
    assert latency.provenance.source == "measured"
    assert (latency.provenance.n, latency.provenance.as_of, latency.provenance.window_days) == (
        49, "2023-11-16", 2.0,
    )  # fmt: skip
    assert isinstance(latency.value, Quantiles)
    (row,) = learned.rows
    assert (row.id, row.n, row.failed, row.as_of, row.drift) == ("work", 49, 0, "2023-11-16", row.drift)


def test_the_forecast_of_a_steady_skill_covers_what_comes() -> None:
    inside = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        learned = learn(singles(rng.lognormal(5, 0.6, 60)))
        drawn = outcomes(Plan((Step("s", "work", {}),)), learned.catalog, samples=4_000).time
        low, high = np.quantile(drawn, [0.05, 0.95])
        inside.append(coverage(low, high, rng.lognormal(5, 0.6, 400)))
    assert 0.88 <= np.mean(inside) <= 0.94


@pytest.mark.parametrize("n", [5, 10])
def test_few_records_give_wide_forecasts(n: int) -> None:
    inside = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        fitted = pool.fit([rng.lognormal(5, 0.5, n)], [()])
        low, high = fitted.quantiles(0, np.array([0.05, 0.95]))
        inside.append(coverage(low, high, rng.lognormal(5, 0.5, 400)))
    assert np.mean(inside) >= 0.85


@pytest.mark.parametrize("jump", [1.0, 1.6])
def test_a_level_is_said_to_have_moved_where_that_is_more_than_noise(jump: float) -> None:
    def drift(seed: int) -> str:
        times = np.random.default_rng(seed).lognormal(6, 0.5, 400)
        times[300:] *= jump
        (row,) = calibrate(records(singles(times)), base=Catalog({})).rows
        return row.drift

    moved = sum(drift(seed) != "steady" for seed in range(20))
    assert moved >= 15 if jump > 1 else moved <= 2


def test_recent_records_count_more_where_the_level_moved() -> None:
    rng = np.random.default_rng(1)
    level = np.exp(np.linspace(0, 1.5, 200))
    fitted = pool.fit([100 * level * rng.lognormal(0, 0.05, 200)], [()])
    now = 100 * np.exp(1.5)
    assert fitted.quantiles(0, np.array([0.5]))[0] == pytest.approx(now, rel=0.15)
    assert fitted.half_life(0) < 0.2


def batches(count: int, each: int, last: int) -> Floats:
    """When records were made: `each` a day, a second apart, and the `last` ones on a day of their own."""
    return np.concatenate(
        [DAY * day + 1000 * np.arange(last if day == count else each) for day in range(count + 1)]
    )


def test_records_of_one_moment_tell_of_one_level() -> None:
    lost = []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        when = batches(8, 10, 6)
        level = 100 * np.exp(np.cumsum(rng.normal(0, 0.5, 9)))[(when // DAY).astype(int)]
        took = level * rng.lognormal(0, 0.05, len(when))
        later = rng.lognormal(0, 0.05, 200)
        fitted = [pool.fit([took], [()], dates) for dates in ([when], None)]
        lost.append([crps(each.quantiles(0, GRID) / level[-1], later) for each in fitted])
        assert (fitted[0].weights != fitted[1].weights).any()
    dated, undated = np.mean(lost, axis=0)
    assert dated < 0.9 * undated


def test_what_has_no_date_is_recent_by_its_order() -> None:
    rng = np.random.default_rng(1)
    when = batches(8, 10, 6)
    took = np.linspace(100, 400, len(when)) * rng.lognormal(0, 0.05, len(when))
    dated, undated, in_order = (
        learn([Row(str(i), "s", "work", t, t + d) for i, (t, d) in enumerate(zip(start, took, strict=True))])
        for start in (EPOCH + when, when, 1000.0 * np.arange(len(when)))
    )
    told = [learned.catalog.skills["work"].latency for learned in (dated, undated, in_order)]
    values = [figure and figure.value for figure in told]
    assert values[0] != values[1]
    assert values[1] == values[2]
    assert None not in values


@pytest.mark.parametrize("dates", [None, [batches(8, 30, 4)]])
def test_all_records_count_where_no_level_moves(dates: list[Floats] | None) -> None:
    lost = []
    for seed in range(4):
        rng = np.random.default_rng(seed)
        took, later = np.split(rng.lognormal(5, 0.4, 4244), [244])
        fitted = pool.fit([took], [()], dates)
        lost.append([crps(told, later) for told in (fitted.quantiles(0, GRID), np.quantile(took, GRID))])
        assert fitted.half_life(0) > 0.4
    pooled, plain = np.mean(lost, axis=0)
    assert pooled < 1.01 * plain


def test_relatives_lend_their_level_to_a_variant_with_few_records() -> None:
    rng = np.random.default_rng(2)
    columns = [(a, b) for a in "xyz" for b in "pqr"]
    levels = {"x": 0.0, "y": 1.0, "z": 2.0, "p": 0.0, "q": 0.5, "r": 1.0}
    series = [rng.lognormal(levels[a] + levels[b], 0.3, 40) for a, b in columns[:-1]]
    prior = family(series, columns[:-1]).unseen(columns[-1])
    assert prior.mean == pytest.approx(3.0, abs=0.35)
    assert prior.scale == pytest.approx(0.09, rel=0.5)


def test_a_block_brings_back_the_pool_of_the_totals() -> None:
    rows = pairs(120, np.random.default_rng(3))
    learned = learn(rows)
    (block,) = learned.catalog.blocks
    totals = np.array([b.end - a.start for a, b in zip(rows[::2], rows[1::2], strict=True)])
    told = pool.fit([totals], [()]).quantiles(0, GRID)
    drawn = outcomes(PAIR, learned.catalog, samples=160_000)
    assert np.quantile(drawn.time, GRID)[1:-1] == pytest.approx(told[1:-1], rel=0.01)
    assert sum(d.weight for d in block.draws) == pytest.approx(1.0)
    costs = np.array([a.cost + b.cost for a, b in zip(rows[::2], rows[1::2], strict=True)])
    assert np.corrcoef(drawn.time, drawn.cost)[0, 1] > 0.8
    told = pool.fit([costs], [()]).quantiles(0, GRID)
    assert np.quantile(drawn.cost, GRID)[1:-1] == pytest.approx(told[1:-1], rel=0.01)


def test_runs_that_stopped_on_the_way_are_drawn_as_often() -> None:
    rows = pairs(60, np.random.default_rng(4))
    for i in range(20):
        began = EPOCH + i * DAY / 8 + 7
        rows.append(Row(f"stopped{i}", "a", "fetch", began, began + 50, 2.0, "BROKEN"))
    drawn = outcomes(PAIR, learn(rows).catalog, samples=40_000)
    assert drawn.success.mean() == pytest.approx(0.75, abs=0.02)
    assert drawn.time[~drawn.success].max() <= 50


def test_steps_that_depend_are_found_to() -> None:
    learned = learn(pairs(400, np.random.default_rng(5), own=0.4))
    run = learned.catalog.correlation.run
    assert run is not None
    assert run.value == pytest.approx(0.4 / np.hypot(0.4, 0.4), abs=0.06)
    overhead = learned.catalog.skills["work"].overhead
    assert overhead is not None
    assert overhead.provenance.n == 400
    assert median(overhead.value) == pytest.approx(30, abs=0.01)


def test_siblings_are_slow_together_beyond_what_their_run_explains() -> None:
    rng = np.random.default_rng(9)
    rows = []
    for run in range(200):
        began, mood = EPOCH + run * DAY / 24, rng.lognormal(0, 0.4)
        took = rng.lognormal(5, 0.4)
        rows.append(Row(str(run), "go", "fetch", began, began + took))
        ends = began + took + 100 * mood * rng.lognormal(0, 0.2, 3)
        rows += [Row(str(run), f"w{i}", "work", began + took, end, after="go") for i, end in enumerate(ends)]
    found = learn(rows).catalog.correlation
    assert found.run
    assert found.siblings
    assert found.run.value < 0.15
    assert found.siblings.value == pytest.approx(0.8, abs=0.08)


def test_an_attempt_that_costs_by_its_time_is_dear_where_it_is_slow() -> None:
    rng = np.random.default_rng(9)
    rows = [
        row._replace(cost=0.01 * (row.end - row.start) * rng.lognormal(0, 0.1))
        for row in singles(rng.lognormal(6, 0.5, 300))
    ]
    drawn = outcomes(Plan((Step("s", "work", {}),)), learn(rows).catalog, samples=2_000)
    assert np.corrcoef(np.log(drawn.cost), np.log(drawn.time))[0, 1] > 0.9


def chain_of(name: str, length: int, pace: float, rng: np.random.Generator) -> list[Row]:
    at = EPOCH
    rows: list[Row] = []
    for i in range(length):
        for call in ("think", "act"):
            taken = pace * rng.lognormal(4, 0.2)
            after = rows[-1].step if rows else ""
            rows.append(Row(name, f"{call}{i}", call, at, at + taken, 1.0, "", after))
            at += taken
    return rows


def test_chains_of_other_lengths_lend_their_pace() -> None:
    rng = np.random.default_rng(6)
    rows = [
        row
        for i in range(30)
        for row in chain_of(str(i), int(rng.integers(4, 12)), float(rng.lognormal(0, 0.6)), rng)
    ]
    learned = learn(rows)
    (donors,) = learned.catalog.donors
    assert not learned.catalog.blocks
    assert len(donors.time_ms["think"]) == 30
    plan = Plan(tuple(Step(f"{c}{i}", c, {}) for i in range(20) for c in ("think", "act")))
    drawn = outcomes(plan, learned.catalog, samples=20_000).time
    # Of one pace for the whole run: 40 independent steps have a tenth of it.
    assert np.std(np.log(drawn)) > 0.3


def fan(name: str, width: int, rng: np.random.Generator) -> list[Row]:
    late = np.sort(rng.uniform(0, 1, width)) * 100 * width * rng.lognormal(0, 0.1)
    late *= 100 * width / late[-1]
    return [
        Row(name, "go", "go", EPOCH, EPOCH + 10),
        *(
            Row(name, f"w{i}", "work", EPOCH + 10 + d, EPOCH + 1010 + d, NAN, "", "go")
            for i, d in enumerate(late)
        ),
    ]


def test_a_fan_out_twice_as_wide_is_later_as_doubling_was_before() -> None:
    rng = np.random.default_rng(7)
    rows = [row for width in (2, 4, 8) for i in range(20) for row in fan(f"{width}/{i}", width, rng)]
    learned = learn(rows)
    law = learned.catalog.skills["work"].fan_out
    assert law is not None
    assert law.width == 8
    assert law.growth == pytest.approx(np.log(2), abs=0.02)
    steps = [Step("go", "go", {}), *(Step(f"w{i}", "work", {}, ("go",)) for i in range(16))]
    drawn = outcomes(Plan(tuple(steps)), learned.catalog, samples=10_000).time
    assert np.median(drawn) == pytest.approx(10 + 1600 + 1000, rel=0.05)


def test_failures_have_their_chance_and_their_time() -> None:
    rng = np.random.default_rng(8)
    rows = singles(rng.lognormal(5, 0.1, 900)) + singles([30_000.0] * 100, code="TIMEOUT")
    (mode,) = modes(learn(rows))
    assert (mode.code, mode.category) == ("TIMEOUT", "PERMANENT")
    assert mode.probability is not None
    assert mode.probability.value == pytest.approx(0.1, abs=0.005)
    assert mode.time is not None
    assert isinstance(mode.time.value, Quantiles)
    assert np.quantile(mode.time.value.values, [0.1, 0.9]) == pytest.approx([30_000, 30_000], rel=0.1)


def test_a_failure_that_was_tried_again_is_transient() -> None:
    rows = singles([100.0] * 20)
    rows += [
        Row("again", "s", "work", EPOCH, EPOCH + 5, 1.0, "BUSY"),
        Row("again", "s", "work", EPOCH + 9, EPOCH + 99, attempt=2),
    ]
    (mode,) = modes(learn(rows))
    assert mode.category == "TRANSIENT"


def test_a_declared_failure_that_never_came_is_believed_less() -> None:
    base = Catalog({"work": skill("work", failures={"BROKEN": 0.5})})
    (mode,) = modes(learn(singles([100.0 + i for i in range(90)]), base=base))
    assert mode.probability is not None
    assert mode.probability.value == pytest.approx(0.05)


def test_conditions_split_a_skill_and_ids_stay_valid_and_apart() -> None:
    rows = singles([100.0] * 5, region="eu west") + singles([200.0] * 5, region="eu/west")
    learned = learn(rows, by=("region",))
    assert sorted(learned.catalog.skills) == ["work@eu-west", "work@eu-west.2"]
    assert learned.variant("work", ("eu west",)) != learned.variant("work", ("eu/west",))
    with pytest.raises(AosError, match="colour"):
        learn(rows, by=("colour",))


def test_all_failed_or_never_ended_is_no_reason_to_break() -> None:
    learned = learn([Row("r", "s", "work", EPOCH, NAN, NAN, "LOST")])
    found = learned.catalog.skills["work"]
    assert found.latency is None
    assert [mode.time for mode in found.failures or ()] == [None]


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.floats(0, 1e9), min_size=1, max_size=30),
    st.lists(st.booleans(), min_size=30, max_size=30),
)
def test_any_durations_give_a_catalog(times: list[float], fails: list[bool]) -> None:
    rows = [
        row._replace(code="BROKEN" if fail else "") for row, fail in zip(singles(times), fails, strict=False)
    ]
    found = learn(rows).catalog.skills["work"]
    assert found.failures is not None
    assert sum(mode.probability.value for mode in found.failures if mode.probability) <= 1
    if found.latency is not None:
        assert isinstance(found.latency.value, Quantiles)
        assert np.isfinite(found.latency.value.values).all()


@given(st.permutations(range(24)))
@settings(max_examples=10, deadline=None)
def test_the_order_of_rows_does_not_matter(order: list[int]) -> None:
    rows = singles([100.0 * 1.2**i for i in range(24)])
    assert (
        learn([rows[i] for i in order]).catalog.skills["work"].latency
        == learn(rows).catalog.skills["work"].latency
    )


def test_chances_with_few_trials_go_to_those_of_relatives() -> None:
    columns = [("good", str(i)) for i in range(10)] + [("bad", str(i)) for i in range(10)]
    happened = np.array([4.0] * 9 + [2.0] + [1.0] * 10)
    chances = pooled_chances(happened, np.full(20, 4.0), columns)
    assert chances[0] > chances[9] > chances[10]
    assert 0.5 < chances[9] < 0.95
    assert (pooled_chances(np.zeros(20), np.full(20, 4.0), columns) == 0).all()


def test_students_quantiles_are_those_of_the_table() -> None:
    """Source: any table of t; the 97.5 % point at 5 degrees of freedom is 2.571, at 30 it is 2.042."""
    assert t_quantiles(5, np.array([0.975]))[0] == pytest.approx(2.571, abs=0.002)
    assert t_quantiles(30, np.array([0.5, 0.975])) == pytest.approx([0, 2.042], abs=0.002)
