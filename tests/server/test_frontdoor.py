"""The front door on real sockets: who goes where, and that nobody's trouble becomes another's."""

import json
import logging
import socket as stdlib_socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import h2.config
import h2.connection
import h2.events
import httpx
import pytest
import trio
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from waav.errors import SlowClient
from waav.server.doorkeeper import Visitor
from waav.server.frontdoor import DoorLimits, FrontDoor
from waav.server.tls import Tls
from waav.server.websocket import Limits, WebSocket

KEY = b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"


def upgrade(path: bytes) -> bytes:
    return (
        b"GET " + path + b" HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n"
        b"Connection: keep-alive, Upgrade\r\n" + KEY + b"\r\n"
    )


def get(path: bytes, *headers: bytes) -> bytes:
    return b"\r\n".join([b"GET " + path + b" HTTP/1.1", b"Host: a", *headers, b"", b""])


def refusal(answer: bytes) -> tuple[int, dict[str, str]]:
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)


async def in_thread(function: Callable[..., Any], *args: Any) -> Any:
    return await trio.to_thread.run_sync(partial(function, *args), abandon_on_cancel=True)


def ws_url(running: Any) -> str:
    return f"ws://127.0.0.1:{running.port}/ws"


async def http_works(running: Any) -> None:
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"http://127.0.0.1:{running.port}/hello")
    assert answer.text == "hello over 1.1 from http"


async def test_a_foreign_client_talks_websocket(start: Any) -> None:
    running = await start()

    def talk() -> list[str | bytes]:
        with connect(ws_url(running), compression=None, max_size=None) as client:
            client.send("text")
            client.send(bytes(5 * 1024 * 1024))
            client.send(iter(["in ", "pieces"]))
            assert client.ping().wait(5)
            return [client.recv() for _ in range(3)]

    assert await in_thread(talk) == ["text", bytes(5 * 1024 * 1024), "in pieces"]


async def test_everything_else_is_http(start: Any) -> None:
    """What was read to find out is read again; a connection may be used many times."""
    running = await start()
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{running.port}") as client:
        for _ in range(3):
            assert (await client.get("/hello")).text == "hello over 1.1 from http"
            assert (await client.post("/size", content=bytes(300_000))).text == "300000"
        assert (await client.get("/nowhere")).status_code == 404
        assert (await client.get("/bug")).status_code == 500
        assert "server" not in (await client.get("/hello")).headers


async def test_a_head_may_come_byte_by_byte(start: Any) -> None:
    running = await start()
    async with await running.connect() as stream:
        for byte in get(b"/hello", b"Connection: close"):
            await stream.send_all(bytes([byte]))
        answer = b"".join([data async for data in stream])
    assert answer.endswith(b"hello over 1.1 from http")


async def test_http2_with_prior_knowledge(start: Any) -> None:
    running = await start()
    async with await running.connect() as stream:
        connection, events = await _h2_get(stream, b"http")
    assert connection.open_outbound_streams == 0
    assert b"hello over 2 from http" in [
        bytes(event.data) for event in events if isinstance(event, h2.events.DataReceived)
    ]


async def _h2_get(
    stream: trio.abc.Stream, scheme: bytes
) -> tuple[h2.connection.H2Connection, list[h2.events.Event]]:
    connection = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding=None))
    connection.initiate_connection()
    request = [(b":method", b"GET"), (b":path", b"/hello")]
    request += [(b":scheme", scheme), (b":authority", b"a")]
    connection.send_headers(1, request, end_stream=True)
    events: list[h2.events.Event] = []
    with trio.fail_after(10):
        while not any(isinstance(event, h2.events.StreamEnded) for event in events):
            await stream.send_all(connection.data_to_send())
            events += connection.receive_data(bytes(await stream.receive_some(65536)))
    return connection, events


@pytest.mark.parametrize("path", [b"/", b"/hello", b"/wss", b"/ws/", b"/realtime?token=x"])
async def test_an_upgrade_elsewhere_is_answered_by_the_door(start: Any, path: bytes) -> None:
    running = await start()
    status, body = refusal(await running.ask(upgrade(path)))
    assert status == 404
    assert body["code"] == "not_found"
    assert body["error"] == body["message"]
    assert len(body["request_id"]) == 32
    assert "token" not in body["message"]


async def test_a_byte_behind_an_upgrade_harms_nobody(start: Any) -> None:
    """One byte behind an upgrade to a path without WebSocket used to end the process."""
    running = await start()
    async with neighbour_of(running):
        status, _ = refusal(await running.ask(upgrade(b"/hello") + b"x"))
        assert status == 404
    await http_works(running)


