"""The relay forwards what it knows nothing of, and does the harm that it is told to do."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from support.servers.http import Answer, Exchange, open_http_server
from support.servers.loopback import GONE
from support.servers.websocket import Say, WebSocketServer, accept, echo, open_websocket_server
from websockets.client import ClientProtocol
from websockets.exceptions import InvalidStatus
from websockets.frames import Frame, Opcode
from websockets.protocol import OPEN
from websockets.uri import parse_uri

from waav.testing import Fault, Relay, Transport, open_relay
from waav.testing.relay_line import DRIBBLE
from waav.testing.relay_wire import (
    HUGE,
    Cutter,
    Unit,
    addressed,
    close_frame,
    message_size,
    request_head,
)

HEAD = b"HTTP/1.1 101 Switching Protocols\r\n\r\n"


@given(st.lists(st.binary(max_size=70_000), max_size=4), st.integers(1, 5000))
def test_messages_are_found_however_the_bytes_come(payloads: list[bytes], size: int) -> None:
    frames = [Frame(Opcode.BINARY, data).serialize(mask=False) for data in payloads]
    sent = HEAD + b"".join(frames)
    cutter = Cutter(Transport.WEBSOCKET)
    units = [unit for at in range(0, len(sent), size) for unit in cutter.feed(sent[at : at + size])]
    assert [unit.data for unit in units] == [HEAD, *frames]


def test_the_fragments_of_a_message_stay_together() -> None:
    parts = [
        Frame(Opcode.TEXT, b"one", fin=False).serialize(mask=False),
        Frame(Opcode.CONT, b"two").serialize(mask=False),
    ]
    assert message_size(parts[0]) == 0
    assert message_size(b"".join(parts)) == len(b"".join(parts))


def test_pings_and_goodbyes_are_no_messages() -> None:
    cutter = Cutter(Transport.WEBSOCKET)
    ping = Frame(Opcode.PING, b"").serialize(mask=False)
    (_, *units) = cutter.feed(HEAD + ping + close_frame(1011))
    assert units == [
        Unit(ping, is_message=False),
        Unit(close_frame(1011), is_message=False, is_goodbye=True),
    ]


def test_a_vendor_is_asked_by_its_own_name() -> None:
    asked = b"GET / HTTP/1.1\r\nhost: 127.0.0.1:5\r\nConnection: keep-alive\r\nX: y\r\n\r\n"
    seen = addressed(asked, "api.example", Transport.HTTP)
    assert b"Host: api.example\r\n" in seen
    assert b"\r\nConnection: close\r\n" in seen
    assert b"keep-alive" not in seen
    assert seen.endswith(b"\r\n\r\n")
    upgrade = addressed(
        b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n\r\n", "b", Transport.WEBSOCKET
    )
    assert upgrade == b"GET / HTTP/1.1\r\nHost: b\r\nConnection: Upgrade\r\n\r\n"


def test_a_head_that_does_not_end_is_none() -> None:
    with pytest.raises(ValueError, match="does not end"):
        request_head(b"x" * 70_000)


# On sockets.


class Client:
    """A WebSocket client that only notes."""

    def __init__(self, stream: trio.SocketStream, url: str) -> None:
        self.stream = stream
        self.protocol = ClientProtocol(parse_uri(url.replace("http", "ws")), max_size=None)
        self.got: list[bytes] = []

    async def begin(self) -> "Client":
        self.protocol.send_request(self.protocol.connect())
        await self.flush()
        while self.protocol.state is not OPEN and self.protocol.handshake_exc is None:
            await self.read()
        return self

    async def say(self, text: str) -> None:
        self.protocol.send_text(text.encode())
        await self.flush()

    async def flush(self) -> None:
        await self.stream.send_all(b"".join(self.protocol.data_to_send()))

    async def read(self) -> bool:
        """Return whether there may be more."""
        data = await self.stream.receive_some(65536)
        if not data:
            self.protocol.receive_eof()
            return False
        self.protocol.receive_data(data)
        for event in self.protocol.events_received():
            if isinstance(event, Frame) and event.opcode in {Opcode.TEXT, Opcode.BINARY}:
                self.got.append(bytes(event.data))
        return True

    async def read_all(self) -> None:
        """Read until the far side ends, in order or not."""
        try:
            while await self.read():
                pass
        except GONE:
            self.got.append(b"reset")

    async def read_until(self, count: int) -> list[bytes]:
        with trio.fail_after(5):
            while len(self.got) < count:
                assert await self.read()
        return self.got


@asynccontextmanager
async def connected(relay: Relay) -> AsyncIterator[Client]:
    async with await trio.open_tcp_stream("127.0.0.1", relay.port) as stream:
        yield await Client(stream, relay.url).begin()


@asynccontextmanager
async def relayed(*steps: object) -> AsyncIterator[tuple[WebSocketServer, Relay]]:
    script = [accept, *(steps or (echo,))]
    async with (
        open_websocket_server(script) as server,  # type: ignore[arg-type]
        open_relay(server.url, Transport.WEBSOCKET) as relay,
    ):
        yield server, relay


async def test_what_is_said_passes_both_ways() -> None:
    async with relayed() as (server, relay), connected(relay) as client:
        await client.say("hello")
        assert await client.read_until(1) == [b"hello"]
        assert server.peers[0].headers["Host"] == f"127.0.0.1:{server.port}"
        assert not relay.has_struck


@pytest.mark.parametrize("code", [1000, 1008, 1011, 1013])
async def test_a_goodbye_comes_between_two_messages(code: int) -> None:
    async with relayed() as (server, relay), connected(relay) as client:
        await client.say("hello")
        await client.read_until(1)
        relay.strike(Fault(f"close-{code}"))
        await client.read_all()
        assert client.protocol.close_code == code
        assert client.got == [b"hello"]
        await server.peers[0].gone.wait()


async def test_a_reset_tears_a_message() -> None:
    async with relayed() as (_, relay), connected(relay) as client:
        relay.strike(Fault.RESET)
        await client.read_all()
        assert client.got == [b"reset"]


async def test_the_next_handshake_is_refused_and_the_one_after_it_is_not() -> None:
    async with relayed() as (server, relay), connected(relay) as client:
        relay.strike(Fault.HTTP_429)
        await client.read_all()
        async with connected(relay) as second:
            refusal = second.protocol.handshake_exc
            assert isinstance(refusal, InvalidStatus)
            assert refusal.response.status_code == 429
            assert refusal.response.headers["Retry-After"] == "1"
        async with connected(relay) as third:
            await third.say("well?")
            assert await third.read_until(1) == [b"well?"]
        assert len(server.peers) == 2


async def test_connections_are_refused_for_a_moment() -> None:
    async with relayed() as (_, relay), connected(relay) as client:
        relay.strike(Fault.REFUSED)
        with pytest.raises(OSError, match="connect"):
            await trio.open_tcp_stream("127.0.0.1", relay.port)
        await client.read_all()
        with trio.fail_after(5):
            while True:
                try:
                    stream = await trio.open_tcp_stream("127.0.0.1", relay.port)
                except OSError:
                    await trio.sleep(0.02)
                else:
                    break
        await stream.aclose()


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (Fault.DOUBLED, ["1", "1", "2", "2", "3", "3"]),
        (Fault.SWAPPED, ["2", "1", "3"]),
        (Fault.DRIBBLE, ["1", "2", "3"]),
    ],
)
async def test_messages_are_spoiled_on_their_way(fault: Fault, told: list[str]) -> None:
    async with relayed() as (_, relay):
        relay.strike(fault)
        async with connected(relay) as client:
            for text in "123":
                await client.say(text)
            assert [each.decode() for each in await client.read_until(len(told))] == told


async def test_swallowed_messages_leave_a_line_that_lives() -> None:
    async with relayed() as (server, relay), connected(relay) as client:
        relay.strike(Fault.SWALLOWED)
        await trio.testing.wait_all_tasks_blocked(0.01)
        await client.say("hello")
        client.protocol.send_ping(b"are you there?")
        await client.flush()
        with trio.fail_after(5):
            assert await client.read()
        assert client.got == []
        assert server.peers[0].messages == ["hello"]


async def test_a_message_that_nobody_sent_is_huge() -> None:
    async with relayed() as (_, relay), connected(relay) as client:
        relay.strike(Fault.HUGE)
        assert [len(each) for each in await client.read_until(1)] == [HUGE]
        await client.say("and on we go")
        assert (await client.read_until(2))[1] == b"and on we go"


async def test_an_answer_is_held_and_then_struck() -> None:
    async with relayed(Say("one", "two", "three")) as (_, relay):
        relay.strike(Fault.SILENCE, at=len(b"\x81\x03one"))
        async with connected(relay) as client:
            await client.read_until(1)
            with trio.move_on_after(0.05):
                await client.read()
            assert client.got == [b"one"]
            assert relay.has_struck


async def test_an_answer_of_http_is_cut_where_it_was_said() -> None:
    async def sound(exchange: Exchange) -> None:
        await Answer(200, b"0123456789" * DRIBBLE)(exchange)

    async with (
        open_http_server(sound) as server,
        open_relay(server.url, Transport.HTTP) as relay,
        await trio.open_tcp_stream("127.0.0.1", relay.port) as stream,
    ):
        relay.strike(Fault.END, at=7)
        await stream.send_all(b"GET /sound HTTP/1.1\r\nHost: somebody\r\n\r\n")
        got = b"".join([bytes(data) async for data in stream])
        assert got.partition(b"\r\n\r\n")[2] == b"0123456"
        assert server.requests[0].headers["host"] == f"127.0.0.1:{server.port}"
