"""Lists of approval requests, on a real Postgres: by page, by filter, counted by level."""

from typing import Any

import pytest

from aos.errors import AosError
from aos_server.http.endpoint import Call
from aos_server.http.handlers.requests import ApprovalRequests
from aos_server.http.models.requests import RequestsQuery
from aos_server.identity.authenticate import Credentials
from aos_server.identity.caller import Caller
from aos_server.services.requests import decide, reads
from aos_server.services.requests.create import Asked, Desk, create
from aos_server.services.requests.decide import approve, reject
from tests.services.requests.requesting import (
    ANN,
    BOB,
    READ,
    YES,
    ask,
    patient,
    person,
    run,
)


@pytest.fixture(scope="module")
def base(new_base):
    return patient(new_base())


def test_lists_go_by_page_and_by_filter(base):
    me = person("lou", 3, "lists")

    async def act(desk: Desk) -> None:
        database = desk.database
        mine = [await ask(desk, me) for _ in range(3)]
        other = [await ask(desk, person("ann", tenant="lists"), level=level) for level in (2, 3, 4)]
        await reject(database, me, other[0], YES)

        async def ids(which: reads.Filter, caller: Any = me) -> list[str]:
            found, place = list[str](), None
            while True:
                lines, place = await reads.page(database, caller, which, place, 2)
                found += [line["request_id"] for line in lines]
                if place is None:
                    return found

        assert await ids(reads.Filter()) == [*reversed(other), *reversed(mine)]
        assert await ids(reads.Filter(mine=True)) == [*reversed(mine)]
        assert await ids(reads.Filter(status="rejected")) == [other[0]]
        assert await ids(reads.Filter(waiting=3)) == [other[1]]
        assert await ids(reads.Filter(waiting=4)) == [other[2], other[1]]
        assert await ids(reads.Filter(level=4)) == [other[2]]
        assert await ids(reads.Filter(skill="fs_read", level=2)) == [other[0]]
        assert await ids(reads.Filter(skill="http_call")) == []
        assert await ids(reads.Filter(granted=True)) == []
        assert await ids(reads.Filter(), person("mal", 5, "evil")) == []

    run(base, act)


class Asking:
    """The auth service, which gives this level, or is away."""

    def __init__(self, level: int | None) -> None:
        self._level = level

    async def identify(self, given: Credentials, *, live: bool) -> Caller:
        assert live
        if self._level is None:
            raise AosError("auth_unavailable", "it is away")
        return person("lou", self._level, "live")

    async def named(self, user: str, tenant: str) -> Caller:
        raise AssertionError


@pytest.mark.parametrize(
    ("held", "asked", "seen"), [(5, None, 2), (5, 3, 1), (3, 5, 1), (2, None, 0), (None, None, 1)]
)
def test_what_waits_goes_by_the_level_that_holds_now(new_base, held, asked, seen):
    base = patient(new_base())

    async def act(desk: Desk) -> Any:
        for level in (3, 4):
            await ask(desk, person("ann", tenant="live"), level=level)
        stated = {"waiting": "true", **({} if asked is None else {"level": str(asked)})}
        call = Call(
            *(person("lou", 3, "live", live=False), {}, RequestsQuery.model_validate(stated), None),
            {b"authorization": b"Bearer abc"},
        )
        return (await ApprovalRequests(desk, Asking(held)).list_requests(call))["count"]

    assert run(base, act) == seen


def test_the_last_approved_plan_is_found_by_its_name(base):
    def plan(name: str) -> Any:
        return {"aos_plan": "1", "name": name, "steps": READ}

    async def act(desk: Desk) -> None:
        made = dict[str, str]()
        for name in ("weekly", "weekly", "w" * 201):
            given = await create(desk, ANN, Asked("cost", plan(name), level=3))
            made.setdefault(name, given.body["request_id"])
        assert given.body["plan_name"] is None  # a name that long is none
        decided = await approve(desk.database, BOB, made["weekly"], YES)
        assert decided.body["plan_name"] == "weekly"
        await approve(desk.database, BOB, made["w" * 201], YES)
        found, _ = await reads.page(desk.database, ANN, reads.Filter(plan="weekly", granted=True), None, 5)
        assert [(line["request_id"], line["plan_name"]) for line in found] == [(made["weekly"], "weekly")]
        both, _ = await reads.page(desk.database, ANN, reads.Filter(plan="weekly"), None, 5)
        assert len(both) == 2

    run(base, act)


def test_those_that_wait_are_counted_by_level(new_base):
    base = patient(new_base())

    async def act(desk: Desk) -> list[tuple[int, int, int]]:
        for level in (2, 3, 3):
            await ask(desk, level=level)
        async with desk.database.transaction() as transaction:
            return [tuple(row.values()) for row in await transaction.all("requests.waiting")]

    assert run(base, act) == [(1, 0, 0), (2, 1, 0), (3, 2, 0), (4, 0, 0), (5, 0, 0)]


def test_in_development_the_tenant_is_that_of_the_request(base):
    async def act(desk: Desk) -> None:
        request = await ask(desk)
        assert await reads.tenant_of(desk.database, request) == "acme"
        assert await reads.tenant_of(desk.database, "nonsense") is None

    run(base, act)
    assert decide.CLOCK.issuer == "urn:aos:server"
