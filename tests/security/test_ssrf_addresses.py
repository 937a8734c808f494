"""Which addresses strangers may make us call."""

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waav.security.ssrf_addresses import Address, Why, why_not

REFUSED = {
    Why.METADATA: "169.254.169.254 169.254.170.2 100.100.100.200 192.0.0.192 168.63.129.16"
    " fd00:ec2::254 fd20:ce::254 ::ffff:169.254.169.254 64:ff9b::a9fe:a9fe",
    Why.LOOPBACK: "127.0.0.1 127.255.255.254 0.0.0.0 ::1 :: ::ffff:127.0.0.1 64:ff9b::7f00:1",
    Why.PRIVATE: "10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1 100.64.0.1 100.127.255.255"
    " fc00::1 fd12:3456::1 ::ffff:10.0.0.1 64:ff9b::a00:1",
    Why.LINK_LOCAL: "169.254.0.1 169.254.255.255 fe80::1 fe80::1%eth0 febf::1 ::ffff:169.254.1.1",
    Why.MULTICAST: "224.0.0.1 239.255.255.255 255.255.255.255 ff02::1 ff0e::1",
    Why.DOCUMENTATION: "192.0.2.1 198.51.100.1 203.0.113.1 2001:db8::1 3fff::1",
    Why.RESERVED: "0.1.2.3 192.0.0.1 192.88.99.1 198.18.0.1 198.19.255.255 240.0.0.1"
    " 255.255.255.254 2001::1 2001:0:a00:1::1 2002:a00:1::1 2002:808:808::1 ::7f00:1 ::10.0.0.1"
    " 100::1 fec0::1 64:ff9b:1::1 ::ffff:0:10.0.0.1 5f00::1",
}
FIT = (
    "1.1.1.1 8.8.8.8 93.184.216.34 100.63.255.255 100.128.0.1 126.255.255.255 128.0.0.1"
    " 169.253.0.1 172.15.255.255 172.32.0.1 192.167.1.1 192.169.1.1 198.17.0.1 198.20.0.1"
    " 223.255.255.255 2606:4700:4700::1111 2a00:1450:4001::200e ::ffff:8.8.8.8 64:ff9b::808:808"
)


@pytest.mark.parametrize(
    ("text", "why"), [(text, why) for why, texts in REFUSED.items() for text in texts.split()]
)
def test_an_address_that_must_not_be_called(text: str, why: Why) -> None:
    assert why_not(ip_address(text)) is why


@pytest.mark.parametrize("text", FIT.split())
def test_an_address_of_the_internet(text: str) -> None:
    assert why_not(ip_address(text)) is None


def inner(address: IPv4Address, prefix: str) -> IPv6Address:
    return IPv6Address(int(IPv6Address(prefix)) + int(address))


@given(st.ip_addresses())
def test_nothing_is_fit_that_python_does_not_call_global(address: Address) -> None:
    if why_not(address) is None and not (isinstance(address, IPv6Address) and address.ipv4_mapped):
        assert address.is_global
        assert not address.is_multicast


@given(st.ip_addresses(v=4), st.sampled_from(["::ffff:0:0", "64:ff9b::"]))
def test_an_ipv4_address_inside_of_another_is_judged_as_itself(
    address: IPv4Address, prefix: str
) -> None:
    assert why_not(inner(address, prefix)) is why_not(address)


@given(st.ip_addresses(v=4), st.sampled_from(["::", "::ffff:0:0:0", "64:ff9b:1::"]))
def test_other_ways_to_carry_an_ipv4_address_are_refused(address: IPv4Address, prefix: str) -> None:
    assert why_not(inner(address, prefix)) is not None
