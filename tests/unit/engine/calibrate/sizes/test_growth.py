"""Growth: what a step hands to a skill bears on its time and price, as far as records say it does."""

from array import array
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aos.api.forecast.outcomes import outcomes
from aos.api.forecast.simulate import simulate
from aos.api.learning.calibrate import calibrate
from aos.domain.learning.calibration import Calibration
from aos.domain.plans.features import feature_value
from aos.domain.plans.plan import Plan, Step
from aos.domain.skills.skill import Catalog, Growth
from tests.unit.engine.calibrate.recorded import pairs, records, shape, singles

FIXED, EACH, PRICE = 200.0, 8.0, 0.002
"""An attempt with x tokens takes about FIXED + EACH x ms and costs PRICE x cents, in records made here."""


def learn(
    x: np.ndarray, times: np.ndarray, region: str = "", by: tuple[str, ...] = (), **features: np.ndarray
) -> Calibration:
    made = records(singles(times, region=region))._replace(
        features={
            "tokens": array("d", x),
            **{name: array("d", column) for name, column in features.items()},
        },
        cost_cents=array("d", 0.01 + PRICE * x),
    )
    return calibrate(made, base=Catalog({}), by=by)


def sizes(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.lognormal(6, 1, count)
    return x, (FIXED + EACH * x) * rng.lognormal(0, 0.2, count)


def times(learned: Calibration, params: Mapping[str, Any], inputs: Mapping[str, Any] | None = None) -> Any:
    plan = Plan((Step("s", "work", dict(params)),), inputs=dict(inputs or {}))
    return outcomes(plan, learned.catalog)


def growth(learned: Calibration) -> Growth:
    found = learned.catalog.skills["work"].latency_by
    assert isinstance(found, Growth)
    return found


def test_skills_grow_with_sizes_of_their_own() -> None:
    """A column is empty where a skill has no such size: that is no reason to believe nothing of it."""
    x, took = sizes(400)
    rows = [row._replace(skill="ask" if i % 2 else "query") for i, row in enumerate(singles(took))]
    odd = np.arange(400) % 2 == 1
    columns = {"tokens": np.where(odd, x, np.nan), "rows": np.where(odd, np.nan, x)}
    columns["pages"] = np.where(np.arange(400) % 20 == 1, 1.0, np.nan)
    made = records(rows)._replace(features={name: array("d", column) for name, column in columns.items()})
    learned = calibrate(made, base=Catalog({})).rows
    assert {row.id: row.features for row in learned} == {"ask": ("tokens",), "query": ("rows",)}


def test_growth_is_learned_and_comes_back_in_a_forecast() -> None:
    learned = learn(*sizes(1_000))
    for tokens in (50, 400, 3_000):
        drawn = times(learned, {"tokens": tokens})
        median, low, high = np.quantile(drawn.time, [0.5, 0.05, 0.95])
        assert median == pytest.approx(FIXED + EACH * tokens, rel=0.08)
        assert high / low == pytest.approx(np.exp(2 * 1.645 * 0.2), rel=0.15)
        assert np.median(drawn.cost) == pytest.approx(0.01 + PRICE * tokens, rel=0.01)


def test_a_step_that_states_nothing_has_the_figures_of_all_records_and_says_so() -> None:
    x, recorded = sizes(1_000)
    learned = learn(x, recorded)
    drawn = times(learned, {})
    assert np.quantile(drawn.time, [0.1, 0.5, 0.9]) == pytest.approx(
        np.quantile(recorded, [0.1, 0.5, 0.9]), rel=0.2
    )
    result = simulate(Plan((Step("s", "work", {}),)), learned.catalog, explain=False)
    assert result.notes == (
        "s: work depends on `tokens`, which it does not state: drawn from what was recorded",
    )
    told = simulate(Plan((Step("s", "work", {"tokens": 9}),)), learned.catalog, explain=False)
    assert told.notes == ()


def test_a_feature_that_tells_nothing_is_left_out() -> None:
    x, recorded = sizes(600)
    learned = learn(x, recorded, junk=np.random.default_rng(5).uniform(0, 9, 600))
    assert [f.name for f in growth(learned).features] == ["tokens"]
    shuffled = np.random.default_rng(6).permutation(x)
    assert learn(shuffled, recorded).catalog.skills["work"].latency_by is None


def test_chance_alone_hardly_ever_makes_growth() -> None:
    rng = np.random.default_rng(0)
    noise = [(rng.lognormal(5, 0.5, 60), rng.lognormal(6, 1, (60, 1))) for _ in range(200)]
    assert sum(shape(*one) is not None for one in noise) <= 8


def test_with_few_records_nothing_is_made_of_a_feature() -> None:
    assert learn(*sizes(20)).catalog.skills["work"].latency_by is None


def test_of_two_features_the_one_left_open_is_drawn() -> None:
    rng = np.random.default_rng(1)
    x, images = rng.lognormal(6, 0.5, 1_000), rng.integers(1, 9, 1_000).astype(float)
    recorded = (100 + x + 500 * images) * rng.lognormal(0, 0.05, 1_000)
    learned = learn(x, recorded, images=images)
    assert {f.name for f in growth(learned).features} == {"tokens", "images"}
    both = times(learned, {"tokens": 400, "images": 8}).time
    one = times(learned, {"images": 8}).time
    assert np.median(both) == pytest.approx(100 + 400 + 4_000, rel=0.05)
    assert np.median(one) == pytest.approx(100 + np.median(x) + 4_000, rel=0.05)
    assert np.std(one) > np.std(both)


def test_variants_share_the_growth_and_keep_their_level() -> None:
    x, recorded = sizes(400)
    slow = np.arange(400) % 2 == 0
    rows = singles(np.where(slow, 3 * recorded, recorded))
    rows = [row._replace(region="slow" if s else "fast") for row, s in zip(rows, slow, strict=True)]
    made = records(rows)._replace(features={"tokens": array("d", x)})
    learned = calibrate(made, base=Catalog({}), by=("region",))
    medians = []
    for region in ("slow", "fast"):
        plan = Plan((Step("s", f"work@{region}", {"tokens": 1_000}),))
        medians.append(np.median(outcomes(plan, learned.catalog).time))
    assert medians[1] == pytest.approx(FIXED + EACH * 1_000, rel=0.1)
    assert medians[0] / medians[1] == pytest.approx(3, rel=0.1)


def test_variants_that_differ_in_size_do_not_pass_for_growth() -> None:
    rng = np.random.default_rng(3)
    slow = np.arange(600) % 2 == 0
    x = rng.lognormal(6, 0.5, 600) * np.where(slow, 4, 1)
    recorded = (FIXED + EACH * x) * rng.lognormal(0, 0.2, 600) * np.where(slow, 5, 1)
    rows = [
        row._replace(region="slow" if s else "fast") for row, s in zip(singles(recorded), slow, strict=True)
    ]
    made = records(rows)._replace(features={"tokens": array("d", x)})
    learned = calibrate(made, base=Catalog({}), by=("region",))
    plan = Plan((Step("s", "work@fast", {"tokens": 100}),))
    assert np.median(outcomes(plan, learned.catalog).time) == pytest.approx(FIXED + EACH * 100, rel=0.1)


def test_a_plan_that_states_sizes_is_not_drawn_from_whole_runs() -> None:
    x = np.repeat(np.random.default_rng(4).lognormal(6, 1, 200), 2)
    made = records(pairs(200, np.random.default_rng(4)))
    took = np.array(made.end_ms) - np.array(made.start_ms)
    scaled = array("d", np.array(made.start_ms) + took * (FIXED + EACH * x) / 1_000)
    made = made._replace(end_ms=scaled, features={"tokens": array("d", x)})
    learned = calibrate(made, base=Catalog({}))
    assert learned.catalog.blocks
    big = {"tokens": 10_000}
    plan = Plan((Step("a", "fetch", big), Step("b", "work", big)))
    assert np.median(outcomes(plan, learned.catalog).time) > 20_000


def test_records_without_the_feature_count_for_the_whole_alone() -> None:
    x, recorded = sizes(300)
    x[::3] = np.nan
    learned = learn(x, recorded)
    assert growth(learned).rest.provenance.n == 200
    latency = learned.catalog.skills["work"].latency
    assert latency is not None
    assert latency.provenance.n == 300


def test_failed_attempts_teach_no_growth() -> None:
    x, recorded = sizes(300)
    rows = singles(recorded)
    rows = [row._replace(code="BUSY") if i % 2 else row for i, row in enumerate(rows)]
    learned = calibrate(records(rows)._replace(features={"tokens": array("d", x)}), base=Catalog({}), by=())
    assert growth(learned).rest.provenance.n == 150


def test_inputs_of_the_plan_are_known_and_outputs_of_steps_are_not() -> None:
    learned = learn(*sizes(500))
    known = times(learned, {"tokens": "${inputs.size}"}, {"size": 3_000}).time
    assert np.median(known) == pytest.approx(FIXED + EACH * 3_000, rel=0.08)
    plan = Plan((Step("a", "work", {"tokens": 10}), Step("b", "work", {"tokens": "${steps.a.output.n}"})))
    result = simulate(plan, learned.catalog, explain=False)
    assert [note[:2] for note in result.notes] == ["b:"]


@given(
    st.integers(0, 10**6)
    | st.text(st.characters(codec="ascii", exclude_characters="$"))
    | st.lists(st.none())
)
def test_a_feature_is_a_number_or_how_much_there_is(param: Any) -> None:
    assert feature_value(param, {}) == (param if isinstance(param, int) else len(param))


@pytest.mark.parametrize(
    "param", [None, True, -1, float("nan"), "${secrets.KEY}", "a ${steps.a.output} b", {"a": 1}]
)
def test_what_nobody_knows_before_the_run_is_no_feature(param: Any) -> None:
    assert feature_value(param, {}) is None


@given(st.floats(0, 1e5), st.floats(0, 1e5))
def test_more_is_never_quicker(a: float, b: float) -> None:
    few, many = sorted((a, b))
    quick, slow = (np.sort(times(LEARNED, {"tokens": tokens}).time) for tokens in (few, many))
    assert (quick <= slow).all()


LEARNED = learn(*sizes(200))
