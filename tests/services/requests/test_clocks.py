"""Approval requests whose time is up, on a real Postgres: by its clock, written down once."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from aos_server.jobs.worker import working
from aos_server.keystores.changes import carry_out, rotate
from aos_server.keystores.file import FileBackend
from aos_server.services.requests import reads
from aos_server.services.requests.create import Desk
from aos_server.services.requests.decide import approve, escalate
from aos_server.services.requests.timeouts import escalate_due, expire_due
from aos_server.settings import read
from tests.services.requests.requesting import (
    ANN,
    BOB,
    YES,
    ask,
    audited,
    code,
    pass_time,
    patient,
    person,
    run,
    status,
    topics,
    worker,
)
from tests.services.serving.settings import of_worker


@pytest.fixture(scope="module")
def base(new_base):
    return patient(new_base())


def test_overdue_reads_as_expired_at_once_whoever_looks_and_is_written_down_once(base):
    day = timedelta(days=1)

    async def act(desk: Desk) -> None:
        database = desk.database
        for raised in (False, True):
            for look in ("get", "page", "approve"):
                request = await ask(desk)
                if raised:
                    await escalate(database, BOB, request)
                pass_time(base, request, day)
                if look == "get":
                    assert (await reads.get(database, "acme", request))["status"] == "expired"
                elif look == "page":
                    lines, _ = await reads.page(database, ANN, reads.Filter(), None, 5)
                    shown = {line["request_id"]: line["status"] for line in lines}
                    assert shown.get(request, "expired") == "expired"
                    await reads.get(database, "acme", request)
                assert await code(approve(database, BOB, request, YES)) == "already_decided"
                assert status(base, request) == "expired"
                assert topics(base, request)[-1] == "request.expired"
                assert [who for action, who, _ in audited(base, request) if action == "request.expired"] == [
                    "clock"
                ]

    run(base, act)


def test_a_list_of_those_that_wait_has_none_whose_time_is_up_however_many_there_are(base):
    ann = person("ann", tenant="late")

    async def act(desk: Desk) -> None:
        waits = await ask(desk, ann, expires_in=timedelta(days=7))
        pass_time(base, waits, timedelta(days=2))
        for request in [await ask(desk, ann) for _ in range(7)]:
            pass_time(base, request, timedelta(days=1))
        lines, following = await reads.page(desk.database, ann, reads.Filter("pending"), None, 2)
        assert ([line["request_id"] for line in lines], following) == ([waits], None)

    run(base, act)
    assert worker(base, expire_due) == 7


def test_the_worker_expires_and_escalates(base):
    minutes = timedelta(minutes=10)

    async def act(desk: Desk) -> tuple[str, str]:
        return await ask(desk), await ask(desk, escalate_after=minutes)

    old, stuck = run(base, act)
    pass_time(base, old, timedelta(days=1))
    pass_time(base, stuck, minutes)
    assert worker(base, expire_due) == 1
    assert worker(base, expire_due) == 0
    assert worker(base, escalate_due) == 1
    assert worker(base, escalate_due) == 0
    assert (status(base, old), status(base, stuck)) == ("expired", "escalated")
    assert base.rows(f"SELECT required_level, min_approvals FROM requests WHERE id = '{stuck}'") == [(4, 2)]
    assert topics(base, stuck) == ["request.created", "request.escalated"]
    pass_time(base, stuck, minutes)
    assert worker(base, escalate_due) == 1
    assert base.rows(f"SELECT required_level, escalates_at FROM requests WHERE id = '{stuck}'") == [(5, None)]


def test_one_that_can_t_be_ended_keeps_no_other_waiting(base):
    async def act(desk: Desk) -> tuple[str, str]:
        return await ask(desk), await ask(desk)

    odd, other = run(base, act)
    pass_time(base, odd, timedelta(days=2))
    pass_time(base, other, timedelta(days=1))
    base.server.execute(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$; "
        "CREATE TRIGGER refuse BEFORE UPDATE ON requests FOR EACH ROW "
        f"WHEN (OLD.id = '{odd}') EXECUTE FUNCTION refuse()",
        base.name,
    )
    assert worker(base, expire_due) == 1
    assert (status(base, odd), status(base, other)) == ("pending", "expired")
    base.server.execute("DROP TRIGGER refuse ON requests", base.name)
    assert worker(base, expire_due) == 1


def test_the_worker_does_so_within_seconds(base, tmp_path):
    """The loops of `aos-server worker`."""
    backend = FileBackend(tmp_path / "keys")
    carry_out(backend, rotate(backend, datetime.now(UTC), timedelta(hours=1)))

    async def act(desk: Desk) -> tuple[str, str]:
        return await ask(desk), await ask(desk, escalate_after=timedelta(minutes=10))

    old, stuck = run(base, act)

    async def main() -> None:
        async with working(read(of_worker(base, tmp_path), "worker")), asyncio.timeout(20):
            pass_time(base, old, timedelta(days=1))
            pass_time(base, stuck, timedelta(minutes=10))
            while (status(base, old), status(base, stuck)) != ("expired", "escalated"):
                await asyncio.sleep(0.1)

    asyncio.run(main())


def test_the_clock_is_that_of_postgres(base):
    """Whatever this machine thinks: the instant is the transaction's."""

    async def act(desk: Desk) -> Any:
        request = await ask(desk, expires_in=timedelta(seconds=60))
        return (await approve(desk.database, BOB, request, YES)).body["request_id"]

    request = run(base, act)
    assert base.rows(
        "SELECT r.expires_at = r.created_at + interval '60 s', r.decided_at = d.at, r.decided_at = a.at, "
        "r.grant_expires_at = d.at + interval '8 h' "
        "FROM requests r JOIN request_decisions d ON d.request_id = r.id JOIN audit a ON a.id = r.audit_id "
        f"WHERE r.id = '{request}'"
    ) == [(True, True, True, True)]
