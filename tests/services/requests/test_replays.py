"""Replays of rules over what a tenant has on record, on a real Postgres: its own records alone, and as many as asked
for; what people decided on them; what can't be told."""

import time
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from aos.errors import AosError, InputError
from aos.wire.results.documents import Document
from aos_server.db.pool import Database
from aos_server.identity.caller import Caller
from aos_server.services.policy.decisions import Decisions, call_of
from aos_server.services.policy.evaluations import Evaluations
from aos_server.services.policy.replays import USUAL, Bounds, Replays, Wanted
from aos_server.services.policy.versions import Activation, Versions
from aos_server.services.requests.create import Asked, Desk, create
from aos_server.services.requests.decide import approve, reject
from aos_server.services.runtime.runs import Record, Runs
from aos_server.services.tenants import Stored
from tests.cli.schemas import assert_unknowns_are_null, faults
from tests.fakes.workers import Inline
from tests.services.requests.requesting import BOB, YES, code, key_of, patient, person, run

ANY = '@id("any") permit (principal, action, resource);'
NO_WRITES = '@id("no-writes") forbid (principal, action, resource == Aos::Skill::"fs_write");'
ASKS = '@id("asks") forbid (principal, action == Aos::Action::"call", resource) when { context.approval_level < 3 };'
WRITE = {"path": "a.txt", "content": "x"}


@pytest.fixture(scope="module")
def base(new_base):
    return patient(new_base())


def replays_of(database: Database, bounds: Bounds = USUAL) -> Replays:
    workers = Inline()
    return Replays(database, workers, Versions(database, workers), bounds)


def wanted(*rules: str, **more: Any) -> Wanted:
    files = {"rules.cedar": "\n".join(rules)} if rules else None
    return Wanted(files, **{"version": None, "against": None, "window": None, "limit": 1_000, **more})


async def replay(desk: Desk, tenant: str, *rules: str, bounds: Bounds = USUAL, **more: Any) -> Document:
    told = await replays_of(desk.database, bounds).replay(person("any", 1, tenant), wanted(*rules, **more))
    assert faults({**told, "exit_code": 0}) == []
    assert_unknowns_are_null(told)
    return told


async def writes(
    desk: Desk, caller: Caller, skill: str = "fs_write", payload: Any = WRITE, **more: Any
) -> str:
    asked = Asked("resource", call_of(skill, payload), skill=skill, **more)
    return str((await create(desk, caller, asked)).body["request_id"])


async def evaluated(desk: Desk, caller: Caller, skill: str, payload: Any, agent: str | None = None) -> str:
    """The digest of the plan that the call is."""
    terms = await Stored(desk.database).terms(caller.tenant, agent)
    decided = await Decisions(Inline()).call(skill, payload, {}, terms)
    await Evaluations(desk.database, "all").keep(caller, decided, skill, agent)
    return decided.rulings[0].question.resource


async def ran(desk: Desk, caller: Caller, name: str, plan: str, agent: str = "", **more: Any) -> None:
    now = time.time() * 1000
    record = Record(name, agent, "succeeded", plan, 1, now, now, Decimal(7), 0, {"run_id": name})._replace(
        **more
    )
    await Runs(desk.database).put(caller, record, None)


def test_a_tenant_sees_what_would_have_been_different_of_its_own(base):
    async def act(desk: Desk) -> None:
        ann, eve = person("ann", tenant="one"), person("eve", tenant="two")
        for _ in range(3):
            await writes(desk, ann)
        for _ in range(5):
            await writes(desk, eve)
            await evaluated(desk, eve, "fs_write", WRITE)
        told = await replay(desk, "one", ANY, NO_WRITES)
        assert (told["total"], told["determined"], told["changed"]) == (3, 3, 3)
        (one,) = told["transitions"]
        assert (one["change"], one["before"]["level"]) == ("newly_denied", 2)
        assert one["groups"][0]["before"]["rules"] == ["destructive-needs-2"]
        assert told["coverage"][0] == {**told["coverage"][0], "source": "request", "read": 3, "more": False}
        assert (await replay(desk, "nobody", ANY))["total"] == 0
        assert (await replay(desk, "two", ANY))["total"] == 10

    run(base, act)


