"""Which internet addresses strangers may make us call, and why not the others. No I/O.

Sources: the special-purpose registries of IANA for IPv4 and IPv6; the clouds' own manuals for
their metadata services.
"""

from enum import StrEnum
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_network,
)
from typing import TypeAlias

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network


class Why(StrEnum):
    """Why an address must not be called, in words that follow "it"."""

    METADATA = "leads to the metadata service of a cloud"
    LOOPBACK = "leads to this machine"
    PRIVATE = "leads into a private network"
    LINK_LOCAL = "leads to a neighbour on the same link"
    MULTICAST = "leads to many receivers"
    DOCUMENTATION = "leads to an address for examples"
    RESERVED = "leads to an address that is no host of the internet"


LIFTED = frozenset({Why.LOOPBACK, Why.PRIVATE})
"""What an operator allows who does not deny private addresses."""

_TABLE = tuple(
    (ip_network(network), why)
    for why, networks in {
        # These first: each stands inside of one below, or is public.
        Why.METADATA: (
            "169.254.169.254/32",  # AWS, Google, Azure, and most others
            "169.254.170.2/32",  # AWS, for containers
            "169.254.170.23/32",  # AWS, for pods
            "100.100.100.200/32",  # Alibaba
            "192.0.0.192/32",  # Oracle
            "168.63.129.16/32",  # Azure's wire server
            "fd00:ec2::254/128",  # AWS
            "fd00:ec2::23/128",  # AWS, for pods
            "fd20:ce::254/128",  # Google
        ),
        Why.LOOPBACK: ("127.0.0.0/8", "::1/128", "0.0.0.0/32", "::/128"),  # 0 connects to ourselves
        Why.PRIVATE: (
            "10.0.0.0/8",
            "172.16.0.0/12",
            "192.168.0.0/16",
            "100.64.0.0/10",  # behind a carrier's NAT, and many an overlay network
            "fc00::/7",
        ),
        Why.LINK_LOCAL: ("169.254.0.0/16", "fe80::/10"),
        Why.MULTICAST: ("224.0.0.0/4", "255.255.255.255/32", "ff00::/8"),
        Why.DOCUMENTATION: (
            "192.0.2.0/24",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "2001:db8::/32",
            "3fff::/20",
        ),
        Why.RESERVED: (
            "0.0.0.0/8",
            "192.0.0.0/24",
            "192.88.99.0/24",
            "198.18.0.0/15",
            "240.0.0.0/4",
            "2001::/23",  # Teredo, ORCHID, benchmarks
            "2002::/16",  # 6to4 carries an IPv4 address to who knows where
        ),
    }.items()
    for network in networks
)
_GLOBAL = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")


def why_not(address: Address) -> Why | None:
    """Say why an address must not be called; None if it may be."""
    address = plain(address)
    for network, why in _TABLE:
        if address in network:
            return why
    # Of IPv4 everything else is in use; of IPv6 an eighth is.
    return None if address.version == 4 or address in _GLOBAL else Why.RESERVED


def plain(address: Address) -> Address:
    """Return where the packets go in the end: the IPv4 address that an IPv6 one only carries."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _NAT64:
            return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address
