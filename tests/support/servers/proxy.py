"""A proxy that lets connections through, or does not."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import attrs
import h11
import trio

from support.servers.loopback import GONE, listen


@attrs.define(eq=False)
class ProxyServer:
    """A running one; remembers what it was asked for."""

    port: int
    targets: list[str] = attrs.Factory(list)
    """``host:port`` of each CONNECT."""
    authorizations: list[str | None] = attrs.Factory(list)


@asynccontextmanager
async def open_proxy(
    *, status: int = 200, answer: bytes | None = None, tls: ssl.SSLContext | None = None
) -> AsyncIterator[ProxyServer]:
    """Run a proxy for CONNECT; it connects to this machine, whatever the host is.

    Args:
        status: what it answers; below 300 it lets the connection through.
        answer: bytes to send instead of that, before it hangs up.
    """

    async def serve(client: trio.abc.Stream) -> None:
        request = await _connect_request(client)
        headers = dict(request.headers)
        target = request.target.decode()
        proxy.targets.append(target)
        proxy.authorizations.append(headers.get(b"proxy-authorization", b"").decode() or None)
        if answer is not None:
            await client.send_all(answer)
            return
        await client.send_all(b"HTTP/1.1 %d Said\r\n\r\n" % status)
        if status < 300:
            async with await trio.open_tcp_stream(
                "127.0.0.1", int(target.rpartition(":")[2])
            ) as far:
                await _join(client, far)

    proxy = ProxyServer(0)
    async with listen(serve, tls) as proxy.port:
        yield proxy


async def _connect_request(client: trio.abc.Stream) -> h11.Request:
    protocol = h11.Connection(h11.SERVER)
    while (event := protocol.next_event()) is h11.NEED_DATA:
        protocol.receive_data(bytes(await client.receive_some(65536)))
    assert isinstance(event, h11.Request)
    assert event.method == b"CONNECT"
    return event


async def _join(near: trio.abc.Stream, far: trio.abc.Stream) -> None:
    async def copy(source: trio.abc.Stream, sink: trio.abc.Stream) -> None:
        try:
            while data := await source.receive_some(65536):
                await sink.send_all(data)
        except GONE:
            pass
        nursery.cancel_scope.cancel(reason="one side has left")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(copy, near, far, name="proxy/up")
        nursery.start_soon(copy, far, near, name="proxy/down")
