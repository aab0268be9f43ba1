"""The part of the API that is about what was done."""

from aos_server.http.endpoint import Endpoint
from aos_server.http.handlers.audit import AuditLog
from aos_server.http.models.audit import AuditCheck, AuditEntry, AuditList, AuditQuery, VerifyAudit
from aos_server.http.models.base import InTenant

__all__ = ["audit"]


def audit(at: str, to: AuditLog) -> tuple[Endpoint, ...]:
    """The audit log, an entry of it, and whether it was changed."""
    return (
        Endpoint(
            "GET",
            at,
            "What was done, the latest first",
            to.list_entries,
            AuditList,
            act="read",
            query=AuditQuery,
        ),
        Endpoint(
            "POST",
            f"{at}/verify",
            "Compute the audit log again and hold it against its signed checkpoints",
            to.verify_entries,
            AuditCheck,
            act="evaluate",
            body=VerifyAudit,
        ),
        Endpoint(
            "GET",
            f"{at}/{{entry_id}}",
            "One entry, and the proof that it is in the log",
            to.show_entry,
            AuditEntry,
            act="read",
            query=InTenant,
            codes=["not_found", "audit_damaged"],
        ),
    )
