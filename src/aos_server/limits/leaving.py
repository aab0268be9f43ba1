"""How connections end where the server does."""

from asyncio import TimerHandle
from typing import Any

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from aos_server.limits.protocol import GuardedProtocol

__all__ = ["LeavingProtocol"]


class LeavingProtocol(GuardedProtocol):
    """Where the server ends, a connection may bring one more request: the answer says that it was the last.

    uvicorn closes at once what waits for a request. One that is on its way then meets a reset, as does each that comes
    with a connection that was made just now.
    """

    last_s = 1.0

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._leaving: TimerHandle | None = None

    def shutdown(self) -> None:
        """What uvicorn calls of each connection, when it accepts no more."""
        cycle: RequestResponseCycle | None = self.cycle
        if self._leaving is None and (cycle is None or cycle.response_complete):
            self._leaving = self.loop.call_later(self.last_s, super().shutdown)
        else:
            super().shutdown()

    def on_message_complete(self) -> None:
        if self._leaving is not None:
            self._kept = False
        super().on_message_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._leaving is not None:
            self._leaving.cancel()
        super().connection_lost(exc)
