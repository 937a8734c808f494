"""The reference implementation as server, in a process of its own: what it says, we understand."""

import json
import signal
import ssl
import subprocess
import sys
from pathlib import Path

import attrs
import pytest
import trio
import trio.testing
import trustme
from support.grpc_process import Server, run_server

from capabilities import (
    ProviderBusy,
    ProviderClosed,
    ProviderError,
    ProviderRefused,
    ProviderUnavailable,
    Secret,
)
from providers._common.grpc import Channel, Keepalive, connect
from providers._common.network import Network

ECHO = "/test.Server/Echo"
RETRY_IN_7_S = b"\x1a\x24\x0a\x1cexample/google.rpc.RetryInfo\x12\x04\x0a\x02\x08\x07"


def to(network: Network, server: Server) -> Network:
    return attrs.evolve(network, base_url=f"http://127.0.0.1:{server.port}")


async def open_streams(channel: Channel) -> int:
    return int(await channel.unary("/test.Server/Count", b""))


async def test_a_conversation(network: Network) -> None:
    """Messages of no, of a few, and of three million bytes, each answered before the next."""
    async with (
        run_server() as server,
        connect(to(network, server)) as channel,
        channel.call(ECHO) as call,
    ):
        for message in (b"", b"hello", bytes(range(256)) * 12_000):
            await call.send(message)
            assert await anext(call) == message
        await call.finish()
        assert [answer async for answer in call] == []


async def test_fifty_conversations_on_one_connection(network: Network) -> None:
    async with (
        run_server() as server,
        connect(to(network, server)) as channel,
        trio.open_nursery() as nursery,
    ):

        async def talk(number: int) -> None:
            async with channel.call(ECHO) as call:
                for count in range(20):
                    message = f"{number}/{count}".encode() * 500
                    await call.send(message)
                    assert await anext(call) == message
                await call.finish()
                assert [answer async for answer in call] == []

        for number in range(50):
            nursery.start_soon(talk, number)


async def test_metadata_and_the_time_that_is_left_arrive(network: Network) -> None:
    metadata = {"authorization": Secret("Bearer x"), "id-bin": b"\0\xff"}
    async with run_server() as server, connect(to(network, server)) as channel:
        answer = await channel.unary("/test.Server/Seen", b"", metadata=metadata, timeout=30)
    seen = json.loads(answer)
    assert seen["metadata"]["authorization"] == "Bearer x"
    assert seen["metadata"]["id-bin"] == "\0\xff"
    assert 20 < seen["left"] <= 30


async def test_a_compressed_answer(network: Network) -> None:
    async with run_server() as server, connect(to(network, server)) as channel:
        assert await channel.unary("/test.Server/Squeezed", bytes(200_000)) == bytes(200_000)


@pytest.mark.parametrize(
    ("wanted", "kind", "says"),
    [
        pytest.param(
            {"code": "INVALID_ARGUMENT", "message": "bad g\u00fcte: 100%"},
            ProviderRefused,
            "INVALID_ARGUMENT: bad g\u00fcte: 100%",
            id="text-in-any-language",
        ),
        pytest.param(
            {"code": "UNAUTHENTICATED", "message": ""}, ProviderRefused, "UNAUTHENTICATED", id="key"
        ),
        pytest.param(
            {"code": "UNAVAILABLE", "message": "later"}, ProviderUnavailable, "later", id="later"
        ),
        pytest.param(
            {
                "code": "RESOURCE_EXHAUSTED",
                "message": "quota",
                "trailers": {"grpc-status-details-bin": RETRY_IN_7_S.decode("latin-1")},
            },
            ProviderBusy,
            "quota",
            id="quota",
        ),
    ],
)
async def test_a_status(
    network: Network, wanted: dict[str, object], kind: type[ProviderError], says: str
) -> None:
    async with run_server() as server, connect(to(network, server)) as channel:
        with pytest.raises(kind, match=says) as caught:
            await channel.unary("/test.Server/Fail", json.dumps(wanted).encode())
    assert type(caught.value) is kind
    assert getattr(caught.value, "retry_after", 7.0) == 7.0


async def test_a_status_behind_some_answers(network: Network) -> None:
    wanted = json.dumps({"code": "UNAVAILABLE", "message": "going down"}).encode()
    async with (
        run_server() as server,
        connect(to(network, server)) as channel,
        channel.call("/test.Server/FailLate") as call,
    ):
        await call.send(wanted)
        assert [await anext(call), await anext(call)] == [b"one", b"two"]
        with pytest.raises(ProviderClosed, match="going down"):
            await anext(call)


async def test_an_unknown_method(network: Network) -> None:
    async with run_server() as server, connect(to(network, server)) as channel:
        with pytest.raises(ProviderRefused, match="UNIMPLEMENTED"):
            await channel.unary("/test.Server/Nothing", b"")


async def test_leaving_ends_the_streams_of_the_server(network: Network) -> None:
    """Nothing but the scope is cancelled, and the vendor's minutes stop."""
    async with run_server() as server, connect(to(network, server)) as channel:

        async def talk(*, task_status: trio.TaskStatus[None]) -> None:
            async with channel.call(ECHO) as call:
                await call.send(b"hello")
                await anext(call)
                task_status.started()
                await anext(call)

        async with trio.open_nursery() as nursery:
            for _ in range(20):
                await nursery.start(talk)
            assert await open_streams(channel) == 20
            nursery.cancel_scope.cancel()
        with trio.fail_after(5):
            while await open_streams(channel):
                pass


