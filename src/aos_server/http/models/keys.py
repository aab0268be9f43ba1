"""The keys that sign webhooks, as they are asked for and told."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from aos_server.http.models.base import Document, Id, Request, Unknown

__all__ = [
    "Key",
    "KeyList",
    "KeyRehearsal",
    "KeysChange",
    "KeysCheck",
    "RehearseKey",
    "RetireKey",
    "RotateKeys",
]

Version = Annotated[str, StringConstraints(max_length=16)]
Backend = Literal["file", "vault", "ssm"]
State = Literal["accepted", "refused", "pending", "not_asked"]


class RotateKeys(Request):
    """A key that signs from now on; the one before it signs on for the overlap."""

    tenant_id: Id | None = None
    overlap_hours: Annotated[float, Field(ge=0, le=168)] = 24
    dry_run: Annotated[bool, Field(description="Say what would change, and change nothing")] = False


class RetireKey(Request):
    """A key that is to be removed for good."""

    tenant_id: Id | None = None
    confirm: Annotated[
        Version,
        Field(description="Its version again, to remove it though webhooks have not accepted the new one"),
    ] = ""
    dry_run: Annotated[bool, Field(description="Say what would change, and change nothing")] = False


class RehearseKey(Request):
    """Nothing but who asks."""

    tenant_id: Id | None = None


class KeyLine(Document):
    """A version of the key. `created_at` and `age_s` null: it was not made here."""

    version: str
    state: Literal["current", "overlap", "ended"]
    created_at: str | None
    age_s: int | None
    signs_until: str | None


class KeyList(Document):
    """All versions, the newest first: the document `aos.keys/1`."""

    backend: Backend
    versions: list[KeyLine]
    unknowns: list[Unknown]


class Key(KeyLine):
    """One version: the document `aos.key/1`. By the fingerprint people compare keys."""

    backend: Backend
    fingerprint: str
    where: str
    unknowns: list[Unknown]


class Step(Document):
    """Something that is done, in its order."""

    do: Literal["make", "write", "replace", "remove"]
    where: str
    what: str


class KeysChange(Document):
    """What was done, or with `dry_run` would be: the document `aos.keys-change/1`."""

    backend: Backend
    dry_run: bool
    changes: list[Step]
    versions: list[KeyLine]


class Finding(Document):
    """What was looked at. `detail` null: all is well with it."""

    name: str
    ok: bool
    detail: str | None


class KeysCheck(Document):
    """Whether all is well: the document `aos.keys-check/1`."""

    backend: Backend
    status: Literal["healthy", "unhealthy"]
    checks: list[Finding]


class Rehearsed(Document):
    """A webhook. `status` and `code` are of the last try; null: there was no answer, or nothing was wrong."""

    webhook_id: str
    url: str
    state: State
    status: int | None
    code: str | None


class KeyRehearsal(Document):
    """Who accepts what that version alone has signed: the document `aos.key-rehearsal/1`.

    `elsewhere` counts webhooks of other tenants by state.
    """

    version: str
    status: State
    webhooks: list[Rehearsed]
    elsewhere: dict[str, int]