@pytest.mark.parametrize("trailing", [b"", b"x", b"\x81\x80abcd"], ids=["none", "byte", "frame"])
@pytest.mark.parametrize("path", [b"/ws", b"/hello"])
async def test_a_later_upgrade_on_a_connection_harms_nobody(
    start: Any, path: bytes, trailing: bytes
) -> None:
    """It comes to Hypercorn, which must not take it for a WebSocket: it would fail on what follows."""
    running = await start()
    async with neighbour_of(running), await running.connect() as stream:
        await stream.send_all(get(b"/hello") + upgrade(path) + trailing)
        answer = b""
        with trio.fail_after(10):
            while b'"code":"new_connection_required"' not in answer:
                answer += await stream.receive_some()
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert b"HTTP/1.1 421 " in answer
    await http_works(running)


def _echoes(client: ClientConnection) -> None:
    client.send("still there?")
    assert client.recv(timeout=5) == "still there?"


@asynccontextmanager
async def neighbour_of(running: Any) -> AsyncIterator[None]:
    """Another client, whose connection must outlive what the block does."""
    client = await in_thread(partial(connect, ws_url(running), compression=None, legacy=True))
    try:
        yield
        await in_thread(_echoes, client)
    finally:
        await in_thread(client.close)


async def test_ws_without_an_upgrade_is_told_so(start: Any) -> None:
    running = await start()
    status, body = refusal(await running.ask(get(b"/ws")))
    assert (status, body["code"]) == (426, "upgrade_required")


async def test_a_half_sent_head_is_not_waited_for(start: Any) -> None:
    running = await start(door_limits=DoorLimits(head_timeout=0.05))
    status, body = refusal(await running.ask(b"GET /hello HTTP/1.1\r\nHo"))
    assert (status, body["code"]) == (408, "head_timeout")
    assert await running.ask(b"") == b""
    await http_works(running)


async def test_ten_seconds_are_enough_for_a_head(autojump_clock: trio.testing.MockClock) -> None:
    """The same, at its true length, without waiting for it."""
    door = FrontDoor({}, http=_no_http)
    ours, theirs = trio.testing.memory_stream_pair()
    await theirs.send_all(b"GET")
    await door._serve_request(ours, ("192.0.2.7", 1))
    assert b"did not come in time" in await theirs.receive_some()
    assert autojump_clock.current_time() == 11.0  # one more, for the answer to arrive


async def _no_http(_stream: trio.abc.Stream, _received: bytes, _peer: tuple[str, int]) -> None:
    pytest.fail("nobody asked for HTTP")


async def test_too_many_headers(start: Any) -> None:
    """The answer arrives, though the client was still sending when it was given."""
    running = await start()
    headers = b"".join(b"X-%d: %s\r\n" % (n, b"x" * 100) for n in range(2000))
    status, body = refusal(await running.ask(b"GET / HTTP/1.1\r\nHost: a\r\n" + headers))
    assert (status, body["code"]) == (431, "head_too_large")


async def test_what_is_not_http_is_told_so(start: Any) -> None:
    running = await start()
    status, _ = refusal(await running.ask(b"\x16\x03\x01\x00\xa5\x01"))
    assert status == 400


async def test_a_message_over_the_limit_closes_with_1009(start: Any) -> None:
    """10 MiB pass, one byte more does not, and the client learns why."""
    running = await start()

    def talk() -> tuple[int, int | None]:
        with connect(ws_url(running), compression=None, max_size=None) as client:
            client.send(bytes(10 * 1024 * 1024))
            size = len(client.recv())
            client.send(bytes(10 * 1024 * 1024 + 1))
            with pytest.raises(ConnectionClosed) as caught:
                client.recv()
            return size, caught.value.rcvd.code if caught.value.rcvd else None

    assert await in_thread(talk) == (10 * 1024 * 1024, 1009)


async def test_a_client_that_resets_is_nobodys_error(
    start: Any, caplog: pytest.LogCaptureFixture
) -> None:
    gone = trio.Event()

    async def chatter(socket: WebSocket, _visitor: Visitor) -> None:
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(echo_forever, socket)
                async for _ in socket:
                    pass
        finally:
            gone.set()

    async def echo_forever(socket: WebSocket) -> None:
        while True:
            await socket.send(bytes(10_000))

    running = await start({"/ws": chatter})
    async with await running.connect() as stream:
        await stream.send_all(upgrade(b"/ws"))
        await stream.receive_some(100)
        reset = b"\1\0\0\0\0\0\0\0"
        stream.setsockopt(stdlib_socket.SOL_SOCKET, stdlib_socket.SO_LINGER, reset)
    with trio.fail_after(10):
        await gone.wait()
    await http_works(running)
    assert not [each for each in caplog.records if each.levelno >= logging.WARNING]


