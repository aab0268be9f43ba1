"""Runs that use an approval: exactly as it was given, once, and no further than it goes."""

from decimal import Decimal
from typing import Any

import pytest

from aos.api.running.grants import Grant, grant_of
from aos.api.running.run import Means, resume, run
from aos.domain.forecasts.verdicts import Limits
from aos.domain.plans.plan import Plan, Step
from aos.errors import AosError
from aos.runtime.memory import Memory
from aos.runtime.skills import Fault, Reply
from aos.wire.catalogs.read import default_catalog, parse_catalog
from tests.fakes.desk import Desk, paid

CATALOG = parse_catalog(
    {"aos_catalog": "1", "skills": {"cheap": paid("cheap", Decimal(2)), "wide": paid("wide", Decimal(10))}},
    name="test",
    base=default_catalog(),
)
PLAN = Plan((Step("a", "cheap", {}), Step("b", "wide", {}, approval=3)))


class Paying:
    """Costs so much and counts its calls."""

    def __init__(self, cents: int) -> None:
        self.cents, self.calls = Decimal(cents), 0

    def __call__(self, params: Any, call: Any) -> Reply:
        self.calls += 1
        return Reply({}, cost_cents=self.cents)


def means(cheap: int = 2, record: Memory | None = None) -> tuple[Means, Paying, Paying, Memory]:
    first, second, record = Paying(cheap), Paying(10), record or Memory()
    return Means(record=record, implementations={"cheap": first, "wide": second}), first, second, record


def grant(desk: Desk, *, used: bool = False) -> Grant:
    return grant_of(desk, "http://desk", "req-1", used=used)  # type: ignore[arg-type]


def code(act: Any) -> str:
    with pytest.raises(AosError) as caught:
        act()
    return caught.value.code


def test_it_is_used_once_is_on_record_and_gives_the_go_ahead() -> None:
    desk, (using, _, second, record) = Desk(PLAN, CATALOG), means()
    result = run(PLAN, CATALOG, means=using, grant=grant(desk))
    assert result.state
    assert result.state.status == "succeeded"
    assert second.calls == 1  # the step with an approval of level 3: level 4 was granted
    start = result.state.start
    assert start.simulation["approval"] == {
        "request_id": "req-1",
        "server": "http://desk",
        "digest": desk.document["digest"],
        "level": 4,
        "most_cents": "12.000120",
        "bounds": {"samples": 10_000, "time_p95_ms": 2.0, "success": 1.0, "after_ms": 0.0},
    }
    assert record.state(start.id).start == start
    assert list(desk.used) == [f"{start.id}.req-1"]
    assert code(lambda: grant(desk)) == "already_consumed"


@pytest.mark.parametrize(("lost", "status"), [(0, "succeeded"), (1, "paused")])
def test_a_run_that_is_tried_again_keeps_to_its_approval(lost: int, status: str) -> None:
    """It is used once for all tries, gives its go-ahead again, and bounds what they cost together."""
    desk, (using, _, second, _) = Desk(PLAN, CATALOG), means()

    def fails(params: Any, call: Any) -> Reply:
        return Reply(fault=Fault("SKILL_ERROR", "broken"), effect="none", cost_cents=Decimal(lost))

    broken = using._replace(implementations={**using.implementations, "wide": fails})
    first = run(PLAN, CATALOG, means=broken, grant=grant(desk)).state
    assert first
    assert first.status == "failed"
    again = resume(first.start.id, CATALOG, using, retry=True).state
    assert again
    assert (again.status, len(desk.used), second.calls) == (status, 1, 1 - lost)
    assert again.money.spent == (2 + lost if lost else 12)


def test_a_step_that_wants_more_is_still_asked_for() -> None:
    desk, (using, _, second, _) = Desk(PLAN, CATALOG, level=2), means()
    state = run(PLAN, CATALOG, means=using, grant=grant(desk)).state
    assert state
    assert state.end
    assert (state.status, state.end.cause, second.calls) == ("paused", "approval", 0)


