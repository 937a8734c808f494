"""Places for WebSockets while tokens are asked for: exact in a crowd, and free again after any end."""

import random
import socket as sockets
import ssl
import struct
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

import attrs
import pytest
import trio
import trustme
from joserfc.jwk import ECKey
from support.gateways import Serving, open_serving
from support.providers import Ears, Mouth, plugin
from support.servers.http import Stall
from support.servers.http import open_http_server as open_service

from capabilities import Manifest, Secret
from waav.bench.framing import TEXT, from_client
from waav.config.auth import ApiSecret, Auth
from waav.config.schema import Server, Tls
from waav.config.security import RATE_LIMIT_OFF, Security

TOKEN = "the-token-of-acme"
PLACES = 100
LIMITED = Security(
    rate_limit_requests_per_second=RATE_LIMIT_OFF,
    max_connections_per_ip=10_000,
    max_websocket_connections=PLACES,
)
SECRETS = Auth(required=True, api_secrets=(ApiSecret("acme", Secret(TOKEN)),))
HELLO = "GET /ws{query} HTTP/1.1\r\nHost: a\r\n{more}"
REST = (
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
INTRODUCTION = b'{"type":"auth","token":"%s"}' % TOKEN.encode()
CONFIG = b'{"type":"config","stt_config":{"provider":"ears"},"tts_config":{"provider":"mouth"}}'


def upgrade(way: str) -> bytes:
    """A request for a WebSocket, with the token in one of its places, or none yet."""
    query = f"?token={TOKEN}" if way == "query" else ""
    more = f"Authorization: Bearer {TOKEN}\r\n" if way == "header" else ""
    return (HELLO.format(query=query, more=more) + REST).encode()


WAYS = ("query", "header", "message")


def held(serving: Serving) -> dict[str, int]:
    counts = serving.gateway.limiter.counts.snapshot()  # type: ignore[attr-defined]
    return {scope: use.held for scope, use in counts.items() if use.held}


async def emptied(serving: Serving) -> None:
    with trio.fail_after(30):
        while held(serving) or serving.gateway.sessions:  # noqa: ASYNC110  # the kernel tells nobody
            await trio.sleep(0.01)


async def status_of(stream: trio.abc.Stream) -> int:
    received = b""
    while b"\r\n\r\n" not in received:
        data = await stream.receive_some()
        assert data, received
        received += data
    return int(received.split(b" ", 2)[1])


@attrs.define(eq=False)
class Crowd:
    """Everybody comes at once, and whoever is let in stays."""

    serving: Serving
    stack: AsyncExitStack
    statuses: Counter[int] = attrs.Factory(Counter)

    async def come(self, number: int) -> None:
        go = trio.Event()
        with trio.fail_after(60):
            async with trio.open_nursery() as nursery:
                for each in range(number):
                    nursery.start_soon(self._come, go, WAYS[each % len(WAYS)])
                go.set()

    async def _come(self, go: trio.Event, way: str) -> None:
        stream = await trio.open_tcp_stream("127.0.0.1", self.serving.port)
        await self.stack.enter_async_context(stream)
        await go.wait()
        await stream.send_all(upgrade(way))
        self.statuses[await status_of(stream)] += 1


@pytest.mark.pins("D257")
@pytest.mark.pins("D259")
async def test_of_a_thousand_with_tokens_a_hundred_come_in_and_no_place_is_lost() -> None:
    """Those who have not said yet who they are hold a place too; who is refused has cost no session."""
    async with open_serving(plugin("ears", Ears()), auth=SECRETS, security=LIMITED) as serving:
        for _ in range(2):
            async with AsyncExitStack() as stack:
                crowd = Crowd(serving, stack)
                await crowd.come(1000)
                assert crowd.statuses == {101: PLACES, 503: 900}
                assert held(serving)["global"] == PLACES
                assert serving.gateway.sessions <= PLACES
            await emptied(serving)
        assert serving.gateway.counters.refused["server_full"] == 1800


# Every end, in every phase.

Step = Callable[["Chaos"], Awaitable[None]]


@attrs.define(eq=False)
class Chaos:
    """One client that will not stay for long."""

    raw: trio.SocketStream
    client: ssl.SSLContext
    stream: trio.abc.Stream = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.stream = self.raw

    async def half_a_handshake(self) -> None:
        """Of TLS."""
        waiting, out = ssl.MemoryBIO(), ssl.MemoryBIO()
        with suppress(ssl.SSLWantReadError):
            self.client.wrap_bio(waiting, out, server_hostname="127.0.0.1").do_handshake()
        await self.raw.send_all(out.read()[:100])

    async def secure(self) -> None:
        self.stream = tls = trio.SSLStream(self.raw, self.client, server_hostname="127.0.0.1")
        await tls.do_handshake()

    async def half_a_head(self) -> None:
        await self.secure()
        await self.stream.send_all(upgrade("query")[:60])

    async def unknown(self) -> None:
        """A token that the service is asked about, which does not answer."""
        await self.secure()
        await self.stream.send_all(upgrade("query").replace(TOKEN.encode(), b"somebodys"))

    async def bad_handshake(self) -> None:
        await self.secure()
        await self.stream.send_all(upgrade("query").replace(b"Version: 13", b"Version: 8"))

    async def upgraded(self) -> None:
        """Its answer is not read."""
        await self.secure()
        await self.stream.send_all(upgrade("header"))

    async def pending(self) -> None:
        await self._enter("message")

    async def introduced(self) -> None:
        await self._enter("message")
        await self.stream.send_all(from_client(TEXT, INTRODUCTION))

    async def pretending(self) -> None:
        await self._enter("message")
        await self.stream.send_all(from_client(TEXT, INTRODUCTION.replace(b"acme", b"else")))

    async def configured(self) -> None:
        await self._enter("query")
        await self.stream.send_all(from_client(TEXT, CONFIG))

    async def in_mid_message(self) -> None:
        await self.configured()
        await self.stream.send_all(from_client(TEXT, b'{"type":"speak","text":"good day"}')[:20])

    async def speaking(self) -> None:
        await self.configured()
        await self.stream.send_all(from_client(TEXT, b'{"type":"speak","text":"a good day"}'))

    async def breaking_the_rules(self) -> None:
        await self.configured()
        await self.stream.send_all(b"\xff" * 20)

    async def _enter(self, way: str) -> None:
        await self.secure()
        await self.stream.send_all(upgrade(way))
        assert await status_of(self.stream) == 101


async def nothing(_chaos: Chaos) -> None:
    pass


async def reset(chaos: Chaos) -> None:
    chaos.raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_LINGER, struct.pack("ii", 1, 0))
    await trio.aclose_forcefully(chaos.raw)


