"""Replay rules over what a tenant has on record: requests, evaluations in its audit log, and uploaded runs.

Requests and evaluations have the facts that the rules saw. An uploaded run has the digest of its plan alone: its facts
are those of the newest request or evaluation of the same plan. What has none is undetermined. Reading and computing
each have a time, and the answer says how much of what was asked for they were enough for.
"""

import asyncio
import json
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from statistics import median
from typing import Any, NamedTuple

from aos.domain.approvals.policies import Principal
from aos.domain.approvals.replays import Asked, Recorded, Replay, Why
from aos.errors import AosError
from aos.policy.replay import replay
from aos.policy.rules import load
from aos.wire.policies import asked_then
from aos.wire.problems import visible
from aos.wire.results.documents import Document
from aos.wire.results.kept import kept_forecast
from aos.wire.results.replays import Compared, replay_document
from aos_server.db.pool import Database
from aos_server.db.pool import Row as Stored
from aos_server.identity.caller import Caller, require
from aos_server.services.changes import Entry
from aos_server.services.pages import before, cut
from aos_server.services.policy.active import sources
from aos_server.services.policy.evaluations import asked_of
from aos_server.services.policy.versions import Versions
from aos_server.services.refusals import refuse
from aos_server.services.workers import Workers

__all__ = ["USUAL", "Bounds", "Replays", "Wanted"]

_LOG = 20_000
"""Rows of the audit log that are looked through for evaluations."""
_LARGE, _BYTES = 1024 * 1024, 32 * 1024 * 1024
"""Bytes of one request's document, and of all of them."""
_ENOUGH = 10
"""Fewer decisions of people are no hint."""


class Wanted(NamedTuple):
    """What to replay: rules as `files`, else the `version`; against a version, None: the one that is active. Of each
    kind of record the latest `limit`, none older than `window`."""

    files: Mapping[str, str] | None
    version: int | None
    against: int | None
    window: timedelta | None
    limit: int


class Bounds(NamedTuple):
    """How long is read, and asked: together less than a request may take. How many rows are read at once, and
    how many replays of one process: each may hold tens of megabytes."""

    read_s: float = 8.0
    compute_s: float = 12.0
    page: int = 100
    log_page: int = 500
    at_once: int = 2


USUAL = Bounds()


class _Rules(NamedTuple):
    name: str
    files: Mapping[str, str]


class _Read(NamedTuple):
    """Rows of one kind, the latest first; `more` is whether there are others that were not read."""

    rows: Sequence[Stored]
    more: bool


class _History(NamedTuple):
    requests: _Read
    evaluations: _Read
    runs: _Read


