"""Approval requests on a real Postgres: decided once, by the right people, everything in one transaction."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from aos.errors import AosError
from aos.wire.approvals import request_digest
from aos_server.db.pool import Database
from aos_server.services.changes import Given
from aos_server.services.idempotency import Key
from aos_server.services.requests import reads
from aos_server.services.requests.consume import Use, consume
from aos_server.services.requests.create import Asked, Desk, create
from aos_server.services.requests.decide import Said, approve, cancel, escalate, reject, review
from aos_server.services.terms import NewTerms, set_terms
from tests.services.requests.requesting import (
    ANN,
    BOB,
    EVE,
    READ,
    YES,
    ask,
    audited,
    code,
    key_of,
    pass_time,
    patient,
    person,
    run,
    status,
    topics,
)

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def base(new_base):
    return patient(new_base())


def test_a_request_says_what_is_asked_and_its_digest_can_be_computed_by_anybody(base):
    async def act(desk: Desk) -> tuple[Any, Any]:
        made = await create(desk, ANN, Asked("cost", READ, skill="fs_read", justification="notes", level=3))
        return made, await reads.get(desk.database, "acme", made.body["request_id"])

    made, found = run(base, act)
    assert made.status == 201
    assert made.body == found
    assert (found["status"], found["required_level"], found["min_approvals"]) == ("pending", 3, 1)
    assert found["plan"]["steps"][0]["skill"] == "fs_read"
    assert found["forecast"]["schema"] == "aos.simulation/1"
    assert found["digest"] == request_digest(found)
    others: list[dict[str, Any]] = [{"justification": "x"}, {"uses": 2}, {"plan": {}}, {"inputs": {"a": 1}}]
    for other in [*others, {"expires_at": "x"}, {"requester": {}}]:
        assert request_digest({**found, **other}) != found["digest"]
    request = found["request_id"]
    assert audited(base, request) == [("request.created", "ann", None)]
    assert topics(base, request) == ["request.created"]


def test_one_that_needs_nobody_is_approved_by_the_policy_and_not_by_who_asked(base):
    async def act(desk: Desk) -> Any:
        return (await create(desk, ANN, Asked("cost", READ, skill="fs_read"))).body

    made = run(base, act)
    (vote,) = made["decisions"]
    assert (made["status"], made["required_level"]) == ("approved", 1)
    assert vote["approver_id"] == f"policy:{made['digests']['policy']}"
    request = made["request_id"]
    assert audited(base, request) == [
        ("request.created", "ann", None),
        ("request.approved", vote["approver_id"], None),
    ]
    assert topics(base, request) == ["request.created", "request.approved"]


def test_everything_of_a_decision_is_written_with_it(base):
    async def act(desk: Desk) -> tuple[str, Given]:
        request = await ask(desk, level=5)
        assert (await approve(desk.database, BOB, request, YES)).body["status"] == "pending"
        return request, await approve(desk.database, EVE, request, YES)

    request, given = run(base, act)
    assert (given.body["status"], given.body["approvals"]) == ("approved", 2)
    assert [action for action, _, _ in audited(base, request)] == [
        "request.created",
        "request.voted",
        "request.approved",
    ]
    assert topics(base, request) == ["request.created", "request.approved"]
    level = base.rows(f"SELECT details->'level' FROM audit WHERE object = '{request}' AND subject = 'eve'")
    assert level == [(5,)]
    same = base.rows(
        f"SELECT count(*) FROM requests r JOIN audit a ON a.id = r.audit_id JOIN outbox o ON o.audit_id = a.id "
        f"JOIN request_decisions d ON d.audit_id = a.id WHERE r.id = '{request}'"
    )
    assert same == [(1,)]


def test_a_refusal_is_audited_and_changes_nothing(base):
    tries: list[tuple[str, str, Callable[[Database, str], Awaitable[Given]]]] = [
        ("authorization_denied", "approve", lambda d, r: approve(d, person("ann", 5), r, YES)),
        ("authorization_denied", "approve", lambda d, r: approve(d, person("ANN ", 5), r, YES)),
        ("authorization_denied", "approve", lambda d, r: approve(d, key_of(BOB), r, YES)),
        ("authorization_denied", "approve", lambda d, r: approve(d, person("cyd", 2), r, YES)),
        ("authorization_denied", "approve", lambda d, r: approve(d, person("cyd", 3), r, Said(level=5))),
        ("authorization_denied", "approve", lambda d, r: approve(d, person("cyd", 5, live=False), r, YES)),
        ("stale_digest", "approve", lambda d, r: approve(d, BOB, r, Said(digest="sha256:" + "0" * 64))),
        ("authorization_denied", "reject", lambda d, r: reject(d, person("ann", 5), r, YES)),
        ("authorization_denied", "escalate", lambda d, r: escalate(d, person("ann", 5), r)),
        ("authorization_denied", "cancel", lambda d, r: cancel(d, BOB, r)),
        ("no_open_review", "review", lambda d, r: review(d, BOB, r, "justified", "x")),
    ]

    async def act(desk: Desk) -> str:
        request = await ask(desk, level=4)
        for expected, _, attempt in tries:
            assert await code(attempt(desk.database, request)) == expected
        return request

    request = run(base, act)
    refusals = [(action, told) for action, _, told in audited(base, request)[1:]]
    assert refusals == [(f"request.{name}.refused", expected) for expected, name, _ in tries]
    assert status(base, request) == "pending"
    assert topics(base, request) == ["request.created"]
    assert base.rows(f"SELECT count(*) FROM request_decisions WHERE request_id = '{request}'") == [(0,)]


def test_a_key_of_the_requesters_is_the_requester(base):
    async def act(desk: Desk) -> None:
        by_key = await ask(desk, key_of(ANN))
        assert await code(approve(desk.database, person("ann", 5), by_key, YES)) == "authorization_denied"
        assert (await approve(desk.database, BOB, by_key, YES)).body["status"] == "approved"
        assert (await consume(desk, ANN, by_key, Use())).body["status"] == "consumed"

    run(base, act)


def test_another_tenants_request_is_not_there(base):
    stranger = person("mal", 5, "evil")

    async def act(desk: Desk) -> None:
        request, missing = await ask(desk), "00000000-0000-4000-8000-000000000000"
        told = set()
        for one in (request, missing):
            for attempt in (
                approve(desk.database, stranger, one, YES),
                consume(desk, stranger, one, Use()),
                reads.get(desk.database, "evil", one),
            ):
                with pytest.raises(AosError) as caught:
                    await attempt
                told.add((caught.value.code, caught.value.detail))
        assert told == {("not_found", "there is no such request")}

    run(base, act)


def test_a_grant_is_used_as_often_as_given_within_its_time_by_who_asked(base):
    async def act(desk: Desk) -> str:
        request = await ask(desk, uses=2)
        assert await code(consume(desk, ANN, request, Use())) == "approval_pending"
        await approve(desk.database, BOB, request, YES)
        assert await code(consume(desk, BOB, request, Use())) == "authorization_denied"
        tries = [code(consume(desk, ANN, request, Use(run=f"r{n}"))) for n in range(6)]
        assert sorted(await asyncio.gather(*tries)) == ["", "", *["already_consumed"] * 4]
        late = await ask(desk)
        await approve(desk.database, BOB, late, YES)
        pass_time(base, late, timedelta(hours=8))
        assert await code(consume(desk, ANN, late, Use())) == "grant_expired"
        return request

    request = run(base, act)
    assert status(base, request) == "consumed"
    assert base.rows(f"SELECT count(*) FROM request_uses WHERE request_id = '{request}'") == [(2,)]
    assert topics(base, request)[2:] == ["request.consumed"] * 2


def fs_read(**changed: object) -> bytes:
    """The tenant's catalog: fs_read with something else about it."""
    shipped = json.loads((ROOT / "src/aos/wire/catalogs/data/default_catalog.json").read_bytes())
    return json.dumps(
        {"aos_catalog": "1", "skills": {"fs_read": shipped["skills"]["fs_read"] | changed}}
    ).encode()