def test_uploaded_runs_have_the_facts_of_who_asked_about_the_same_plan(base):
    async def act(desk: Desk) -> None:
        ann = person("ann", tenant="runs")
        plan = await evaluated(desk, ann, "fs_write", WRITE)
        await ran(desk, ann, "known", plan, "bot")
        await ran(desk, ann, "unknown", f"sha256:{'0' * 64}", unpriced=1)
        only_bot = '@id("not-bot") forbid (principal == Aos::Agent::"bot", action, resource);'
        told = await replay(desk, "runs", ANY, only_bot)
        assert (told["total"], told["undetermined"], told["changes"]["newly_denied"]) == (3, 1, 1)
        assert told["unknown_because"][0]["code"] == "plan_not_kept"
        (denied, allowed) = told["transitions"]
        assert (denied["groups"][0]["examples"][0]["id"], denied["spent_cents"]["cents"]) == ("known", 7)
        assert (allowed["change"], allowed["groups"][0]["examples"][0]["source"]) == (
            "newly_allowed",
            "evaluation",
        )

    run(base, act)


def test_what_people_decided_is_told_by_what_the_candidate_says(base):
    async def act(desk: Desk) -> None:
        ann = person("ann", tenant="people")
        bob = BOB._replace(tenant="people")
        database = desk.database
        for number in range(11):
            one = await writes(desk, ann)
            await approve(database, bob, one, YES)
            if number < 10:
                await reject(database, bob, await writes(desk, ann, "email_send", MAIL, level=2), YES)
        await writes(desk, ann)
        await writes(desk, ann, "fs_read", {"path": "a"})  # of level 1: nobody was asked
        told = await replay(desk, "people", ANY, ASKS, NO_WRITES)
        groups = {(one["decision"], *one["rules"]): one for one in told["decided_by_people"]}
        denied, asked = groups["deny", "no-writes"], groups["requires_approval", "asks"]
        assert (denied["approved"], denied["rejected"], denied["open"], denied["hint"]) == (
            11,
            0,
            1,
            "loosen",
        )
        assert (asked["approved"], asked["rejected"], asked["hint"]) == (0, 10, "deny")
        assert sum(one["approved"] for one in told["decided_by_people"]) == 11
        assert told["approvals"][1]["wait_p50_ms"] is not None

    run(base, act)


MAIL = {"to": ["a@b.example"], "subject": "s", "body": "b"}


def test_so_many_of_each_and_none_older(base):
    async def act(desk: Desk) -> None:
        ann = person("ann", tenant="many")
        ids = [await writes(desk, ann) for _ in range(7)]
        base.server.execute(
            f"UPDATE requests SET created_at = created_at - interval '9 days' WHERE id = '{ids[0]}'",
            base.name,
        )
        told = await replay(desk, "many", ANY, limit=3)
        assert (told["total"], told["coverage"][0]["more"]) == (3, True)
        assert {row["id"] for row in told["rows"]} == set(ids[-3:])
        told = await replay(desk, "many", ANY, window=timedelta(days=1))
        assert (told["total"], told["coverage"][0]["more"]) == (6, False)
        assert (await replay(desk, "many", ANY))["total"] == 7

    run(base, act)


def test_pages_hold_every_record_once(base):
    async def act(desk: Desk) -> None:
        ann = person("ann", tenant="pages")
        ids = [await writes(desk, ann) for _ in range(5)]
        for _ in range(4):
            await evaluated(desk, ann, "fs_write", WRITE)
        told = await replay(desk, "pages", ANY, bounds=Bounds(page=2, log_page=3))
        assert (told["total"], told["changed"]) == (9, 9)
        assert {row["id"] for row in told["rows"] if row["source"] == "request"} == set(ids)

    run(base, act)


