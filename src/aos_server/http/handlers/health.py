"""The server about itself: alive, ready, healthy, and in figures."""

import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress

from aos.errors import AosError
from aos.wire.encode import one_line
from aos.wire.results.documents import Document, envelope
from aos_server.http.answers import Answer
from aos_server.http.endpoint import Call
from aos_server.metrics import CONTENT_TYPE, exposition

__all__ = ["Check", "Operations"]

FRESH_S = 1.0
"""How old a figure may be that the database is asked for: everybody may ask for the metrics."""

Check = Callable[[], Awaitable[bool]]
"""Whether something that the server depends on is there."""


class Operations:
    """The handlers of `/health`, `/livez`, `/readyz` and `/metrics`.

    What is `needed` must be there for decisions to be possible; what is `wanted` is missed but can be done without.
    `refresh` brings the figures up to date that nobody counts.
    """

    def __init__(
        self,
        needed: Mapping[str, Check],
        wanted: Mapping[str, Check],
        refresh: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._needed = needed
        self._wanted = wanted
        self._refresh = refresh
        self._refreshed = -FRESH_S

    async def livez(self, call: Call) -> bytes:
        """Whether the process answers at all."""
        return _line({**envelope("aos.health/1"), "status": "healthy", "checks": {}})

    async def health(self, call: Call) -> bytes:
        """Everything that the server depends on. The status is in the document: whoever asks this, wants to read it."""
        checks, ready = await self._checked()
        missed = "gone" in checks.values()
        status = "unhealthy" if not ready else "degraded" if missed else "healthy"
        return _line({**envelope("aos.health/1"), "status": status, "checks": checks})

    async def readyz(self, call: Call) -> bytes:
        """Whether to send requests here. Raises AosError(not_ready) where nothing could be decided."""
        checks, ready = await self._checked()
        if not ready:
            gone = [name for name, state in checks.items() if state != "ok"]
            raise AosError("not_ready", f"not ready: {', '.join(gone)}", retry_after_s=1)
        return _line({**envelope("aos.health/1"), "status": "healthy", "checks": checks})

    async def metrics(self, call: Call) -> Answer:
        """Prometheus text. Where the database is gone, what it would have told is as old as its last answer."""
        if self._refresh is not None and time.monotonic() - self._refreshed >= FRESH_S:
            self._refreshed = time.monotonic()
            with suppress(AosError):
                await self._refresh()
        return Answer(exposition(), media_type=CONTENT_TYPE)

    async def _checked(self) -> tuple[Mapping[str, str], bool]:
        needed = {name: await check() for name, check in self._needed.items()}
        wanted = {name: await check() for name, check in self._wanted.items()}
        checks = {name: "ok" if there else "gone" for name, there in {**needed, **wanted}.items()}
        return checks, all(needed.values())


def _line(document: Document) -> bytes:
    return one_line(document).encode()
