"""The end of a connection on which something is still coming in."""

from asyncio import AbstractEventLoop, TimerHandle, Transport
from typing import Any

__all__ = ["Ending"]


class Ending(Transport):
    """A transport that, closed while `unread`, says what is left to say and throws away for a while what comes.

    To close a socket that has something unread, or is then sent more, resets the connection, and a reset can overtake
    the answer (RFC 9112, 9.6).
    """

    unread = False

    def __init__(self, transport: Transport, loop: AbstractEventLoop, linger_s: float) -> None:
        self._transport = transport
        self._loop = loop
        self._linger_s = linger_s
        self._timer: TimerHandle | None = None

    def close(self) -> None:
        if self.is_closing():
            return
        if not self.unread or not self._transport.can_write_eof():
            self._transport.close()
            return
        self._timer = self._loop.call_later(self._linger_s, self._transport.close)
        self._transport.write_eof()
        self._transport.resume_reading()

    def ended(self) -> None:
        """To be called when the connection is lost."""
        if self._timer is not None:
            self._timer.cancel()

    def is_closing(self) -> bool:
        return self._timer is not None or self._transport.is_closing()

    def abort(self) -> None:
        self._transport.abort()

    def write(self, data: Any) -> None:
        self._transport.write(data)

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._transport.get_extra_info(name, default)
