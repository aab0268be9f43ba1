"""Where a webhook may lead: to a public address over TLS, or to a host that whoever runs the server has named.

The address is read in one way, here, and checked when a webhook is made as well as each time that something is sent.
"""

import asyncio
import functools
import logging
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address
from typing import NamedTuple

import httpx

from aos.errors import AosError
from aos.runtime.guards import GuardError
from aos.runtime.guards.addresses import Reach, plain_host, refusal, spelled_oddly
from aos.runtime.guards.network import Network, resolve
from aos.runtime.guards.patience import Patience

__all__ = ["MAX_URL", "Target", "addresses", "check", "network_of", "origin", "target_of"]

_log = logging.getLogger(__name__)

MAX_URL = 2048
RESOLVE_S = 5.0
"""What a resolver may take: those that hang keep a thread each."""

_RESOLVERS = ThreadPoolExecutor(64, thread_name_prefix="resolver")


class Target(NamedTuple):
    """An address, taken apart. `host` is in ASCII without brackets, `path` with its query as it is sent."""

    secure: bool
    host: str
    port: int
    authority: str
    path: bytes


def target_of(url: str, network: Network) -> Target:
    """What a URL means. Raises AosError(webhook_refused) where it means nothing, or nothing that may be sent to."""
    return _target(url, network.reach.allow_hosts)


@functools.lru_cache(1024)  # it depends on nothing else: where the host is, is looked up each time
def _target(url: str, plain: frozenset[str]) -> Target:
    try:
        parsed = httpx.URL(url)
        host = parsed.raw_host.decode("ascii")
    except (httpx.InvalidURL, UnicodeError, ValueError):
        raise _refused("the URL can't be read") from None
    if len(url) > MAX_URL or not url.isprintable():
        raise _refused(f"the URL has over {MAX_URL:,} characters, or one that can't be seen")
    if parsed.scheme not in ("http", "https") or not host:
        raise _refused("the URL needs https:// and a host")
    if parsed.userinfo or parsed.fragment:
        raise _refused("the URL has a user or a fragment, neither of which is ever sent")
    port = (443 if parsed.scheme == "https" else 80) if parsed.port is None else parsed.port
    if not 0 < port < 65_536:
        raise _refused(f"port {port} does not exist")
    if parsed.scheme == "http" and plain_host(host) not in plain:
        raise _refused("without TLS anybody on the way could read what is sent: use https")
    return Target(parsed.scheme == "https", host, port, parsed.netloc.decode("ascii"), parsed.raw_path)


def origin(url: str) -> str:
    """Scheme, host and port: what may be told to everybody. The rest of some URLs is as good as a password."""
    parsed = httpx.URL(url)
    return f"{parsed.scheme}://{parsed.netloc.decode('ascii')}"


def network_of(hosts: Collection[str]) -> Network:
    """The public network, and those hosts wherever they are. Which they are is said aloud."""
    if hosts:
        _log.warning("AOS_WEBHOOK_HOSTS: webhooks may lead to %s, public or not", ", ".join(sorted(hosts)))
    return Network(Reach().allowing(*hosts))


async def addresses(network: Network, target: Target, seconds: float = RESOLVE_S) -> Sequence[str]:
    """Where the host is; every address may be reached. Raises GuardError: ADDRESS_REFUSED, CONNECTION, TIMEOUT."""
    host, port = target.host, target.port
    if _literal(host):  # nobody has to be asked
        if problem := spelled_oddly(host) or refusal(network.reach, host, host):
            raise GuardError("ADDRESS_REFUSED", problem)
        return [host]
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_RESOLVERS, resolve, network, host, port, Patience(seconds))


async def check(network: Network, url: str) -> None:
    """Raises AosError(webhook_refused) where nothing could be sent to `url` now."""
    target = target_of(url, network)
    try:
        await addresses(network, target)
    except GuardError as error:
        # The address itself is not told: it may be that of a machine inside.
        why = "is not on the public internet" if error.code == "ADDRESS_REFUSED" else "has no address"
        raise _refused(f"the host of the URL {why}") from None


def _literal(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _refused(why: str) -> AosError:
    return AosError("webhook_refused", why)