async def hang_up(chaos: Chaos) -> None:
    await trio.aclose_forcefully(chaos.raw)


async def half_close(chaos: Chaos) -> None:
    """And read what comes, for a moment."""
    await chaos.raw.send_eof()
    with trio.move_on_after(0.02):
        while await chaos.raw.receive_some():
            pass


PHASES: tuple[Step, ...] = (
    *(nothing, Chaos.half_a_handshake, Chaos.secure, Chaos.half_a_head, Chaos.unknown),
    *(Chaos.bad_handshake, Chaos.upgraded, Chaos.pending, Chaos.introduced, Chaos.pretending),
    *(Chaos.configured, Chaos.in_mid_message, Chaos.speaking, Chaos.breaking_the_rules),
)
ENDS: tuple[Step, ...] = (reset, hang_up, half_close)
TIMES = 5
"""That each end is met in each phase."""


async def vanish(serving: Serving, client: ssl.SSLContext, phase: Step, end: Step) -> None:
    async with await trio.open_tcp_stream("127.0.0.1", serving.port) as raw:
        chaos = Chaos(raw, client)
        # A gateway that has had enough first is as good.
        with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
            await phase(chaos)
            await end(chaos)


@asynccontextmanager
async def open_guarded(
    folder: Path, *manifests: Manifest
) -> AsyncIterator[tuple[Serving, ssl.SSLContext]]:
    """A gateway with TLS that knows one token, and asks a service that never answers about others."""
    authority, key = trustme.CA(), folder / "signing.pem"
    issued = authority.issue_cert("127.0.0.1")
    issued.private_key_and_cert_chain_pem.write_to_path(folder / "server.pem")
    key.write_bytes(ECKey.generate_key("P-256").as_pem(private=True))
    client = ssl.create_default_context()
    authority.configure_trust(client)
    tls = Tls(enabled=True, cert_path=folder / "server.pem", key_path=folder / "server.pem")
    server = Server(host="127.0.0.1", port=0, tls=tls)
    async with open_service(Stall()) as service:
        auth = attrs.evolve(
            SECRETS, service_url=service.url, signing_key_path=key, timeout_seconds=0.2
        )
        async with open_serving(*manifests, auth=auth, security=LIMITED, server=server) as serving:
            yield serving, client


@pytest.mark.pins("D259")
async def test_no_phase_and_no_end_keeps_a_place(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """In the TLS handshake, in the head, while others are asked, and in every moment of a session."""
    ears, mouth = Ears(connect_delay=0.005), Mouth(pace=0.001)
    dice = random.Random(6)
    ways = [(phase, end) for phase in PHASES for end in ENDS] * TIMES
    dice.shuffle(ways)
    async with open_guarded(tmp_path, plugin("ears", ears), plugin("mouth", mouth=mouth)) as (
        serving,
        client,
    ):
        limit = trio.CapacityLimiter(20)

        async def one(phase: Step, end: Step) -> None:
            async with limit:
                await vanish(serving, client, phase, end)

        with trio.fail_after(90):
            async with trio.open_nursery() as nursery:
                for phase, end in ways:
                    nursery.start_soon(one, phase, end)
        await emptied(serving)
        assert (ears.open_streams, mouth.open_requests) == (0, 0)
        await all_places_are_free(serving, client)
    assert [each for each in caplog.records if each.levelname == "ERROR"] == []


async def all_places_are_free(serving: Serving, client: ssl.SSLContext) -> None:
    """As many are let in as there are places, and nobody else."""
    async with AsyncExitStack() as stack:
        statuses: Counter[int] = Counter()
        for _ in range(PLACES + 1):
            raw = await trio.open_tcp_stream("127.0.0.1", serving.port)
            await stack.enter_async_context(raw)
            chaos = Chaos(raw, client)
            await chaos.secure()
            await chaos.stream.send_all(upgrade("query"))
            statuses[await status_of(chaos.stream)] += 1
        assert statuses == {101: PLACES, 503: 1}
    await emptied(serving)
