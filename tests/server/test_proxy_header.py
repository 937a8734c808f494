"""The header of the PROXY protocol: what is read, how much of it, and what is none."""

from ipaddress import ip_address
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from waav.server.proxy_header import (
    MAX_BINARY,
    MAX_LINE,
    NoProxyHeader,
    ProxyHeader,
    parse_proxy_header,
)

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
PORTS = st.integers(0, 65535)
ADDRESSES = st.one_of(
    st.tuples(st.ip_addresses(v=4), st.ip_addresses(v=4)),
    st.tuples(st.ip_addresses(v=6), st.ip_addresses(v=6)),
)
REST = st.binary(max_size=40)


def line(text: str) -> bytes:
    return f"PROXY {text}\r\n".encode()


def binary(command: int, family: int, block: bytes, *, length: int | None = None) -> bytes:
    size = len(block) if length is None else length
    return SIGNATURE + bytes([command, family]) + size.to_bytes(2) + block


def addresses(source: Any, target: Any, port: int) -> tuple[int, bytes]:
    family = 0x11 if source.version == 4 else 0x21
    return family, source.packed + target.packed + port.to_bytes(2) + bytes(2)


@given(ADDRESSES, PORTS, PORTS, REST)
def test_a_line_is_read_and_what_follows_is_left_alone(
    pair: tuple[Any, Any], port: int, to_port: int, rest: bytes
) -> None:
    source, target = pair
    header = line(f"TCP{source.version} {source} {target} {port} {to_port}")
    assert parse_proxy_header(header + rest) == ProxyHeader((str(source), port), len(header))


@given(ADDRESSES, PORTS, st.binary(max_size=300), REST)
def test_a_binary_header_is_read_past_all_that_it_tells_besides(
    pair: tuple[Any, Any], port: int, more: bytes, rest: bytes
) -> None:
    family, block = addresses(*pair, port)
    header = binary(0x21, family, block + more)
    assert parse_proxy_header(header + rest) == ProxyHeader((str(pair[0]), port), len(header))


LONGEST = line("TCP6 " + "ffff:" * 7 + "ffff " + "ffff:" * 7 + "ffff 65535 65535")

WHOLE = {
    "line": line("TCP4 192.0.2.1 192.0.2.2 51000 443"),
    "longest line": LONGEST,
    "unknown": line("UNKNOWN"),
    "binary": binary(0x21, *addresses(ip_address("2001:db8::1"), ip_address("::1"), 9)),
    "local": binary(0x20, 0x00, b""),
}


@pytest.mark.parametrize("header", WHOLE.values(), ids=WHOLE)
def test_one_that_comes_byte_by_byte_is_waited_for(header: bytes) -> None:
    assert [parse_proxy_header(header[:size]) for size in range(len(header))] == [None] * len(
        header
    )
    assert parse_proxy_header(header) == parse_proxy_header(header + b"GET /")


NOBODY = {
    "unknown": line("UNKNOWN"),
    "unknown, with addresses": line("UNKNOWN ffff::1 ffff::2 1 2"),
    "the proxy itself": binary(0x20, 0x00, b""),
    "the proxy itself, with a family and an address": binary(0x20, 0x11, bytes(12)),
    "the proxy itself, with a family that there is not": binary(0x20, 0xFF, bytes(3)),
    "unspecified": binary(0x21, 0x00, bytes(20)),
    "UDP over IPv4": binary(0x21, 0x12, bytes(12)),
    "UDP over IPv6": binary(0x21, 0x22, bytes(36)),
    "a Unix stream": binary(0x21, 0x31, bytes(216)),
    "Unix datagrams": binary(0x21, 0x32, bytes(216)),
}


@pytest.mark.parametrize("header", NOBODY.values(), ids=NOBODY)
def test_some_announce_nobody(header: bytes) -> None:
    assert parse_proxy_header(header) == ProxyHeader(None, len(header))


