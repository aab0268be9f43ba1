"""The rules of a tenant as they were pushed, version by version. None ever changes, and the same text is one version.

A version is known by its number. `policy_digest` is of what its rules mean, `files_digest` of the text with its
comments: two versions may mean the same.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from aos.errors import AosError
from aos.policy.cedar import DATA
from aos.policy.rules import Source, load, skills_named
from aos.wire.digests import digest
from aos.wire.problems import visible
from aos.wire.results.documents import Document, envelope
from aos.wire.shape import closest, did_you_mean
from aos_server.db.pool import Database, Row, Statement
from aos_server.identity.caller import Caller
from aos_server.services.changes import Effect, Entry, Given, change, refused
from aos_server.services.idempotency import Key
from aos_server.services.policy.active import SHIPPED, active_of, digest_of, sources
from aos_server.services.refusals import refuse
from aos_server.services.tenants import Terms, catalog_of
from aos_server.services.workers import Workers

__all__ = ["Activation", "Checked", "Versions", "checked", "not_found"]


class Activation(NamedTuple):
    """Which version is to hold, why, and the digest of the rules that the caller believes to be active."""

    version: int
    if_active: str
    why: str


class Checked(NamedTuple):
    """Rules that nothing is wrong with: their digest, and what may be a slip all the same."""

    digest: str
    warnings: tuple[Document, ...]


def checked(files: Sequence[Source], catalog: bytes | None) -> Checked:
    """Read rules as `aos policy check` does, and look for their skills in the tenant's catalog.

    Raises InputError(invalid_policy) with everything that is wrong with them.
    """
    policy, known = load(files), catalog_of(catalog).skills
    slips = [(rule, skill) for rule, skill in skills_named(policy) if skill not in known]
    warnings = []
    for rule, skill in slips:
        meant = closest(skill, known)
        place = f"{rule.file}:{rule.line}"
        detail = f'{place}: no skill of the catalog is called "{skill}"{did_you_mean(meant)}'
        warnings.append({"code": "unknown_skill", "detail": detail, "rule": rule.id, "suggestion": meant})
    return Checked(policy.digest, tuple(warnings))


class _Unchanged(Exception):
    """The text is there already, as that version."""


class Versions:
    """Every tenant's versions, each visible to its own callers."""

    def __init__(self, database: Database, workers: Workers) -> None:
        self._database = database
        self._workers = workers

    async def push(
        self, caller: Caller, files: Mapping[str, str], message: str, terms: Terms, key: Key | None
    ) -> Given:
        """Keep rules as the next version; they don't hold yet. The same text again is the version that it was.

        Raises InputError(invalid_policy) with everything that is wrong with them, and what `change` raises.
        """
        found = await self._workers.run(checked, sources(files), terms.catalog)
        digests = {"policy_digest": found.digest, "files_digest": digest(dict(files))}

        def receipt(version: int) -> Document:
            told = {**digests, "warnings": list(found.warnings)}
            return {**envelope("aos.policy-receipt/1"), "version": version, **told}

        def decide(now: datetime, rows: Sequence[Sequence[Row]]) -> Effect:
            (state,) = rows[1]
            if state["same"] is not None:
                raise _Unchanged(state["same"])
            version = state["newest"] + 1
            told = {"version": version, **digests, "message": message}
            row = {**told, "files": dict(files), **caller.principal._asdict()}
            entry = Entry("policy.pushed", f"policy/{version}", told)
            return Effect([("tenants.ensure", {}), ("policies.add", row)], entry, 201, receipt(version))

        reads = [("policies.lock", {}), ("policies.newest", {"files_digest": digests["files_digest"]})]
        try:
            return await change(self._database, caller, reads, decide, key)
        except _Unchanged as unchanged:
            return Given(200, receipt(*unchanged.args), again=True)

    async def page(self, tenant: str, before: int | None, limit: int) -> Document:
        """The document `aos.policy-versions/1`: a page of versions without their text, the newest first."""
        wanted = {"before": before, "limit": limit + 1}
        async with self._database.transaction(tenant) as transaction:
            rows, latest = await transaction.many([("policies.page", wanted), ("policies.active", {})])
        shown = rows[:limit]
        return {
            **envelope("aos.policy-versions/1"),
            "versions": [_told(row) for row in shown],
            "count": len(shown),
            "active": active_of(latest).version,
            "next": str(shown[-1]["version"]) if len(rows) > limit else None,
        }

    async def get(self, tenant: str, version: int) -> Document:
        """The document `aos.policy-version/1`: one version with its text. Raises AosError(not_found)."""
        if version == SHIPPED:
            return _shipped()
        async with self._database.transaction(tenant) as transaction:
            row = await transaction.one("policies.get", version=version)
        if row is None:
            raise not_found(str(version))
        return {**envelope("aos.policy-version/1"), **_told(row), "files": dict(sorted(row["files"].items()))}

    async def active(self, tenant: str) -> Document:
        """The document `aos.policy-active/1`: which version holds, since when, by whom and why."""
        async with self._database.transaction(tenant) as transaction:
            found = active_of(await transaction.all("policies.active"))
        return {
            **envelope("aos.policy-active/1"),
            "version": found.version,
            "policy_digest": found.digest,
            "activated_by": found.by,
            "activated_at": found.at and found.at.isoformat(),
            "why": found.why,
        }

    async def activate(self, caller: Caller, asked: Activation, terms: Terms, key: Key | None) -> Given:
        """Let a version hold from now on, on every server. The rules are read once more before: this release may take
        less than the one that they were pushed to.

        Raises AosError: authorization_denied for a machine, not_found, policy_conflict where other rules are active
        than the caller believes; InputError(invalid_policy); and what `change` raises.
        """
        tried = Entry("policy.activate.refused", f"policy/{asked.version}", {"why": asked.why})
        if caller.kind != "human":
            error = AosError("authorization_denied", "a machine can't activate a policy; people do")
            await refuse(self._database, caller, tried, error)
        version = await self.get(caller.tenant, asked.version)
        found = await self._workers.run(checked, sources(version["files"]), terms.catalog)

        def decide(now: datetime, rows: Sequence[Sequence[Row]]) -> Effect:
            before = active_of(rows[1])
            if before.digest != asked.if_active:
                detail = f"version {before.version} is active, and its digest is {before.digest}"
                return refused(tried, AosError("policy_conflict", detail))
            told = {
                "version": asked.version,
                "policy_digest": version["policy_digest"],
                "before": {"version": before.version, "policy_digest": before.digest},
                "why": asked.why,
            }
            row = {"number": before.number + 1, "version": asked.version, "why": asked.why}
            return Effect(
                [("tenants.ensure", {}), ("policies.activate", {**row, **caller.principal._asdict()})],
                Entry("policy.activated", f"policy/{asked.version}", told),
                200,
                {**envelope("aos.policy-activation/1"), **told, "warnings": list(found.warnings)},
            )

        reads: list[Statement] = [("policies.lock", {}), ("policies.active", {})]
        return await change(self._database, caller, reads, decide, key)


def not_found(version: str) -> AosError:
    """There is no such version, or it is another tenant's."""
    detail = f'there is no version "{visible(version, 80)}" of the policy'
    return AosError("not_found", detail, fix="`aos policy list` shows those there are.")


def _shipped() -> Document:
    nobody = dict.fromkeys(("files_digest", "subject", "created_at"))
    row = {**nobody, "version": SHIPPED, "policy_digest": digest_of(None), "message": "the policy that ships"}
    files = {"default.cedar": (DATA / "default.cedar").read_text("utf-8")}
    return {**envelope("aos.policy-version/1"), **_told(row), "files": files}


def _told(row: Row) -> Document:
    return {
        "version": row["version"],
        "policy_digest": row["policy_digest"],
        "files_digest": row["files_digest"],
        "message": row["message"],
        "pushed_by": row["subject"],
        "pushed_at": row["created_at"] and row["created_at"].isoformat(),
    }
