"""What `aos-server keys` answers: the documents and texts of `aos keys`, of the keystore itself."""

from datetime import datetime

from aos.errors import Exit
from aos.report.server import keys as report
from aos_server.cli.answers import Answer
from aos_server.keystores import documents
from aos_server.keystores.backend import Backend
from aos_server.keystores.changes import Change, carry_out
from aos_server.keystores.check import check

__all__ = ["changed", "listed", "shown", "verified"]


def listed(backend: Backend, now: datetime) -> Answer:
    """All versions, newest first."""
    document = documents.listed(backend, now)
    return Answer(document, report.keys(document))


def shown(backend: Backend, name: str, now: datetime) -> Answer:
    """One version with its fingerprint."""
    document = documents.shown(backend, name, now)
    return Answer(document, report.key(document))


def changed(backend: Backend, change: Change, now: datetime, dry_run: bool) -> Answer:
    """Carry a change out, or only say what it would do: the same words either way."""
    document = documents.foretold(backend, change, now, dry_run)
    if not dry_run:
        carry_out(backend, change)
    return Answer(document, report.change(document))


def verified(backend: Backend, now: datetime) -> Answer:
    """Whether all is well; a no is 3."""
    document = documents.check_document(backend, check(backend, now))
    return Answer(document, report.check(document), Exit.YES if document["status"] == "healthy" else Exit.NO)