async def test_leaving_the_channel_ends_them_too(network: Network) -> None:
    async with run_server() as server, connect(to(network, server)) as watcher:
        with trio.CancelScope() as scope:
            async with connect(to(network, server)) as channel, channel.call(ECHO) as call:
                await call.send(b"hello")
                await anext(call)
                scope.cancel()
                await anext(call)
        with trio.fail_after(5):
            while await open_streams(watcher):
                pass


async def test_a_graceful_end_of_the_server(network: Network) -> None:
    """What is open goes on within the grace."""
    async with (
        run_server() as server,
        connect(to(network, server)) as channel,
        channel.call(ECHO) as call,
    ):
        await call.send(b"before")
        assert await anext(call) == b"before"
        await server.stop(grace=20)
        # The second connection is refused as soon as the server has stopped to listen.
        with trio.fail_after(10), pytest.raises(ProviderUnavailable):
            while True:
                await open_streams(channel)
        for number in range(10):
            await call.send(b"%d" % number)
            assert await anext(call) == b"%d" % number
        await call.finish()
        assert [answer async for answer in call] == []


async def test_a_grace_that_runs_out(network: Network) -> None:
    async with (
        run_server() as server,
        connect(to(network, server)) as channel,
        channel.call(ECHO) as call,
    ):
        await call.send(b"before")
        assert await anext(call) == b"before"
        await server.stop(grace=0.1)
        with pytest.raises(ProviderClosed):
            await anext(call)


async def test_a_killed_server(network: Network) -> None:
    async with (
        run_server() as server,
        connect(to(network, server)) as channel,
        channel.call(ECHO) as call,
    ):
        await call.send(b"before")
        await anext(call)
        server.process.kill()
        with trio.fail_after(5), pytest.raises(ProviderClosed):
            await anext(call)


async def test_a_frozen_server_is_noticed(network: Network) -> None:
    """Its sockets stay open, and its kernel takes what is sent."""
    keepalive = Keepalive(interval=0.2, patience=0.3)
    async with (
        run_server() as server,
        connect(to(network, server), keepalive=keepalive) as channel,
        channel.call(ECHO) as call,
    ):
        await call.send(b"before")
        await anext(call)
        server.process.send_signal(signal.SIGSTOP)
        with trio.fail_after(10), pytest.raises(ProviderClosed, match="does not answer a ping"):
            await anext(call)


async def test_a_strict_server_bears_with_our_questions(network: Network) -> None:
    """As many as its own limits allow, all of them 600 times as fast."""
    options = {"grpc.http2.min_ping_interval_without_data_ms": 500}
    keepalive = Keepalive(interval=0.05, longest=0.5, patience=0.05)
    async with (
        run_server(options=options) as server,
        connect(to(network, server), keepalive=keepalive) as channel,
        channel.call(ECHO) as call,
    ):
        with trio.move_on_after(3):
            await anext(call)
        await call.send(b"still there?")
        assert await anext(call) == b"still there?"


class TestTLS:
    """With certificates on both sides."""

    @pytest.fixture
    def authority(self) -> trustme.CA:
        return trustme.CA()

    @pytest.fixture
    def options(self, authority: trustme.CA, tmp_path: Path) -> dict[str, str]:
        leaf = authority.issue_cert("127.0.0.1")
        paths = {name: str(tmp_path / name) for name in ("key", "certificate", "client_ca")}
        leaf.private_key_pem.write_to_path(paths["key"])
        leaf.cert_chain_pems[0].write_to_path(paths["certificate"])
        authority.cert_pem.write_to_path(paths["client_ca"])
        return paths

    @pytest.fixture
    def tls(self, authority: trustme.CA) -> ssl.SSLContext:
        context = ssl.create_default_context()
        context.set_alpn_protocols(["h2"])
        authority.configure_trust(context)
        return context

    async def test_both_show_theirs(
        self,
        network: Network,
        authority: trustme.CA,
        options: dict[str, str],
        tls: ssl.SSLContext,
    ) -> None:
        authority.issue_cert("client@acme.test").configure_cert(tls)
        async with run_server(**options) as server:
            there = attrs.evolve(network, base_url=f"https://127.0.0.1:{server.port}", tls=tls)
            async with connect(there) as channel, channel.call(ECHO) as call:
                await call.send(bytes(300_000))
                assert await anext(call) == bytes(300_000)

    async def test_we_show_none(
        self, network: Network, options: dict[str, str], tls: ssl.SSLContext
    ) -> None:
        async with run_server(**options) as server:
            there = attrs.evolve(network, base_url=f"https://127.0.0.1:{server.port}", tls=tls)
            with pytest.raises(ProviderUnavailable, match="was the client certificate accepted"):
                async with connect(there):
                    pass


def test_no_process_that_calls_has_a_server_s_threads() -> None:
    """Threads of grpcio and ``fork()`` do not go together: the client brings none of it."""
    program = (
        "import sys, threading, providers._common.grpc;"
        "assert 'grpc' not in sys.modules;"
        "assert threading.active_count() == 1"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
