"""How a server is reached, and what is made of one that is not there or not to be trusted."""

import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import attrs
import pytest
import trio
import trio.testing
import trustme
from support.h2_peer import Peer, Vendor, server_connection

from capabilities import ProviderProtocolError, ProviderRefused, ProviderUnavailable, Secret
from providers._common.grpc.channel import connect, open_channel
from providers._common.network import Network
from providers._common.settings import VendorSettings

METHOD = "/test.Server/Any"


async def test_ten_calls_at_once_make_one_connection(network: Network, vendor: Vendor) -> None:
    async with open_channel(network, vendor.dial) as channel:
        await vendor.peer().transport.aclose()
        await trio.testing.wait_all_tasks_blocked()

        async def one_call() -> None:
            async with channel.call(METHOD):
                pass

        async with trio.open_nursery() as nursery:
            for _ in range(10):
                nursery.start_soon(one_call)
    assert vendor.connections == 2


async def test_a_caller_that_leaves_takes_no_connection_away_from_others(
    network: Network, vendor: Vendor
) -> None:
    """The first call makes the connection and is cancelled; the second one still has it."""
    async with open_channel(network, vendor.dial) as channel:
        await vendor.peer().transport.aclose()
        await trio.testing.wait_all_tasks_blocked()
        with trio.CancelScope() as scope:
            async with channel.call(METHOD):
                scope.cancel()
                await trio.lowlevel.checkpoint()
        async with channel.call(METHOD) as call:
            peer = vendor.peer()
            await peer.request()
            stream = await peer.request()
            await peer.head(stream)
            await peer.answer(stream, b"here")
            assert await anext(call) == b"here"
    assert vendor.connections == 2


async def test_an_error_in_the_block_comes_out_as_it_is(network: Network, vendor: Vendor) -> None:
    with pytest.raises(KeyError):
        async with open_channel(network, vendor.dial) as channel, channel.call(METHOD):
            raise KeyError


async def test_a_server_that_says_nothing_is_not_waited_for(
    network: Network, autojump_clock: trio.testing.MockClock
) -> None:
    async def dial() -> trio.abc.Stream:
        near, far = trio.testing.memory_stream_pair()
        kept.append(far)
        return near

    kept: list[trio.abc.Stream] = []
    with pytest.raises(ProviderUnavailable, match="no connection within 10 s"):
        async with open_channel(network, dial):
            pass
    assert autojump_clock.current_time() <= 10.5


async def test_what_the_operator_adds_goes_with_each_call(network: Network, vendor: Vendor) -> None:
    settings = VendorSettings(headers={"X-Relay": Secret("tenant 7")})
    network = attrs.evolve(network, settings=settings)
    async with (
        open_channel(network, vendor.dial) as channel,
        channel.call(METHOD, metadata={"x-request": "1"}),
    ):
        import h2.events

        request = await vendor.peer().expect(h2.events.RequestReceived)
    assert {("x-relay", "tenant 7"), ("x-request", "1")} <= {(n, v) for n, v in request.headers}


async def test_a_key_that_cannot_be_sent_makes_no_call(network: Network, vendor: Vendor) -> None:
    async with open_channel(network, vendor.dial) as channel:
        with pytest.raises(ProviderRefused):
            async with channel.call(METHOD, metadata={"authorization": Secret("key\n")}):
                pass


async def test_nobody_there(network: Network) -> None:
    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    port = listeners[0].socket.getsockname()[1]
    await listeners[0].aclose()
    with pytest.raises(ProviderUnavailable, match="cannot be reached"):
        async with connect(attrs.evolve(network, base_url=f"http://127.0.0.1:{port}")):
            pass


class TestUnary:
    """One message each way."""

    @pytest.mark.parametrize("answers", [0, 2])
    async def test_there_is_one_answer(
        self, network: Network, vendor: Vendor, answers: int
    ) -> None:
        async with open_channel(network, vendor.dial) as channel, trio.open_nursery() as nursery:

            async def ask() -> None:
                with pytest.raises(ProviderProtocolError, match=f"{answers} answers"):
                    await channel.unary(METHOD, b"question")

            nursery.start_soon(ask)
            stream = await vendor.peer().request()
            await vendor.peer().head(stream)
            await vendor.peer().answer(stream, *[b"answer"] * answers)
            await vendor.peer().trail(stream)


class TestTLS:
    """What is wrong with a connection is often only told later."""

    async def test_a_server_must_agree_on_http2(self, network: Network) -> None:
        async with serve(_hang_up, alpn=["http/1.1"]) as at:
            with pytest.raises(ProviderRefused, match="does not agree on HTTP/2"):
                async with connect(at(network)):
                    pass

    async def test_a_certificate_of_strangers_is_not_a_broken_network(
        self, network: Network
    ) -> None:
        async with serve(_hang_up) as at:
            strangers = ssl.create_default_context(cafile=None)
            with pytest.raises(ProviderUnavailable, match="certificate is not trusted"):
                async with connect(attrs.evolve(at(network), tls=strangers)):
                    pass

    async def test_a_server_that_leaves_after_the_handshake_may_want_another_certificate(
        self, network: Network
    ) -> None:
        """TLS 1.3 tells of it on the first read, and then it looks like a broken connection."""
        async with serve(_hang_up) as at:
            with pytest.raises(ProviderUnavailable, match="was the client certificate accepted"):
                async with connect(at(network)):
                    pass

    async def test_calls_work_over_it(self, network: Network) -> None:
        async with serve(_answer_once) as at, connect(at(network)) as channel:
            assert await channel.unary(METHOD, b"question") == b"answer"


async def _hang_up(stream: trio.SSLStream[trio.SocketStream]) -> None:
    await trio.aclose_forcefully(stream)


async def _answer_once(stream: trio.SSLStream[trio.SocketStream]) -> None:
    import h2.events

    peer = Peer(stream, server_connection())
    await peer.flush()
    request = await peer.expect(h2.events.RequestReceived)
    assert (":scheme", "https") in request.headers
    await peer.head(request.stream_id)
    await peer.answer(request.stream_id, b"answer")
    await peer.trail(request.stream_id)
    await peer.expect(h2.events.ConnectionTerminated)


@asynccontextmanager
async def serve(
    handler: Callable[[trio.SSLStream[trio.SocketStream]], object], alpn: list[str] | None = None
) -> AsyncIterator[Callable[[Network], Network]]:
    """Serve TLS on loopback; yields a function that leads a network there."""
    authority = trustme.CA()
    theirs = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    theirs.set_alpn_protocols(alpn or ["h2"])
    authority.issue_cert("127.0.0.1").configure_cert(theirs)
    ours = ssl.create_default_context()
    ours.set_alpn_protocols(["h2", "http/1.1"])
    authority.configure_trust(ours)

    async def handle(stream: trio.SSLStream[trio.SocketStream]) -> None:
        try:
            await stream.do_handshake()
            await handler(stream)
        except trio.BrokenResourceError:
            pass

    async with trio.open_nursery() as nursery:
        serving = await nursery.start(trio.serve_ssl_over_tcp, handle, 0, theirs)
        port = serving[0].transport_listener.socket.getsockname()[1]
        yield lambda network: attrs.evolve(network, base_url=f"https://127.0.0.1:{port}", tls=ours)
        nursery.cancel_scope.cancel()
