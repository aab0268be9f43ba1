"""Evaluations in the audit log: each row is there before its answer, many in one transaction, or there is no answer."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import psycopg
import pytest
from starlette.routing import Router

from aos.domain.approvals.policies import Principal
from aos.domain.forecasts.verdicts import Reason
from aos.errors import AosError
from aos.wire.policies import asked_then
from aos_server.app import application
from aos_server.db.pool import Database
from aos_server.identity.caller import Caller
from aos_server.services.policy.decisions import Decided
from aos_server.services.policy.evaluations import Evaluations, asked_of
from aos_server.settings import Audited
from tests.server.http.world import NO_RUNS, People
from tests.server.serve import serving
from tests.services.requests.requesting import person

YES = Decided("allow", (), 1.25, None, "sha256:p")
NO = Decided("deny", (Reason("permission_denied", "", "no"),), None, None, "sha256:p")
ROWS = "SELECT subject, object, details FROM audit WHERE action = 'policy.evaluated' ORDER BY object"


def keeping(base: Any, audited: Audited, act: Callable[[Evaluations], Awaitable[None]]) -> None:
    async def main() -> None:
        async with Database.open(base.pooled("aos_app"), 4, deadline_s=30) as database:
            async with asyncio.timeout(60):
                await act(Evaluations(database, audited))

    asyncio.run(main())


def test_each_is_there_before_its_answer_and_many_share_a_transaction(base):
    async def one(kept: Evaluations, who: Caller, n: int) -> None:
        await kept.keep(who, YES if n % 2 else NO, f"skill_{n:02}", "bot")
        assert base.rows(f"SELECT count(*) FROM audit WHERE object = 'skill_{n:02}'") == [(1,)]

    async def act(kept: Evaluations) -> None:
        people = [person("ann"), person("bob"), person("eve", tenant="other")]
        await asyncio.gather(*(one(kept, people[n % 3], n) for n in range(60)))

    keeping(base, "all", act)
    rows = base.rows(ROWS)
    assert [(who, skill) for who, skill, _ in rows] == [
        (("ann", "bob", "eve")[n % 3], f"skill_{n:02}") for n in range(60)
    ]
    assert rows[0][2] == {
        "decision": "deny",
        "level": None,
        "plan": None,
        "agent": "bot",
        "policy": "sha256:p",
        "rules": [],
        "codes": ["permission_denied"],
        "asked": None,
        "cost_p95_cents": None,
    }
    by_tenant = "SELECT tenant_id, count(DISTINCT xmin::text) FROM audit GROUP BY 1 ORDER BY 1"
    assert [(tenant, n <= 3) for tenant, n in base.rows(by_tenant)] == [("acme", True), ("other", True)]
    assert base.rows("SELECT count(*) FROM audit_pending") == [(60,)]


@pytest.mark.parametrize(("audited", "kept"), [("none", []), ("not_allowed", ["no"]), ("all", ["no", "yes"])])
def test_those_that_the_server_is_told_to_keep(base, audited, kept):
    async def act(evaluations: Evaluations) -> None:
        await evaluations.keep(person("ann"), YES, "yes", None)
        await evaluations.keep(person("ann"), NO, "no", None)

    keeping(base, audited, act)
    assert [skill for _, skill, _ in base.rows(ROWS)] == kept


def test_without_its_row_there_is_no_answer_and_the_next_has_one(base):
    async def act(kept: Evaluations) -> None:
        with psycopg.connect(base.url("root")) as other:
            other.execute("LOCK TABLE audit IN SHARE MODE")
            told = await asyncio.gather(
                *(kept.keep(person("ann"), YES, "lost", None) for _ in range(3)), return_exceptions=True
            )
        assert [one.code for one in told if isinstance(one, AosError)] == ["unavailable"] * 3
        await kept.keep(person("ann"), YES, "kept", None)

    keeping(base, "all", act)
    assert [skill for _, skill, _ in base.rows(ROWS)] == ["kept"]


def test_who_goes_away_takes_no_other_row_along(base):
    async def act(kept: Evaluations) -> None:
        gone = asyncio.create_task(kept.keep(person("ann"), YES, "gone", None))
        stays = asyncio.create_task(kept.keep(person("bob"), YES, "stays", None))
        await asyncio.sleep(0)
        gone.cancel()
        await stays

    keeping(base, "all", act)
    assert "stays" in [skill for _, skill, _ in base.rows(ROWS)]


def test_over_http_it_names_who_asked_what_and_by_which_rules(base):
    @asynccontextmanager
    async def lifespan(_: object) -> AsyncIterator[None]:
        async with Database.open(base.pooled("aos_app"), 2) as database:
            outer.default = application(People(), runs=NO_RUNS, database=database, audited="not_allowed")
            yield

    outer = Router(lifespan=lifespan, redirect_slashes=False)
    asked = [("fs_read", {"path": "a"}), ("fs_write", {"path": "a", "content": "secret"})]
    with serving(outer) as url:
        for skill, payload in asked:
            body = {"skill_id": skill, "payload": payload, "agent_id": "bot"}
            headers = {"Authorization": "Bearer engineer"}
            answer = httpx.post(f"{url}/api/v1/policy/eval", json=body, headers=headers, timeout=30).json()
    ((who, what, details),) = base.rows(ROWS)
    assert (who, what, details["agent"], details["level"]) == ("engineer", "fs_write", "bot", 2)
    assert (details["decision"], details["policy"]) == ("requires_approval", answer["policy_version"])
    assert details["rules"] == ["destructive-needs-2"]
    assert details["plan"].startswith("sha256:")
    assert details["asked"][1] == {"step": "s1", "skill": "fs_write"}  # its facts are the plan's
    who_asked = Principal("t1", "bot")
    assert asked_of(details, who_asked) == asked_then(answer["rulings"], who_asked)
    assert "secret" not in str(details)
