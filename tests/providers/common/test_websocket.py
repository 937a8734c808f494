"""A WebSocket to scripted vendors: on real ports for the stories, on memory streams for time."""

from collections.abc import Callable

import pytest
import trio
from support.servers.certificates import Authority
from support.servers.proxy import open_proxy
from support.servers.reach import reach
from support.servers.websocket import (
    Peer,
    RawFrame,
    Say,
    accept,
    dribble,
    echo,
    open_websocket_server,
)
from trio.testing import MemorySendStream, MockClock, memory_stream_pair, wait_all_tasks_blocked
from websockets.frames import Opcode

from capabilities import (
    ProviderClosed,
    ProviderError,
    ProviderProtocolError,
    ProviderRefused,
    Secret,
)
from providers._common import websocket
from providers._common.failures import Failures
from providers._common.websocket import WebSocket, connect
from providers._common.websocket_wire import Wire

# The conversation.


async def test_messages_in_both_directions() -> None:
    async with open_websocket_server((accept, echo)) as server:
        async with connect(await reach(), server.url + "/listen?a=b") as socket:
            for message in ("hé", b"\0\xff", "", b""):
                await socket.send(message)
                assert await anext(socket) == message
        peer = await server.peer()
        await peer.gone.wait()
    assert peer.path == "/listen?a=b"
    assert peer.messages == ["hé", b"\0\xff", "", b""]
    assert peer.close_code == 1000


async def test_what_can_go_at_once_goes_without_waiting() -> None:
    async with open_websocket_server((accept, echo)) as server:
        async with connect(await reach(), server.url) as socket:
            assert socket.send_now("hé")
            assert socket.send_now(b"\0\xff")
            assert [await anext(socket), await anext(socket)] == ["hé", b"\0\xff"]
        assert not socket.send_now("too late")
    assert (await server.peer()).messages == ["hé", b"\0\xff"]


async def test_what_a_full_socket_does_not_take_goes_before_the_next_message() -> None:
    """Also if that is half a frame: the vendor reads on, and everything is there and in order."""
    messages = [bytes([number % 251]) * 10_000 for number in range(2000)]
    reading = trio.Event()

    async def slow(peer: Peer) -> None:
        await reading.wait()
        await peer.until_gone()

    async with open_websocket_server((accept, slow)) as server:
        async with connect(await reach(), server.url) as socket:
            sent = next(n for n, message in enumerate(messages) if not socket.send_now(message))
            assert sent > 1
            reading.set()
            await socket.send(messages[sent])
        peer = await server.peer()
        await peer.gone.wait()
    assert peer.messages == messages[: sent + 1]


async def test_what_does_not_go_at_once_goes_though_nothing_follows() -> None:
    """The last word of all may find the socket full: it is sent whole, and once."""
    messages: list[bytes] = []
    reading = trio.Event()

    async def slow(peer: Peer) -> None:
        await reading.wait()
        while len(peer.messages) < len(messages):
            await peer.receive()
        await peer.send("heard")

    async with (
        open_websocket_server((accept, slow)) as server,
        connect(await reach(), server.url) as socket,
    ):
        assert socket._quick is not None
        gone = True
        while socket._quick.is_clear:
            messages.append(bytes([len(messages) % 251]) * 10_000)
            gone = socket.send_now(messages[-1])
        reading.set()
        with trio.fail_after(10):
            if not gone:
                await socket.send(messages[-1])
            assert await anext(socket) == "heard"
            await socket.ping()
        peer = await server.peer()
    assert peer.messages == messages


async def test_what_is_left_of_a_message_goes_before_the_goodbye() -> None:
    reading = trio.Event()

    async def slow(peer: Peer) -> None:
        await reading.wait()
        await peer.until_gone()

    async with open_websocket_server((accept, slow)) as server:
        async with connect(await reach(), server.url) as socket:
            while socket.send_now(bytes(50_000)):
                pass
            reading.set()
        peer = await server.peer()
        await peer.gone.wait()
    assert {*peer.messages} == {bytes(50_000)}
    assert peer.close_code == 1000


async def test_the_handshake_says_who_we_are_and_offers_no_compression(key: Secret) -> None:
    async with open_websocket_server((accept, echo)) as server:
        relay = {"X-Relay": Secret("made-up-relay"), "Host": Secret("api.acme.example")}
        network = await reach(headers=relay)
        async with connect(network, server.url, headers={"Authorization": key}):
            headers = (await server.peer()).headers
    assert headers["Authorization"] == "made-up-key"
    assert headers["X-Relay"] == "made-up-relay"
    assert headers["Host"] == "api.acme.example"
    assert headers["User-Agent"] == "waav"
    assert "Sec-WebSocket-Extensions" not in headers


