"""Evaluations in the audit log, where the server is set to keep them: each row is committed before its answer goes out.

An evaluation changes nothing, so the log is whole without it; the row makes it answerable later. A transaction for each
would cost more than to decide does. So what is decided while others are being committed goes together, in one
transaction of the tenant, and whoever asked waits for that: no answer is without its row, and none is lost with the
process.
"""

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from aos.domain.approvals.policies import Facts, Principal
from aos.domain.approvals.replays import Asked
from aos.wire.policies import asked_then
from aos.wire.results.documents import Document
from aos_server.db.pool import Database
from aos_server.identity.caller import Caller
from aos_server.services.changes import Effect, Entry, change
from aos_server.services.policy.decisions import Decided
from aos_server.settings import Audited

__all__ = ["Evaluations", "asked_of"]

_AT_ONCE = 100
"""Rows of one transaction."""
_UNSAID = Facts(1, False, False, False, False, False)._asdict()
_NAMED = 20
"""Rules, codes and questions that a row names."""


class _Waiting(NamedTuple):
    caller: Caller
    entry: Entry
    kept: asyncio.Future[None]


class Evaluations:
    """Keeps those that are `audited`, in one process of the server."""

    def __init__(self, database: Database, audited: Audited) -> None:
        self._database = database
        self._audited = audited
        self._waiting = defaultdict[str, list[_Waiting]](list)
        self._keeping = dict[str, asyncio.Task[None]]()

    async def keep(self, caller: Caller, decided: Decided, skill: str | None, agent: str | None) -> None:
        """Return once it is in the log, or needs not be. Raises AosError where it can't be kept: then nobody is told
        what was decided."""
        if self._audited == "none" or (self._audited == "not_allowed" and decided.decision == "allow"):
            return
        kept = asyncio.get_running_loop().create_future()
        self._waiting[caller.tenant].append(_Waiting(caller, _entry(decided, skill, agent), kept))
        if caller.tenant not in self._keeping:
            self._keeping[caller.tenant] = asyncio.create_task(self._keep_all(caller.tenant))
        await kept

    async def _keep_all(self, tenant: str) -> None:
        try:
            while waiting := self._waiting.pop(tenant, []):
                for first in range(0, len(waiting), _AT_ONCE):
                    await self._commit(waiting[first : first + _AT_ONCE])
        finally:
            del self._keeping[tenant]

    async def _commit(self, batch: list[_Waiting]) -> None:
        first, *further = [one.entry._replace(by=one.caller.principal) for one in batch]
        effect = Effect([], first, 200, {}, further=further)
        failure: Exception | None = None
        try:
            await change(self._database, batch[0].caller, [], lambda now, rows: effect)
        except Exception as error:  # each of those who wait is to know, whatever it is
            failure = error
        for one in batch:
            if one.kept.done():  # who asked is gone
                continue
            if failure is None:
                one.kept.set_result(None)
            else:
                one.kept.set_exception(failure)


def _entry(decided: Decided, skill: str | None, agent: str | None) -> Entry:
    """What the log has of it: what was decided on which call or plan, and why. Parameters are in its digest alone."""
    plan = next((one.question.resource for one in decided.rulings), None)
    deciding = [one.ruling for one in decided.rulings if one.ruling.decision == decided.decision]
    details = {
        "decision": decided.decision,
        "level": decided.level,
        "plan": plan,
        "agent": agent,
        "policy": decided.policy,
        "rules": list(dict.fromkeys(rule.id for ruling in deciding for rule in ruling.rules))[:_NAMED],
        "codes": list(dict.fromkeys(reason.code for reason in decided.violations))[:_NAMED],
        "asked": _asked(decided),
        "cost_p95_cents": None if decided.cost_cents is None else f"{decided.cost_cents:.6g}",
    }
    return Entry("policy.evaluated", skill or plan or "", details)


def _asked(decided: Decided) -> list[Document] | None:
    """What the rules were asked, the plan first, so that others can be, later; None of a large plan.

    A row is written for every answer. So what is false or unknown is left out, and facts that are the plan's.
    """
    if not 0 < len(decided.rulings) <= _NAMED:
        return None
    whole, *steps = decided.rulings
    facts = whole.question.facts
    return [
        {"facts": _told(facts)},
        *(
            {"step": one.step, "skill": one.question.resource}
            | ({} if one.question.facts == facts else {"facts": _told(one.question.facts)})
            for one in steps
        ),
    ]


@lru_cache(maxsize=1024)
def _told(facts: Facts) -> Document:
    return {
        name: value for name, value in facts._asdict().items() if value is not None and value is not False
    }


def asked_of(details: Mapping[str, Any], principal: Principal) -> tuple[Asked, ...] | None:
    """What the rules were asked, from the row; None: it was not kept. Raises ValueError where it can't be read."""
    kept = details.get("asked")
    if not kept:
        return None
    try:
        rulings = [
            {
                "step": one.get("step"),
                "pointer": f"/steps/{i - 1}" if i else "",
                "action": "call" if i else "run",
                "resource": one["skill"] if i else details["plan"],
                "facts": {**_UNSAID, **one.get("facts", kept[0]["facts"])},
            }
            for i, one in enumerate(kept)
        ]
    except (KeyError, TypeError, AttributeError):
        raise ValueError("what the rules were asked can't be read") from None
    return asked_then(rulings, principal)
