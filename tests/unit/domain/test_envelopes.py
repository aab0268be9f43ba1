"""What an approval binds, and by how much figures may move before it is void."""

from decimal import Decimal
from typing import Any

import pytest

from aos.api.forecast.simulate import simulate
from aos.domain.approvals.envelopes import Envelope, departures, envelope
from aos.domain.forecasts.results import SimulationResult
from aos.errors import CODES, InputError
from aos.errors.approvals import VOIDS
from aos.wire.catalogs.read import default_catalog, parse_catalog
from aos.wire.envelopes import changed, dump_departure, dump_envelope, parse_envelope
from aos.wire.plans.read import parse_plan

STEPS: list[dict[str, Any]] = [
    {"id": "ask", "skill": "paid", "params": {"url": "https://x.example/${inputs.city}"}},
    {
        "id": "tell",
        "skill": "email_send",
        "params": {"to": ["a@b.example"], "subject": "s", "body": "${secrets.KEY}"},
    },
]


def result(
    steps: list[dict[str, Any]] = STEPS, seed: int = 0, budget: float | None = None, **figures: Any
) -> SimulationResult:
    """The plan with a `paid` skill of these figures."""
    told = {
        "purpose": "Ask",
        "version": "1.0.0",
        "input_schema": {"type": "object"},
        "output_schema": {},
        "effects": {
            "read_only": True,
            "idempotent": True,
            "destructive": False,
            "reversible": True,
            "open_world": True,
        },
        "latency_ms": 100,
        "cost_cents": {"low": 10, "high": 20},
        "failures": [],
        **figures,
    }
    catalog = parse_catalog(
        {"aos_catalog": "1", "skills": {"paid": told, "email_send": {"failures": []}}},
        name="c",
        base=default_catalog(),
    )
    document: Any = {"aos_plan": "1", "inputs": {"city": "Oslo"}, "steps": steps}
    if budget is not None:
        document["budget"] = budget
    plan = parse_plan(document, catalog, name="p").plan
    return simulate(plan, catalog, samples=2000, seed=seed, explain=False, alternatives=False)


def left(now: SimulationResult, approved: Envelope | None = None) -> dict[str, str]:
    return {one.code: one.detail for one in departures(approved or envelope(result()), now)}


def test_what_is_done_and_to_what_has_the_inputs_in_it() -> None:
    ask, tell = envelope(result()).reach
    assert (ask.targets, ask.secrets) == (("https://x.example/Oslo",), ())
    assert (tell.targets, tell.secrets) == (("a@b.example",), ("KEY",))
    each = {
        "id": "each",
        "skill": "fs_read",
        "params": {"path": "${item.name}/${index}"},
        "for_each": [{"name": "a"}, {"name": "b"}],
    }
    assert envelope(result([each])).reach[0].targets == ("a/${index}", "b/${index}")


def test_measured_figures_may_move_a_little() -> None:
    assert (
        left(
            result(latency_ms=110, failures=[{"code": "DOWN", "category": "PERMANENT", "probability": 0.01}])
        )
        == {}
    )


@pytest.mark.parametrize(
    ("figures", "code"),
    [
        ({"cost_cents": {"low": 10, "high": 23}}, "cost_outside"),
        ({"cost_cents": None}, "cost_outside"),
        ({"latency_ms": 9000}, "time_outside"),
        ({"latency_ms": None}, "time_outside"),
        ({"failures": [{"code": "DOWN", "category": "PERMANENT", "probability": 0.2}]}, "success_outside"),
        ({"failures": [{"code": "DOWN", "category": "PERMANENT", "probability": 0.2}]}, "risk_new"),
        ({"failures": None}, "success_outside"),
    ],
)
def test_further_they_leave_the_envelope(figures: dict[str, Any], code: str) -> None:
    assert code in left(result(**figures))


