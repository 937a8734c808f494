"""A WebSocket server that follows a script, and the steps that any vendor's script may take."""

import logging
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import TypeAlias

import attrs
import trio
from websockets.datastructures import Headers
from websockets.frames import Frame, Opcode
from websockets.http11 import Request, Response
from websockets.protocol import OPEN, SEND_EOF
from websockets.server import ServerProtocol

from support.servers.loopback import GONE, Dribble, listen, reset

# It would log the head of each request, and there the client's key must stand.
_QUIET = logging.getLogger("support.servers.websocket")
_QUIET.setLevel(logging.WARNING)


@attrs.define(eq=False)
class Peer:
    """One connection, as the vendor sees it; remembers what it was sent."""

    stream: trio.abc.Stream
    protocol: ServerProtocol = attrs.field(
        factory=lambda: ServerProtocol(max_size=None, logger=_QUIET), repr=False
    )
    request: Request | None = None
    """The client's side of the handshake."""
    messages: list[str | bytes] = attrs.Factory(list)
    """All that were received, also those that no step waited for."""
    pongs: int = 0
    gone: trio.Event = attrs.Factory(trio.Event)
    """Set when the connection is over."""
    _taken: int = 0

    @property
    def path(self) -> str:
        """What was asked for, with the query."""
        assert self.request is not None
        return self.request.path

    @property
    def headers(self) -> Headers:
        assert self.request is not None
        return self.request.headers

    @property
    def close_code(self) -> int | None:
        """What the client said when it closed."""
        received = self.protocol.close_rcvd
        return received.code if received else None

    async def handshake(self) -> Request:
        """Wait for the client's request."""
        while self.request is None:
            await self._read()
        return self.request

    async def respond(self, response: Response) -> None:
        self.protocol.send_response(response)
        await self.flush()

    async def accept(self) -> None:
        await self.respond(self.protocol.accept(await self.handshake()))

    async def send(self, message: str | bytes) -> None:
        if self.protocol.state is not OPEN:
            raise trio.BrokenResourceError("the client is leaving")
        if isinstance(message, str):
            self.protocol.send_text(message.encode())
        else:
            self.protocol.send_binary(message)
        await self.flush()

    async def receive(self) -> str | bytes:
        """Return the next message that no step has had.

        Raises:
            trio.BrokenResourceError: the client has closed.
        """
        while len(self.messages) <= self._taken:
            await self._read()
        self._taken += 1
        return self.messages[self._taken - 1]

    async def until_gone(self) -> None:
        """Receive until the client has left; answer its pings and its goodbye."""
        try:
            while True:
                await self._read()
        except GONE:
            self.gone.set()

    async def flush(self) -> None:
        data = self.protocol.data_to_send()
        await self.stream.send_all(b"".join(data))
        if SEND_EOF in data:  # both have said goodbye, and then a server closes first
            await self.stream.aclose()

    async def _read(self) -> None:
        data = await self.stream.receive_some(65536)
        if not data:
            self.protocol.receive_eof()
            raise trio.BrokenResourceError("the client has left")
        self.protocol.receive_data(data)
        for event in self.protocol.events_received():
            if isinstance(event, Request):
                self.request = event
            else:
                assert isinstance(event, Frame)
                self._take_in(event)
        await self.flush()

    def _take_in(self, frame: Frame) -> None:
        assert frame.fin, "our client sends no fragments"
        if frame.opcode is Opcode.TEXT:
            self.messages.append(bytes(frame.data).decode())
        elif frame.opcode is Opcode.BINARY:
            self.messages.append(bytes(frame.data))
        elif frame.opcode is Opcode.PONG:
            self.pongs += 1


Step: TypeAlias = Callable[[Peer], Awaitable[None]]
Script: TypeAlias = Sequence[Step]


