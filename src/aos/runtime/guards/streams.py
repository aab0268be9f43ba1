"""httpcore's view of the guarded network: it connects where allowed, and stops when patience ends.

httpcore's own timeouts count from one read to the next, so a server that sends a byte now and then holds a client for
ever. Here one patience bounds the whole exchange, and every wait looks for a cancellation.
"""

import ssl
from collections.abc import Callable, Iterable
from socket import socket
from typing import Any, TypeVar

import httpcore

from aos.runtime.guards import GuardError
from aos.runtime.guards.network import Network, connect
from aos.runtime.guards.patience import Patience

__all__ = ["GuardedBackend"]

T = TypeVar("T")

_SOCKET_OPTION = tuple[int, int, int] | tuple[int, int, bytes | bytearray] | tuple[int, int, None, int]


class GuardedBackend(httpcore.NetworkBackend):
    """Connections of one exchange. `sent` says whether anything of the request has left, `ended` whether the other
    side has closed."""

    def __init__(self, network: Network, patience: Patience) -> None:
        self._network = network
        self.patience = patience
        self.sent = False
        self.ended = False

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[_SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        return _Stream(connect(self._network, host, port, self.patience), self)


class _Stream(httpcore.NetworkStream):
    def __init__(self, connection: socket, exchange: GuardedBackend) -> None:
        self._socket = connection
        self._exchange = exchange

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        data = self._patiently(lambda: self._socket.recv(max_bytes))
        self._exchange.ended |= not data
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        rest = memoryview(buffer)
        while rest:
            self._exchange.sent = True
            rest = rest[self._patiently(lambda: self._socket.send(rest)) :]  # noqa: B023

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        secure = self._patiently(
            lambda: ssl_context.wrap_socket(
                self._socket, server_hostname=server_hostname, do_handshake_on_connect=False
            )
        )
        stream = _Stream(secure, self._exchange)
        try:
            stream._patiently(secure.do_handshake)
        except BaseException:
            secure.close()
            raise
        return stream

    def close(self) -> None:
        self._socket.close()

    def get_extra_info(self, info: str) -> Any:
        return None

    def _patiently(self, step: Callable[[], T]) -> T:
        """A step of the socket, repeated until it gets through. OpenSSL lets an interrupted step be taken again."""
        while True:
            self._socket.settimeout(self._exchange.patience.slice_s())
            try:
                return step()
            except (TimeoutError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                continue
            except ssl.SSLCertVerificationError as error:
                raise GuardError(
                    "CONNECTION", f"the certificate does not hold: {error.verify_message}"
                ) from None
            except OSError as error:
                raise GuardError("CONNECTION", f"the connection broke: {error}") from None
