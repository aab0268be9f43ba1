"""The audit log: list it, show an entry with its proof, verify it."""

import base64
from uuid import UUID

from aos.errors import AosError, Finding, InputError
from aos.wire.results.documents import Document, envelope
from aos_server.http.cursors import paged, place
from aos_server.http.endpoint import Call
from aos_server.http.models.audit import AuditQuery, VerifyAudit
from aos_server.services.audit.checkpoints import notes_in
from aos_server.services.audit.log import Log, Roots, Verified, page, show, unknown, verify_own

__all__ = ["AuditLog"]


class AuditLog:
    """The handlers of `/api/v1/audit`."""

    def __init__(self, log: Log | None) -> None:
        self._kept = log
        self._roots = Roots()

    @property
    def _log(self) -> Log:
        if self._kept is None:
            raise AosError("unavailable", "no audit log is kept here")
        return self._kept

    async def list_entries(self, call: Call) -> Document:
        """A page of the tenant's entries, the latest first."""
        asked: AuditQuery = call.query
        after = place(asked.cursor, UUID)
        entries, following = await page(
            self._log.database, call.caller.tenant, limit=asked.limit, after=after, about=asked.object
        )
        return paged("aos.audit-list/1", "entries", entries, following)

    async def show_entry(self, call: Call) -> Document:
        """An entry with its proof."""
        try:
            row_id = UUID(call.path["entry_id"])
        except ValueError:
            raise unknown() from None
        shown = await show(self._log.database, self._roots, call.caller.tenant, row_id)
        placed = shown.position is not None
        return {
            **envelope("aos.audit-entry/1"),
            "entry": shown.entry,
            "position": shown.position,
            "proof": [base64.b64encode(one).decode() for one in shown.proof] if placed else None,
            "checkpoint": shown.checkpoint,
        }

    async def verify_entries(self, call: Call) -> Document:
        """The tenant's part of the log, computed again."""
        asked: VerifyAudit = call.body
        kept = notes_in(asked.checkpoints or "")
        if asked.checkpoints and not kept:
            finding = Finding("/checkpoints", "bad_value", "there is no signed note of an audit log in it")
            raise InputError.of("invalid_request", "body", [finding])
        verified = await verify_own(self._log, call.caller.tenant, kept)
        return self._check(*verified)

    def _check(self, found: Verified, newest: str | None, waiting: int) -> Document:
        unsigned = self._log.public is None and found.size > 0
        reason = "the server has no AOS_AUDIT_PUBLIC_KEY to check signatures with"
        unknowns = [{"pointer": "/checkpoints", "reason": reason}] if unsigned else []
        return {
            **envelope("aos.audit-check/1"),
            "status": "damaged" if found.damage else "undetermined" if unsigned else "sound",
            "size": found.size,
            "entries": found.rows,
            "waiting": waiting,
            "checkpoints": None if unsigned else found.checkpoints,
            "checkpoint": newest,
            "damage": [one._asdict() for one in found.damage[:100]],
            "unknowns": unknowns,
        }