async def test_an_https_address_is_one_of_a_websocket(authority: Authority) -> None:
    async with open_websocket_server((accept, echo), tls=authority.server()) as server:
        network = await reach(f"https://127.0.0.1:{server.port}", ca_file=authority.file)
        async with connect(network, network.url("v1", "listen")) as socket:
            assert socket.send_now("at once")
            assert await anext(socket) == "at once"
            await socket.send(bytes(100_000))
            assert await anext(socket) == bytes(100_000)
        assert (await server.peer()).path == "/v1/listen"


async def test_through_a_proxy(authority: Authority) -> None:
    async with (
        open_websocket_server((accept, echo), tls=authority.server("vendor.example")) as server,
        open_proxy() as proxy,
    ):
        network = await reach(
            ca_file=authority.file, proxy=Secret(f"http://127.0.0.1:{proxy.port}")
        )
        async with connect(network, f"wss://vendor.example:{server.port}/x") as socket:
            await socket.send("hello")
            assert await anext(socket) == "hello"
    assert proxy.targets == [f"vendor.example:{server.port}"]


async def test_one_byte_at_a_time() -> None:
    """The answer to the handshake and every frame arrive in pieces."""
    async with (
        open_websocket_server((dribble, accept, Say("né", b"\0\1"))) as server,
        connect(await reach(), server.url) as socket,
    ):
        assert [await anext(socket), await anext(socket)] == ["né", b"\0\1"]


async def test_a_message_that_comes_right_behind_the_handshake_is_not_lost() -> None:
    async def eager(peer: Peer) -> None:
        request = await peer.handshake()
        peer.protocol.send_response(peer.protocol.accept(request))
        peer.protocol.send_text(b"already")
        await peer.flush()

    async with (
        open_websocket_server([eager]) as server,
        connect(await reach(), server.url) as socket,
    ):
        assert await anext(socket) == "already"


async def test_a_goodbye_that_comes_right_behind_the_handshake_is_no_refusal() -> None:
    async def hasty(peer: Peer) -> None:
        request = await peer.handshake()
        peer.protocol.send_response(peer.protocol.accept(request))
        peer.protocol.send_text(b"hello and goodbye")
        peer.protocol.send_close(1000)
        await peer.flush()

    async with (
        open_websocket_server([hasty]) as server,
        connect(await reach(), server.url) as socket,
    ):
        assert [message async for message in socket] == ["hello and goodbye"]


async def test_fragments_are_joined_with_a_ping_between() -> None:
    script = (
        accept,
        RawFrame(Opcode.TEXT, "né".encode()[:2], fin=False),
        RawFrame(Opcode.PING, b"there?"),
        RawFrame(Opcode.CONT, "né".encode()[2:]),
        echo,
    )
    async with open_websocket_server(script) as server:
        async with connect(await reach(), server.url) as socket:
            assert await anext(socket) == "né"
            await socket.send("x")
            assert await anext(socket) == "x"
        assert (await server.peer()).pongs == 1


async def test_a_ping_of_ours_is_answered() -> None:
    async with (
        open_websocket_server((accept, echo)) as server,
        connect(await reach(), server.url) as socket,
    ):
        await socket.ping()
        await socket.send("x")
        assert await anext(socket) == "x"


async def test_a_message_of_ten_megabytes() -> None:
    async with (
        open_websocket_server((accept, Say(bytes(10_000_000)))) as server,
        connect(await reach(), server.url) as socket,
    ):
        assert await anext(socket) == bytes(10_000_000)


async def test_a_message_is_no_larger_than_agreed() -> None:
    async with open_websocket_server((accept, Say("good", bytes(17)))) as server:
        async with connect(await reach(), server.url, max_message=16) as socket:
            assert await anext(socket) == "good"
            with pytest.raises(ProviderProtocolError, match="larger"):
                await anext(socket)
        peer = await server.peer()
        await peer.gone.wait()
    assert peer.close_code == 1009


# Time and cancelling, on memory streams.


async def pair(nursery: trio.Nursery) -> tuple[WebSocket, Peer]:
    """An open connection, and the vendor, who does nothing by itself."""
    ours, theirs = memory_stream_pair()
    wire = Wire("ws://vendor/listen", {}, 1000, Failures("acme"))
    peer = Peer(theirs)
    nursery.start_soon(peer.accept)
    await websocket._shake_hands(ours, wire)
    return WebSocket(ours, wire), peer


def stall(socket: WebSocket) -> None:
    """Let the vendor take nothing more."""
    assert isinstance(socket._stream, trio.StapledStream)
    assert isinstance(socket._stream.send_stream, MemorySendStream)
    socket._stream.send_stream.send_all_hook = trio.sleep_forever


