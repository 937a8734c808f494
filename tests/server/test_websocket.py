"""The WebSocket driver on in-memory streams, talked to by the client half of a foreign library."""

from collections.abc import Callable
from functools import partial

import pytest
import trio
from trio.testing import MockClock, lockstep_stream_pair, memory_stream_pair, wait_all_tasks_blocked
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.protocol import OPEN
from websockets.uri import parse_uri

from waav.errors import SlowClient
from waav.server.head import parse_head
from waav.server.refusal import Refused
from waav.server.websocket import Limits, WebSocket, accept_websocket

UPGRADE = (
    b"GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


class Client:
    """The far end: sends what it is told, sees every frame that arrives."""

    def __init__(self, stream: trio.abc.Stream, max_size: int | None = None) -> None:
        self.stream = stream
        self.protocol = ClientProtocol(parse_uri("ws://a/ws"), state=OPEN, max_size=max_size)
        self.seen: list[Frame] = []

    async def flush(self) -> None:
        if data := b"".join(self.protocol.data_to_send()):
            await self.stream.send_all(data)

    async def frame(self, opcode: Opcode, data: bytes, *, fin: bool = True) -> None:
        await self.stream.send_all(Frame(opcode, data, fin).serialize(mask=True))

    async def send(self, message: str | bytes) -> None:
        if isinstance(message, str):
            self.protocol.send_text(message.encode())
        else:
            self.protocol.send_binary(message)
        await self.flush()

    async def watch(self, *, pong: bool = True) -> None:
        """Read to the end; answer pings and closes as a good client does."""
        while data := await self.stream.receive_some(65536):
            self.protocol.receive_data(data)
            self.seen += [e for e in self.protocol.events_received() if isinstance(e, Frame)]
            answers = b"".join(self.protocol.data_to_send())
            if answers and (pong or self.protocol.close_rcvd):
                await self.stream.send_all(answers)
        self.protocol.receive_eof()

    @property
    def close_code(self) -> int | None:
        return self.protocol.close_rcvd and self.protocol.close_rcvd.code


Pair = tuple[WebSocket, Client]


def pair(limits: Limits | None = None, *, lockstep: bool = False) -> Pair:
    ours, theirs = lockstep_stream_pair() if lockstep else memory_stream_pair()
    return WebSocket(ours, limits or Limits()), Client(theirs)


async def collect(socket: WebSocket) -> list[str | bytes]:
    return [message async for message in socket]


async def test_messages_in_both_directions() -> None:
    socket, client = pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(client.watch)
        await client.send("hé")
        await client.send(b"\0\xff")
        assert await anext(socket) == "hé"
        assert await anext(socket) == b"\0\xff"
        await socket.send("grüß")
        await socket.send(b"\xff\0")
        await socket.aclose()
    assert [(frame.opcode, bytes(frame.data)) for frame in client.seen[:2]] == [
        (Opcode.TEXT, "grüß".encode()),
        (Opcode.BINARY, b"\xff\0"),
    ]
    assert client.close_code == socket.close_code == 1000
    assert socket.bytes_in > 5
    assert socket.bytes_out > 8


async def test_fragments_are_joined_with_a_ping_between() -> None:
    socket, client = pair()
    await client.frame(Opcode.TEXT, "né".encode()[:2], fin=False)
    await client.frame(Opcode.PING, b"there?")
    await client.frame(Opcode.CONT, b"", fin=False)
    await client.frame(Opcode.CONT, "né".encode()[2:])
    await client.frame(Opcode.BINARY, b"1", fin=False)
    await client.frame(Opcode.CONT, b"2")
    assert await anext(socket) == "né"
    assert await anext(socket) == b"12"
    async with trio.open_nursery() as nursery:
        nursery.start_soon(client.watch)
        client.protocol.send_close(1000)
        await client.flush()
        assert await collect(socket) == []
        await socket.aclose()
    assert (client.seen[0].opcode, bytes(client.seen[0].data)) == (Opcode.PONG, b"there?")


@pytest.mark.pins("D189")
@pytest.mark.parametrize("code", [1000, 1001, 1008, 1011, 1013, 4000, 4001])
async def test_the_client_learns_code_and_reason(code: int) -> None:
    """Each of the protocol's close codes arrives; a reason that is too long arrives cut."""
    socket, client = pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(client.watch)
        await socket.aclose(code, "ü" * 100)
    assert client.protocol.close_rcvd is not None
    assert client.protocol.close_rcvd.code == socket.close_code == code
    assert client.protocol.close_rcvd.reason == "ü" * 61


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        ([(Opcode.TEXT, b"\xff", True)], 1007),
        ([(Opcode.TEXT, b"\xc3", False), (Opcode.CONT, b"", True)], 1007),
        ([(Opcode.BINARY, bytes(17), True)], 1009),
        ([(Opcode.BINARY, bytes(9), False), (Opcode.CONT, bytes(8), True)], 1009),
        ([(Opcode.CONT, b"", True)], 1002),
    ],
    ids=["not-utf8", "half-a-letter", "too-big", "too-big-in-pieces", "continues-nothing"],
)
async def test_a_broken_protocol_closes_with_its_code(
    frames: list[tuple[Opcode, bytes, bool]], code: int
) -> None:
    """The messages before the offence are still delivered."""
    socket, client = pair(Limits(max_message=16))
    await client.send(b"good")
    for opcode, data, fin in frames:
        await client.stream.send_all(Frame(opcode, data, fin).serialize(mask=True))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(client.watch)
        assert await collect(socket) == [b"good"]
        await socket.aclose(1000)
        await client.stream.aclose()
    assert client.close_code == socket.close_code == code


