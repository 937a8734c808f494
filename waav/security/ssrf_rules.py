"""What strangers may make us call: which hosts, ports and addresses. No I/O."""

from collections.abc import Iterable
from typing import Self

import attrs

from waav.config import Config
from waav.config.outbound import read_host
from waav.errors import AddressRefused
from waav.security.ssrf_addresses import LIFTED, Address, Network, Why, plain, why_not
from waav.security.ssrf_urls import PORTS, Target, read_url

_METADATA = frozenset({
    "instance-data",
    "instance-data.ec2.internal",
    "metadata",
    "metadata.azure.internal",
    "metadata.goog",
    "metadata.google.internal",
    "metadata.packet.net",
    "metadata.platformequinix.com",
    "metadata.tencentyun.com",
})  # fmt: skip
_LOCAL = (
    ".localhost",
    ".local",
    ".localdomain",
    ".internal",
    ".intranet",
    ".private",
    ".corp",
    ".home",
    ".lan",
    ".home.arpa",
)
"""Ends of names that no public name has."""
_FIRST_FREE_PORT = 1024
_TAKEN = frozenset({
    1433, 1521, 2049, 2375, 2376, 2379, 2380, 3306, 3389, 4369, 5060, 5061, 5432, 5672, 5900, 5984,
    5985, 5986, 6000, 6379, 6443, 6667, 8086, 9042, 9092, 9200, 9300, 10250, 11211, 15672, 27017,
})  # fmt: skip
"""Ports of databases, queues, desktops and machines' own management: no hook lives there."""


@attrs.frozen
class Rules:
    """What an operator allows. What is listed may be private, plain HTTP, and at any port."""

    hosts: frozenset[str] = frozenset()
    """Names; one that begins with ``*.`` stands for all below it."""
    networks: tuple[Network, ...] = ()
    deny_private: bool = True
    insecure: bool = False
    """Also ``http`` and ``ws``, to whatever host."""

    @classmethod
    def of(cls, config: Config) -> Self:
        """Read them from a configuration that was checked."""
        entries = [read_host(entry) for entry in config.outbound.allow_hosts]
        return cls(
            hosts=frozenset(each for each in entries if isinstance(each, str)),
            networks=tuple(each for each in entries if not isinstance(each, str)),
            deny_private=config.outbound.deny_private,
        )

    def check(self, url: str) -> Target:
        """Read a URL and judge what can be judged without asking anybody.

        Raises:
            AddressRefused: it is none, or one that must not be called.
        """
        target = read_url(url)
        if target.host in _METADATA:
            raise AddressRefused(f"it {Why.METADATA}")
        if target.address is not None:
            if not self._has(target.address):
                raise AddressRefused("its host must be a name, not an address")
            self.judge(target.host, [target.address])
        elif not self._names(target.host):
            self._judge_stranger(target)
        return target

    def judge(self, host: str, addresses: Iterable[Address]) -> None:
        """Judge where a host leads; one bad address spoils all, as any of them may be used.

        Args:
            host: of a :class:`Target`.

        Raises:
            AddressRefused: an address of it must not be called. The message does not name it.
        """
        known = self._names(host)
        for address in addresses:
            why = why_not(address)
            allowed = why is None or known or self._has(address)
            lifted = why in LIFTED and not self.deny_private
            if why is Why.METADATA or not (allowed or lifted):
                raise AddressRefused(f"it {why}")

    def _judge_stranger(self, target: Target) -> None:
        if not (target.secure or self.insecure):
            raise AddressRefused("it must begin with https:// or wss://")
        if target.port in _TAKEN or (
            target.port < _FIRST_FREE_PORT and target.port not in PORTS.values()
        ):
            raise AddressRefused("its port belongs to another service")
        if self.deny_private and ("." not in target.host or target.host.endswith(_LOCAL)):
            raise AddressRefused("its host is a name of a private network")

    def _names(self, host: str) -> bool:
        above = host.split(".")[1:]
        endings = ("*." + ".".join(above[at:]) for at in range(len(above)))
        return host in self.hosts or any(ending in self.hosts for ending in endings)

    def _has(self, address: Address) -> bool:
        return any(plain(address) in network for network in self.networks)