def before_sending(socket: WebSocket, action: Callable[[], None]) -> None:
    """Do something each time that bytes are handed to the network."""
    assert isinstance(socket._stream, trio.StapledStream)
    sink = socket._stream.send_stream
    assert isinstance(sink, MemorySendStream)
    deliver = sink.send_all_hook
    assert deliver is not None

    async def hook() -> None:
        action()
        await deliver()

    sink.send_all_hook = hook


def breaks() -> None:
    raise trio.BrokenResourceError


async def test_a_vendor_that_does_not_answer_a_goodbye_is_left(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    socket, _ = await pair(nursery)
    await socket._close()
    assert autojump_clock.current_time() == 1


async def test_cancelling_does_not_cut_the_goodbye_short(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    """The vendor is told that nothing follows, so that it stops counting minutes."""
    socket, peer = await pair(nursery)
    nursery.start_soon(peer.until_gone)
    with trio.CancelScope() as scope:
        scope.cancel()
        await socket._close()
    await peer.gone.wait()
    assert peer.close_code == 1000
    assert autojump_clock.current_time() == 0


async def test_a_vendor_that_talks_on_does_not_keep_us(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    socket, peer = await pair(nursery)

    async def talk_on() -> None:
        with pytest.raises(trio.BrokenResourceError):
            while True:
                await peer.send("and another thing")
                await trio.sleep(0.1)

    nursery.start_soon(talk_on)
    await socket._close()
    assert autojump_clock.current_time() == 1
    assert not socket._wire.messages


async def test_a_stalled_vendor_is_waited_for_as_long_as_the_caller_wants(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    """After half a frame the connection is of no use to anybody, and closing it takes no time."""
    socket, _ = await pair(nursery)
    stall(socket)
    with trio.move_on_after(7) as patience:
        await socket.send(bytes(1000))
    assert patience.cancelled_caught
    with pytest.raises(ProviderClosed):
        await socket.send("more")
    with pytest.raises(ProviderClosed):
        await anext(socket)
    await socket._close()
    assert autojump_clock.current_time() == 7


async def test_a_send_that_is_cancelled_before_it_begins_harms_nobody(
    nursery: trio.Nursery,
) -> None:
    socket, peer = await pair(nursery)
    with trio.CancelScope() as scope:
        scope.cancel()
        await socket.send("never mind")
    await socket.send("hello")
    assert await peer.receive() == "hello"


async def test_a_send_that_is_cancelled_while_it_waits_for_its_turn_harms_nobody(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    socket, peer = await pair(nursery)

    async def be_slow(*, task_status: trio.TaskStatus[None]) -> None:
        async with socket._sending:
            task_status.started()
            await trio.sleep(2)

    await nursery.start(be_slow)
    with trio.move_on_after(1):
        await socket.send("never mind")
    await socket.send("hello")
    assert await peer.receive() == "hello"
    assert autojump_clock.current_time() == 2


async def test_waiting_for_a_message_may_be_cancelled_and_begun_again(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    """A watchdog does this all the time."""
    socket, peer = await pair(nursery)
    with trio.move_on_after(5):
        await anext(socket)
    await peer.send("at last")
    assert await anext(socket) == "at last"


async def test_a_reader_and_a_sender_both_learn_why(nursery: trio.Nursery) -> None:
    """The sender leaves the reading to the reader."""
    socket, peer = await pair(nursery)
    errors: list[ProviderError] = []

    async def read() -> None:
        try:
            await anext(socket)
        except ProviderError as exc:
            errors.append(exc)

    async def send() -> None:
        try:
            await socket.send("x")
        except ProviderError as exc:
            errors.append(exc)

    nursery.start_soon(read)
    await wait_all_tasks_blocked()
    before_sending(socket, breaks)
    nursery.start_soon(send)
    await wait_all_tasks_blocked()
    peer.protocol.send_close(1008, "no credit")
    await peer.flush()
    await wait_all_tasks_blocked()
    assert [type(error) for error in errors] == [ProviderRefused, ProviderRefused]


async def test_one_message_is_one_send(nursery: trio.Nursery) -> None:
    socket, peer = await pair(nursery)
    sent: list[int] = []
    before_sending(socket, lambda: sent.append(1))
    for _ in range(3):
        await socket.send(bytes(640))
    assert len(sent) == 3
    assert [await peer.receive() for _ in range(3)] == [bytes(640)] * 3


async def test_after_the_block_iteration_just_ends(nursery: trio.Nursery) -> None:
    socket, peer = await pair(nursery)
    nursery.start_soon(peer.until_gone)
    await socket._close()
    assert [message async for message in socket] == []
    with pytest.raises(ProviderClosed):
        await socket.send("too late")