class Replays:
    """Replays what a tenant has; it changes nothing."""

    def __init__(
        self, database: Database, workers: Workers, versions: Versions, bounds: Bounds = USUAL
    ) -> None:
        self._database = database
        self._workers = workers
        self._versions = versions
        self._bounds = bounds
        self._turns = asyncio.Semaphore(bounds.at_once)

    async def replay(self, caller: Caller, wanted: Wanted) -> Document:
        """The document `aos.policy-replay/1`. It tells of requests and runs, so it takes the right to read as well.

        Raises InputError(invalid_policy) with everything that is wrong with rules; AosError: authorization_denied,
        not_found for a version, overloaded or not_computed where it can't be computed now.
        """
        try:
            require(caller, "read")
        except AosError as error:
            await refuse(self._database, caller, Entry("policy.replay.refused", "policy/replay"), error)
        tenant = caller.tenant
        against = wanted.against
        if against is None:
            against = (await self._versions.active(tenant))["version"]
        current = await self._version(tenant, against)
        if wanted.files is not None:
            candidate = _Rules("the rules that were sent", wanted.files)
        else:
            candidate = await self._version(tenant, wanted.version or 0)
        async with self._turns:
            history = await self._history(tenant, wanted)
            return await self._workers.run(
                compute, tenant, current, candidate, history, self._bounds.compute_s, heavy=True
            )

    async def _history(self, tenant: str, wanted: Wanted) -> _History:
        until = asyncio.get_running_loop().time() + self._bounds.read_s
        return _History(
            await self._read(tenant, wanted, "replays.requests", until),
            await self._read(tenant, wanted, "replays.evaluations", until),
            await self._read(tenant, wanted, "replays.runs", until),
        )

    async def _version(self, tenant: str, version: int) -> _Rules:
        found = await self._versions.get(tenant, version)
        return _Rules(f"version {version}", found["files"])

    async def _read(self, tenant: str, wanted: Wanted, name: str, until: float) -> _Read:
        """Page by page, each in a transaction of its own, so that none is long."""
        log, rows, after = name == "replays.evaluations", list[Stored](), None
        looked = size = 0
        while True:
            page = self._bounds.log_page if log else min(self._bounds.page, wanted.limit - len(rows))
            asked = {"window": wanted.window, "most": _LARGE, **before(after, page)}
            (found,) = await self._database.read((name, asked), tenant=tenant)
            shown, after = cut(found, page, "at")
            rows += [row for row in shown if not log or row["details"] is not None][
                : wanted.limit - len(rows)
            ]
            looked += len(shown)
            size += sum(len(row.get("document") or "") for row in shown)
            full = len(rows) >= wanted.limit or size >= _BYTES or looked >= _LOG
            if after is None or full or asyncio.get_running_loop().time() >= until:
                return _Read(rows, after is not None)


def compute(tenant: str, current: _Rules, candidate: _Rules, history: _History, seconds: float) -> Document:
    """`replay`, in a process that may be killed."""
    end = time.monotonic() + seconds
    before_, after = (load(sources(rules.files), rules.name) for rules in (current, candidate))
    records = _records(tenant, history)
    found = replay(before_, after, records, lambda: time.monotonic() >= end)
    states = {str(row["id"]): row for row in history.requests.rows}
    return {
        **replay_document(found, Compared(current.name, candidate.name), _waits(history.requests.rows)),
        "decided_by_people": _decided(found, states),
        "coverage": [_coverage(name, read) for name, read in history._asdict().items()],
    }


def _coverage(name: str, read: _Read) -> Document:
    """How far back it goes."""
    oldest = read.rows[-1]["at"] if read.rows else None
    return {
        "source": name.removesuffix("s"),
        "read": len(read.rows),
        "more": read.more,
        "from_ms": None if oldest is None else round(_ms(oldest)),
    }


# -- records -----------------------------------------------------------------------------------------------------------


def _records(tenant: str, history: _History) -> list[Recorded]:
    found = [_request(tenant, row) for row in history.requests.rows]
    found += [_evaluation(tenant, row) for row in history.evaluations.rows]
    plans = dict[str, tuple[Asked, ...]]()
    for one in sorted(found, key=lambda one: one.at_ms or 0.0):
        if one.asked:
            plans[one.asked[0].question.resource] = one.asked
    return [*found, *(_run(tenant, row, plans) for row in history.runs.rows)]


def _request(tenant: str, row: Stored) -> Recorded:
    one = Recorded(str(row["id"]), "request", _ms(row["at"]), None)
    if row["document"] is None:
        return one._replace(why=Why("facts_not_kept", f"it has more than {_LARGE // 1024:,} KiB"))
    try:
        document = json.loads(row["document"])
        if not document["policy"]["rulings"]:
            return one._replace(why=Why("facts_not_kept", "nobody could simulate it"))
        asked = asked_then(document["policy"]["rulings"], _principal(tenant, row["agent_id"]))
        mean = kept_forecast(document["forecast"]).mean_cents
    except (ValueError, KeyError, TypeError) as error:
        return one._replace(why=Why("unreadable", visible(f"what was kept of it: {error}", 200)))
    return one._replace(asked=asked, basis="rules", forecast_cents=mean)


