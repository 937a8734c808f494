"""Connections to where a stranger's URL leads: looked up once, judged, and then to that address.

Between a check and a connection that looks the name up again, the answer can change. Here the
connection goes to the very addresses that were judged.
"""

import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from ipaddress import ip_address
from typing import Self, TypeAlias, TypeVar

import attrs
import httpx
import trio

from waav.config import Config
from waav.security.ssrf_addresses import Address
from waav.security.ssrf_rules import Rules
from waav.security.ssrf_urls import Target

LOOKUPS = 16
"""Names that are looked up at one time; more wait."""
LOOKUP_TIMEOUT = 5.0
"""Seconds, the wait for a turn included."""
CONNECT_TIMEOUT = 10.0
"""Seconds for everything until a connection is there."""
ATTEMPT = 3.0
"""Seconds for one of several addresses."""
ATTEMPTS = 4
"""Addresses of a host that are tried, one after the other."""

T = TypeVar("T")
Lookup: TypeAlias = Callable[[str], Awaitable[Sequence[Address]]]
"""A host -> its addresses, best first. Raises OSError if there is none."""


@attrs.frozen
class Resolver:
    """Asks the system, in threads of its own number.

    A thread that waits for a name server cannot be ended. It keeps its place here until it is
    done, so that a server that never answers holds up these look-ups and nothing else.
    """

    _places: trio.CapacityLimiter = attrs.field(factory=partial(trio.CapacityLimiter, LOOKUPS))

    async def __call__(self, host: str) -> Sequence[Address]:
        """Look a host up."""
        # As bytes, so that the name is not translated once more.
        ask = partial(socket.getaddrinfo, host.encode("ascii"), None, type=socket.SOCK_STREAM)
        rows = await trio.to_thread.run_sync(ask, abandon_on_cancel=True, limiter=self._places)
        return [ip_address(row[4][0]) for row in rows]


@attrs.frozen(eq=False)
class Guard:
    """The one way to what a client has named."""

    rules: Rules
    tls: ssl.SSLContext = attrs.field(repr=False)
    lookup: Lookup = attrs.field(factory=Resolver, repr=False)

    @classmethod
    async def of(cls, config: Config) -> Self:
        """Make it as the operator has it.

        Raises:
            OSError: the certificates of those whom we trust cannot be read.
        """
        # Reading the certificates takes some 100 ms.
        return cls(Rules.of(config), await trio.to_thread.run_sync(httpx.create_ssl_context))

    async def addresses(self, host: str) -> Sequence[Address]:
        """Look the host of a :class:`Target` up, for one connection.

        Raises:
            AddressRefused: one of its addresses must not be called.
            OSError: it has none, or nobody says so in time.
        """
        try:
            with trio.fail_after(LOOKUP_TIMEOUT):
                found = await self.lookup(host)
        except trio.TooSlowError:
            raise TimeoutError("the host was not found in time") from None
        self.rules.judge(host, found)
        return found

    async def connect(
        self,
        host: str,
        open_one: Callable[[str], Awaitable[T]],
        lost: type[Exception] | tuple[type[Exception], ...] = OSError,
    ) -> T:
        """Look a host up, and return the first connection that one of its addresses gives.

        Args:
            host: of a :class:`Target`.
            open_one: connects to an address, which is given as text.
            lost: what that raises if it cannot.

        Raises:
            AddressRefused, OSError: as for :meth:`addresses`; OSError also if none connects. The
                message names no address.
        """
        failure: Exception | None = None
        for address in (await self.addresses(host))[:ATTEMPTS]:
            with trio.move_on_after(ATTEMPT):
                try:
                    return await open_one(str(address))
                except lost as exc:
                    failure = exc
        raise ConnectionError("the host cannot be reached") from failure

    async def open_stream(self, url: str) -> trio.abc.Stream:
        """Connect to where a URL leads, with TLS if it says so; the caller closes.

        Raises:
            AddressRefused: it leads to where we must not go.
            OSError: the host was not found, not reached, or not in time.
            trio.BrokenResourceError: TLS failed.
        """
        target = self.rules.check(url)
        try:
            with trio.fail_after(CONNECT_TIMEOUT):
                stream = await self.connect(
                    target.host, partial(trio.open_tcp_stream, port=target.port)
                )
                return await self._secured(stream, target) if target.secure else stream
        except trio.TooSlowError:
            raise TimeoutError("the host was not reached in time") from None

    async def _secured(self, stream: trio.SocketStream, target: Target) -> trio.abc.Stream:
        secured = trio.SSLStream(
            stream, self.tls, server_hostname=target.host, https_compatible=True
        )
        try:
            await secured.do_handshake()
        except BaseException:
            await trio.aclose_forcefully(stream)
            raise
        return secured
