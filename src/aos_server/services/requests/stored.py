"""Requests as rows, as the domain's value, and as documents."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from aos.domain.approvals.requests import Party, Request, Review, Vote
from aos.wire.results.documents import Document, envelope
from aos_server.db.pool import Row, Statement

__all__ = ["DECISION_KEYS", "changed", "line", "linked", "request_of", "stamp", "state", "told", "whole"]

DECISION_KEYS = ("approver_id", "issuer", "decision", "level", "break_glass", "reason", "at")


def request_of(row: Row, votes: Iterable[Row], review: Row | None = None) -> Request:
    """The request of these rows, as rules look at it."""
    owner = Party(row["owner_issuer"], row["owner_subject"]) if row["owner_issuer"] else None
    asker = Party(row["requester_issuer"], row["requester_subject"])
    return Request(
        row["status"],
        row["required_level"],
        row["min_approvals"],
        (asker, owner) if owner else (asker,),
        row["digest"],
        row["expires_at"],
        row["uses"],
        row["used"],
        row["escalate_after"],
        row["escalates_at"],
        tuple(_vote(vote) for vote in votes),
        row["decided_at"],
        row["grant_expires_at"],
        Review(Party(review["breaker_issuer"], review["breaker_subject"]), review["outcome"])
        if review
        else None,
    )


def state(request: Request) -> dict[str, Any]:
    """What of a request changes, as values of its row."""
    names = (
        *("status", "required_level", "min_approvals", "used"),
        *("escalates_at", "decided_at", "grant_expires_at"),
    )
    return {name: getattr(request, name) for name in names}


def changed(request_id: str, request: Request) -> Statement:
    """The statement that keeps how it stands now."""
    return "requests.put", {"id": request_id, **state(request)}


def line(row: Row, request: Request) -> Document:
    """A request in a few figures: what a list has of each, and what answers a decision."""
    review = request.review
    return {
        "request_id": str(row["id"]),
        "status": request.status,
        "tenant_id": row["tenant_id"],
        "policy_type": row["policy_type"],
        "skill_id": row["skill_id"],
        "plan_name": row["plan_name"],
        "agent_id": row["agent_id"],
        "requested_by": row["requester_subject"],
        "requester": requester(request.parties),
        "justification": row["justification"],
        "required_level": request.required_level,
        "min_approvals": request.min_approvals,
        "approvals": request.approvals,
        "digest": request.digest,
        "created_at": stamp(row["created_at"]),
        "expires_at": stamp(request.expires_at),
        "escalates_at": _maybe(request.escalates_at),
        "decided_at": _maybe(request.decided_at),
        "uses": request.uses,
        "used": request.used,
        "grant_expires_at": _maybe(request.grant_expires_at),
        "break_glass": any(vote.break_glass for vote in request.votes),
        "review": None if review is None else review.outcome or "open",
    }


def told(row: Row, request: Request) -> Document:
    """The document `aos.request-state/1`."""
    return {**envelope("aos.request-state/1"), **line(row, request)}


def whole(row: Row, request: Request, document: str, votes: Sequence[Row] = ()) -> Document:
    """The document `aos.request/1`: with what is asked for, and everybody who had a say."""
    review, uses = row.get("review"), row.get("consumptions", ())
    asked: Document = json.loads(document)
    return {
        **envelope("aos.request/1"),
        **line(row, request),
        "decisions": [_decision(vote) for vote in votes],
        "consumptions": [
            {
                "number": use["number"],
                "consumed_by": use["consumer_subject"],
                "issuer": use["consumer_issuer"],
                "run_id": use["run_id"],
                "at": stamp(use["at"]),
            }
            for use in uses
        ],
        "reviewed": review
        and {
            "broken_by": review["breaker_subject"],
            "outcome": review["outcome"],
            "reviewed_by": review["reviewer_subject"],
            "reason": review["reason"],
            "closed_at": review["closed_at"] and stamp(review["closed_at"]),
        },
        **asked,
    }


def linked(document: Mapping[str, Any], public_url: str) -> Document:
    """A request with where a person decides on it; without an address of the server, as it is."""
    if not public_url:
        return dict(document)
    return {**document, "inbox_url": f"{public_url}/inbox/{document['request_id']}"}


def requester(parties: Sequence[Party]) -> Document:
    """Who asks: for good, and, where it is a service key, whose it is."""
    asker, *owner = parties
    return {**asker._asdict(), "owner": owner[0]._asdict() if owner else None}


def stamp(at: datetime | str) -> str:
    """A moment, as it is shown and digested."""
    moment = datetime.fromisoformat(at) if isinstance(at, str) else at
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _maybe(at: datetime | None) -> str | None:
    return None if at is None else stamp(at)


def _vote(row: Mapping[str, Any]) -> Vote:
    who = Party(row["approver_issuer"], row["approver_subject"])
    return Vote(who, row["decision"], row["level"], row["break_glass"])


def _decision(row: Mapping[str, Any]) -> Document:
    values = (row["approver_subject"], row["approver_issuer"], row["decision"], row["level"])
    return dict(
        zip(DECISION_KEYS, (*values, row["break_glass"], row["reason"], stamp(row["at"])), strict=True)
    )
