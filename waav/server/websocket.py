"""A WebSocket on a trio stream: no task and no queue of its own.

The task that iterates is the one that reads the socket; every task may send. What
makes it quick is what is not here: no hop between tasks, no copy of a frame, one
``send_all`` for each event.
"""

import os
import struct
from collections.abc import Callable, Mapping
from socket import SO_LINGER, SOL_SOCKET
from types import MappingProxyType
from typing import Self

import attrs
import trio
from websockets.frames import CloseCode

from waav.errors import SlowClient
from waav.server.handshake import negotiate
from waav.server.head import RequestHead
from waav.server.wire import Wire

_READ = 8192
"""Bytes. Thirteen frames of 20 ms; of the tiniest frames as many as do not hold the loop."""
_RESET = struct.pack("ii", 1, 0)  # struct linger: on, for no time
_GONE = (trio.BrokenResourceError, trio.ClosedResourceError)


@attrs.frozen
class Limits:
    """What one WebSocket may cost, in bytes and seconds."""

    max_message: int = 10 * 1024 * 1024
    """A larger one closes the connection with 1009."""
    send_timeout: float = 10.0
    """A client that takes nothing for so long is cut off."""
    close_timeout: float = 1.0
    """How long a client may take to answer a close."""
    ping_interval: float = 20.0
    ping_timeout: float = 60.0
    """Without a pong for so long a client counts as gone; looked at before each ping."""


