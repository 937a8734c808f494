"""Whose request it is: one rule for the client's address, the same for every limit. No I/O.

Sources: RFC 7239 (``Forwarded``); ``X-Forwarded-For`` as proxies write it. Both grow at their right
end, so they are read from there, and only as long as the speaker is a proxy that we trust.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import TypeAlias

import attrs

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

MOST_HOPS = 32
"""Proxies in a row that are believed; nobody has so many."""
_SITE = 64
"""Bits of an IPv6 address that a client cannot change at will: its provider gives it the others."""

_PAIR = re.compile(
    r"""\s*(?P<name>[\w!#$%&'*+.^`|~-]+)=(?:(?P<plain>[^\s",;]+)|"(?P<quoted>(?:[^"\\]|\\.)*)")"""
    r"""\s*(?P<end>[;,](?=.)|\Z)"""
)
"""``for=192.0.2.1`` with what ends it. A quoted part that has something behind it is none."""
_NODE = re.compile(r"\[([^]]*)\](?::\w*)?|([^:]*)(?::\w*)?")
"""``192.0.2.1``, ``192.0.2.1:80``, ``[2001:db8::1]`` or ``[2001:db8::1]:80``."""


def _networks(texts: Iterable[str]) -> tuple[Network, ...]:
    return tuple(ip_network(text, strict=False) for text in texts)


@attrs.frozen
class Clients:
    """Who is behind a connection."""

    trusted: tuple[Network, ...] = attrs.field(default=(), converter=_networks)
    """The proxies that are believed; addresses or networks, as text."""
    announced: bool = False
    """Whether each connection begins with the address of its client, said by a proxy (PROXY protocol)."""

    def of(self, peer: str, headers: Mapping[str, str]) -> str:
        """Return the client in the form that limits count: an IPv4 address, or an IPv6 /64.

        What somebody else than a trusted proxy says is not even looked at. Two headers that
        contradict each other are both ignored, because one of them may be the client's own; then,
        as with a hop that does not say its address, all of them count as the proxy.

        Args:
            peer: the address at the other end of the socket.
            headers: by name in lower case; a repeated one is joined with commas.
        """
        address = _address(peer)
        if address is None:
            return peer
        if not self._is_trusted(address):
            return _group(address)
        found = {
            _group(self._first_stranger(address, read(headers[name])))
            for name, read in _READERS.items()
            if name in headers
        }
        return found.pop() if len(found) == 1 else _group(address)

    def _first_stranger(self, peer: Address, hops: Iterator[str]) -> Address:
        """Walk from us towards the client; return the first that is no proxy of ours."""
        here = peer
        for hop in hops:
            address = _address(_bare(hop))
            if address is None:
                break
            here = address
            if not self._is_trusted(here):
                break
        return here

    def owner(self, peer: str) -> str | None:
        """Return the client to whom a connection belongs, in the same form.

        None for a trusted proxy: what comes through it has an owner, the connection has not.
        """
        return None if self.trusts(peer) else self.of(peer, {})

    def trusts(self, peer: str) -> bool:
        """Tell whether this is one of the proxies."""
        address = _address(peer)
        return address is not None and self._is_trusted(address)

    def _is_trusted(self, address: Address) -> bool:
        return any(address in network for network in self.trusted)


def _address(text: str) -> Address | None:
    """Read an address; one that stands for an IPv4 address is that one."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _group(address: Address) -> str:
    if isinstance(address, IPv4Address):
        return str(address)
    # As a number: a scope (``fe80::1%eth0``) belongs to the way and not to the client.
    return str(IPv6Network((int(address), _SITE), strict=False))


def _bare(node: str) -> str:
    """Take the brackets and the port off an address."""
    if node.count(":") > 1 and not node.startswith("["):
        return node  # an IPv6 address as X-Forwarded-For has it
    match = _NODE.fullmatch(node)
    return (match[1] or match[2] or "") if match else ""


def _x_forwarded_for(value: str) -> Iterator[str]:
    # What is left of the last proxies is one long text that nobody reads.
    return (hop.strip() for hop in reversed(value.rsplit(",", MOST_HOPS)[-MOST_HOPS:]))


def _forwarded(value: str) -> Iterator[str]:
    """Give the hops from right to left; none at all if any of it is malformed.

    A quotation mark that a client left open would otherwise swallow what the proxy has added.
    """
    hops: list[str] = []
    element: dict[str, str] = {}
    at = 0
    while at < len(value):
        pair = _PAIR.match(value, at)
        if pair is None:
            return iter(())
        at = pair.end()
        element[pair["name"].lower()] = pair["plain"] or pair["quoted"].replace("\\", "")
        if pair["end"] != ";":
            hops.append(element.get("for", ""))
            element = {}
    return iter(hops[: -MOST_HOPS - 1 : -1])


_READERS = {"forwarded": _forwarded, "x-forwarded-for": _x_forwarded_for}
