"""What becomes of a backup that was asked for, and the exit status that it has."""

import time

from aos.errors import CODES, Exit
from aos.sdk.client import Client
from aos.sdk.core import Document

__all__ = ["exit_of", "waited"]

_LOOK_S = 1.0
_STATES = {"good": Exit.YES, "bad": Exit.DAMAGED, "damaged": Exit.DAMAGED}


def exit_of(backup: Document) -> Exit:
    """Pending while it is under way; then what became of it: good or damaged, or why it failed."""
    order = backup["order"]
    if order is not None and order["ended_at"] is None:
        return Exit.PENDING
    if order is not None and order["code"] is not None:
        return CODES[order["code"]].exit if order["code"] in CODES else Exit.INTERNAL
    return _STATES.get(backup["state"], Exit.PENDING)


def waited(client: Client, backup: Document, patience_s: float) -> Document:
    """The backup once what was asked for has ended, or when the time is up."""
    until = time.monotonic() + patience_s
    while exit_of(backup) is Exit.PENDING and time.monotonic() < until:
        time.sleep(_LOOK_S)
        backup = client.backup(backup["name"])
    return backup