async def test_a_client_that_stops_reading_is_cut_off(start: Any) -> None:
    outcome: list[tuple[type[BaseException], int | None]] = []
    ended = trio.Event()

    async def flood(socket: WebSocket, _visitor: Visitor) -> None:
        try:
            while True:
                await socket.send(bytes(100_000))
        except SlowClient as slow:
            outcome.append((type(slow), socket.close_code))
            raise
        finally:
            ended.set()

    running = await start({"/ws": flood}, websocket_limits=Limits(send_timeout=0.1))
    async with await running.connect() as stream:
        await stream.send_all(upgrade(b"/ws"))
        with trio.fail_after(10):
            await ended.wait()
    assert outcome == [(SlowClient, 1013)]
    await http_works(running)


async def test_a_bug_in_a_handler_is_1011_and_one_report(
    start: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """A hundred failures in a moment do not fill the log."""

    async def broken(_socket: WebSocket, _visitor: Visitor) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep_forever)
            raise RuntimeError("a bug in a handler")

    running = await start({"/ws": broken})

    def code() -> int | None:
        with connect(ws_url(running), compression=None) as client:
            with pytest.raises(ConnectionClosed) as caught:
                client.recv()
            return caught.value.rcvd.code if caught.value.rcvd else None

    for _ in range(3):
        assert await in_thread(code) == 1011
    (record,) = [each for each in caplog.records if each.name == "waav.server.frontdoor"]
    assert record.levelno == logging.ERROR
    assert record.exc_info is not None
    await http_works(running)


async def test_failures_are_counted_and_reported_once_a_second(
    autojump_clock: trio.testing.MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    door = FrontDoor({}, http=_no_http)
    for _ in range(5):
        door._note(ValueError("ours"))
    door._note(ExceptionGroup("", [trio.BrokenResourceError(), SlowClient("theirs")]))
    autojump_clock.jump(1)
    door._note(ExceptionGroup("", [trio.BrokenResourceError(), ValueError("ours")]))
    assert door.failed == 6
    assert [record.getMessage() for record in caplog.records] == [
        "a connection failed (and 0 before it, unreported)",
        "a connection failed (and 4 before it, unreported)",
    ]


async def test_tls_for_both_sides_of_the_door(start: Any, certificate: Any) -> None:
    running = await start(tls=await Tls.read(certificate.cert, certificate.key))
    context = ssl.create_default_context()
    certificate.authority.configure_trust(context)
    url = f"https://127.0.0.1:{running.port}/hello"
    async with httpx.AsyncClient(verify=context) as client:
        assert (await client.get(url)).text == "hello over 1.1 from https"
    async with httpx.AsyncClient(verify=context, http2=True) as client:
        assert (await client.get(url)).text == "hello over 2 from https"

    def talk() -> None:
        with connect(f"wss://127.0.0.1:{running.port}/ws", ssl=context) as client:
            _echoes(client)

    context = ssl.create_default_context()
    certificate.authority.configure_trust(context)
    await in_thread(talk)


async def test_http2_does_not_offer_websockets(start: Any, certificate: Any) -> None:
    """Or a browser would ask for them there, where we have none."""
    running = await start(tls=await Tls.read(certificate.cert, certificate.key))
    context = ssl.create_default_context()
    certificate.authority.configure_trust(context)
    context.set_alpn_protocols(["h2"])
    stream = trio.SSLStream(
        await running.connect(), context, server_hostname="127.0.0.1", https_compatible=True
    )
    async with stream:
        await stream.do_handshake()
        connection, _events = await _h2_get(stream, b"https")
    assert connection.remote_settings.enable_connect_protocol == 0


async def test_who_does_not_finish_a_tls_handshake_is_left(start: Any, certificate: Any) -> None:
    running = await start(
        tls=await Tls.read(certificate.cert, certificate.key),
        door_limits=DoorLimits(tls_timeout=0.05),
    )
    assert await running.ask(b"") == b""
    assert not (await running.ask(b"GET / HTTP/1.1\r\n\r\n")).startswith(b"HTTP")
