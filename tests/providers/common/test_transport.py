"""Bytes through a socket, with TLS and without, whichever way they are sent."""

import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
import trio
from support.servers.certificates import Authority
from support.servers.loopback import listen
from trio.testing import check_two_way_stream

from providers._common.tls import tls_context
from providers._common.transport import Transport

WHOLE = bytes(number % 251 for number in range(3_000_000))


async def echo(stream: trio.abc.Stream) -> None:
    async for data in stream:
        await stream.send_all(data)


@asynccontextmanager
async def connected(port: int, authority: Authority, *, layers: int) -> AsyncIterator[Transport]:
    context = await tls_context(authority.file)
    async with Transport(await trio.open_tcp_stream("127.0.0.1", port)) as transport:
        for _ in range(layers):
            await transport.secure(context, "127.0.0.1")
        yield transport


def serving(authority: Authority, layers: int) -> Callable[[trio.abc.Stream], object]:
    """An echo behind so many layers of TLS."""

    async def serve(stream: trio.abc.Stream) -> None:
        for _ in range(layers):
            stream = trio.SSLStream(
                stream, authority.server(), server_side=True, https_compatible=True
            )
        await echo(stream)

    return serve


@pytest.mark.parametrize("layers", [0, 1, 2])
async def test_what_goes_out_comes_back(authority: Authority, layers: int) -> None:
    """Megabytes, more than the socket takes at once; two layers are those of a proxy with TLS."""
    got = bytearray()
    async with (
        listen(serving(authority, layers)) as port,
        connected(port, authority, layers=layers) as transport,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(transport.send_all, WHOLE)
        while len(got) < len(WHOLE):
            got += await transport.receive_some()
    assert got == WHOLE


@pytest.mark.parametrize("layers", [0, 1])
async def test_what_the_socket_does_not_take_is_first_in_line(
    authority: Authority, layers: int
) -> None:
    """Sent at once until the socket is full, in the middle of something; then in peace."""
    sent, got = 0, bytearray()
    async with (
        listen(serving(authority, layers)) as port,
        connected(port, authority, layers=layers) as transport,
        trio.open_nursery() as nursery,
    ):
        while transport.is_clear:
            transport.send_now(WHOLE[sent : sent + 10_007])
            sent += 10_007
        assert sent > 10_007
        nursery.start_soon(transport.send_all, WHOLE[sent:])
        while len(got) < len(WHOLE):
            got += await transport.receive_some()
        assert transport.is_clear
    assert got == WHOLE


@pytest.mark.parametrize("layers", [0, 1])
async def test_the_end_reads_as_no_bytes(authority: Authority, layers: int) -> None:
    async def part(stream: trio.abc.Stream) -> None:
        if layers:
            stream = trio.SSLStream(
                stream, authority.server(), server_side=True, https_compatible=True
            )
        await stream.send_all(b"goodbye")
        await stream.aclose()

    async with listen(part) as port, connected(port, authority, layers=layers) as transport:
        assert await transport.receive_some() == b"goodbye"
        assert await transport.receive_some() == b""


async def test_what_is_not_tls_is_a_broken_connection(authority: Authority) -> None:
    async def speak_http(stream: trio.abc.Stream) -> None:
        await stream.receive_some()
        await stream.send_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await stream.receive_some()

    async with listen(speak_http) as port:
        with pytest.raises(trio.BrokenResourceError) as caught:
            async with connected(port, authority, layers=1):
                pass
    assert isinstance(caught.value.__cause__, ssl.SSLError)


async def test_the_other_side_hears_a_goodbye_and_not_just_the_end(authority: Authority) -> None:
    """A strict server takes an end without one for an attack."""
    ended = trio.Event()

    async def strict(stream: trio.abc.Stream) -> None:
        secure = trio.SSLStream(stream, authority.server(), server_side=True)
        assert await secure.receive_some() == b"x"
        assert await secure.receive_some() == b""  # or it would have raised
        ended.set()

    async with listen(strict) as port:
        async with connected(port, authority, layers=1) as transport:
            transport.send_now(b"x")
        with trio.fail_after(10):
            await ended.wait()


async def test_it_is_a_stream_as_trio_wants_them() -> None:
    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    address = listeners[0].socket.getsockname()

    async def make() -> tuple[Transport, Transport]:
        near = Transport(await trio.open_tcp_stream(*address))
        return near, Transport(await listeners[0].accept())

    async def make_clogged() -> tuple[Transport, Transport]:
        near, far = await make()
        for each in (near, far):
            with trio.move_on_after(0.05):
                await each.send_all(bytes(30_000_000))
        return near, far

    try:
        await check_two_way_stream(make, make_clogged)
    finally:
        await listeners[0].aclose()