@attrs.define(eq=False)
class WebSocketServer:
    """A running one; remembers its connections."""

    port: int
    secure: bool
    peers: list[Peer] = attrs.Factory(list)
    _came: trio.lowlevel.ParkingLot = attrs.Factory(trio.lowlevel.ParkingLot)

    @property
    def url(self) -> str:
        return f"{'wss' if self.secure else 'ws'}://127.0.0.1:{self.port}"

    async def peer(self, number: int = 0) -> Peer:
        """Wait for a connection; the first has the number 0."""
        while len(self.peers) <= number:
            await self._came.park()
        return self.peers[number]

    def _add(self, peer: Peer) -> int:
        self.peers.append(peer)
        self._came.unpark_all()
        return len(self.peers) - 1


@asynccontextmanager
async def open_websocket_server(
    *scripts: Script, tls: ssl.SSLContext | None = None
) -> AsyncIterator[WebSocketServer]:
    """Run a server. Each connection gets the next script, and the last one all that come later.

    A connection whose script has ended without closing stays, and is read, until the client goes.
    """

    async def serve(stream: trio.abc.Stream) -> None:
        peer = Peer(stream)
        number = server._add(peer)
        try:
            for step in scripts[min(number, len(scripts) - 1)]:
                await step(peer)
            await peer.until_gone()
        except GONE:
            pass
        finally:
            peer.gone.set()

    server = WebSocketServer(0, tls is not None)
    async with listen(serve, tls) as server.port:
        yield server


# The steps.


async def accept(peer: Peer) -> None:
    """Take the client in."""
    await peer.accept()


@attrs.frozen
class Refuse:
    """Answer the handshake with something else."""

    status: int
    headers: Mapping[str, str] = attrs.field(factory=dict)
    body: bytes = b""

    async def __call__(self, peer: Peer) -> None:
        await peer.handshake()
        headers = Headers({"Content-Length": str(len(self.body)), **self.headers})
        phrase = HTTPStatus(self.status).phrase
        await peer.respond(Response(self.status, phrase, headers, self.body))


@attrs.frozen
class Say:
    """Send these messages."""

    messages: tuple[str | bytes, ...] = attrs.field(converter=tuple)

    def __init__(self, *messages: str | bytes) -> None:
        self.__attrs_init__(messages)

    async def __call__(self, peer: Peer) -> None:
        for message in self.messages:
            await peer.send(message)


@attrs.frozen
class Hear:
    """Wait for so many messages."""

    count: int = 1

    async def __call__(self, peer: Peer) -> None:
        for _ in range(self.count):
            await peer.receive()


async def echo(peer: Peer) -> None:
    """Send back whatever comes, until the client leaves."""
    while True:
        await peer.send(await peer.receive())


@attrs.frozen
class Raw:
    """Send bytes as they are: half an answer, half a frame, a fragment, garbage."""

    data: bytes

    async def __call__(self, peer: Peer) -> None:
        await peer.stream.send_all(self.data)


@attrs.frozen
class RawFrame:
    """Send one frame, which need not be a legal one."""

    opcode: Opcode
    data: bytes = b""
    fin: bool = True

    async def __call__(self, peer: Peer) -> None:
        await peer.stream.send_all(Frame(self.opcode, self.data, self.fin).serialize(mask=False))


@attrs.frozen
class Close:
    """Say goodbye, and wait for the client to do so."""

    code: int | None = 1000
    reason: str = ""

    async def __call__(self, peer: Peer) -> None:
        if peer.protocol.state is OPEN:
            peer.protocol.send_close(self.code, self.reason)
            await peer.flush()
        await peer.until_gone()


async def hang_up(peer: Peer) -> None:
    """End the connection without a goodbye."""
    await peer.stream.aclose()


async def drop(peer: Peer) -> None:
    """Reset the connection."""
    await reset(peer.stream)


async def drop_in_mid_frame(peer: Peer) -> None:
    """Send the beginning of a frame, and reset the connection."""
    await peer.stream.send_all(Frame(Opcode.TEXT, b"x" * 100).serialize(mask=False)[:50])
    await reset(peer.stream)


async def fall_silent(peer: Peer) -> None:
    """Say nothing more and read nothing more, with the socket open."""
    await trio.sleep_forever()


async def dribble(peer: Peer) -> None:
    """From here on send one byte at a time."""
    peer.stream = Dribble(peer.stream)
