"""Rehearsals: a new key, and whether every webhook accepts it alone."""

import time

from aos.sdk.client import Client
from aos.sdk.core import Document

__all__ = ["rehearsed"]

_LOOK_S = 0.5


def rehearsed(client: Client, overlap_hours: float, patience_s: float) -> Document:
    """Rotate, unless an overlap is under way; ask every webhook; wait until all have answered, or for `patience_s`."""
    states = [one["state"] for one in client.keys()["versions"]]
    if "overlap" not in states:
        client.rotate_keys(overlap_hours)
    said: Document = client.rehearse_key()
    until = time.monotonic() + patience_s
    while said["status"] == "pending" and time.monotonic() < until:
        time.sleep(_LOOK_S)
        said = client.rehearsal()
    return said