class WebSocket(trio.abc.AsyncResource):
    """One open connection, as the server sees it.

    Iterate in one task to receive: ``str`` for a text message, ``bytes`` for a binary
    one. Iteration ends when the connection does, however that came about; ``close_code``
    says how. The client's pings are answered while somebody iterates. Leaving an
    ``async with`` block closes with 1000, unless it was closed before.
    """

    def __init__(self, stream: trio.abc.Stream, limits: Limits, received: bytes = b"") -> None:
        """``received``: what has come after the head of the handshake already."""
        now = trio.current_time()
        self.limits = limits
        self.last_sent = now
        """When the last message went out, by trio's clock; pings and pongs do not count."""
        self._stream = stream
        # Without TLS between, and where sockets are files, os.write may write to it.
        self._socket: trio.socket.SocketType | None = None
        if isinstance(stream, trio.SocketStream) and os.name == "posix":
            self._socket = stream.socket
        self._wire = Wire(limits.max_message, now)
        self._sending = trio.Lock()
        self._closing = False
        self._reading = False
        self._reader_left: trio.Event | None = None
        if received:
            self._wire.feed(received, now)

    def take_up_to(self, max_message: int) -> None:
        """Let messages be so large from now on, in bytes."""
        self._wire.take_up_to(max_message)

    @property
    def last_received(self) -> float:
        """When the last frame came in, by trio's clock; pongs do not count."""
        return self._wire.last_received

    @property
    def bytes_in(self) -> int:
        """Off the network, framing included."""
        return self._wire.bytes_in

    @property
    def bytes_out(self) -> int:
        """To the network, framing included."""
        return self._wire.bytes_out

    @property
    def close_code(self) -> int | None:
        """The code of whoever closed first; 1006 for a connection that just broke; None before."""
        return self._wire.close_code

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> str | bytes:
        wire = self._wire
        while not wire.messages:
            if wire.has_output:
                await self._answer()
            if self._closing or not wire.is_open:
                raise StopAsyncIteration
            await self._read()
        return wire.messages.popleft()

    async def send(self, message: str | bytes, *, unless: Callable[[], bool] | None = None) -> None:
        """Send one message, text or binary; wait while the client is behind.

        ``unless`` is asked in the last moment: if it says yes the message is not sent.
        What the socket takes at once goes without a turn of other tasks.

        Cancelled while it waits for the client it may leave half a frame, so the
        connection is cut; cancelled before that, nothing was sent and nothing is lost.

        Raises:
            SlowClient: the client took nothing for ``send_timeout``; the connection is cut.
            trio.BrokenResourceError: the client has left or is leaving.
            trio.ClosedResourceError: this side has closed.
        """
        await self._lock()
        try:
            # The last moment to be cancelled without harm.
            await trio.lowlevel.checkpoint_if_cancelled()
            if self._closing:
                raise trio.ClosedResourceError("this side has closed")
            if not self._wire.is_open:
                raise trio.BrokenResourceError("the client has left")
            if unless is not None and unless():
                return
            self._wire.send(message)
            await self._flush()
            self.last_sent = trio.current_time()
        finally:
            self._sending.release()

    async def keep_alive(self) -> None:
        """Ping the client, and cut the connection of a client that does not answer.

        A task of the connection's owner runs this; it returns when the connection is over.
        While nobody iterates the client is forgiven: its pong may wait in the kernel for
        a session that is busy.

        Raises:
            SlowClient: not even a ping goes out.
        """
        while True:
            await trio.sleep(self.limits.ping_interval)
            if self._closing or not self._wire.is_open:
                return
            now = trio.current_time()
            if not self._reading:
                self._wire.last_pong = now
            elif now - self._wire.last_pong >= self.limits.ping_timeout:
                await self._cut()
                return
            self._wire.ping()
            await self._answer()

    async def aclose(self, code: int = CloseCode.NORMAL_CLOSURE, reason: str = "") -> None:
        """Close politely, and after ``close_timeout`` in any case. Any task may do it, once.

        Cancellation does not cut it short, so that a client learns the reason.
        """
        if self._closing:
            await trio.lowlevel.checkpoint()
            return
        self._closing = True
        with trio.move_on_after(self.limits.close_timeout, shield=True):
            try:
                await self._part(code, reason)
                await self._stream.aclose()
            except _GONE:
                pass  # there is nobody left to be polite to
        self._wire.cut()
        await trio.aclose_forcefully(self._stream)

    async def _part(self, code: int, reason: str) -> None:
        """Say goodbye and wait for the client's answer."""
        async with self._sending:
            self._wire.close(code, reason)
            await self._flush()
            # A client that is being refused in the middle of a message may still be
            # sending it. A socket that is closed with unread bytes is reset, and the
            # reset may overtake the close frame: show our end, and read up to theirs.
            if self._wire.has_failed and isinstance(self._stream, trio.abc.HalfCloseableStream):
                await self._stream.send_eof()
        while not self._wire.is_over:
            if self._reading:
                self._reader_left = trio.Event()
                await self._reader_left.wait()
            else:
                await self._read()

    async def _read(self) -> None:
        """Take one piece of bytes off the network."""
        self._reading = True
        data: bytes | bytearray = b""
        try:
            data = await self._receive()
        except _GONE:
            pass  # reads like an end without a goodbye, which is what it is
        finally:
            self._reading = False
            if self._reader_left is not None:
                self._reader_left.set()
        self._wire.feed(data, trio.current_time())

    async def _receive(self) -> bytes | bytearray:
        if self._socket is None:
            return await self._stream.receive_some(_READ)
        # The stream would look first, nearly always in vain, which is dearer than the waiting.
        while True:
            await trio.lowlevel.wait_readable(self._socket)
            try:
                return os.read(self._socket.fileno(), _READ)
            except BlockingIOError:
                continue
            except OSError as error:
                raise trio.BrokenResourceError("the connection is gone") from error

    async def _answer(self) -> None:
        """Send what the protocol itself has to say."""
        await self._lock()
        try:
            # The last moment to be cancelled without harm, as in send().
            await trio.lowlevel.checkpoint_if_cancelled()
            await self._flush()
        except _GONE:
            pass  # cut by now; whoever reads or sends will notice
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
        """Send all that is framed, under the lock. Whatever goes wrong, the connection is cut."""
        data = self._wire.take()
        if not data:
            return
        try:
            sent = self._send_now(data)
            if sent == len(data):
                return
            with trio.move_on_after(self.limits.send_timeout) as patience:
                await self._stream.send_all(data[sent:])
        except BaseException:
            # Cancelled is among them: half a frame may be out, and no frame can follow it.
            await self._cut()
            raise
        if patience.cancelled_caught:
            # Said to ourselves only: behind half a frame the client could not read it.
            self._wire.close(CloseCode.TRY_AGAIN_LATER, "")
            await self._cut()
            raise SlowClient(f"the client took nothing for {self.limits.send_timeout:g} s")

    def _send_now(self, data: bytes) -> int:
        """Hand over as much as goes without waiting, and say how much that was.

        Nearly always that is all of it, and then a frame needs no cancel scope, which
        would cost as much as sending it.
        """
        if self._socket is None:
            return 0
        try:
            return os.write(self._socket.fileno(), data)
        except BlockingIOError:
            return 0
        except OSError as error:
            raise trio.BrokenResourceError("the client has left") from error

    async def _cut(self) -> None:
        """End the connection now, without a word."""
        self._wire.cut()
        transport = self._stream
        while isinstance(transport, trio.SSLStream):
            transport = transport.transport_stream
        if isinstance(transport, trio.SocketStream) and transport.socket.fileno() != -1:
            # Reset: otherwise the kernel keeps what a vanished client never took.
            transport.setsockopt(SOL_SOCKET, SO_LINGER, _RESET)
        await trio.aclose_forcefully(self._stream)


async def accept_websocket(
    stream: trio.abc.Stream,
    head: RequestHead,
    received: bytes | bytearray,
    limits: Limits | None = None,
    headers: Mapping[str, str] = MappingProxyType({}),
) -> WebSocket:
    """Answer a handshake and give the open connection; the caller closes it.

    Args:
        received: all that was read from the stream: the head, and what came after it.
        headers: what the answer says besides.

    Raises:
        Refused: not a proper handshake; nothing has been sent.
        SlowClient: the client does not take the answer.
        trio.BrokenResourceError: the client has left.
    """
    limits = limits or Limits()
    answer = negotiate(head, headers)
    with trio.move_on_after(limits.send_timeout) as patience:
        await stream.send_all(answer)
    if patience.cancelled_caught:
        raise SlowClient("the client does not take the answer to its handshake")
    return WebSocket(stream, limits, bytes(received[head.size :]))
