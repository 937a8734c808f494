"""An HTTP server that answers as it is told, rightly or wrongly."""

import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

import attrs
import h11
import trio

from support.servers.loopback import Dribble, listen, reset


@attrs.frozen
class Received:
    """A request."""

    method: str
    target: str
    """The path and the query."""
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes
    connection: int
    """The number of the connection that it came on; the first is 0."""

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@attrs.define(eq=False)
class Exchange:
    """One request, and the means to answer it."""

    request: Received
    stream: trio.abc.Stream
    protocol: h11.Connection

    async def head(self, status: int, headers: Iterable[tuple[str, str]] = ()) -> None:
        await self._send(h11.Response(status_code=status, headers=list(headers)))

    async def body(self, data: bytes) -> None:
        await self._send(h11.Data(data=data))

    async def end(self) -> None:
        await self._send(h11.EndOfMessage())

    async def until_gone(self) -> None:
        """Wait for the client to leave."""
        while await self.stream.receive_some(65536):
            pass

    async def _send(self, event: h11.Event) -> None:
        await self.stream.send_all(self.protocol.send(event) or b"")


Reply: TypeAlias = Callable[[Exchange], Awaitable[None]]


@attrs.define(eq=False)
class HTTPServer:
    """A running one; remembers its requests."""

    port: int
    secure: bool
    requests: list[Received] = attrs.Factory(list)
    connections: int = 0

    @property
    def url(self) -> str:
        return f"{'https' if self.secure else 'http'}://127.0.0.1:{self.port}"


@asynccontextmanager
async def open_http_server(
    *replies: Reply, tls: ssl.SSLContext | None = None
) -> AsyncIterator[HTTPServer]:
    """Run a server. Each request gets the next reply, and the last one all that come later."""

    async def serve(stream: trio.abc.Stream) -> None:
        number, server.connections = server.connections, server.connections + 1
        protocol = h11.Connection(h11.SERVER)
        while (request := await _request(stream, protocol, number)) is not None:
            server.requests.append(request)
            reply = replies[min(len(server.requests), len(replies)) - 1]
            await reply(Exchange(request, stream, protocol))
            if protocol.states != {h11.CLIENT: h11.DONE, h11.SERVER: h11.DONE}:
                return
            protocol.start_next_cycle()

    server = HTTPServer(0, tls is not None)
    async with listen(serve, tls) as server.port:
        yield server


async def _request(
    stream: trio.abc.Stream, protocol: h11.Connection, number: int
) -> Received | None:
    head, body = None, bytearray()
    while True:
        try:
            event = protocol.next_event()
        except h11.RemoteProtocolError:
            # A client that was cancelled between its head and its body.
            return None
        match event:
            case h11.NEED_DATA:
                protocol.receive_data(bytes(await stream.receive_some(65536)))
            case h11.Request() as head:
                pass
            case h11.Data(data=data):
                body += data
            case h11.EndOfMessage() if head is not None:
                headers = {name.decode(): value.decode() for name, value in head.headers}
                method, target = head.method.decode(), head.target.decode()
                return Received(method, target, headers, bytes(body), number)
            case _:
                return None


# The replies.


@attrs.frozen
class Answer:
    """A whole answer; in several chunks if it is told in several."""

    status: int = 200
    body: bytes | tuple[bytes, ...] = b""
    headers: Mapping[str, str] = attrs.field(factory=dict)

    async def __call__(self, exchange: Exchange) -> None:
        chunks = (self.body,) if isinstance(self.body, bytes) else self.body
        framing = (
            ("Content-Length", str(len(self.body)))
            if isinstance(self.body, bytes)
            else ("Transfer-Encoding", "chunked")
        )
        await exchange.head(self.status, [framing, *self.headers.items()])
        for chunk in chunks:
            await exchange.body(chunk)
        await exchange.end()


def answer_json(value: Any, status: int = 200, **headers: str) -> Answer:
    """An answer of JSON; a ``_`` in the name of a header stands for ``-``."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Answer(status, json.dumps(value).encode(), {"Content-Type": "application/json", **named})


@attrs.frozen
class Cut:
    """An answer that breaks off in the middle of its body, or without a body before its head."""

    body: bytes = b""
    hard: bool = False
    """By a reset."""

    async def __call__(self, exchange: Exchange) -> None:
        if self.body:
            await exchange.head(200, [("Content-Length", str(len(self.body) + 1))])
            await exchange.body(self.body)
        if self.hard:
            await reset(exchange.stream)
        else:
            await exchange.stream.aclose()


@attrs.frozen
class Stall:
    """An answer that stops coming, before its head or after a part of its body."""

    body: bytes = b""
    status: int = 200

    async def __call__(self, exchange: Exchange) -> None:
        if self.body:
            await exchange.head(self.status, [("Content-Length", str(len(self.body) + 1))])
            await exchange.body(self.body)
        await exchange.until_gone()


@attrs.frozen
class Garbage:
    """Bytes that are not HTTP."""

    data: bytes = b"\0\1\2 this is not HTTP\r\n\r\n"

    async def __call__(self, exchange: Exchange) -> None:
        await exchange.stream.send_all(self.data)
        await exchange.until_gone()


@attrs.frozen
class Dribbled:
    """Another reply, one byte at a time."""

    reply: Reply

    async def __call__(self, exchange: Exchange) -> None:
        await self.reply(attrs.evolve(exchange, stream=Dribble(exchange.stream)))
