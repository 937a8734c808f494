"""Speech to text: the two WebSockets of this vendor, each with its wire and its policy."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Self

import attrs

from capabilities import STTOptions, STTStream
from providers._common.policy import Policy
from providers._common.stt_link import open_stt_link
from providers._common.urls import Query
from providers._common.websocket import NORMAL, WebSocket, connect
from providers._common.wire import Connection, Message, Wire
from providers.deepgram.account import Account
from providers.deepgram.flux_wire import CUT, FluxWire
from providers.deepgram.names import ID, STT_MODEL, is_flux
from providers.deepgram.options import DeepgramSTTOptions
from providers.deepgram.stt_query import flux_query, nova_query
from providers.deepgram.stt_wire import NovaWire

KEEPALIVE = 5.0
"""Seconds without sound; after 10 the vendor hangs up (NET-0001)."""
PAUSE = 1.0
"""Seconds without sound that Flux, which has no KeepAlive, gets as silence: a turn ends in it."""
FLUX_FRAME = 0.08
"""Seconds of sound in a message, as the vendor advises for Flux."""

_NO_GOODBYE = 1006


@attrs.define(eq=False)
class FluxConnection:
    """A connection whose end without a goodbye is a last message: was all said, or was it cut?"""

    _socket: WebSocket
    _told: bool = False

    async def send(self, message: Message) -> None:
        """Send one message; raises as :meth:`WebSocket.send`."""
        await self._socket.send(message)

    def send_now(self, message: Message) -> bool:
        """As :meth:`WebSocket.send_now`."""
        return self._socket.send_now(message)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Message:
        try:
            return await anext(self._socket)
        except StopAsyncIteration:
            if self._told or self._socket.close_code != _NO_GOODBYE:
                raise
        self._told = True
        return CUT


@attrs.frozen
class API:
    """One way to listen."""

    version: str
    """The first part of its path."""
    query: Callable[[STTOptions], Query]
    wire: Callable[[STTOptions], Wire]
    policy: Policy
    normal: frozenset[int] = NORMAL
    """Close codes of a good end."""
    wrapped: Callable[[WebSocket], Connection] = lambda socket: socket
    """How the wire sees the connection."""


def _nova_wire(options: STTOptions) -> Wire:
    own: DeepgramSTTOptions = options.options or DeepgramSTTOptions()
    return NovaWire(options.interim_results, bool(own.multichannel))


def _flux_wire(options: STTOptions) -> Wire:
    return FluxWire(options.interim_results)


NOVA = API("v1", nova_query, _nova_wire, Policy(keepalive=KEEPALIVE))
FLUX = API(
    "v2",
    flux_query,
    _flux_wire,
    Policy(says_ready=True, keepalive=PAUSE, silence=PAUSE, shortest_frame=FLUX_FRAME),
    # It closes without a code (1005), or without a goodbye (1006): see FluxConnection.
    frozenset({1000, 1005, _NO_GOODBYE}),
    FluxConnection,
)


@attrs.frozen
class DeepgramSTT:
    """The recogniser."""

    account: Account
    nova: API = NOVA
    flux: API = FLUX

    @asynccontextmanager
    async def connect(self, options: STTOptions) -> AsyncIterator[STTStream]:
        """Open a recognition; the model decides which API it is."""
        api = self.flux if is_flux(options.model or STT_MODEL) else self.nova
        headers = self.account.headers(options.api_key)
        url = self.account.network.url(api.version, "listen", query=api.query(options))

        @asynccontextmanager
        async def open_connection() -> AsyncIterator[Connection]:
            network, normal = self.account.network, api.normal
            async with connect(network, url, headers=headers, normal=normal) as socket:
                yield api.wrapped(socket)

        async with open_stt_link(
            lambda: api.wire(options),
            open_connection,
            provider=ID,
            audio=options.format,
            policy=api.policy,
        ) as stream:
            yield stream
