"""Requests as they change."""

import time
from collections.abc import Callable, Generator, Mapping
from typing import Any

from aos.errors import Exit
from aos.sdk.client import Client
from aos.wire.encode import one_line
from aos.wire.results.documents import envelope

__all__ = ["changes"]

_EVERY_S = 2.0


def changes(client: Client, page: Callable[[Client], Mapping[str, Any]]) -> Generator[tuple[str, Exit]]:
    """Each request as it is at first, and again whenever something of it has changed."""
    known: dict[str, Any] = {}
    with client:
        while True:
            for one in reversed(page(client)["requests"]):
                if known.get(one["request_id"]) != one:
                    known[one["request_id"]] = one
                    yield one_line({**envelope("aos.request-line/1"), **one}), Exit.YES
            time.sleep(_EVERY_S)
