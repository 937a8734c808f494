"""Clients that hold on to something: each phase of a connection ends, and their number is bounded."""

import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from types import SimpleNamespace
from typing import Any, cast

import attrs
import h2.connection
import h2.settings
import httpx
import pytest
import trio
import trio.testing
from quart import request
from quart_trio import QuartTrio
from trio.testing import MockClock

from waav.config import Config
from waav.gateway import Gateway
from waav.security.addresses import Clients
from waav.security.limits import Capacities, Counts, LocalLimiter
from waav.server.admission import Admission
from waav.server.app import create_app
from waav.server.frontdoor import DoorLimits, FrontDoor
from waav.server.http_worker import open_http_worker
from waav.server.tls import Tls

PEER = ("192.0.2.7", 51000)
GET = b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"


@attrs.define(eq=False)
class Plugged(trio.abc.Stream):
    """A stream in memory that looks like one of a socket."""

    inner: trio.StapledStream[Any, Any]
    socket: Any = SimpleNamespace(
        family=socket.AF_INET, getpeername=lambda: PEER, getsockname=lambda: ("192.0.2.1", 80)
    )

    async def send_all(self, data: bytes) -> None:
        await self.inner.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        await self.inner.wait_send_all_might_not_block()

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        received: bytes | bytearray = await self.inner.receive_some(max_bytes)
        return received

    async def aclose(self) -> None:
        await self.inner.aclose()


@attrs.frozen
class Line:
    """The client's end of a connection to a server that lives in virtual time."""

    stream: trio.StapledStream[Any, Any]
    closed: trio.Event

    async def drip(self, data: bytes, pause: float) -> None:
        """Send a byte now and then, for as long as anybody takes it."""
        with suppress(trio.BrokenResourceError):
            for byte in data:
                await self.stream.send_all(bytes([byte]))
                await trio.sleep(pause)

    async def answer(self) -> bytes:
        return b"".join([bytes(data) async for data in self.stream])


Dial = Callable[..., Awaitable[Line]]


@pytest.fixture
async def dial(app: QuartTrio, nursery: trio.Nursery) -> AsyncIterator[Dial]:
    """``await dial()`` connects; with ``lockstep`` nothing is sent that is not read."""

    app.config["RESPONSE_TIMEOUT"] = None  # as in ours

    @app.get("/large")
    async def large() -> bytes:
        return bytes(1_000_000)

    @app.post("/unread")
    async def unread() -> str:
        await trio.sleep(5)
        return str(request.content_length)

    async with open_http_worker(app) as worker:

        async def dial(*, lockstep: bool = False) -> Line:
            pair = (
                trio.testing.lockstep_stream_pair if lockstep else trio.testing.memory_stream_pair
            )
            ours, theirs = pair()
            line = Line(theirs, trio.Event())
            nursery.start_soon(serve, Plugged(ours), line.closed)
            return line

        async def serve(stream: Plugged, closed: trio.Event) -> None:
            await FrontDoor({}, worker.serve)._serve_request(stream, PEER)
            await stream.aclose()
            closed.set()

        yield dial


# How long each phase may take.


