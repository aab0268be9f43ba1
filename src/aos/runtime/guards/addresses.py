"""Which network addresses a plan may reach: global ones, and no spelling that hides another.

Not `ipaddress.is_global`, which is a list of what is known to be special and changes with the Python release. IPv6 is
an allow-list: 2000::/3 alone is handed out (IANA IPv6 Global Unicast Address Space), which leaves out IPv4-mapped,
NAT64, loopback, link-local and unique local addresses at once; in it, ranges that carry IPv4 inside are refused. IPv4
has no such range, so there the IANA Special-Purpose Address Registry (RFC 6890, as of 2026) is the list.
"""

import re
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import NamedTuple

__all__ = ["Reach", "plain_host", "refusal", "spelled_oddly"]

Address = IPv4Address | IPv6Address

_SPECIAL_IPV4 = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # carrier-grade NAT
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link-local: metadata services
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # AMT
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/3",  # multicast, reserved, broadcast
    )
)
_GLOBAL_IPV6 = IPv6Network("2000::/3")
_SPECIAL_IPV6 = tuple(
    IPv6Network(text)
    for text in (
        "2001::/23",  # protocol assignments, Teredo (2001::/32) among them
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4
        "2620:4f:8000::/48",  # AS112
        "3fff::/20",  # documentation
    )
)
_PRIVATE = tuple(
    [
        IPv4Network(t)
        for t in ("10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
    ]
    + [IPv6Network(t) for t in ("::1/128", "fc00::/7")]
)
"""What `allow_private` adds: this machine and its networks, but not link-local, where metadata services live."""

_IPV4 = re.compile(r"(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}", re.ASCII)
_NAME = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"\d+|0x[0-9a-f]*", re.ASCII)


class Reach(NamedTuple):
    """What may be reached beside global addresses: these hosts wherever they are, and private networks."""

    allow_hosts: frozenset[str] = frozenset()
    allow_private: bool = False

    def allowing(self, *hosts: str) -> "Reach":
        """The same with more hosts, spelled as in a URL."""
        return self._replace(allow_hosts=self.allow_hosts | {plain_host(host) for host in hosts})


def plain_host(host: str) -> str:
    """A host as it is compared: lower case, without brackets and without the dot at the end."""
    return host.lower().removeprefix("[").removesuffix("]").removesuffix(".")


def spelled_oddly(host: str) -> str | None:
    """Why `host` is neither a name nor an address in its one usual spelling; None where it is.

    `2130706433`, `0x7f.1`, `0177.0.0.1` and `127.1` are all 127.0.0.1 to some resolver, so none of them is taken, nor
    is anything beyond ASCII: a URL's name arrives here in its IDNA form.
    """
    plain = plain_host(host)
    if ":" in plain:
        return None if _is_ipv6(plain) else "no IPv6 address"
    if _IPV4.fullmatch(plain):
        return None
    if _NUMBER.fullmatch(plain.rpartition(".")[2]):
        return "an address in an unusual spelling"
    if len(plain) > 253 or not _NAME.fullmatch(plain):
        return "no host name"
    return None


def refusal(reach: Reach, host: str, address: str) -> str | None:
    """Why `host` may not be reached at `address` (as a resolver gives it); None where it may."""
    if plain_host(host) in reach.allow_hosts:
        return None
    parsed = ip_address(address)
    if _global(parsed) or (reach.allow_private and any(parsed in network for network in _PRIVATE)):
        return None
    return f"{parsed} is not a public address"


def _is_ipv6(text: str) -> bool:
    """Whether it is one, without a zone (`%eth0`): that would choose the interface."""
    try:
        return IPv6Address(text).scope_id is None
    except ValueError:
        return False


def _global(address: Address) -> bool:
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _SPECIAL_IPV4)
    return address in _GLOBAL_IPV6 and not any(address in network for network in _SPECIAL_IPV6)
