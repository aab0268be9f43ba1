"""Which addresses a plan may reach."""

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aos.runtime.guards.addresses import Reach, refusal, spelled_oddly

NOWHERE_NEAR = [
    "0.0.0.0",
    "10.0.0.1",
    "100.64.0.1",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.8",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.2",  # IPv4-compatible
    "::ffff:127.0.0.1",  # IPv4-mapped
    "::ffff:8.8.8.8",
    "64:ff9b::7f00:1",  # NAT64
    "64:ff9b::808:808",
    "64:ff9b:1::7f00:1",
    "100::1",
    "2001::7f00:1",  # Teredo
    "2001:db8::1",
    "2002:7f00:1::",  # 6to4
    "3fff::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%lo",
    "fec0::1",
    "ff02::1",
]

GLOBAL = [
    "1.1.1.1",
    "8.8.8.8",
    "172.32.0.1",
    "192.0.1.1",
    "223.255.255.255",
    "2606:4700::1111",
    "2a00:1450::1",
]

PRIVATE = [
    *(
        "10.0.0.1",
        "100.64.0.1",
        "127.0.0.1",
        "127.255.255.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
    ),
    *("::1", "fc00::1", "fd00:ec2::254"),
]


@pytest.mark.parametrize("address", NOWHERE_NEAR)
def test_special_addresses_are_refused(address):
    assert refusal(Reach(), "example.com", address)


@pytest.mark.parametrize("address", GLOBAL)
def test_global_addresses_are_reached(address):
    assert refusal(Reach(), "example.com", address) is None


def test_private_networks_are_reached_if_allowed_and_link_local_ones_never():
    reached = [address for address in NOWHERE_NEAR if not refusal(Reach(allow_private=True), "x", address)]
    assert reached == PRIVATE


@pytest.mark.parametrize("spelling", ["db.local", "DB.local", "db.local."])
def test_an_allowed_host_is_reached_anywhere_and_no_other_is(spelling):
    reach = Reach().allowing("Db.Local")
    assert refusal(reach, spelling, "169.254.1.1") is None
    assert refusal(reach, "other.db.local", "169.254.1.1")


@given(st.integers(0, 2**32 - 1))
def test_what_python_calls_special_is_refused(number):
    address = IPv4Address(number)
    assert address.is_global or refusal(Reach(), "x", str(address))


@given(st.integers(0, 2**128 - 1) | st.integers(0, 2**64).map(lambda low: (0x2001 << 112) + low))
def test_what_python_calls_special_is_refused_in_ipv6(number):
    address = IPv6Address(number)
    assert address.is_global or refusal(Reach(), "x", str(address))


@given(st.integers(0, 2**32 - 1))
def test_an_ipv4_address_inside_an_ipv6_one_is_refused_whatever_it_is(number):
    for inside in (
        number,
        (0xFFFF << 32) + number,
        (0x64FF9B << 96) + number,
        (0x2002 << 112) + (number << 80),
    ):
        assert refusal(Reach(), "x", str(IPv6Address(inside)))


@pytest.mark.parametrize(
    "host",
    [
        "2130706433",
        "0x7f000001",
        "0x7f.0.0.1",
        "0X7F.1",
        "017700000001",
        "0177.0.0.1",
        "127.1",
        "127.0.1",
        "127.0.0.01",
        "127.0.0.1.1",
        "256.1.1.1",
        "1.2.3.4.",  # fine: the dot of the root
        "example.0x",
        "１２７.0.0.1",
        "①②⑦.0.0.1",
        "127。0。0。1",
        "ⓔxample.com",
        "exa%6dple.com",
        "a b",
        "a\x00b",
        "a..b",
        "-a.com",
        "a" * 64,
        "a." * 130 + "a",
        "",
        ".",
        "::1%lo",
        "1:2",
        "[::1",
    ],
)
def test_hosts_that_hide_an_address_are_found(host):
    assert bool(spelled_oddly(host)) == (host not in ("1.2.3.4.", "[::1"))


@pytest.mark.parametrize(
    "host",
    [
        "example.com",
        "EXAMPLE.com.",
        "_dmarc.x-y.de",
        "xn--mnchen-3ya.de",
        "8.8.8.8",
        "[2606:4700::1111]",
        "a1",
    ],
)
def test_usual_hosts_are_taken(host):
    assert spelled_oddly(host) is None


@given(st.integers(0, 2**32 - 1).map(IPv4Address) | st.integers(0, 2**128 - 1).map(IPv6Address))
def test_an_address_in_its_usual_spelling_is_taken(address):
    assert spelled_oddly(str(address)) is None
    assert ip_address(str(address)) == address