async def void(desk: Desk, request: str, use: Use) -> list[tuple[str, str]]:
    """Code and pointer of everything that keeps the approval from being used; nothing where it was used."""
    try:
        await consume(desk, ANN, request, use)
    except AosError as error:
        return [(finding.code, finding.pointer) for finding in error.findings]
    return []


def test_what_is_used_is_what_was_approved_and_all_that_changed_is_named(base):
    plan: dict[str, Any] = {"aos_plan": "1", "inputs": {"name": "notes"}, "budget": 10}
    plan["steps"] = [{"id": "a", "skill": "fs_read", "params": {"path": "${inputs.name}.txt"}}]

    async def act(desk: Desk) -> None:
        made = await create(desk, ANN, Asked("cost", plan, {"name": "other"}, level=3, uses=9))
        request = made.body["request_id"]
        await approve(desk.database, BOB, request, YES)
        assert await void(desk, request, Use(plan=plan, inputs={"name": "other"})) == []
        step = {"params": {"path": "${inputs.name}.txt"}, "skill": "fs_read", "id": "a", "x-note": 1}
        cosmetic: dict[str, Any] = {**plan, "steps": [step], "name": "as before"}
        assert await void(desk, request, Use(plan=cosmetic, inputs={"name": "other"})) == []
        assert await void(desk, request, Use(plan=plan)) == [
            ("plan_changed", "/inputs/name"),
            ("effect_new", "/steps/0"),
        ]
        dearer: Any = {**plan, "budget": 20}
        assert ("budget_raised", "/budget") in await void(
            desk, request, Use(plan=dearer, inputs={"name": "other"})
        )
        broken: Any = [{"skill": "nothing"}]
        assert await void(desk, request, Use(plan=broken)) == [("unknown_skill", "/0/skill")]
        assert (await reads.get(desk.database, "acme", request))["used"] == 2

    run(base, act)