def _evaluation(tenant: str, row: Stored) -> Recorded:
    details = row["details"]
    one = Recorded(str(row["id"]), "evaluation", _ms(row["at"]), None)
    try:
        asked = asked_of(details, _principal(tenant, details.get("agent")))
    except ValueError as error:
        return one._replace(why=Why("unreadable", visible(str(error), 200)))
    if asked is None:
        return one._replace(why=Why("facts_not_kept", "the audit log has not kept the facts of it"))
    return one._replace(asked=asked, basis="rules")


def _run(tenant: str, row: Stored, plans: Mapping[str, tuple[Asked, ...]]) -> Recorded:
    """With the facts of somebody who asked about the same plan, as this agent would ask."""
    spent = None if row["unpriced"] else row["cost_cents"]
    asked = plans.get(row["plan_digest"])
    one = Recorded(row["id"], "run", _ms(row["at"]), None, spent_cents=spent)
    if asked is None:
        detail = "of its plan the record has the digest alone, and nobody asked about the same"
        return one._replace(why=Why("plan_not_kept", detail))
    who = _principal(tenant, row["agent_id"])
    own = tuple(each._replace(question=each.question._replace(principal=who)) for each in asked)
    return one._replace(asked=own, basis="rules")


def _principal(tenant: str, agent: str | None) -> Principal:
    return Principal(tenant, agent or "")


def _ms(at: datetime) -> float:
    return at.timestamp() * 1000


# -- people ------------------------------------------------------------------------------------------------------------


def _by_people(row: Stored) -> bool:
    """Whether somebody decided; at level 1 the policy does."""
    return row["status"] in ("approved", "consumed", "rejected") and row["required_level"] > 1


def _waits(rows: Sequence[Stored]) -> dict[int, float]:
    """Half of the decisions of a level were made within so many ms; of levels with enough of them."""
    found = defaultdict[int, list[float]](list)
    for row in rows:
        if _by_people(row) and row["decided_at"]:
            found[row["required_level"]].append(_ms(row["decided_at"]) - _ms(row["at"]))
    return {level: median(waits) for level, waits in found.items() if len(waits) >= _ENOUGH}


def _decided(found: Replay, requests: Mapping[str, Stored]) -> list[Document]:
    """How people decided on requests, by what the candidate says of them and by which of its rules."""
    groups = defaultdict[tuple[Any, ...], Counter[str]](Counter)
    for recorded, said in found.rows:
        if said is None or recorded.source != "request":
            continue
        row, after = requests[recorded.id], said.after
        status = "approved" if row["status"] in ("approved", "consumed") else row["status"]
        if status == "approved" and not _by_people(row):
            continue
        groups[after.decision, after.level, after.rules][status] += 1
    ordered = sorted(groups.items(), key=lambda one: (-one[1].total(), one[0][0], one[0][1] or 0, one[0][2]))
    return [_group(*one) for one in ordered[:20]]


def _group(key: tuple[Any, ...], counts: Counter[str]) -> Document:
    decision, level, rules = key
    yes, no = counts["approved"], counts["rejected"]
    return {
        "decision": decision,
        "level": level,
        "rules": list(rules),
        "approved": yes,
        "rejected": no,
        "expired": counts["expired"],
        "cancelled": counts["cancelled"],
        "open": counts["pending"] + counts["escalated"],
        "hint": _hint(decision, yes, no),
    }


def _hint(decision: str, yes: int, no: int) -> str | None:
    """Where nearly all of enough decisions were the same, and another answer of the rules would have been it."""
    if yes + no < _ENOUGH:
        return None
    if decision != "deny" and no >= 0.9 * (yes + no):
        return "deny"
    if decision != "allow" and yes >= 0.9 * (yes + no) and (decision == "deny" or not no):
        return "loosen"
    return None
