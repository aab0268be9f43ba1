"""What rules are asked about a recorded run: what they would have been asked when it began."""

from pathlib import Path
from typing import Any

import pytest

from aos.api.files.sources import load_plan
from aos.api.forecast.policies import judged
from aos.api.forecast.simulate import simulate
from aos.api.policy.histories import of_ledger
from aos.domain.approvals.policies import Facts, Principal
from aos.domain.approvals.replays import Asked, Recorded
from aos.domain.forecasts.results import SimulationResult
from aos.domain.runs.run import RunStart
from aos.ledger.ledger import Ledger
from aos.policy.plans import questions
from aos.policy.rules import default_policy
from aos.wire.catalogs.read import default_catalog
from aos.wire.plans.read import dump_plan, parse_plan
from aos.wire.results.simulations import simulation
from tests.cli.process import ROOT

ANN = Principal("acme", "ann")
PLANS = sorted((ROOT / "examples/plans").glob("*/plan.*"))
FIGURES = ("cost_p95_cents", "duration_p95_ms", "success_bp")


def recorded(folder: Path, result: SimulationResult, **other: Any) -> Recorded:
    """A run that begins with that forecast, as a ledger has it."""
    digests = result.digests
    start = RunStart(
        "r1",
        dump_plan(result.plan),
        digests.plan,
        digests.catalog_contract,
        simulation(result, 0),
        None,
        None,
        5.0,
    )
    with Ledger(folder / "l.db") as ledger:
        ledger.begin(start._replace(**other))
    (one,) = of_ledger(folder / "l.db", default_catalog(), ANN)
    return one


def forecast(source: Path) -> SimulationResult:
    """By few samples, whose figures are no round ones."""
    catalog = default_catalog()
    plan = load_plan(source, catalog).plan
    return simulate(plan, catalog, samples=300, explain=False, alternatives=False)


def without_figures(asked: tuple[Asked, ...]) -> list[Asked]:
    nothing: dict[str, Any] = dict.fromkeys(FIGURES)
    return [
        one._replace(question=one.question._replace(facts=one.question.facts._replace(**nothing)))
        for one in asked
    ]


def figures(facts: Facts) -> list[int | None]:
    return [getattr(facts, name) for name in FIGURES]


@pytest.mark.parametrize("source", PLANS, ids=lambda path: path.parent.name)
def test_the_facts_are_those_of_then_to_six_digits(source: Path, tmp_path: Path) -> None:
    result = forecast(source)
    one, then = recorded(tmp_path, result), questions(result, ANN)
    assert (one.basis, one.at_ms) == ("forecast", 5.0)
    assert one.spent_cents == 0
    assert one.asked is not None
    assert without_figures(one.asked) == without_figures(then)
    for kept, known in zip(one.asked, then, strict=True):
        for now, was in zip(*(figures(each.question.facts) for each in (kept, known)), strict=True):
            assert (now is None) == (was is None)
            assert was is None or now == pytest.approx(was, rel=1e-5, abs=1)


def test_what_rules_saw_then_is_what_they_see_now(tmp_path: Path) -> None:
    result = judged(default_policy(), forecast(PLANS[0]), Principal())
    one = recorded(tmp_path, result, contract="sha256:another")
    assert (one.basis, one.asked) == ("rules", questions(result, ANN))


@pytest.mark.parametrize(
    ("other", "code"),
    [
        ({"contract": "sha256:another"}, "other_contract"),
        (
            {"plan": {"aos_plan": "1", "steps": [{"id": "s1", "skill": "gone", "params": {}}]}},
            "other_contract",
        ),
        ({"simulation": {"policy": {"rulings": []}}}, "unreadable"),
        ({"simulation": None}, "unreadable"),
    ],
)
def test_what_is_not_known_any_more_is_told(tmp_path: Path, other: dict[str, Any], code: str) -> None:
    one = recorded(tmp_path, forecast(PLANS[0]), **other)
    assert (one.asked, one.basis, one.why and one.why.code) == (None, None, code)


def test_a_forecast_of_another_plan_is_not_taken_for_this_ones(tmp_path: Path) -> None:
    catalog = default_catalog()
    reads: dict[str, Any] = {"skill": "fs_read", "params": {"path": "a"}}
    first, second = (
        simulate(parse_plan([{**reads, "id": name}], catalog, name="p").plan, samples=200) for name in "ab"
    )
    one = recorded(tmp_path, first, simulation=simulation(second, 0))
    assert one.why is not None
    assert one.why.code == "unreadable"
