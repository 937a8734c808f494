"""Bytes through a socket, with TLS and without, whichever way they are sent."""

import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import attrs
import pytest
import trio
from support.servers.certificates import Authority
from support.servers.loopback import listen
from trio.testing import check_two_way_stream

from providers._common import transport as transport_module
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


@pytest.mark.parametrize("quick", [True, False], ids=["quick", "portable"])
@pytest.mark.parametrize("layers", [0, 1, 2])
async def test_what_goes_out_comes_back(
    authority: Authority, monkeypatch: pytest.MonkeyPatch, layers: int, *, quick: bool
) -> None:
    """Megabytes, more than the socket takes at once; two layers are those of a proxy with TLS."""
    monkeypatch.setattr(transport_module, "_QUICK", quick)
    got = bytearray()
    async with (
        listen(serving(authority, layers)) as port,
        connected(port, authority, layers=layers) as transport,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(transport.send_all, WHOLE)
        while len(got) < len(WHOLE):
            got += await transport.receive_some()
        assert transport.is_clear == quick
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


@attrs.define
class ServerSide:
    """TLS by hand, for servers that put into one packet what others send in two."""

    stream: trio.abc.Stream
    _context: ssl.SSLContext
    _in: ssl.MemoryBIO = attrs.field(factory=ssl.MemoryBIO, init=False)
    _out: ssl.MemoryBIO = attrs.field(factory=ssl.MemoryBIO, init=False)
    tls: ssl.SSLObject = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.tls = self._context.wrap_bio(self._in, self._out, server_side=True)

    async def shake_hands(self) -> None:
        """Agree; the last word of it, if it is ours, is not sent yet."""
        while True:
            try:
                self.tls.do_handshake()
            except ssl.SSLWantReadError:
                await self.send()
                self._in.write(await self.stream.receive_some())
            else:
                return

    async def send(self, more: bytes = b"") -> None:
        await self.stream.send_all(self._out.read() + more)


async def test_a_server_that_speaks_first_is_heard(authority: Authority) -> None:
    """In TLS 1.2 the last word of the handshake is the server's, and more may come with it."""
    context = authority.server()
    context.maximum_version = ssl.TLSVersion.TLSv1_2

    async def serve(stream: trio.abc.Stream) -> None:
        server = ServerSide(stream, context)
        await server.shake_hands()
        server.tls.write(b"welcome")
        await server.send()
        await stream.receive_some()

    with trio.fail_after(10):
        async with listen(serve) as port, connected(port, authority, layers=1) as transport:
            assert await transport.receive_some() == b"welcome"


async def test_a_goodbye_is_the_end_though_the_network_stays(authority: Authority) -> None:
    """The server waits for ours before it hangs up."""

    async def serve(stream: trio.abc.Stream) -> None:
        server = ServerSide(stream, authority.server())
        await server.shake_hands()
        server.tls.write(b"last words")
        with suppress(ssl.SSLWantReadError):
            server.tls.unwrap()
        await server.send()
        await stream.receive_some()

    with trio.fail_after(10):
        async with listen(serve) as port, connected(port, authority, layers=1) as transport:
            assert await transport.receive_some() == b"last words"
            assert await transport.receive_some() == b""
            assert await transport.receive_some() == b""
        with pytest.raises(trio.ClosedResourceError):
            await transport.receive_some()


async def test_what_was_said_before_it_broke_was_said(authority: Authority) -> None:
    async def serve(stream: trio.abc.Stream) -> None:
        server = ServerSide(stream, authority.server())
        await server.shake_hands()
        server.tls.write(b"last words")
        await server.send(b"and then something that is not TLS")
        await stream.receive_some()

    async with listen(serve) as port, connected(port, authority, layers=1) as transport:
        assert await transport.receive_some() == b"last words"
        assert await transport.receive_some() == b""
        with pytest.raises(trio.BrokenResourceError):
            await transport.send_all(b"still there?")
        with pytest.raises(trio.BrokenResourceError):
            transport.send_now(b"still there?")


async def test_it_is_closed_although_the_proxy_speaks_nonsense(authority: Authority) -> None:
    """The goodbye of the inner layer cannot go through the outer one any more."""

    async def serve(stream: trio.abc.Stream) -> None:
        proxy = trio.SSLStream(stream, authority.server(), server_side=True)
        await trio.SSLStream(proxy, authority.server(), server_side=True).do_handshake()
        await stream.send_all(b"something that is not TLS")
        await stream.receive_some()

    async with listen(serve) as port:
        async with connected(port, authority, layers=2) as transport:
            with pytest.raises(trio.BrokenResourceError):
                await transport.receive_some()
        with pytest.raises(trio.ClosedResourceError):
            await transport.receive_some()


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
