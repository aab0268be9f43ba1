from typing import Any

from aos.api.forecast.cases import Case, case
from aos.api.forecast.diff import diff
from aos.domain.forecasts.differences import ApprovalDifference, Change, Comparison
from aos.domain.forecasts.verdicts import Limits
from aos.domain.skills.skill import Catalog
from aos.wire.catalogs.read import default_catalog, parse_catalog
from aos.wire.plans.read import parse_plan

READ = {"skill": "fs_read", "params": {"path": "notes.txt"}}
GET = {"skill": "http_call", "params": {"url": "https://example.org"}}
MAIL = {"skill": "email_send", "params": {"to": "a@example.org", "subject": "s", "body": "b"}}


def asked(
    *steps: dict[str, Any], catalog: Catalog | None = None, limits: Limits | None = None, **keys: Any
) -> Case:
    document = {"aos_plan": "1", "steps": list(steps), **keys}
    known = catalog or default_catalog()
    return case(parse_plan(document, known, name="plan").plan, known, limits or Limits())


def compared(a: Case, b: Case) -> Comparison:
    return diff(a, b, samples=1_000)


def catalog_with(**skills: Any) -> Catalog:
    return parse_catalog({"aos_catalog": "1", "skills": skills}, name="mine", base=default_catalog())


def test_a_step_added_behind_the_others_leaves_these_as_they_are() -> None:
    found = compared(asked(READ, GET), asked(READ, GET, MAIL))
    assert [(step.a, step.b, step.status) for step in found.steps] == [
        ("s1", "s1", "same"),
        ("s2", "s2", "same"),
        (None, "s3", "added"),
    ]
    mail = found.steps[2].figures
    assert (mail.cost.a, mail.runs.a) == (0, 0)
    assert mail.cost == found.figures.cost.mean
    assert found.figures.cost.typical.delta
    assert found.figures.cost.typical.delta.value == 1
    assert {"cost_mean", "cost_p95", "time_mean"} <= set(found.worse)
    assert found.better == ()


def test_a_step_put_in_front_is_told_by_what_follows_it() -> None:
    found = compared(asked(READ, GET), asked(MAIL, READ, GET))
    assert [(step.a, step.b) for step in found.steps] == [(None, "s1"), ("s1", "s2"), ("s2", "s3")]
    assert found.steps[1].changes == (Change("replace", "/after", (), ("s1 (B)",)),)
    assert found.steps[2].changes == ()


def test_removed_steps_stand_where_they_stood() -> None:
    found = compared(asked(READ, MAIL, GET), asked(READ, GET))
    assert [(step.a, step.b, step.status) for step in found.steps] == [
        ("s1", "s1", "same"),
        ("s2", None, "removed"),
        ("s3", "s2", "changed"),
    ]
    assert found.steps[1].skill == "email_send"


def test_changes_are_told_value_by_value() -> None:
    before = {
        **GET,
        "retry": {"max_attempts": 3},
        "params": {"url": "https://example.org", "headers": {"a": "1"}},
    }
    after = {**GET, "timeout_s": 2, "params": {"url": "https://example.org", "headers": {"a": "2", "b": "3"}}}
    found = compared(asked(before, name="old"), asked(after, inputs={"x": [1]}))
    assert found.steps[0].changes == (
        Change("replace", "/params/headers/a", "1", "2"),
        Change("add", "/params/headers/b", None, "3"),
        Change("remove", "/retry", {"max_attempts": 3}, None),
        Change("add", "/timeout_s", None, 2),
    )
    assert [(c.op, c.pointer) for c in found.changes] == [("remove", "/name"), ("add", "/inputs")]


def test_the_verdict_is_each_plans_under_its_own_limits() -> None:
    found = compared(asked(MAIL, budget=5), asked(MAIL, budget=0.5))
    assert (found.a.verdict.decision, found.b.verdict.decision) == ("feasible", "infeasible")
    assert {"verdict", "feasible"} <= set(found.worse)
    assert found.better == ()
    assert found.changes == (Change("replace", "/budget", 5, 0.5),)


def test_approvals_count_where_a_level_rises() -> None:
    low, high = {**READ, "approval": 2}, {**READ, "approval": 4}
    assert compared(asked(READ), asked(low)).approvals == (ApprovalDifference("s1", None, 2),)
    assert compared(asked(low), asked(high)).worse == ("approvals",)
    assert compared(asked(high), asked(low)).better == ("approvals",)
    assert compared(asked(READ, high), asked(READ)).better[-1] == "approvals"


def test_another_catalog_is_told_at_the_steps_that_it_changes() -> None:
    slower = catalog_with(fs_read={"latency_ms": {"value": 80}})
    found = compared(asked(READ, GET), asked(READ, GET, catalog=slower))
    assert found.steps[0].status == "changed"
    assert all(change.pointer.startswith("/catalog/latency_ms") for change in found.steps[0].changes)
    assert found.steps[1].status == "same"
    assert found.figures.time.typical.delta
    assert found.figures.time.typical.delta.value == 30
    assert found.a.digests.plan == found.b.digests.plan
    assert found.a.digests.catalog != found.b.digests.catalog


def test_a_disabled_skill_makes_the_verdict_worse() -> None:
    off = catalog_with(fs_read={"enabled": False})
    assert compared(asked(READ), asked(READ, catalog=off)).worse == ("verdict",)


def test_what_becomes_unknown_is_no_difference() -> None:
    vague = catalog_with(fs_read={"cost_cents": None})
    found = compared(asked(READ), asked(READ, catalog=vague))
    assert (found.figures.cost.mean.a, found.figures.cost.mean.b, found.figures.cost.mean.delta) == (
        0,
        None,
        None,
    )
    assert found.worse == ("verdict",)
