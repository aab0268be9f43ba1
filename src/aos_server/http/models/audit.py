"""The audit log as it is told."""

from typing import Annotated, Literal

from pydantic import StringConstraints

from aos_server.http.models.base import Cursor, Document, Id, JsonObject, Limit, Request, Unknown

__all__ = ["AuditCheck", "AuditEntry", "AuditList", "AuditQuery", "VerifyAudit"]

Object = Annotated[str, StringConstraints(pattern=r"^[^\x00]{0,200}$")]


class AuditQuery(Request):
    """Which entries: those about an object; from where a page before ended."""

    object: Object | None = None
    tenant_id: Id | None = None
    limit: Limit = 50
    cursor: Cursor | None = None


class VerifyAudit(Request):
    """`checkpoints`: signed notes that were kept elsewhere, one after the other, to hold the log against."""

    tenant_id: Id | None = None
    checkpoints: Annotated[str, StringConstraints(max_length=200_000)] | None = None


class Entry(Document):
    """What was done, by whom, to what. Exactly this object, as RFC 8785 writes it, is the leaf of the tree."""

    id: str
    at: str
    tenant_id: str
    issuer: str
    subject: str
    action: str
    object: str
    details: JsonObject


class AuditList(Document):
    """A page of entries, the latest first: the document `aos.audit-list/1`. `next` null: there are no more."""

    entries: list[Entry]
    count: int
    next: str | None


class AuditEntry(Document):
    """An entry with the proof that it is in the tree: the document `aos.audit-entry/1`.

    `position`, `proof` (base64, the deepest first, RFC 9162) and `checkpoint` (a signed note) are null until a worker
    has put it there, at most a second or so.
    """

    entry: Entry
    position: int | None
    proof: list[str] | None
    checkpoint: str | None


class Damage(Document):
    """What is wrong: from which position on (null: of a row that is in no tree)."""

    position: int | None
    detail: str


class AuditCheck(Document):
    """The tenant's part of the log, computed again: the document `aos.audit-check/1`.

    `size` counts the tree's leaves, `entries` those of the tenant, `waiting` its rows that are not in the tree yet;
    `checkpoints` the signed notes that were borne out, null where the server has no key to check signatures with.
    """

    status: Literal["sound", "damaged", "undetermined"]
    size: int
    entries: int
    waiting: int
    checkpoints: int | None
    checkpoint: str | None
    damage: list[Damage]
    unknowns: list[Unknown]