async def test_the_largest_message_passes() -> None:
    socket, client = pair(Limits(max_message=16))
    await client.send(bytes(16))
    assert await anext(socket) == bytes(16)


async def test_a_client_that_hangs_up_ends_the_iteration() -> None:
    """Without a goodbye the code is 1006, and what we send then fails."""
    socket, client = pair()
    await client.send("last words")
    await client.stream.aclose()
    assert await collect(socket) == ["last words"]
    assert socket.close_code == 1006
    with pytest.raises(trio.BrokenResourceError):
        await socket.send("too late")
    await socket.aclose()


async def test_sending_after_closing_is_an_error_of_ours() -> None:
    socket, client = pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(client.watch)
        await socket.aclose()
    with pytest.raises(trio.ClosedResourceError):
        await socket.send("hello?")
    await socket.aclose(1011)
    assert socket.close_code == 1000


async def test_any_task_may_close_while_another_one_reads() -> None:
    socket, client = pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(client.watch)
        nursery.start_soon(collect, socket)
        await wait_all_tasks_blocked()
        await socket.aclose(4000)
    assert client.close_code == 4000


async def test_a_reader_that_is_cancelled_leaves_reading_to_the_closer(
    autojump_clock: MockClock,
) -> None:
    """The close handshake is completed, not waited out."""
    socket, client = pair()
    async with trio.open_nursery() as nursery, trio.open_nursery() as reading:
        nursery.start_soon(client.watch)
        reading.start_soon(collect, socket)
        nursery.start_soon(socket.aclose)
        await trio.lowlevel.checkpoint()
        reading.cancel_scope.cancel()
    assert client.close_code == 1000
    assert autojump_clock.current_time() < 1


async def test_a_client_that_does_not_answer_a_close_is_left(autojump_clock: MockClock) -> None:
    socket, client = pair()
    await socket.aclose()
    assert autojump_clock.current_time() == 1.0
    with pytest.raises(trio.BrokenResourceError):
        await client.stream.send_all(b"?")


async def test_closing_is_polite_even_when_cancelled() -> None:
    socket, client = pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(client.watch)
        with trio.CancelScope() as scope:
            scope.cancel()
            await socket.aclose(1001)
    assert client.close_code == 1001


async def test_a_client_that_stops_reading_is_cut_off(autojump_clock: MockClock) -> None:
    """After ten seconds the sender gets SlowClient, and every other task sees the end."""
    socket, _client = pair(lockstep=True)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(collect, socket)
        with pytest.raises(SlowClient):
            await socket.send(b"sound")
    assert autojump_clock.current_time() == 10.0
    assert socket.close_code == 1013
    with pytest.raises(trio.BrokenResourceError):
        await socket.send(b"more")
    await socket.aclose()
    assert autojump_clock.current_time() == 10.0


async def test_a_writer_that_waits_behind_a_stalled_one_fails_too(
    autojump_clock: MockClock,
) -> None:
    socket, _client = pair(lockstep=True)

    async def second() -> None:
        with pytest.raises(trio.BrokenResourceError):
            await socket.send("second")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(partial(_expect_slow, socket))
        await wait_all_tasks_blocked()
        nursery.start_soon(second)
    assert autojump_clock.current_time() == 10.0


async def _expect_slow(socket: WebSocket) -> None:
    with pytest.raises(SlowClient):
        await socket.send("first")


