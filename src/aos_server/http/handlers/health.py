"""The server about itself: alive, ready, healthy, and in figures."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from math import inf

from aos.errors import AosError
from aos.wire.results.documents import Document, envelope
from aos_server.http.answers import Answer
from aos_server.http.endpoint import Call
from aos_server.metrics import CONTENT_TYPE, DEPENDENCY_UP, exposition

__all__ = ["Check", "Operations"]

FRESH_S = 1.0
"""How old an answer may be that others were asked for: everybody may ask for the health and the metrics."""

LOOK_S = 4.0
"""What does not answer within so long is gone, for the metrics: Prometheus waits no longer than 10 s for them."""

Check = Callable[[], Awaitable[bool | None]]
"""Whether something that the server depends on is there; None: it does without."""


class Operations:
    """The handlers of `/health`, `/livez`, `/readyz` and `/metrics`.

    What is `needed` must be there for decisions to be possible; what is `wanted` is missed but can be done without.
    `figures` bring those up to date that nobody counts, each what it knows of.
    """

    def __init__(
        self,
        needed: Mapping[str, Check],
        wanted: Mapping[str, Check],
        figures: Sequence[Callable[[], Awaitable[None]]] = (),
    ) -> None:
        self._needed = {name: _shared(check) for name, check in needed.items()}
        self._wanted = {name: _shared(check) for name, check in wanted.items()}
        self._figures = figures
        self._refreshed = -inf

    async def livez(self, call: Call) -> Document:
        """Whether the process answers at all."""
        return {**envelope("aos.health/1"), "status": "healthy", "checks": {}}

    async def health(self, call: Call) -> Document:
        """Everything that the server depends on. The status is in the document: whoever asks this, wants to read it."""
        checks, ready = await self._checked()
        missed = "gone" in checks.values()
        status = "unhealthy" if not ready else "degraded" if missed else "healthy"
        return {**envelope("aos.health/1"), "status": status, "checks": checks}

    async def readyz(self, call: Call) -> Document:
        """Whether to send requests here. Raises AosError(not_ready) where nothing could be decided."""
        checks, ready = await self._checked()
        if not ready:
            gone = [name for name, state in checks.items() if state != "ok"]
            raise AosError("not_ready", f"not ready: {', '.join(gone)}", retry_after_s=1)
        return {**envelope("aos.health/1"), "status": "healthy", "checks": checks}

    async def metrics(self, call: Call) -> Answer:
        """Prometheus text. What the database would have told is NaN where it is gone."""
        if time.monotonic() - self._refreshed >= FRESH_S:
            self._refreshed = time.monotonic()
            asked = {**self._needed, **self._wanted}
            looks = [_look(name, check) for name, check in asked.items()]
            await asyncio.gather(*looks, *map(_brought_up_to_date, self._figures))
        return Answer(exposition(), media_type=CONTENT_TYPE)

    async def _checked(self) -> tuple[Mapping[str, str], bool]:
        asked = {**self._needed, **self._wanted}
        there = dict(zip(asked, await asyncio.gather(*(check() for check in asked.values())), strict=True))
        checks = {name: "ok" if answer else "gone" for name, answer in there.items() if answer is not None}
        return checks, all(there[name] for name in self._needed)


async def _brought_up_to_date(figure: Callable[[], Awaitable[None]]) -> None:
    with suppress(AosError):
        await figure()


async def _look(name: str, check: Check) -> None:
    there: bool | None = False
    with suppress(TimeoutError):
        async with asyncio.timeout(LOOK_S):
            there = await check()
    if there is not None:
        DEPENDENCY_UP.labels(name).set(there)


def _shared(check: Check) -> Check:
    """One question at a time, whose answer is that of all who ask meanwhile and within FRESH_S."""
    asking, asked_at, answer = asyncio.Lock(), -inf, None

    async def latest() -> bool | None:
        nonlocal asked_at, answer
        async with asking:
            if time.monotonic() - asked_at >= FRESH_S:
                answer = await check()
                asked_at = time.monotonic()
            return answer

    return latest
