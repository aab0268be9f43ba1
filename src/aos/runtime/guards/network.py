"""Names resolved once, every address checked, and a connection to exactly one that was."""

import contextlib
import errno
import functools
import os
import selectors
import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from threading import Event, Thread
from typing import NamedTuple

from aos.runtime.guards import GuardError
from aos.runtime.guards.addresses import Reach, refusal, spelled_oddly
from aos.runtime.guards.patience import SLICE_S, Patience

__all__ = ["Network", "Resolver", "connect", "cut_off", "resolve", "system_resolver", "usual_tls"]

Resolver = Callable[[str, int], Sequence[str]]
"""Host and port to addresses, best first. Raises OSError where there are none."""

_UNDER_WAY = {errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EAGAIN}


def system_resolver(host: str, port: int) -> Sequence[str]:
    """What the operating system says: files, DNS, whatever it is set up for."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


@functools.cache
def usual_tls() -> ssl.SSLContext:
    """The authorities that OpenSSL finds, and Mozilla's, for where it finds none. Reading them takes 30 ms."""
    import certifi

    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


class Network(NamedTuple):
    """How to get out, and how far. `tls` None: the usual authorities, host names verified."""

    reach: Reach = Reach()
    resolver: Resolver = system_resolver
    tls: ssl.SSLContext | None = None

    def allowing(self, *hosts: str) -> "Network":
        """The same for hosts that whoever runs the plan has named: they may be anywhere."""
        return self._replace(reach=self.reach.allowing(*hosts))


def resolve(network: Network, host: str, port: int, patience: Patience) -> Sequence[str]:
    """Every address of `host`, all of them allowed. Raises GuardError: ADDRESS_REFUSED if a single one is not."""
    if problem := spelled_oddly(host):
        raise GuardError("ADDRESS_REFUSED", f"{host}: {problem}", effect="none")
    try:
        addresses = patience.wait_for(lambda: network.resolver(host, port))
    except (OSError, UnicodeError) as error:
        raise GuardError("CONNECTION", f"{host}: no address found ({error})", effect="none") from None
    if not addresses:
        raise GuardError("CONNECTION", f"{host}: no address found", effect="none")
    for address in addresses:
        if problem := refusal(network.reach, host, address):
            raise GuardError("ADDRESS_REFUSED", f"{host}: {problem}", effect="none")
    return addresses


def connect(network: Network, host: str, port: int, patience: Patience) -> socket.socket:
    """A connection to one of the addresses of `host`, tried in their order.

    Raises GuardError: ADDRESS_REFUSED, CONNECTION, TIMEOUT or CANCELLED, each with effect "none".
    """
    addresses = resolve(network, host, port, patience)
    problem = ""
    for tried, address in enumerate(addresses):
        share = patience.at_most(patience.left_s() / (len(addresses) - tried))
        try:
            return _connect(address, port, share)
        except OSError as error:
            problem = str(error)
        except GuardError:
            patience.left_s()  # raises, unless it was only this address' share
            problem = "no answer"
    raise GuardError("CONNECTION", f"{host}: {problem}", effect="none")


@contextlib.contextmanager
def cut_off(connection: socket.socket, patience: Patience) -> Iterator[None]:
    """Inside, blocking calls on the connection fail once `patience` ends, whatever was wrapped around it meanwhile."""
    twin = connection.dup()
    done = Event()

    def watch() -> None:
        while not done.wait(SLICE_S):
            try:
                patience.left_s()
            except GuardError:
                with contextlib.suppress(OSError):
                    twin.shutdown(socket.SHUT_RDWR)
                return

    watcher = Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()
        twin.close()


def _connect(address: str, port: int, patience: Patience) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    connection = socket.socket(family, socket.SOCK_STREAM)
    try:
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        status = connection.connect_ex((address, port))
        if status in _UNDER_WAY:
            _until_connected(connection, patience)
            status = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if status:
            raise OSError(status, os.strerror(status))
    except BaseException:
        connection.close()
        raise
    return connection


def _until_connected(connection: socket.socket, patience: Patience) -> None:
    with selectors.DefaultSelector() as selector:
        selector.register(connection, selectors.EVENT_WRITE)
        while not selector.select(patience.slice_s()):
            pass
