"""Behind a proxy that speaks the PROXY protocol: whose connection it is, and who may not say."""

import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Any

import h2.connection
import pytest
import trio
from quart import request
from quart_trio import QuartTrio

from waav.security.addresses import Clients
from waav.security.limits import Capacities, Counts, LocalLimiter
from waav.security.rate import Rates
from waav.server.admission import Admission
from waav.server.doorkeeper import Visitor
from waav.server.frontdoor import DoorLimits
from waav.server.tls import Tls
from waav.server.websocket import WebSocket

ANNOUNCED = Clients(trusted=["127.0.0.1"], announced=True)
V1 = b"PROXY TCP4 192.0.2.7 198.51.100.1 51000 443\r\n"
V1_OTHER = b"PROXY TCP4 192.0.2.8 198.51.100.1 51000 443\r\n"
V1_SIX = b"PROXY TCP6 2001:db8::7 2001:db8::1 51000 443\r\n"
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
V2 = SIGNATURE + b"\x21\x11\x00\x13" + bytes([192, 0, 2, 7, 198, 51, 100, 1]) + b"\xc7\x38\x01\xbb"
V2 += b"\x04\x00\x04abcd"  # something else to tell
V2_SIX = SIGNATURE + b"\x21\x21\x00\x24" + bytes.fromhex("20010db8" + "00" * 11 + "07") + bytes(16)
V2_SIX += b"\xc7\x38\x01\xbb"
LOCAL = SIGNATURE + b"\x20\x00\x00\x00"
WHO = b"GET /who HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
UPGRADE = (
    b"GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


async def say_who(socket: WebSocket, visitor: Visitor) -> None:
    await socket.send(f"{visitor.head.peer[0]} {visitor.head.peer[1]}")


@pytest.fixture
def behind(start: Any, app: QuartTrio) -> Callable[..., Awaitable[Any]]:
    """A server behind proxies on this machine, which tells everybody who they are."""

    @app.get("/who")
    async def who() -> str:
        address, port = request.scope["client"]
        return f"{address} {port}"

    return partial(start, {"/ws": say_who}, admission=Admission(ANNOUNCED))


@pytest.mark.parametrize(
    ("header", "who"),
    [
        (V1, b"192.0.2.7 51000"),
        (V1_SIX, b"2001:db8::7 51000"),
        (V2, b"192.0.2.7 51000"),
        (V2_SIX, b"2001:db8::7 51000"),
        (LOCAL, b"127.0.0.1 "),
        (b"PROXY UNKNOWN\r\n", b"127.0.0.1 "),
    ],
    ids=["v1", "v1-six", "v2", "v2-six", "local", "unknown"],
)
@pytest.mark.parametrize("ask", [WHO, UPGRADE], ids=["http", "websocket"])
async def test_the_client_is_whom_the_proxy_announces(
    behind: Any, header: bytes, who: bytes, ask: bytes
) -> None:
    """At either door. A proxy that asks for itself, to see if we live, is the client."""
    running = await behind()
    assert who in await running.ask(header + ask)


async def test_a_header_in_drops_and_what_follows_at_once(behind: Any) -> None:
    running = await behind()
    async with await running.connect() as stream:
        for byte in V2[:-1]:
            await stream.send_all(bytes([byte]))
            await trio.testing.wait_all_tasks_blocked()
        await stream.send_all(V2[-1:] + WHO)
        assert b"192.0.2.7 51000" in b"".join([bytes(data) async for data in stream])


async def test_http2_and_later_requests_are_of_the_same_client(behind: Any) -> None:
    running = await behind()
    connection = h2.connection.H2Connection()
    connection.initiate_connection()
    for number in (1, 3):
        pseudo = [(":method", "GET"), (":path", "/who"), (":scheme", "http"), (":authority", "a")]
        connection.send_headers(number, pseudo, end_stream=True)
    async with await running.connect() as stream:
        await stream.send_all(V1 + connection.data_to_send())
        received = b""
        with trio.fail_after(10):
            while received.count(b"192.0.2.7 51000") < 2:
                received += await stream.receive_some()


async def test_tls_begins_behind_the_header(behind: Any, certificate: Any) -> None:
    running = await behind(tls=await Tls.read(certificate.cert, certificate.key))
    context = ssl.create_default_context()
    certificate.authority.configure_trust(context)
    transport = await running.connect()
    await transport.send_all(V2)
    stream = trio.SSLStream(transport, context, server_hostname="localhost", https_compatible=True)
    async with stream:
        await stream.send_all(WHO)
        assert b"192.0.2.7 51000" in b"".join([bytes(data) async for data in stream])


@pytest.mark.parametrize(
    "data",
    [WHO, UPGRADE, b"\x16\x03\x01", V1[:-2] + b"x\r\n" + WHO, V1[:9], b""],
    ids=["http", "websocket", "tls", "malformed", "half", "nothing"],
)
async def test_who_announces_nobody_is_sent_away_without_a_word(behind: Any, data: bytes) -> None:
    """Also after having said nothing for too long, which is where an attacker would wait."""
    running = await behind(door_limits=DoorLimits(tls_timeout=0.1))
    async with await running.connect() as stream:
        await stream.send_all(data)
        assert await until_closed(stream) == b""
    assert b"192.0.2.7" in await running.ask(V1 + WHO)


async def until_closed(stream: trio.SocketStream) -> bytes:
    """What comes until it is closed, or reset because something of what we said was not read."""
    received = b""
    with trio.fail_after(5), suppress(trio.BrokenResourceError):
        async for data in stream:
            received += data
    return received


async def test_a_stranger_cannot_announce_anybody(behind: Any) -> None:
    """Whatever it says: it is closed, and counted."""
    admission = Admission(Clients(trusted=["192.0.2.1"], announced=True))
    running = await behind(admission=admission)
    async with await running.connect() as stream:
        await stream.send_all(V1 + WHO)
        assert await until_closed(stream) == b""
    assert admission.refused == {"no_proxy_header": 1}


async def test_where_it_is_off_a_header_is_no_http(start: Any) -> None:
    running = await start(admission=Admission(Clients(trusted=["127.0.0.1"])))
    assert (await running.ask(V1 + WHO)).startswith(b"HTTP/1.1 400 ")


@pytest.mark.pins("D263")
async def test_limits_count_the_announced_clients(behind: Any) -> None:
    """Each has a bucket of its own, and the proxy has none."""
    running = await behind(admission=Admission(ANNOUNCED, Rates(0.001, 1)))
    for header in (V1, V1_OTHER, V1_SIX):
        assert (await running.ask(header + WHO)).startswith(b"HTTP/1.1 200 ")
        assert (await running.ask(header + WHO)).startswith(b"HTTP/1.1 429 ")
        assert (await running.ask(header + UPGRADE)).startswith(b"HTTP/1.1 429 ")


async def test_a_proxy_behind_the_proxy_is_believed_as_ever(behind: Any) -> None:
    """The first one announces the second, and that one writes X-Forwarded-For: one rule for all."""
    trusted = Clients(trusted=["127.0.0.1", "192.0.2.7"], announced=True)
    running = await behind(admission=Admission(trusted, Rates(0.001, 1)))
    for client in (b"203.0.113.1", b"203.0.113.2"):
        ask = WHO.replace(b"Host: a", b"Host: a\r\nX-Forwarded-For: " + client)
        assert (await running.ask(V1 + ask)).startswith(b"HTTP/1.1 200 ")
        assert (await running.ask(V1 + ask)).startswith(b"HTTP/1.1 429 ")


async def test_places_are_those_of_the_announced_clients(behind: Any) -> None:
    places = LocalLimiter(Counts(Capacities(client=1)))
    running = await behind(admission=Admission(ANNOUNCED, plain=places))
    async with await running.connect() as kept:
        await kept.send_all(V1 + WHO.replace(b"close", b"keep-alive"))
        assert (await kept.receive_some()).startswith(b"HTTP/1.1 200 ")
        assert (await running.ask(V1 + WHO)).startswith(b"HTTP/1.1 503 ")
        assert (await running.ask(V1_OTHER + WHO)).startswith(b"HTTP/1.1 200 ")
