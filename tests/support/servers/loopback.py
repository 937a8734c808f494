"""A listener on a free port of this machine, for as long as a block lasts."""

import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial

import trio

from waav.tasks import open_scoped_nursery

GONE = (trio.BrokenResourceError, trio.ClosedResourceError)
"""What a server meets when its client has left; no test fails for that."""


@asynccontextmanager
async def listen(
    serve: Callable[[trio.abc.Stream], Awaitable[None]], tls: ssl.SSLContext | None = None
) -> AsyncIterator[int]:
    """Serve each connection in a task of its own; give the port."""

    async def handle(stream: trio.SocketStream) -> None:
        whole: trio.abc.Stream = stream
        if tls is not None:
            whole = trio.SSLStream(stream, tls, server_side=True, https_compatible=True)
        try:
            await serve(whole)
        except GONE:
            pass
        finally:
            await trio.aclose_forcefully(whole)

    async with open_scoped_nursery("the test is over") as nursery:
        run = partial(trio.serve_tcp, handle, 0, host="127.0.0.1")
        listeners: list[trio.SocketListener] = await nursery.start(run)
        yield listeners[0].socket.getsockname()[1]


def closed_port() -> int:
    """A port at which nobody listens."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port: int = bound.getsockname()[1]
        return port


async def reset(stream: trio.abc.Stream) -> None:
    """Drop a connection the hard way: the other side reads ECONNRESET, not an end."""
    transport = stream
    while isinstance(transport, trio.SSLStream):
        transport = transport.transport_stream
    assert isinstance(transport, trio.SocketStream)
    transport.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    await trio.aclose_forcefully(stream)


class Dribble(trio.abc.Stream):
    """A stream that sends one byte at a time."""

    def __init__(self, stream: trio.abc.Stream) -> None:
        self.stream = stream

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        for each in bytes(data):
            await self.stream.send_all(bytes([each]))

    async def wait_send_all_might_not_block(self) -> None:
        await self.stream.wait_send_all_might_not_block()

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        return await self.stream.receive_some(max_bytes)

    async def aclose(self) -> None:
        await self.stream.aclose()
