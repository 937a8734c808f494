"""An attacker's connection: as little of a client as goes, so that anything can be sent on it."""

import socket as sockets
import struct
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import quote

import attrs
import trio

from waav.bench.framing import TEXT, Frame, Reader, from_client

_READ = 1 << 16
_UPGRADE = (
    "GET /ws{query} HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{more}\r\n"
)
_RESET = struct.pack("ii", 1, 0)


class NotLetIn(Exception):
    """The gateway refused a WebSocket."""


@attrs.frozen
class House:
    """Whom to attack; the token opens it."""

    port: int
    token: str = attrs.field(repr=False)

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[trio.SocketStream]:
        """Open a plain connection."""
        async with await trio.open_tcp_stream("127.0.0.1", self.port) as stream:
            yield stream

    @asynccontextmanager
    async def enter(self, way: str = "query") -> AsyncIterator["Peer"]:
        """Open a WebSocket, with the token in the head (``query``, ``header``) or without (``none``).

        Raises:
            NotLetIn: one is not let in.
        """
        query = f"?token={quote(self.token)}" if way == "query" else ""
        more = f"Authorization: Bearer {self.token}\r\n" if way == "header" else ""
        async with self.connect() as stream:
            peer = Peer(stream)
            await stream.send_all(_UPGRADE.format(query=query, more=more).encode())
            await peer.be_let_in()
            yield peer


@attrs.define(eq=False)
class Peer:
    """One end of a WebSocket."""

    stream: trio.SocketStream
    _reader: Reader = attrs.Factory(Reader)
    _came: deque[Frame] = attrs.Factory(deque)

    async def be_let_in(self) -> None:
        """Read the answer to the upgrade."""
        answer = b""
        while b"\r\n\r\n" not in answer:
            data = await self.stream.receive_some(_READ)
            if not data:
                raise NotLetIn(f"not let in: {answer[:300]!r}")
            answer += data
        head, _, rest = answer.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 101 "):
            raise NotLetIn(f"not let in: {answer[:300]!r}")
        self._came.extend(self._reader.feed(rest))

    async def say(self, text: bytes) -> None:
        """Send one text message."""
        await self.stream.send_all(from_client(TEXT, text))

    async def hear(self) -> Frame | None:
        """Return the next frame; None when there is none any more, however that came about."""
        while not self._came:
            try:
                data = await self.stream.receive_some(_READ)
            except trio.BrokenResourceError:
                return None
            if not data:
                return None
            self._came.extend(self._reader.feed(data))
        return self._came.popleft()


async def reset(stream: trio.SocketStream) -> None:
    """Be gone, without a word."""
    stream.setsockopt(sockets.SOL_SOCKET, sockets.SO_LINGER, _RESET)
    await trio.aclose_forcefully(stream)