def test_measured_figures_may_move_and_contract_policy_and_permission_may_not_get_worse(base):
    ann, bob = person("ann", 4, "moves"), person("bob", 5, "moves")

    async def act(desk: Desk) -> None:
        async def now(**new: Any) -> list[str]:
            await set_terms(desk.database, bob, NewTerms(**new))
            try:
                await consume(desk, ann, request, Use())
            except AosError as error:
                return [error.code, *(finding.code for finding in error.findings)]
            return []

        request = await ask(desk, ann, uses=9)
        await approve(desk.database, bob, request, YES)
        assert await now() == []
        assert await now(catalog=fs_read(latency_ms={"p50": 55, "p90": 130, "method": "measured"})) == []
        slow = fs_read(latency_ms={"p50": 500, "p90": 1200, "method": "measured"})
        assert await now(catalog=slow) == ["approval_void", "time_outside"]
        assert await now(catalog=fs_read(version="2")) == ["approval_void", "contract_changed"]
        assert await now(catalog=fs_read()) == []
        assert await now(permissions={"fs_read": False}) == ["approval_void", "policy_stricter"]
        assert await now(permissions={"fs_read": True}) == []
        await set_terms(desk.database, bob, NewTerms(permissions={"llm_invoke": False}))
        denied = Asked("cost", [{"skill": "llm_invoke", "params": {"prompt": "x"}}])
        assert await code(create(desk, ann, denied)) == "policy_denied"

    run(base, act)
    assert base.rows("SELECT subject FROM audit WHERE action = 'request.create.refused'") == [("ann",)]


def test_a_broken_glass_is_reviewed_by_somebody_else_before_it_is_broken_again(base):
    glass = Said("the shop is down", break_glass=True)
    bob = person("bob", 5, "glass")
    eve = person("eve", 4, "glass")

    async def act(desk: Desk) -> None:
        database = desk.database
        first, second = [await ask(desk, person("ann", tenant="glass"), level=5) for _ in range(2)]
        assert await code(approve(database, eve, first, glass)) == "authorization_denied"
        both = await asyncio.gather(*(code(approve(database, bob, one, glass)) for one in (first, second)))
        assert sorted(both) == ["", "authorization_denied"]
        broken = first if both[0] == "" else second
        lines, _ = await reads.page(database, eve, reads.Filter(unreviewed=True), None, 5)
        assert [line["request_id"] for line in lines] == [broken]
        assert await code(review(database, bob, broken, "justified", "I had to")) == "authorization_denied"
        closed = await review(database, eve, broken, "justified", "it was down")
        assert (closed.body["status"], closed.body["review"]) == ("approved", "justified")
        other = second if broken == first else first
        assert (await approve(database, bob, other, glass)).body["break_glass"]

    run(base, act)