FOUR = bytes(12)
BAD = {
    "HTTP": b"GET / HTTP/1.1\r\n",
    "TLS": b"\x16\x03\x01\x02\x00",
    "lower case": line("TCP4 192.0.2.1 192.0.2.2 1 2").lower(),
    "no family": line("192.0.2.1 192.0.2.2 1 2"),
    "another family": line("TCP5 192.0.2.1 192.0.2.2 1 2"),
    "an address too few": line("TCP4 192.0.2.1 1 2"),
    "a port too few": line("TCP4 192.0.2.1 192.0.2.2 1"),
    "a port beyond": line("TCP4 192.0.2.1 192.0.2.2 65536 2"),
    "the other port beyond": line("TCP4 192.0.2.1 192.0.2.2 1 65536"),
    "a negative port": line("TCP4 192.0.2.1 192.0.2.2 -1 2"),
    "a port with a zero before it": line("TCP4 192.0.2.1 192.0.2.2 01 2"),
    "an address with a zero before it": line("TCP4 192.0.2.01 192.0.2.2 1 2"),
    "a number for an address": line("TCP4 3232235777 192.0.2.2 1 2"),
    "the wrong family": line("TCP4 2001:db8::1 2001:db8::2 1 2"),
    "the wrong family the other way": line("TCP6 192.0.2.1 192.0.2.2 1 2"),
    "a wrong target": line("TCP4 192.0.2.1 192.0.2.300 1 2"),
    "a scope": line("TCP6 fe80::1%eth0 fe80::2 1 2"),
    "two spaces": line("TCP4  192.0.2.1 192.0.2.2 1 2"),
    "a space at the end": line("TCP4 192.0.2.1 192.0.2.2 1 2 "),
    "no carriage return": b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\n",
    "no end within the longest line": b"PROXY UNKNOWN " + b"x" * (MAX_LINE - 14),
    "an unknown that is too long": b"PROXY UNKNOWN " + b"x" * MAX_LINE + b"\r\n",
    "version 1 in binary": binary(0x11, 0x11, FOUR),
    "another command": binary(0x22, 0x11, FOUR),
    "a family that there is not": binary(0x21, 0x41, FOUR),
    "a protocol that there is not": binary(0x21, 0x13, FOUR),
    "too short for IPv4": binary(0x21, 0x11, bytes(11)),
    "too short for IPv6": binary(0x21, 0x21, bytes(35)),
    "too long": binary(0x21, 0x11, b"", length=MAX_BINARY - 15),
    "a spoiled signature": SIGNATURE[:-1] + b"x" + bytes(20),
}


@pytest.mark.parametrize("data", BAD.values(), ids=BAD)
def test_what_is_none_is_refused(data: bytes) -> None:
    with pytest.raises(NoProxyHeader):
        parse_proxy_header(data)


def test_the_longest_are_as_long_as_may_be() -> None:
    assert len(LONGEST) <= MAX_LINE
    block = FOUR + bytes(MAX_BINARY - 16 - len(FOUR))
    assert parse_proxy_header(binary(0x21, 0x11, block)) == ProxyHeader(("0.0.0.0", 0), MAX_BINARY)


@given(
    st.one_of(st.binary(max_size=300), st.binary(max_size=300).map(lambda tail: SIGNATURE + tail))
)
@example(b"")
def test_whatever_comes_is_a_header_or_none_or_not_yet_all_of_one(data: bytes) -> None:
    """Nothing else is raised, no header is longer than what came, and to wait has an end."""
    try:
        header = parse_proxy_header(data)
    except NoProxyHeader:
        return
    if header is None:
        assert len(data) < MAX_BINARY
    else:
        assert 0 < header.size <= len(data)


@given(st.text("PROXYTCUNKW46 .:0123456789abcdf\r\n", max_size=120))
def test_a_line_of_its_own_words_is_read_strictly(text: str) -> None:
    """What is accepted can be written again as it was."""
    data = f"PROXY {text}".encode()
    try:
        header = parse_proxy_header(data)
    except NoProxyHeader:
        return
    if header is not None and header.client is not None:
        words = data[: header.size].decode().split()
        assert ip_address(words[2]) == ip_address(header.client[0])
        assert int(words[4]) == header.client[1] <= 65535