def test_versions_are_tried_as_well_and_those_of_others_are_not_there(base):
    async def act(desk: Desk) -> None:
        lead, workers = person("lea", 5, "versions"), Inline()
        versions = Versions(desk.database, workers)
        terms = await Stored(desk.database).terms("versions", None)
        await writes(desk, lead)
        await versions.push(lead, {"r.cedar": ANY}, "", terms, None)
        told = await replay(desk, "versions", version=1)
        assert (told["candidate"]["name"], told["current"]["name"]) == ("version 1", "version 0")
        assert told["changes"]["newly_allowed"] == 1
        active = (await versions.active("versions"))["policy_digest"]
        await versions.activate(lead, Activation(1, active, ""), terms, None)
        told = await replay(desk, "versions", version=0)
        assert (told["current"]["name"], told["changes"]["newly_asked"]) == ("version 1", 1)
        assert (await replay(desk, "versions", version=0, against=0))["changed"] == 0
        for tenant, number in (("versions", 2), ("elsewhere", 1)):
            with pytest.raises(AosError) as refused:
                await replay(desk, tenant, version=number)
            assert refused.value.code == "not_found"

    run(base, act)


def test_rules_that_are_wrong_are_told_with_everything_that_is(base):
    async def act(desk: Desk) -> None:
        with pytest.raises(InputError) as refused:
            await replay(desk, "wrong", "permit (", "allow;")
        assert (refused.value.code, len(refused.value.findings) > 0) == ("invalid_policy", True)

    run(base, act)


def test_what_was_kept_in_another_form_is_undetermined_and_costs_no_other(base):
    async def act(desk: Desk) -> None:
        ann = person("ann", tenant="damaged")
        ids = [await writes(desk, ann) for _ in range(5)]
        await evaluated(desk, ann, "fs_write", WRITE)
        damages = ("{", '{"policy": {"rulings": []}}', '{"policy": {"rulings": [1]}}', f'"{"x" * 1_100_000}"')
        for one, damage in zip(ids, damages, strict=False):
            base.server.execute(
                f"UPDATE request_documents SET document = '{damage}' WHERE request_id = '{one}'", base.name
            )
        told = await replay(desk, "damaged", ANY)
        assert (told["total"], told["undetermined"], told["changed"]) == (6, 4, 2)
        assert {one["code"] for one in told["unknown_because"]} == {"unreadable", "facts_not_kept"}

    run(base, act)


def test_a_replay_ends_in_time_and_says_how_far_it_came(base):
    async def act(desk: Desk) -> None:
        ann = person("ann", tenant="slow")
        for _ in range(4):
            await writes(desk, ann)
        told = await replay(desk, "slow", ANY, NO_WRITES, bounds=Bounds(compute_s=0.0))
        assert (told["total"], told["left_off"], told["changed"]) == (0, 4, 0)
        told = await replay(desk, "slow", ANY, NO_WRITES, bounds=Bounds(read_s=0.0, page=3))
        assert (told["total"], told["coverage"][0]["more"], told["changes"]["newly_denied"]) == (3, True, 3)

    run(base, act)


def test_a_key_that_may_only_ask_what_rules_decide_is_told_of_no_request(base):
    async def act(desk: Desk) -> None:
        ann = person("ann", tenant="keys")
        await writes(desk, ann)
        key = key_of(ann)
        told = await replays_of(desk.database).replay(key, wanted(ANY))
        assert told["total"] == 1
        only = key._replace(scopes=frozenset(("evaluate",)))
        assert await code(replays_of(desk.database).replay(only, wanted(ANY))) == "authorization_denied"

    run(base, act)
    refused = "SELECT subject FROM audit WHERE action = 'policy.replay.refused' AND tenant_id = 'keys'"
    assert base.rows(refused) == [("k1",)]
