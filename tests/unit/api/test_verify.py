import json
from typing import Any

import pytest

import aos
from aos.api.forecast.simulate import simulate
from aos.api.forecast.verify import verify
from aos.domain.forecasts.verdicts import Limits
from aos.domain.forecasts.verifications import Verification
from aos.domain.skills.skill import Catalog
from aos.errors import AosError, InputError
from aos.wire.catalogs.read import default_catalog, parse_catalog
from aos.wire.plans.read import parse_plan
from aos.wire.results.saved import parse_result
from aos.wire.results.simulations import simulation

READ: dict[str, Any] = {"skill": "fs_read", "params": {"path": "${inputs.file}"}}
ASK: dict[str, Any] = {"skill": "llm_invoke", "params": {"prompt": "?", "model": "gpt-4o-mini"}}
PLAN: dict[str, Any] = {
    "aos_plan": "1",
    "name": "n",
    "budget": 0.3,
    "inputs": {"file": "a", "n": 1.0},
    "steps": [READ, ASK],
}


def saved(explain: bool = False) -> dict[str, Any]:
    """A result as a file holds it. Its deadline has more digits than figures are told with."""
    plan = parse_plan(PLAN, default_catalog(), name="plan").plan
    result = simulate(
        plan,
        limits=Limits(deadline_ms=12_345.678901),
        samples=500,
        seed=3,
        explain=explain,
        alternatives=False,
    )
    document: dict[str, Any] = json.loads(json.dumps(simulation(result, 3)))
    return document


def verified(document: dict[str, Any], catalog: Catalog | None = None, **expected: Any) -> Verification:
    return verify(parse_result(document, name="result"), catalog or default_catalog(), **expected)


def inputs(found: Verification) -> list[str]:
    return [drift.input for drift in found.drifts]


@pytest.mark.parametrize("explain", [False, True])
def test_a_result_comes_out_again(explain: bool) -> None:
    found = verified(saved(explain))
    assert (found.match, found.drifts, found.figures) == (True, (), ())


def test_inputs_are_told_exactly_as_they_were() -> None:
    """Half of the runs end by the deadline, which is asked for: it takes more samples than were asked for."""
    plan = parse_plan([{**READ, "params": {"path": "a"}}], default_catalog(), name="plan").plan
    limits = Limits(deadline_ms=51.123456789, confidence=0.5)
    document = json.loads(json.dumps(simulation(simulate(plan, limits=limits, samples=500), 5)))
    assert (document["inputs"]["deadline_ms"], document["inputs"]["samples"]) == (51.123456789, 500)
    assert document["samples"] > 500
    assert verified(document).match


def test_how_it_was_asked_for_does_not_count() -> None:
    told = {"exit_code": 0, "warnings": ["a note"], "line": 7, "id": "x"}
    assert verified({**saved(), **told}).match


def test_a_catalog_that_moved_is_named() -> None:
    slower: Any = {"aos_catalog": "1", "skills": {"fs_read": {"latency_ms": {"value": 80}}}}
    found = verified(saved(), parse_catalog(slower, name="c", base=default_catalog()))
    assert inputs(found) == ["catalog"]
    assert "not its contract" in found.drifts[0].detail
    assert "/estimated_duration_ms" in [change.pointer for change in found.figures]


def test_a_contract_that_moved_is_told_apart() -> None:
    retried: Any = {"aos_catalog": "1", "skills": {"fs_read": {"retry": {"max_attempts": 9}}}}
    found = verified(saved(), parse_catalog(retried, name="c", base=default_catalog()))
    assert inputs(found) == ["catalog"]
    assert "also its contract" in found.drifts[0].detail


def test_a_catalog_without_the_skill_leaves_nothing_to_compute() -> None:
    catalog = default_catalog()
    without = catalog._replace(skills={name: s for name, s in catalog.skills.items() if name != "fs_read"})
    found = verified(saved(), without)
    assert (inputs(found), found.recomputed, found.match, found.figures) == (["catalog"], False, False, ())
    assert "fs_read" in found.drifts[0].detail


def test_what_was_expected_is_compared() -> None:
    plan = parse_plan(PLAN, default_catalog(), name="plan").plan
    assert verified(saved(), plan=plan, samples=500, seed=3).match
    other = plan._replace(inputs={"file": "b", "n": 1.0})
    found = verified(saved(), plan=other, samples=600, seed=4)
    assert inputs(found) == ["plan", "samples", "seed"]
    assert found.figures == ()
    assert not found.match


def test_the_name_of_a_plan_is_no_part_of_it() -> None:
    plan = parse_plan({**PLAN, "name": "another"}, default_catalog(), name="plan").plan
    assert verified(saved(), plan=plan).match


def test_prices_of_models_that_moved_are_named() -> None:
    document = saved()
    document["prices"]["gpt-4o-mini"]["input_cents_per_mtok"] = 999
    found = verified(document)
    assert inputs(found) == ["prices"]
    assert "gpt-4o-mini" in found.drifts[0].detail


def test_a_figure_that_was_changed_by_hand_is_pointed_at() -> None:
    document = saved()
    document["chances"]["success"]["value"] = 0.999
    found = verified(document)
    assert inputs(found) == []
    assert [(c.pointer, c.before) for c in found.figures] == [("/chances/success/value", 0.999)]


def test_another_version_counts_only_where_figures_differ() -> None:
    document = {**saved(), "aos_version": "0.0.1"}
    assert verified(document).match
    document["seed"] = 4
    found = verified(document)
    assert inputs(found) == ["version"]
    assert (found.drifts[0].saved, found.drifts[0].now) == ("0.0.1", aos.__version__)


def test_keys_that_came_later_are_no_drift() -> None:
    document = saved()
    del document["secrets"], document["forecast"]["cost_if_success_cents"]
    assert verified(document).match
    document["unheard_of"] = 1
    assert [(c.op, c.pointer) for c in verified(document).figures] == [("remove", "/unheard_of")]


@pytest.mark.parametrize(
    "key", [("plan", "budget"), ("plan", "steps"), ("plan", "inputs"), ("plan", "deadline_ms")]
)
def test_another_plan_under_the_old_digest_is_damage(key: tuple[str, str]) -> None:
    document = saved()
    document["inputs"][key[0]][key[1]] = {"budget": "0.3", "steps": [ASK], "inputs": {}, "deadline_ms": 5}[
        key[1]
    ]
    with pytest.raises(AosError) as caught:
        parse_result(document, name="result")
    assert caught.value.code == "result_damaged"


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"schema": "aos.problem/1"}, "/schema"),
        ({"inputs": None}, "/inputs"),
        ({"inputs": {}}, "/inputs"),
        ({"digests": {"plan": "x"}}, "/digests"),
        ({"aos_version": 1}, "/aos_version"),
    ],
)
def test_what_is_no_result_is_said_to_be_none(change: dict[str, Any], pointer: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_result({**saved(), **change}, name="result")
    assert caught.value.code == "invalid_result"
    assert pointer in [finding.pointer for finding in caught.value.findings]


@pytest.mark.parametrize("document", [[], 5, None, {}, {"schema": "aos.simulation/1"}])
def test_nor_is_anything_else(document: Any) -> None:
    with pytest.raises(InputError):
        parse_result(document, name="result")