async def test_a_send_cancelled_half_way_ends_the_connection() -> None:
    """Nothing can follow half a frame."""
    socket, client = pair(lockstep=True)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(socket.send, b"sound")
        await wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    with pytest.raises(trio.BrokenResourceError):
        await socket.send(b"more")
    assert await collect(socket) == []
    assert socket.close_code == 1006
    assert await client.stream.receive_some() in (b"", b"\x82\x05sound")


async def test_a_send_cancelled_before_it_began_does_no_harm() -> None:
    socket, client = pair()
    with trio.CancelScope() as scope:
        scope.cancel()
        await socket.send("never")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(client.watch)
        await socket.send("but this")
        await socket.aclose()
    assert bytes(client.seen[0].data) == b"but this"
    assert client.close_code == 1000


async def test_writers_take_turns() -> None:
    """Frames of several tasks never mix, though each goes out in small pieces."""
    socket, client = pair(lockstep=True)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(client.watch)
        async with trio.open_nursery() as writers:
            for letter in "abc":
                writers.start_soon(socket.send, letter * 1000)
        await socket.aclose()
    assert sorted(bytes(frame.data[:1]) for frame in client.seen[:3]) == [b"a", b"b", b"c"]
    assert {len(set(frame.data)) for frame in client.seen[:3]} == {1}


@pytest.mark.pins("D172")
async def test_a_client_that_vanishes_is_dropped_after_a_minute(
    autojump_clock: MockClock,
) -> None:
    """Its TCP connection stays up and silent: no FIN, no pong."""
    socket, client = pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(socket.keep_alive)
        assert await collect(socket) == []
    assert autojump_clock.current_time() == 60.0
    assert socket.close_code == 1006
    pings = await client.stream.receive_some(100)
    assert pings == b"\x89\0" * 2


@pytest.mark.pins("D172")
async def test_a_client_that_answers_pings_stays(autojump_clock: MockClock) -> None:
    """And its pongs do not count as use of the connection."""
    socket, client = pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(socket.keep_alive)
        nursery.start_soon(client.watch)
        nursery.start_soon(collect, socket)
        await trio.sleep(600.5)
        assert socket.close_code is None
        assert socket.last_received == socket.last_sent == 0.0
        await client.send("still here")
        await socket.send("so am I")
        await wait_all_tasks_blocked()
        assert socket.last_received == socket.last_sent == autojump_clock.current_time()
        await socket.aclose()
    assert len([frame for frame in client.seen if frame.opcode is Opcode.PING]) == 30


async def test_a_busy_session_does_not_cost_a_good_client_its_connection(
    autojump_clock: MockClock,
) -> None:
    """While nobody reads, its pongs wait in the kernel: that is our delay."""
    socket, client = pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(socket.keep_alive)
        nursery.start_soon(client.watch)
        await trio.sleep(300)
        await client.send("at last")
        assert await anext(socket) == "at last"
        nursery.start_soon(collect, socket)
        await trio.sleep(100)
        assert autojump_clock.current_time() == 400
        assert socket.close_code is None
        await socket.aclose()


async def test_frames_that_came_with_the_head_are_not_lost() -> None:
    ours, theirs = memory_stream_pair()
    received = UPGRADE + Frame(Opcode.TEXT, b"eager").serialize(mask=True)
    head = parse_head(received, peer=("192.0.2.7", 1))
    assert head is not None
    socket = await accept_websocket(ours, head, received)
    assert await anext(socket) == "eager"
    answer = await theirs.receive_some(1000)
    assert answer.startswith(b"HTTP/1.1 101 ")
    assert b"\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" in answer
    assert b"Extensions" not in answer


@pytest.mark.parametrize(
    ("change", "status"),
    [
        (lambda head: head.replace(b"GET", b"POST"), 405),
        (lambda head: head.replace(b"HTTP/1.1", b"HTTP/1.0"), 505),
        (lambda head: head.replace(b"Version: 13", b"Version: 12"), 400),
        (lambda head: head.replace(b"dGhl", b"????"), 400),
        (lambda head: head.replace(b"Upgrade:", b"X-A: \x7f\r\nUpgrade:"), 400),
        (lambda head: head.replace(b"Connection: Upgrade\r\n", b""), 426),
        (lambda head: head.replace(b"Upgrade: websocket\r\n", b""), 426),
    ],
)
async def test_a_bad_handshake_is_refused(change: Callable[[bytes], bytes], status: int) -> None:
    ours, _theirs = memory_stream_pair()
    received = change(UPGRADE)
    head = parse_head(received, peer=("192.0.2.7", 1))
    assert head is not None
    with pytest.raises(Refused) as caught:
        await accept_websocket(ours, head, received)
    assert caught.value.status == status
