"""Cursors: where a page of rows ended, which are sorted by a moment and then by an id. Opaque to who gets one."""

import base64
import binascii
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from aos.errors import Finding, InputError
from aos.wire.results.documents import Document, envelope
from aos_server.services.pages import Place

__all__ = ["cursor", "paged", "place"]


def cursor(at: datetime, row_id: object) -> str:
    """What is given out as `next`."""
    return base64.urlsafe_b64encode(f"{at.isoformat()} {row_id}".encode()).decode()


def place(given: str | None, read_id: Callable[[str], str | UUID] = str) -> Place | None:
    """The place of a cursor. Raises InputError(invalid_request) for one that was not given out here."""
    if given is None:
        return None
    try:
        moment, _, row_id = base64.b64decode(given, b"-_", validate=True).decode().partition(" ")
        at = datetime.fromisoformat(moment)
        if at.tzinfo is None or not row_id or "\x00" in row_id:
            raise ValueError
        # Postgres does not know every offset that Python knows.
        return Place(at.astimezone(UTC), read_id(row_id))
    except (ValueError, OverflowError, binascii.Error):
        finding = Finding("/cursor", "bad_value", "it is not the `next` of a page")
        raise InputError.of("invalid_request", "query", [finding]) from None


def paged(schema: str, name: str, rows: Sequence[Any], following: Place | None) -> Document:
    """A page as a document: its rows under `name`, and where the next page goes on (None: nowhere)."""
    after = None if following is None else cursor(*following)
    return {**envelope(schema), name: rows, "count": len(rows), "next": after}