@pytest.mark.parametrize("flag", ["read_only", "idempotent", "destructive", "reversible"])
def test_what_can_be_undone_less_was_not_approved(flag: str) -> None:
    effects = {
        "read_only": True,
        "idempotent": True,
        "destructive": False,
        "reversible": True,
        "open_world": True,
    }
    worse = result(effects={**effects, flag: not effects[flag]})
    assert "effect_new" in left(worse)
    assert "effect_new" not in left(result(), envelope(worse))


def test_a_new_target_a_new_secret_and_a_new_step_are_named() -> None:
    steps = [
        {**STEPS[0], "params": {"url": "https://evil.example/"}},
        {**STEPS[1], "params": {**STEPS[1]["params"], "subject": "${secrets.OTHER}"}},
        {"id": "more", "skill": "fs_read", "params": {"path": "x"}},
    ]
    told = [
        (one.pointer, one.now)
        for one in departures(envelope(result()), result(steps))
        if one.code == "effect_new"
    ]
    assert told == [("/steps/0", "https://evil.example/"), ("/steps/1", "OTHER"), ("/steps/2", "fs_read")]


def test_a_jump_between_two_atoms_is_noise_at_the_quantile() -> None:
    """Where 95 of 100 runs cost one price and the rest another, the p95 is either of them, by chance."""

    def price(share: float, seed: int) -> SimulationResult:
        values = {"levels": [0, share, share + 1e-6, 1], "values": [10, 10, 100, 100]}
        return result([STEPS[0]], seed, cost_cents=values)

    figures = [envelope(price(0.95, seed)).cost.value for seed in range(6)]
    assert len(set(figures)) == 2
    approved = envelope(price(0.95, figures.index(10)))
    assert all(departures(approved, price(0.95, seed)) == () for seed in range(6))
    assert "cost_outside" in left(price(0.9, 0), approved)


def test_a_larger_budget_is_told_with_both() -> None:
    one = next(
        d for d in departures(envelope(result(budget=50)), result(budget=60)) if d.code == "budget_raised"
    )
    assert (one.was, one.now) == (Decimal(50), Decimal(60))
    assert dump_departure(one)["now"] == "60"


def test_every_code_is_in_the_catalogue_and_used() -> None:
    import inspect

    from aos.domain.approvals import envelopes

    assert set(VOIDS) <= set(CODES)
    assert [code for code in VOIDS if f'"{code}"' not in inspect.getsource(envelopes)] == []


def test_a_change_of_the_plan_says_where() -> None:
    before = result().plan
    steps = [{**STEPS[0], "params": {"url": "https://y.example/"}}, {**STEPS[1], "approval": 3}]
    assert [one.pointer for one in changed(before, result(steps).plan)] == [
        "/steps/0/params/url",
        "/steps/1/approval",
    ]
    assert [one.pointer for one in changed(before, before._replace(inputs={"city": "Rome"}))] == [
        "/inputs/city"
    ]
    gone = [(one.pointer, one.was, one.now) for one in changed(before, result(STEPS[:1]).plan)]
    assert gone == [("/steps/1", "email_send", None)]


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("aos_envelope", "2"),
        ("plan_digest", None),
        ("samples", 0),
        ("samples", True),
        ("budget_cents", "1e3"),
        ("budget_cents", "."),
        ("budget_cents", 5),
        ("cost_p95_cents", {"value": -1, "known": True}),
        ("level", 6),
        ("cost_p95_cents", {"value": 1}),
        ("success", {"value": 1.1, "known": True}),
        ("risks", [1]),
        ("more", 1),
        ("reach", [{"step": "s1"}]),
        ("decision", "perhaps"),
    ],
)
def test_what_is_not_quite_an_envelope_is_refused(pointer: str, value: Any) -> None:
    document = {**dump_envelope(envelope(result())), pointer: value}
    with pytest.raises(InputError) as caught:
        parse_envelope(document)
    assert caught.value.findings[0].pointer.startswith(f"/{pointer}")