async def test_a_head_in_drops(
    dial: Dial, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    line = await dial()
    nursery.start_soon(line.drip, GET, 2.0)
    assert (await line.answer()).startswith(b"HTTP/1.1 408 ")
    assert autojump_clock.current_time() <= 11.0


async def test_a_body_in_drops(
    dial: Dial, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    """A byte in 50 seconds does not renew anybody's patience."""
    line = await dial()
    await line.stream.send_all(b"POST /size HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n")
    nursery.start_soon(line.drip, bytes(1000), 50.0)
    assert (await line.answer()).startswith(b"HTTP/1.1 408 ")
    assert autojump_clock.current_time() == 60.0


async def test_a_body_that_nobody_reads(
    dial: Dial, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    """It is answered as if there were none, and the connection ends with that."""
    line = await dial()
    await line.stream.send_all(b"POST /unread HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n")
    nursery.start_soon(line.drip, bytes(1000), 1.0)
    assert (await line.answer()).endswith(b"1000")
    assert autojump_clock.current_time() <= 6.0


@pytest.mark.parametrize("next_one", [b"", GET], ids=["nothing", "in drops"])
async def test_the_next_request(
    dial: Dial, nursery: trio.Nursery, autojump_clock: MockClock, next_one: bytes
) -> None:
    """It may be waited for as long as a load balancer does, but not the longer the slower it comes."""
    line = await dial()
    await line.stream.send_all(GET)
    nursery.start_soon(line.drip, next_one, 10.0)
    assert (await line.answer()).startswith(b"HTTP/1.1 200 ")
    assert autojump_clock.current_time() == 75.0


@pytest.mark.parametrize("requests", [1, 2])
async def test_an_answer_that_is_not_taken(
    dial: Dial, autojump_clock: MockClock, requests: int
) -> None:
    """Also where the next request has come already, so that nobody listens."""
    line = await dial(lockstep=True)
    await line.stream.send_all(b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n" * requests)
    assert await line.stream.receive_some(100)
    await line.closed.wait()
    assert autojump_clock.current_time() <= 35.0


@pytest.mark.parametrize("requests", [1, 2])
async def test_a_client_that_is_gone_when_its_answer_comes(
    dial: Dial, autojump_clock: MockClock, requests: int
) -> None:
    line = await dial()
    await line.stream.send_all(b"POST /unread HTTP/1.1\r\nHost: a\r\n\r\n" * requests)
    await trio.sleep(1)
    await line.stream.aclose()
    await line.closed.wait()
    assert autojump_clock.current_time() <= 10.0


def http2(window: int = 65535) -> h2.connection.H2Connection:
    connection = h2.connection.H2Connection()
    setting = {h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: window}
    connection.local_settings = h2.settings.Settings(client=True, initial_values=setting)
    connection.initiate_connection()
    return connection


async def test_http2_that_asks_for_nothing(
    dial: Dial, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    """Pings, and half a head that takes its time, are no reason to stay."""
    line, wire = await dial(), http2()
    half = b"\x00\x00\x01\x01\x00\x00\x00\x00\x01\x82"
    await line.stream.send_all(wire.data_to_send() + half)
    nursery.start_soon(line.drip, b"\x00\x00\x01\x09\x00\x00\x00\x00\x01\x82" * 9, 5.0)
    await line.answer()
    assert autojump_clock.current_time() == 75.0


async def test_http2_that_takes_no_answer(dial: Dial, autojump_clock: MockClock) -> None:
    line, wire = await dial(), http2(window=0)
    pseudo = [(":method", "GET"), (":path", "/large"), (":scheme", "http"), (":authority", "a")]
    wire.send_headers(1, pseudo, end_stream=True)
    await line.stream.send_all(wire.data_to_send())
    await line.answer()
    assert autojump_clock.current_time() == 60.0


def test_the_framework_is_not_less_patient_than_we_are() -> None:
    """It would leave an answer half sent, on a connection that goes on."""
    config = create_app(cast(Gateway, SimpleNamespace(config=Config()))).config
    assert config["RESPONSE_TIMEOUT"] is None
    assert config["BODY_TIMEOUT"] == 60


# How many there may be.


async def test_who_waits_for_longest_makes_room(start: Any) -> None:
    running = await start(door_limits=DoorLimits(waiting=3))
    async with AsyncExitStack() as stack:
        silent = [await stack.enter_async_context(await running.connect()) for _ in range(3)]
        await trio.testing.wait_all_tasks_blocked(0.05)
        assert (await running.ask(GET[:-2] + b"Connection: close\r\n\r\n")).endswith(b"http")
        with trio.fail_after(5):
            assert await silent[0].receive_some() == b""
        for other in silent[1:]:
            await other.send_all(GET)
            assert (await other.receive_some()).startswith(b"HTTP/1.1 200 ")


async def test_one_client_does_not_crowd_out_the_others(start: Any) -> None:
    clients = Clients(trusted=["127.0.0.1"], announced=True)
    running = await start(
        admission=Admission(clients), door_limits=DoorLimits(waiting=5, waiting_of_client=2)
    )
    async with AsyncExitStack() as stack:
        patient = await stack.enter_async_context(await running.connect())
        await patient.send_all(b"PROXY TCP4 192.0.2.1 192.0.2.9 1 2\r\nGET /hello")
        await trio.testing.wait_all_tasks_blocked(0.05)
        for _ in range(20):
            greedy = await stack.enter_async_context(await running.connect())
            await greedy.send_all(b"PROXY TCP4 192.0.2.2 192.0.2.9 1 2\r\nGET /hello")
        await trio.testing.wait_all_tasks_blocked(0.05)
        await patient.send_all(b" HTTP/1.1\r\nHost: a\r\n\r\n")
        with trio.fail_after(5):
            assert (await patient.receive_some()).startswith(b"HTTP/1.1 200 ")


async def test_nor_before_the_handshake_of_tls(start: Any, certificate: Any) -> None:
    tls = await Tls.read(certificate.cert, certificate.key)
    running = await start(tls=tls, door_limits=DoorLimits(waiting_of_client=1))
    async with await running.connect() as first, await running.connect():
        with trio.fail_after(5):
            assert await first.receive_some() == b""


async def test_so_many_http_connections_of_a_client_and_no_more(start: Any) -> None:
    """A place is free again as soon as its connection ends, however it ends."""
    places = LocalLimiter(Counts(Capacities(client=2)))
    running = await start(admission=Admission(plain=places))
    url = f"http://127.0.0.1:{running.port}/hello"
    async with await running.connect() as first:
        await first.send_all(GET)
        assert (await first.receive_some()).startswith(b"HTTP/1.1 200 ")
        async with httpx.AsyncClient() as second, httpx.AsyncClient() as third:
            assert (await second.get(url)).status_code == 200
            refused = await third.get(url)
            assert (refused.status_code, refused.json()["code"]) == (503, "too_many_connections")
            assert refused.headers["retry-after"]
            assert (await second.get(url)).status_code == 200  # on the connection that it has
    with trio.fail_after(5):
        while places.counts.snapshot()["client"].held:  # noqa: ASYNC110  # the server's own pace
            await trio.sleep(0.01)


@pytest.mark.pins("D262")
async def test_who_watches_over_us_has_places_of_its_own(start: Any) -> None:
    """It may come from where the clients come from; but that is no way around their number."""
    places = LocalLimiter(Counts(Capacities(client=1)))
    running = await start(admission=Admission(plain=places))
    health = GET.replace(b"/hello", b"/health/live")
    async with await running.connect() as client, await running.connect() as watcher:
        for stream, ask, status in ((client, GET, b"200"), (watcher, health, b"404")):
            await stream.send_all(ask)
            assert (await stream.receive_some()).startswith(b"HTTP/1.1 " + status)
        for ask in (GET, health):
            assert (await running.ask(ask)).startswith(b"HTTP/1.1 503 ")


async def test_a_proxys_connections_are_not_counted(start: Any) -> None:
    places = LocalLimiter(Counts(Capacities(client=1)))
    running = await start(admission=Admission(Clients(trusted=["127.0.0.1"]), plain=places))
    async with AsyncExitStack() as stack:
        for _ in range(5):
            stream = await stack.enter_async_context(await running.connect())
            await stream.send_all(GET)
            assert (await stream.receive_some()).startswith(b"HTTP/1.1 200 ")