def test_what_has_left_the_envelope_is_not_run_not_even_by_force() -> None:
    desk, (using, first, _, _) = Desk(PLAN, CATALOG), means()
    other = PLAN._replace(steps=(PLAN.steps[0]._replace(params={"x": 1}), PLAN.steps[1]))
    with pytest.raises(AosError) as caught:
        run(other, CATALOG, means=using, grant=grant(desk), force=True)
    assert caught.value.code == "approval_void"
    assert [(one.code, one.pointer) for one in caught.value.findings] == [
        ("plan_changed", "/steps/0/params/x")
    ]
    assert (first.calls, desk.used) == (0, {})


def test_a_name_may_change_and_a_larger_budget_may_not() -> None:
    plan = PLAN._replace(budget_cents=Decimal(20))
    desk, (using, _, _, _) = Desk(plan, CATALOG), means()
    larger = Limits(budget_cents=Decimal(30))
    assert code(lambda: run(plan, CATALOG, larger, using, grant=grant(desk), force=True)) == "approval_void"
    state = run(plan._replace(name="other"), CATALOG, means=using, grant=grant(desk)).state
    assert state
    assert state.status == "succeeded"


def test_it_pauses_before_it_costs_more_and_goes_on_with_another_approval() -> None:
    desk, (using, first, second, _) = Desk(PLAN, CATALOG), means(cheap=5)
    state = run(PLAN, CATALOG, means=using, grant=grant(desk)).state
    assert state
    assert state.end
    assert (state.status, state.end.cause) == ("paused", "envelope")
    assert (first.calls, second.calls) == (1, 0)
    name = state.start.id
    assert code(lambda: resume(name, CATALOG, using, budget_cents=Decimal(99))) == "approval_void"
    wider = Desk(PLAN, CATALOG)
    wider.document["envelope"]["cost_p95_cents"]["value"] = 20.0
    wider.document["digest"] = Desk(PLAN, CATALOG).document["digest"]
    wider.document["request_id"] = "req-2"
    more = grant_of_any(wider)
    ended = resume(name, CATALOG, using, grant=more).state
    assert ended
    assert ended.status == "succeeded"
    assert (first.calls, second.calls) == (1, 1)


def grant_of_any(desk: Desk) -> Grant:
    from aos.wire.envelopes import parse_envelope

    told = desk.document
    return Grant(
        desk,  # type: ignore[arg-type]
        *("http://desk", told["request_id"], told["digest"], told["required_level"], told["plan"]),
        parse_envelope(told["envelope"]),
    )


def test_a_run_that_is_cut_off_while_it_uses_it_uses_it_once() -> None:
    desk, (using, first, _, _) = Desk(PLAN, CATALOG), means()
    desk.dies = True
    assert code(lambda: run(PLAN, CATALOG, means=using, grant=grant(desk))) == "unreachable"
    (name,) = {key.partition(".")[0] for key in desk.used}
    assert first.calls == 0
    state = resume(name, CATALOG, using, grant=grant(desk, used=True)).state
    assert state
    assert state.status == "succeeded"
    assert list(desk.used) == [f"{name}.req-1"]
    second = means()[0]
    late = Grant(*grant(desk, used=True))
    assert code(lambda: run(PLAN, CATALOG, means=second, grant=late)) == "already_consumed"


@pytest.mark.parametrize(
    ("status", "told"),
    [
        ("pending", "approval_pending"),
        ("escalated", "approval_pending"),
        ("rejected", "not_approved"),
        ("expired", "not_approved"),
    ],
)
def test_without_an_approval_nothing_is_begun(status: str, told: str) -> None:
    assert code(lambda: grant(Desk(PLAN, CATALOG, status=status))) == told


def test_a_request_whose_digest_is_of_something_else_is_not_believed() -> None:
    desk = Desk(PLAN, CATALOG)
    desk.document["justification"] = "another"
    assert code(lambda: grant(desk)) == "unexpected_answer"
