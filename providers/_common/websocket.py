"""A WebSocket to a vendor, on a trio stream: no task and no queue of its own.

The task that iterates is the one that reads the socket; every task may send. One
``send_all`` for each message, no hop between tasks, no copy beyond the mask.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Self

import trio

from capabilities import ProviderClosed
from providers._common.headers import Headers, outgoing
from providers._common.network import Network, open_stream
from providers._common.transport import PIECE, Transport
from providers._common.urls import as_websocket
from providers._common.websocket_wire import Wire

MOST_MESSAGE = 16 * 1024 * 1024
"""Bytes. The longest that a vendor is known to send is some hundred kilobytes of sound."""
CLOSE_TIMEOUT = 1.0
"""Seconds that a vendor has to answer a goodbye, or to say why it hung up."""
NORMAL: frozenset[int] = frozenset({1000})
"""Close codes of a vendor that is done (RFC 6455, 7.4.1)."""

_READ = 65536
_MOST_LAST_READS = 64  # pieces that are read for the sake of a close frame behind them
_GONE = (trio.BrokenResourceError, trio.ClosedResourceError)


class WebSocket:
    """One open connection. Made by :func:`connect`, which also closes it.

    Iterate in one task: ``str`` for a text message, ``bytes`` for a binary one. The vendor's
    pings are answered while somebody iterates. Waiting for a message may be cancelled and begun
    again; nothing is lost.
    """

    def __init__(
        self, stream: trio.abc.Stream, wire: Wire, normal: frozenset[int] = NORMAL
    ) -> None:
        self._stream = stream
        self._wire = wire
        self._normal = normal
        self._sending = trio.Lock()
        self._closing = False
        self._reading = False
        self._others = trio.lowlevel.ParkingLot()
        self._quick = stream if isinstance(stream, Transport) else None
        self._begun: str | bytes | None = None
        """The message of which a part did not go at once."""

    @property
    def close_code(self) -> int | None:
        """The code of whoever closed first; 1006 for a connection that just broke; None before."""
        return self._wire.close_code

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> str | bytes:
        """Return the next message. Iteration ends when either side has closed in good order.

        Whether all was said by then is for the caller to know.

        Raises:
            ProviderClosed: the vendor ended the connection otherwise.
            ProviderRefused, ProviderBusy: it did so because of a policy, or because it is full.
            ProviderProtocolError: one side broke the protocol.
        """
        wire = self._wire
        while not wire.messages:
            if wire.has_output:
                await self._answer()
            if self._closing:
                raise StopAsyncIteration
            if not wire.is_open:
                failure = wire.failure()
                # A code says nothing where one side has broken the protocol.
                if isinstance(failure, ProviderClosed) and wire.close_code in self._normal:
                    raise StopAsyncIteration
                raise failure
            await self._read()
        return wire.messages.popleft()

    def send_now(self, message: str | bytes) -> bool:
        """Send one message without waiting; False: :meth:`send` it, of which a part may have gone."""
        quick, wire = self._quick, self._wire
        if quick is None or self._closing or self._sending.locked():
            return False
        if not (quick.is_clear and wire.is_open) or len(message) > PIECE:
            return False
        wire.send(message)
        try:
            quick.send_now(wire.take())
        except _GONE:
            return False
        if not quick.is_clear:
            # The rest must not wait for whatever is sent next: this may be the last word.
            self._begun = message
        return quick.is_clear

    async def send(self, message: str | bytes) -> None:
        """Send one message, text or binary, or the rest of it; wait while the vendor is behind.

        For how long is up to the caller's scope. Cancelled while it sends it may leave half a
        frame, after which nothing can follow, so the connection is cut.

        Raises:
            ProviderClosed: the vendor has hung up, or this side has closed.
            ProviderError: as for iterating, if the vendor said why it hung up.
        """
        await self._emit(message)

    async def ping(self) -> None:
        """Ask for a sign of life, as :meth:`send` would: on a dead connection nothing goes out."""
        await self._emit(None)

    async def _emit(self, message: str | bytes | None) -> None:
        if not await self._hand_over(message):
            await self._hear_why()
            raise self._wire.failure()

    async def _hand_over(self, message: str | bytes | None) -> bool:
        """Send a message, or a ping for None; say whether the connection took it."""
        await self._lock()
        try:
            # The last moment to be cancelled without harm.
            await trio.lowlevel.checkpoint_if_cancelled()
            if self._closing or not self._wire.is_open:
                return False
            if message is None:
                self._wire.ping()
            elif message is self._begun:
                self._begun = None
            else:
                self._wire.send(message)
            await self._flush()
        except _GONE:
            return False
        else:
            return True
        finally:
            self._sending.release()

    async def _hear_why(self) -> None:
        """Read what a vendor that hung up has left behind: often a close frame with the reason.

        A sender meets the broken connection first, and "key refused" is not "try again".
        """
        with trio.move_on_after(CLOSE_TIMEOUT):
            for _ in range(_MOST_LAST_READS):
                if self._closing or not self._wire.is_open:
                    return
                await self._read()
        await self._cut()

    async def _read(self) -> None:
        """Take one piece of bytes off the network, or wait until another task has done so."""
        if self._reading:
            await self._others.park()
            return
        self._reading = True
        data: bytes | bytearray = b""
        try:
            data = await self._stream.receive_some(_READ)
        except _GONE:
            pass  # reads like an end without a goodbye, which is what it is
        finally:
            self._reading = False
            self._others.unpark_all()
        self._wire.feed(data)

    async def _answer(self) -> None:
        """Send what the protocol itself has to say."""
        await self._lock()
        try:
            await trio.lowlevel.checkpoint_if_cancelled()
            await self._flush()
        except _GONE:
            pass  # whoever reads or sends next will notice
        finally:
            self._sending.release()

    async def _lock(self) -> None:
        # Mostly it is free, and then its own checkpoint would be a needless trip
        # round the scheduler for each frame: the stream's is enough.
        try:
            self._sending.acquire_nowait()
        except trio.WouldBlock:
            await self._sending.acquire()

    async def _flush(self) -> None:
        """Send all that is framed, under the lock."""
        data = self._wire.take()
        if not data and (self._quick is None or self._quick.is_clear):
            return
        try:
            await self._stream.send_all(data)
        except _GONE:
            raise
        except BaseException:
            # Cancelled, as a rule: half a frame may be out.
            await self._cut()
            raise

    async def _cut(self) -> None:
        """End the connection now, without a word."""
        self._wire.cut()
        await trio.aclose_forcefully(self._stream)

    async def _close(self) -> None:
        """Say goodbye, and close after :data:`CLOSE_TIMEOUT` in any case.

        Cancellation does not cut it short, so that the vendor knows that nothing follows.
        """
        self._closing = True
        with trio.move_on_after(CLOSE_TIMEOUT, shield=True):
            try:
                await self._part()
                await self._stream.aclose()
            except _GONE:
                pass  # there is nobody left to be polite to
        await self._cut()

    async def _part(self) -> None:
        async with self._sending:
            self._wire.close()
            await self._flush()
        # A socket that is closed with unread bytes is reset, and the reset may overtake the
        # goodbye.
        while not self._wire.is_over:
            await self._read()
            self._wire.messages.clear()


@asynccontextmanager
async def connect(
    network: Network,
    url: str,
    *,
    headers: Headers | None = None,
    max_message: int = MOST_MESSAGE,
    normal: frozenset[int] = NORMAL,
) -> AsyncIterator[WebSocket]:
    """Open a connection for as long as the ``async with`` block lasts.

    Leaving the block closes with 1000 and waits at most :data:`CLOSE_TIMEOUT` for the answer.

    Args:
        url: as :meth:`Network.url` makes it; ``https`` stands for ``wss``. A key in it is the
            caller's to keep out of messages; here it is not repeated.
        headers: what authenticates as a :class:`Secret`.
        max_message: bytes; a larger one ends the connection.
        normal: the close codes with which iteration just ends; 1005 is a goodbye without a code,
            1006 an end without a goodbye.

    Raises:
        ProviderUnavailable: not reached, not in time, or answered with HTTP 408 or 5xx.
        ProviderBusy: answered with HTTP 429.
        ProviderRefused: answered with another 3xx or 4xx, or by a proxy that lets nobody through.
        ProviderProtocolError: what answers is no WebSocket.
    """
    socket = None
    with trio.move_on_after(network.settings.connect_timeout):
        stream, wire = await _open(network, as_websocket(url), headers or {}, max_message)
        socket = WebSocket(stream, wire, normal)
    if socket is None:
        raise network.too_slow()
    try:
        yield socket
    finally:
        await socket._close()  # noqa: SLF001  # the block is the owner; nobody else closes


async def _open(
    network: Network, url: str, headers: Headers, max_message: int
) -> tuple[trio.abc.Stream, Wire]:
    sent, failures = outgoing(network.provider, headers, network.settings.headers)
    wire = Wire(url, sent, max_message, failures)
    uri = wire.uri
    stream = await open_stream(network, uri.host, uri.port, secure=uri.secure)
    try:
        await _shake_hands(stream, wire)
    except BaseException:
        await trio.aclose_forcefully(stream)
        raise
    return stream, wire


async def _shake_hands(stream: trio.abc.Stream, wire: Wire) -> None:
    try:
        await stream.send_all(wire.take())
        while wire.is_connecting:
            wire.feed(await stream.receive_some(_READ))
    except trio.BrokenResourceError:
        wire.feed(b"")
    # One that says goodbye in the same breath may have said something before.
    if not wire.is_agreed:
        raise wire.failure()
