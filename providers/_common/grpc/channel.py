"""A server to call: one connection for all calls, replaced when it is gone.

Why one and not one for each call: a first answer then costs no handshake (two round trips), and
vendors count connections. Sharing is safe because only the connection's own task writes. Whoever
wants calls kept apart, as a long recognition does, opens a channel of its own.
"""

import math
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from types import MappingProxyType
from typing import TypeAlias
from urllib.parse import urlsplit

import attrs
import trio

from capabilities import (
    ProviderBusy,
    ProviderError,
    ProviderProtocolError,
    ProviderRefused,
    ProviderUnavailable,
)
from providers._common.failures import Failures
from providers._common.grpc.call import Call
from providers._common.grpc.connection import Connection, Keepalive
from providers._common.grpc.headers import Metadata, request_headers
from providers._common.grpc.messages import Unpacker
from providers._common.grpc.stream import Broken, Lost, Stream
from providers._common.network import Network, open_stream
from providers._common.tasks import open_scoped_nursery

Dial: TypeAlias = Callable[[], Awaitable[trio.abc.Stream]]

HTTP2 = ("h2",)
"""ALPN: what the TLS context of a gRPC network has to offer."""
MOST_MESSAGE = 4 * 1024 * 1024
_KEEPALIVE = Keepalive()
_NOTHING: Metadata = MappingProxyType({})


@attrs.define(eq=False)
class Channel:
    """A server that takes calls for as long as the block of ``connect`` lasts."""

    _network: Network
    _dial: Dial = attrs.field(repr=False)
    _nursery: trio.Nursery = attrs.field(repr=False)
    _keepalive: Keepalive
    _most_message: int
    _current: Connection | None = None
    _opening: trio.Lock = attrs.field(factory=trio.Lock, repr=False)

    @asynccontextmanager
    async def call(
        self, method: str, *, metadata: Metadata = _NOTHING, timeout: float = math.inf
    ) -> AsyncIterator[Call]:
        """Call ``/package.Service/Method``; leaving the block breaks off what has not ended.

        Waits while the server has no free place for another call. A call that the server says it
        has not looked at is made again, once and at once.

        Args:
            metadata: what goes with the call; the key as a :class:`Secret`.
            timeout: seconds that the whole block may last. The server is told, but a frozen one
                does not act on it, so our own clock watches too.

        Raises:
            ProviderUnavailable: the server could not be reached, or not in time.
            ProviderBusy: it takes no calls.
            ProviderRefused: the metadata cannot be sent.
        """
        headers, failures = request_headers(
            self._network.provider,
            self._network.base_url,
            method,
            timeout,
            self._network.settings.headers,
            metadata,
        )
        begin = partial(self._begin, headers)
        with trio.move_on_after(timeout) as scope:
            call = Call(failures, begin, await begin(), Unpacker(self._most_message))
            try:
                yield call
            finally:
                call.leave()
        if scope.cancelled_caught:
            raise ProviderUnavailable(failures.provider, f"did not end the call in {timeout:g} s")

    async def unary(
        self,
        method: str,
        message: bytes,
        *,
        metadata: Metadata = _NOTHING,
        timeout: float = math.inf,
    ) -> bytes:
        """Make a call of one message each way, and return the answer.

        Raises:
            ProviderError: as for ``call`` and its iteration.
        """
        async with self.call(method, metadata=metadata, timeout=timeout) as call:
            await call.send(message)
            await call.finish()
            answers = [answer async for answer in call]
        if len(answers) != 1:
            said = f"gives {len(answers)} answers instead of one"
            raise ProviderProtocolError(self._network.provider, said)
        return answers[0]

    async def ready(self) -> Connection:
        """Return the connection for the next call, a fresh one if the last is of no use any more.

        Raises:
            ProviderUnavailable: none could be made in time.
            ProviderRefused: the server speaks no HTTP/2.
        """
        async with self._opening:
            if self._current is None or not self._current.usable:
                self._current = await self._connected()
            return self._current

    async def _connected(self) -> Connection:
        failures = Failures(self._network.provider)
        with trio.move_on_after(self._network.settings.connect_timeout) as scope:
            connection = Connection(failures, await self._dial(), self._keepalive)
            await self._nursery.start(connection.run, name="grpc/connection")
        if scope.cancelled_caught:
            raise self._network.too_slow()
        # A connection that was lost because we were cancelled is nothing to tell of.
        await trio.lowlevel.checkpoint_if_cancelled()
        if connection.lost:
            raise self._unwelcome(connection.lost)
        return connection

    def _unwelcome(self, lost: Lost | Broken) -> ProviderError:
        if isinstance(lost, Broken):
            return ProviderProtocolError(self._network.provider, lost.message)
        # TLS 1.3 tells of a certificate that is not liked only after the handshake.
        hint = " (was the client certificate accepted?)" if _secure(self._network) else ""
        return ProviderUnavailable(self._network.provider, lost.message + hint)

    async def _begin(self, headers: list[tuple[str, str]]) -> Stream:
        # Twice: a connection may begin to drain while we wait for a place on it.
        for _ in range(2):
            connection = await self.ready()
            if stream := await connection.open(headers):
                return stream
        raise ProviderBusy(self._network.provider, "takes no calls at the moment")


@asynccontextmanager
async def connect(
    network: Network, *, keepalive: Keepalive = _KEEPALIVE, most_message: int = MOST_MESSAGE
) -> AsyncIterator[Channel]:
    """Connect to a server for as long as the block lasts.

    Args:
        network: the server's address, and a TLS context that offers
            :data:`HTTP2` and holds the client's certificate if the server wants one.
        most_message: bytes of one answer, as it came and inflated.

    Raises:
        ProviderUnavailable: no connection could be made.
        ProviderRefused: the server speaks no HTTP/2, or the proxy does not let us through.
    """
    dial = partial(reach, network)
    async with open_channel(
        network, dial, keepalive=keepalive, most_message=most_message
    ) as channel:
        yield channel


@asynccontextmanager
async def open_channel(
    network: Network,
    dial: Dial,
    *,
    keepalive: Keepalive = _KEEPALIVE,
    most_message: int = MOST_MESSAGE,
) -> AsyncIterator[Channel]:
    """Do what ``connect`` does, over transports that ``dial`` brings."""
    async with open_scoped_nursery("the channel is closed") as nursery:
        channel = Channel(network, dial, nursery, keepalive, most_message)
        await channel.ready()
        yield channel


async def reach(network: Network) -> trio.abc.Stream:
    """Open the transport to the network's address.

    Raises:
        ProviderUnavailable: nobody was reached.
        ProviderRefused: the server does not agree on HTTP/2.
    """
    place = urlsplit(network.base_url)
    secure = _secure(network)
    port = place.port or (443 if secure else 80)
    stream = await open_stream(network, place.hostname or "", port, secure=secure)
    if secure and stream.selected_alpn_protocol() != "h2":
        await trio.aclose_forcefully(stream)
        raise ProviderRefused(network.provider, "does not agree on HTTP/2, which gRPC needs")
    return stream


def _secure(network: Network) -> bool:
    return network.base_url.startswith("https:")
