"""Approval requests at a server: looked at whole, waited for, used for a run."""

import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from aos.domain.approvals.envelopes import Departure, Envelope, departures
from aos.domain.approvals.requests import OPEN, Actor, Party, Request, Vote, approve
from aos.domain.forecasts.results import SimulationResult
from aos.domain.plans.plan import Plan
from aos.domain.plans.sizes import MAX_STEPS_API
from aos.domain.skills.skill import Catalog
from aos.errors import AosError, Exit, Finding, InputError
from aos.sdk.client import Client
from aos.sdk.core import Document
from aos.wire.approvals import request_digest
from aos.wire.catalogs.read import default_catalog
from aos.wire.envelopes import changed, parse_envelope
from aos.wire.plans.read import parse_plan

__all__ = ["Seen", "check", "check_may", "exit_of", "look", "since_last", "waited"]

_EXITS: Mapping[str, Exit] = {
    **dict.fromkeys(("approved", "consumed"), Exit.YES),
    **dict.fromkeys(("rejected", "expired", "cancelled"), Exit.NO),
}
_LONGEST_NAME = 200
"""Characters; a server finds no plan by a longer one."""
_PAUSES_S = (0.25, 0.5, 1.0, 2.0, 5.0)


class Seen(NamedTuple):
    """A request with its envelope read; None where nobody could foresee what is asked for."""

    document: Document
    envelope: Envelope | None


def look(client: Client, request_id: str) -> Seen:
    """A request, of which it is sure that its digest is that of what it shows.

    Raises AosError(unexpected_answer) where it is not: then nobody could say what a yes would be to.
    """
    document = client.approval_request(request_id)
    if request_digest(document) != document["digest"]:
        detail = "the digest of the request is not that of what it shows"
        raise AosError("unexpected_answer", detail, fix="Do not approve it; ask whoever runs the server.")
    stated = document["envelope"]
    return Seen(document, None if stated is None else parse_envelope(stated))


def check_may(client: Client, document: Document) -> None:
    """Raise what the server would, where it is clear that the caller can't decide on the request as it was seen.

    It is the same rule, asked before somebody reads and types; the server has the last word, and says it where nobody
    could confirm the caller's level just now.
    """
    me = client.whoami()
    if me["live"]:
        actor = Actor(Party(me["issuer"], me["subject"]), me["kind"] == "human", me["level"], live=True)
        approve(_as_seen(document), actor, datetime.fromisoformat(document["created_at"]))


def _as_seen(document: Document) -> Request:
    """The request as far as it says who may decide; whether its time is up is for the server's clock."""
    asks = document["requester"]
    return Request(
        document["status"],
        document["required_level"],
        document["min_approvals"],
        tuple(Party(one["issuer"], one["subject"]) for one in (asks, asks["owner"]) if one),
        document["digest"],
        datetime.fromisoformat(document["expires_at"]),
        votes=tuple(
            Vote(Party(one["issuer"], one["approver_id"]), one["decision"], one["level"], one["break_glass"])
            for one in document["decisions"]
        ),
    )


def exit_of(status: str) -> Exit:
    """The exit status that tells how a request stands: 0 approved, 3 a no, 8 pending."""
    return _EXITS.get(status, Exit.PENDING)


def waited(client: Client, request_id: str, timeout_s: float | None) -> tuple[Document, Exit]:
    """The request once it is decided, or when the time is up, with its exit status (124: time is up)."""
    began, tries = time.monotonic(), 0
    while True:
        document = client.approval_request(request_id)
        if document["status"] not in OPEN:
            return document, exit_of(document["status"])
        pause = _PAUSES_S[min(tries, len(_PAUSES_S) - 1)]
        if timeout_s is not None:
            left = timeout_s - (time.monotonic() - began)
            if left <= 0:
                return document, Exit.TIMED_OUT
            pause = min(pause, left)
        time.sleep(pause)
        tries += 1


def since_last(client: Client, document: Mapping[str, Any]) -> tuple[Departure, ...] | None:
    """What is different from the last plan of this name that was approved; None where there is none."""
    name = document["plan"].get("name")
    if document["forecast"] is None or not name or len(name) > _LONGEST_NAME:
        return None
    found = client.approval_requests(plan_name=name, granted=True, limit=2)["requests"]
    last = next((one for one in found if one["request_id"] != document["request_id"]), None)
    if last is None:
        return None
    granted = client.approval_request(last["request_id"])["plan"]
    try:
        before, now = (
            parse_plan(one, default_catalog(), name="a plan").plan for one in (granted, document["plan"])
        )
    except InputError:
        return None
    return changed(before, now)


def check(
    approved: Envelope | None, now: SimulationResult, granted: Any, plan: Plan, catalog: Catalog
) -> None:
    """Raise AosError(approval_void) with everything in which a forecast has left the envelope, where anything has.

    Where `plan` is another than the one `granted`, which is a document, each value that differs is named.
    """
    if approved is None:
        raise AosError("approval_void", "nobody could foresee what was approved, so no plan is within it")
    left = departures(approved, now)
    if any(one.code == "plan_changed" for one in left):
        left = (*_named(granted, plan, catalog), *(one for one in left if one.code != "plan_changed"))
    if left:
        found = [Finding(one.pointer, one.code, one.detail) for one in left]
        detail = found[0].detail if len(found) == 1 else f"{len(found)} things are not as they were approved"
        raise AosError("approval_void", detail, findings=found)


def _named(granted: Any, plan: Plan, catalog: Catalog) -> tuple[Departure, ...]:
    """Each change of the plan; where the approved one can't be read here, that it is another."""
    try:
        before = parse_plan(granted, catalog, name="the approved plan", max_steps=MAX_STEPS_API).plan
    except InputError:
        return (Departure("plan_changed", "", None, None, None, "the plan or its inputs changed"),)
    return changed(before, plan)
