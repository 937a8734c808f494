"""What a proxy says before the first byte of its client: the header of the PROXY protocol. No I/O.

Source: haproxy's "The PROXY protocol", versions 1 (a line) and 2 (binary).
"""

import re
from ipaddress import IPv4Address, IPv6Address
from typing import TypeAlias

import attrs

MAX_LINE = 107
"""Bytes of a header of version 1, with its end."""
MAX_BINARY = 16 + 16_384
"""Bytes of a header of version 2. Its length field would allow 64 KiB; what is sent are addresses, and
sometimes the client's certificate."""

_LINE = re.compile(
    rb"PROXY (?:UNKNOWN(?: [^\r\n]*)?"
    rb"|(?P<family>TCP[46]) (?P<source>[\da-fA-F:.]+) (?P<target>[\da-fA-F:.]+)"
    rb" (?P<port>0|[1-9]\d{0,4}) (?P<to_port>0|[1-9]\d{0,4}))\r\n"
)
_FAMILIES = {b"TCP4": IPv4Address, b"TCP6": IPv6Address}
_LINE_BEGINS = b"PROXY "
_SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
_FIXED = 16
"""Bytes of a header of version 2 before its addresses."""
_LOCAL, _PROXY = 0x20, 0x21
_MOST_PORT = 65535

_ADDRESSES = {0x11: (4, IPv4Address), 0x21: (16, IPv6Address)}
"""TCP over IPv4, TCP over IPv6: the bytes of one address."""
_WITHOUT_ADDRESS = {0x00, 0x12, 0x22, 0x31, 0x32}
"""Unspecified, and what no client of ours can come by (UDP, Unix): to be treated the same."""

Peer: TypeAlias = tuple[str, int]
"""Address and port."""


class NoProxyHeader(Exception):
    """What came is none, or one that breaks the rules: the connection is to be closed."""


@attrs.frozen
class ProxyHeader:
    """Where a connection comes from, says the proxy that made it."""

    client: Peer | None
    """None: the proxy speaks for itself, or does not know; whoever is connected is the client."""
    size: int
    """Bytes of the header."""


def parse_proxy_header(data: bytes | bytearray) -> ProxyHeader | None:
    """Read the header at the start of ``data``; what follows it is left alone.

    Returns:
        None while it is incomplete.

    Raises:
        NoProxyHeader: there is none, or it is malformed or too long.
    """
    if data.startswith(_SIGNATURE):
        return _binary(data)
    if data.startswith(_LINE_BEGINS):
        return _line(data)
    if any(each.startswith(data) for each in (_SIGNATURE, _LINE_BEGINS)):
        return None
    raise NoProxyHeader("no PROXY header")


def _line(data: bytes | bytearray) -> ProxyHeader | None:
    end = data.find(b"\n", 0, MAX_LINE) + 1
    if not end:
        if len(data) >= MAX_LINE:
            raise NoProxyHeader("a line without an end")
        return None
    line = _LINE.fullmatch(data, 0, end)
    if line is None:
        raise NoProxyHeader("not a line of the PROXY protocol")
    if line["family"] is None:
        return ProxyHeader(None, end)
    address = _FAMILIES[bytes(line["family"])]
    try:
        client, _ = (str(address(line[name].decode())) for name in ("source", "target"))
    except ValueError as error:
        raise NoProxyHeader("not an address") from error
    port, to_port = int(line["port"]), int(line["to_port"])
    if max(port, to_port) > _MOST_PORT:
        raise NoProxyHeader("not a port")
    return ProxyHeader((client, port), end)


def _binary(data: bytes | bytearray) -> ProxyHeader | None:
    if len(data) < _FIXED:
        return None
    command, family = data[12], data[13]
    size = _FIXED + int.from_bytes(data[14:_FIXED])
    if command not in (_LOCAL, _PROXY):
        raise NoProxyHeader("an unknown version or command")
    if size > MAX_BINARY:
        raise NoProxyHeader("too long")
    # Of a proxy that speaks for itself the family says nothing.
    if command == _PROXY and family not in {*_ADDRESSES, *_WITHOUT_ADDRESS}:
        raise NoProxyHeader("an unknown family")
    if len(data) < size:
        return None
    if command == _LOCAL or family in _WITHOUT_ADDRESS:
        return ProxyHeader(None, size)
    return ProxyHeader(_client(family, bytes(data[_FIXED:size])), size)


def _client(family: int, block: bytes) -> Peer:
    """Read where it comes from; behind that is where it goes to, and what else there is to tell."""
    width, kind = _ADDRESSES[family]
    port_at = 2 * width
    if len(block) < port_at + 4:
        raise NoProxyHeader("shorter than its addresses")
    return str(kind(block[:width])), int.from_bytes(block[port_at : port_at + 2])