def test_the_same_key_has_one_effect_and_a_refusal_leaves_it_free(base):
    async def act(desk: Desk) -> None:
        key = Key("k1", b"d")
        asked = Asked("cost", READ, skill="fs_read", level=3)
        first = await create(desk, ANN, asked, key)
        assert await create(desk, ANN, asked, key) == first._replace(again=True)
        request = first.body["request_id"]
        use = Key("k2", b"e")
        assert await code(consume(desk, ANN, request, Use(), use)) == "approval_pending"
        given = await approve(desk.database, BOB, request, YES, key)
        assert await approve(desk.database, BOB, request, YES, key) == given._replace(again=True)
        used = await consume(desk, ANN, request, Use(), use)
        assert (used.status, used.again, used.body["status"]) == (200, False, "consumed")
        assert await consume(desk, ANN, request, Use(), use) == used._replace(again=True)

    run(base, act)


def test_a_thousand_identical_clicks_count_once(base):
    async def act(desk: Desk) -> str:
        request = await ask(desk, level=4)
        clicks = [code(approve(desk.database, BOB, request, YES)) for _ in range(24)]
        told = await asyncio.gather(*clicks)
        assert sorted(set(told)) == ["", "already_voted"]
        assert told.count("") == 1
        return request

    request = run(base, act, size=10)
    assert base.rows(f"SELECT count(*) FROM request_decisions WHERE request_id = '{request}'") == [(1,)]
    assert len(audited(base, request)) == 25


@pytest.mark.parametrize("constraint", ["audit ADD CHECK (action", "outbox ADD CHECK (topic"])
def test_where_one_row_can_not_be_written_none_is(new_base, constraint):
    own = new_base()
    own.server.execute(f"ALTER TABLE {constraint} <> 'request.rejected')", own.name)

    async def act(desk: Desk) -> str:
        request = await ask(desk)
        with pytest.raises(psycopg.errors.CheckViolation):
            await reject(desk.database, BOB, request, YES)
        return request

    request = run(own, act)
    assert status(own, request) == "pending"
    assert audited(own, request) == [("request.created", "ann", None)]
    assert topics(own, request) == ["request.created"]
    assert own.rows("SELECT count(*) FROM request_decisions") == [(0,)]


def test_a_second_vote_is_refused_even_where_the_rule_is_gone(base):
    """The unique key stands behind the rule."""

    async def act(desk: Desk) -> str:
        request = await ask(desk, level=4)
        await approve(desk.database, BOB, request, YES)
        return request

    request = run(base, act)
    with pytest.raises(psycopg.errors.UniqueViolation, match="an_approver_counts_once"):
        base.server.execute(
            f"INSERT INTO request_decisions SELECT * FROM request_decisions WHERE request_id = '{request}'",
            base.name,
        )


def test_of_many_at_once_one_ends_it_and_the_others_are_told(base):
    """Approve, reject, escalate, cancel, expiry and use race; what comes of it is one of the paths there are."""

    async def act(desk: Desk) -> list[str]:
        database, made = desk.database, []
        for n in range(12):
            request = await ask(desk)
            if n % 3 == 0:
                pass_time(base, request, timedelta(hours=23, minutes=59, seconds=59, milliseconds=985))
            racers = [
                approve(database, BOB, request, YES),
                reject(database, EVE, request, YES),
                approve(database, person("dan", 3), request, YES),
                cancel(database, ANN, request),
                consume(desk, ANN, request, Use()),
                reads.get(database, "acme", request),
            ]
            await asyncio.gather(*map(code, racers))
            made.append(request)
        return made

    for request in run(base, act):
        ends = [
            topic for topic in topics(base, request) if topic not in ("request.created", "request.consumed")
        ]
        assert len(ends) == 1
        ended = ends[0].removeprefix("request.")
        assert status(base, request) in ({ended, "consumed"} if ended == "approved" else {ended})
        changes = [action for action, _, told in audited(base, request) if told is None]
        assert changes == topics(base, request)
        votes = base.rows(f"SELECT decision FROM request_decisions WHERE request_id = '{request}'")
        assert votes == {"approved": [("approve",)], "rejected": [("reject",)]}.get(ended, [])
