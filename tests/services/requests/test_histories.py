"""Whatever people do to one approval request at once, through two servers, could have been done one after another."""

import asyncio
from functools import partial

import psycopg
import pytest

from aos.errors import AosError
from aos_server.services.requests.consume import Use, consume
from aos_server.services.requests.create import Desk
from tests.races.approving import Answer, Asked, Asks
from tests.races.histories import History, histories, serving, told
from tests.races.linear import Call
from tests.services.requests.requesting import ANN, ask, patient, run

ASKS = Asks("ann", 3, 1, 1000.0)
APPROVED, REJECTED = Answer("", "approved", 3, 1, 0), Answer("", "rejected", 3, 0, 0)
YES = partial(Asked, "approve", "bob", 3)


def test_300_histories_hold(new_base):
    base = patient(new_base())
    with serving(base.pooled("aos_app")) as one, serving(base.pooled("aos_app")) as two:
        done = asyncio.run(histories([one, two], base.url("root"), base.pooled("aos_worker"), 300, seed=0))
    wrong = [str(history) for history in done if not history.holds]
    assert not wrong, wrong[0]
    ends = {history.calls[-1].answer.status for history in done}
    assert ends >= {"approved", "consumed", "rejected", "expired", "cancelled"}, told(done)


def test_what_is_approved_while_its_use_waits_is_held_against_things_as_they_are_first(new_base):
    base = patient(new_base())
    waits = f"SELECT 1 FROM pg_stat_activity WHERE datname = '{base.name}' AND wait_event_type = 'Lock'"
    approve = "UPDATE requests SET status = 'approved', decided_at = now(), grant_expires_at = now() + interval '1 h'"

    async def act(desk: Desk) -> None:
        request = await ask(desk, level=3)
        async with await psycopg.AsyncConnection.connect(base.url("root")) as approver:
            await approver.execute("SELECT 1 FROM requests FOR UPDATE")
            using = asyncio.create_task(consume(desk, ANN, request, Use()))
            while not base.rows(waits):
                await asyncio.sleep(0.02)
            await approver.execute(approve)
        with pytest.raises(AosError) as caught:
            await using
        assert caught.value.code == "approval_pending"
        assert (await consume(desk, ANN, request, Use())).body["status"] == "consumed"

    run(base, act)


def test_what_can_not_have_been_is_found():
    def holds(*calls: Call) -> bool:
        return History(ASKS, calls).holds

    approved = Call(1, 2, YES(), APPROVED)
    rejected = Call(1, 2, Asked("reject", "eve", 3), REJECTED)
    late = Call(3, 4, Asked("reject", "eve", 3), Answer("already_decided"))
    assert holds(approved, late)
    assert holds(approved, late._replace(begun=0.5))
    assert not holds(approved, late._replace(begun=0.1, ended=0.5))  # nobody had decided yet
    assert not holds(approved, rejected)  # decided twice
    assert not holds(Call(1, 2, YES(), Answer("", "pending", 3, 0, 0)))  # a vote that counts for nothing
    use = Call(3, 4, Asked("consume", "ann", 5), Answer("", "consumed", 3, 1, 1))
    assert holds(approved, use)
    assert not holds(approved, use, use._replace(begun=3.5))  # used twice
    assert not holds(approved._replace(begun=1001, ended=1002))  # too late
    clicked = Call(1, 2, YES("k"), APPROVED)
    assert holds(clicked, clicked._replace(begun=1.5))
    another = clicked._replace(answer=Answer("already_voted"))
    assert not holds(clicked, another)  # to the same key
    mine = Asked("approve", "ann", 5)
    assert not holds(Call(1, 2, mine, APPROVED))  # on one's own
