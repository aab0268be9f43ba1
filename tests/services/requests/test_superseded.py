"""What is judged while rules or terms change is judged by those that hold when it is written down."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import pytest

from aos_server.db.pool import Database
from aos_server.identity.caller import Caller
from aos_server.services.policy.versions import Activation, Versions
from aos_server.services.requests import reads
from aos_server.services.requests.consume import Use, consume
from aos_server.services.requests.create import Asked, Desk, create
from aos_server.services.requests.decide import approve
from aos_server.services.tenants import Stored
from aos_server.services.terms import NewTerms, set_terms
from tests.fakes.workers import Inline
from tests.services.requests.requesting import READ, YES, ask, audited, code, person, run

T = TypeVar("T")
FREE = "permit (principal, action, resource);\n"
STRICT = f"{FREE}forbid (principal, action, resource) when {{ context.approval_level < 4 }};"
NEVER = f"{FREE}forbid (principal, action, resource);"

Happens = Callable[[], Awaitable[None]]


class Meanwhile(Inline):
    """Computes, and before the answer arrives the next thing happens."""

    def __init__(self, *happens: Happens) -> None:
        super().__init__()
        self._happens = list(happens)

    async def run(self, function: Callable[..., T], *args: object, heavy: bool = False) -> T:
        found = await super().run(function, *args, heavy=heavy)
        if self._happens:
            await self._happens.pop(0)()
        return found


def people(tenant: str) -> tuple[Caller, Caller]:
    return person("ann", 4, tenant), person("bob", 5, tenant)


def activates(database: Database, who: Caller, rules: str) -> Happens:
    """Somebody lets these rules hold."""

    async def act() -> None:
        versions = Versions(database, Inline())
        terms = await Stored(database).terms(who.tenant, None, now=True)
        pushed = await versions.push(who, {"rules.cedar": rules}, "", terms, None)
        before = (await versions.active(who.tenant))["policy_digest"]
        await versions.activate(who, Activation(pushed.body["version"], before, "test"), terms, None)

    return act


def test_nothing_is_let_through_by_rules_that_hold_no_longer(base):
    ann, bob = people("made")

    async def act(desk: Desk) -> Any:
        await activates(desk.database, bob, FREE)()
        meanwhile = Meanwhile(activates(desk.database, bob, STRICT))
        made = await create(desk._replace(workers=meanwhile), ann, Asked("cost", READ, skill="fs_read"))
        return made.body, meanwhile.computed

    made, computed = run(base, act)
    assert (made["status"], made["required_level"], computed) == ("pending", 4, 2)
    actions = [action for action, _, _ in audited(base, made["request_id"])]
    assert actions == ["request.created"]


@pytest.mark.parametrize(
    "change",
    [
        lambda database, who: activates(database, who, NEVER),
        lambda database, who: lambda: set_terms(database, who, NewTerms(permissions={"fs_read": False})),
    ],
)
def test_no_approval_is_used_by_terms_that_hold_no_longer(base, change):
    ann, bob = people(f"used{id(change)}")

    async def act(desk: Desk) -> str:
        request = await ask(desk, ann)
        await approve(desk.database, bob, request, YES)
        busy = desk._replace(workers=Meanwhile(change(desk.database, bob)))
        assert await code(consume(busy, ann, request, Use())) == "approval_void"
        assert (await reads.get(desk.database, ann.tenant, request))["used"] == 0
        return request

    request = run(base, act)
    assert [told for *_, told in audited(base, request) if told] == ["approval_void"]


def test_who_judges_in_vain_time_and_again_is_told_to_come_back(base):
    ann, bob = people("restless")

    async def act(desk: Desk) -> None:
        restless = [activates(desk.database, bob, FREE * n) for n in range(1, 5)]
        busy = desk._replace(workers=Meanwhile(*restless))
        assert await code(create(busy, ann, Asked("cost", READ, skill="fs_read"))) == "not_computed"

    run(base, act)
    assert base.rows("SELECT count(*) FROM requests WHERE tenant_id = 'restless'") == [(0,)]
