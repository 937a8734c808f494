"""HTTP/2 on real sockets, with clients that are slow, busy or rude: what they hold ends, others go on."""

from collections.abc import Callable
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import attrs
import h2.config
import h2.connection
import h2.events
import h2.settings
import pytest
import trio
from h2.errors import ErrorCodes
from hypercorn.config import Config
from hypercorn.events import Event, RawData
from hypercorn.trio.worker_context import WorkerContext
from hypercorn.typing import ConnectionState
from quart_trio import QuartTrio

import waav.server.http_connection
from waav.security.rate import Rates
from waav.server.admission import Admission
from waav.server.http2 import MOST_IDLE_FRAMES, MOST_REMEMBERED, STEP, Http2
from waav.tasks import open_scoped_nursery

GET = b"GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


@attrs.define(eq=False)
class Client:
    """One connection, with prior knowledge of what is spoken."""

    stream: trio.SocketStream
    wire: h2.connection.H2Connection
    events: list[h2.events.Event] = attrs.Factory(list)

    @classmethod
    async def of(cls, running: Any, *, window: int = 65535) -> "Client":
        wire = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding=None))
        setting = {h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: window}
        wire.local_settings = h2.settings.Settings(client=True, initial_values=setting)
        wire.initiate_connection()
        return cls(await running.connect(), wire)

    def ask(self, number: int, path: bytes, method: bytes = b"GET", *, end: bool = True) -> None:
        pseudo = [
            (b":method", method),
            (b":path", path),
            (b":scheme", b"http"),
            (b":authority", b"a"),
        ]
        self.wire.send_headers(number, pseudo, end_stream=end)

    async def until(self, kind: type[h2.events.Event], number: int = 1) -> None:
        """Send what is to be sent, and read until there were so many events of a kind."""
        with trio.fail_after(10):
            while sum(isinstance(event, kind) for event in self.events) < number:
                await self.stream.send_all(self.wire.data_to_send())
                data = await self.stream.receive_some()
                assert data, "closed before that"
                self.events += self.wire.receive_data(bytes(data))

    async def until_closed(self, more: bytes = b"") -> None:
        """Send what is to be sent, and read to the end."""
        data = self.wire.data_to_send() + more
        with trio.fail_after(10):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._send, data)
                with suppress(trio.BrokenResourceError):  # it has not read all that we sent
                    async for answer in self.stream:
                        self.events += self.wire.receive_data(bytes(answer))

    async def _send(self, data: bytes) -> None:
        with suppress(trio.BrokenResourceError):
            await self.stream.send_all(data)


async def in_memory() -> Http2:
    """One connection, of which nothing is heard."""

    async def send(_event: Event) -> None:
        pass

    group: Any = SimpleNamespace(spawn=lambda _task: None)
    context, state = WorkerContext(None), ConnectionState({})
    server = Http2(None, Config(), context, group, state, False, None, None, send)  # noqa: FBT003
    await server.initiate()
    return server


@pytest.fixture(autouse=True)
def few_words(caplog: pytest.LogCaptureFixture) -> None:
    """What it says of each header takes most of the time that thousands of requests take."""
    caplog.set_level("INFO", "hpack")


@pytest.fixture
def large(app: QuartTrio) -> None:
    @app.get("/large")
    async def large() -> bytes:
        return bytes(1_000_000)


@pytest.mark.usefixtures("large")
@pytest.mark.parametrize("path", [b"/hello", b"/large", b"/refused"])
async def test_who_takes_no_answer_is_cut_off(
    start: Any, path: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It allows us to send nothing, and would keep the request and its answer for ever."""
    monkeypatch.setattr(waav.server.http_connection, "PATIENCE", 0.1)
    running = await start(admission=Admission(rates=Rates(0.001, 1)))
    client = await Client.of(running, window=0)
    async with client.stream:
        if path == b"/refused":
            await running.ask(GET)  # which takes the only token
        client.ask(1, path)
        await client.until_closed()
    assert any(isinstance(event, h2.events.ResponseReceived) for event in client.events)
    assert not any(isinstance(event, h2.events.DataReceived) for event in client.events)


@pytest.mark.usefixtures("large")
async def test_who_takes_it_in_drops_gets_all_of_it(start: Any) -> None:
    running = await start()
    client = await Client.of(running, window=1000)
    async with client.stream:
        client.ask(1, b"/large")
        taken = 0
        while taken < 100_000:
            await client.until(h2.events.DataReceived)
            for event in client.events:
                if isinstance(event, h2.events.DataReceived):
                    taken += len(event.data)
                    client.wire.acknowledge_received_data(event.flow_controlled_length, 1)
            client.events.clear()


async def test_what_comes_of_a_request_after_its_answer_is_nobodys_error(
    start: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """A large upload that is refused is still on its way. Hypercorn would end the whole connection."""
    running = await start()
    client = await Client.of(running)
    async with client.stream:
        client.ask(1, b"/nowhere", b"POST", end=False)
        await client.until(h2.events.StreamEnded)
        for number in (3, 5, 7, 9):
            for _ in range(30):  # counted as read, or there would be no room for the third time
                client.wire.send_data(1, bytes(1000))
            client.ask(number, b"/hello")
            await client.until(h2.events.StreamEnded, number // 2 + 1)
    assert not [each for each in caplog.records if each.levelname == "ERROR"]


async def test_of_a_body_that_nobody_reads_there_may_be_any_amount(start: Any) -> None:
    """Nothing else comes: the others' room would be gone until something does."""
    running = await start()
    client = await Client.of(running)
    async with client.stream:
        client.ask(1, b"/nowhere", b"POST", end=False)
        await client.until(h2.events.StreamEnded)
        for _ in range(60):
            client.wire.send_data(1, bytes(1000))
        await client.until(h2.events.WindowUpdated)


NO_REQUESTS = {
    "no path": {b":method": b"CONNECT", b":authority": b"a"},
    "connect": {b":method": b"CONNECT", b":path": b"/ws", b":protocol": b"websocket"},
    "connect, small": {b":method": b"connect", b":path": b"/ws"},
    "method": {b":method": b"G\xffT", b":path": b"/hello"},
    "path": {b":method": b"GET", b":path": b"/hell\xff"},
    "query": {b":method": b"GET", b":path": b"/hello?\xff"},
    "a space": {b":method": b"GET", b":path": b"/hello HTTP/1.1"},
}
AROUND = {b":scheme": b"http", b":authority": b"a"}


@pytest.mark.parametrize("pseudo", NO_REQUESTS.values(), ids=NO_REQUESTS)
async def test_what_is_no_request_is_refused_and_the_others_go_on(
    start: Any, caplog: pytest.LogCaptureFixture, pseudo: dict[bytes, bytes]
) -> None:
    """Hypercorn would fail at it, with the whole connection; HTTP/1 does not let it come so far."""
    running = await start()
    client = await Client.of(running)
    client.wire.config.validate_outbound_headers = False
    async with client.stream:
        around = {} if b":path" not in pseudo else AROUND
        client.wire.send_headers(1, list({**pseudo, **around}.items()), end_stream=True)
        await client.until(h2.events.StreamReset)
        client.ask(3, b"/hello")
        await client.until(h2.events.StreamEnded)
    assert not [each for each in caplog.records if each.levelname == "ERROR"]


async def test_a_connection_may_have_any_number_of_requests(start: Any) -> None:
    """Hypercorn would end it after a thousand, without the answers that are under way."""
    running = await start(admission=Admission(rates=Rates(0.001, 1)))  # who is refused is quick
    client = await Client.of(running)
    async with client.stream:
        client.wire.increment_flow_control_window(1_000_000)
        for first in range(0, 1050, 50):
            client.events.clear()
            for number in range(first, first + 50):
                client.ask(2 * number + 1, b"/hello")
            await client.until(h2.events.StreamEnded, 50)


async def test_it_does_not_remember_all_of_them(autojump_clock: trio.testing.MockClock) -> None:
    server, client = await in_memory(), h2.connection.H2Connection()
    client.initiate_connection()
    for number in range(1, 6000, 2):
        client.send_headers(number, [(":method", "CONNECT"), (":authority", "a")], end_stream=True)
        await server.handle(RawData(client.data_to_send()))
        client.receive_data(server.connection.data_to_send())
        await trio.sleep(1.0)
    assert server.connection.open_inbound_streams == 0
    assert len(server.connection._closed_streams) == MOST_REMEMBERED
    assert autojump_clock.current_time() == 3000


def pings(client: Client) -> None:
    for _ in range(3 * MOST_IDLE_FRAMES):
        client.wire.ping(b"12345678")


def resets(client: Client) -> None:
    for number in range(1, 6 * MOST_IDLE_FRAMES, 2):
        client.ask(number, b"/hello")
        client.wire.reset_stream(number)


def settings(client: Client) -> None:
    for size in range(3 * MOST_IDLE_FRAMES):
        client.wire.update_settings({h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: size})


def empty_frames(client: Client) -> None:
    client.ask(1, b"/size", b"POST", end=False)
    for _ in range(3 * MOST_IDLE_FRAMES):
        client.wire.send_data(1, b"")


FLOODS = [pings, resets, settings, empty_frames]


@pytest.mark.parametrize("flood", FLOODS, ids=[each.__name__ for each in FLOODS])
async def test_a_flood_of_frames_that_ask_for_nothing_ends_the_connection(
    start: Any, caplog: pytest.LogCaptureFixture, flood: Callable[[Client], None]
) -> None:
    running = await start()
    client = await Client.of(running)
    async with client.stream:
        flood(client)
        await client.until_closed()
    assert not [each for each in caplog.records if each.levelname == "ERROR"]
    assert b"hello" in await running.ask(GET)


async def test_it_is_told_why(start: Any) -> None:
    """Where it listens, and has nothing unread on its way."""
    running = await start()
    client = await Client.of(running)
    async with client.stream:
        for _ in range(MOST_IDLE_FRAMES - 1):  # and its settings
            client.wire.ping(b"12345678")
            await client.until(h2.events.PingAckReceived)
            client.events.clear()
        while client.wire.state_machine.state is not h2.connection.ConnectionState.CLOSED:
            client.wire.ping(b"12345678")
            await client.until(h2.events.Event)
            end = client.events.pop()
            client.events.clear()
    assert isinstance(end, h2.events.ConnectionTerminated)
    assert end.error_code == ErrorCodes.ENHANCE_YOUR_CALM


async def test_a_few_of_them_now_and_then_are_no_flood(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """A proxy keeps its connection for days, and looks each time whether we are still there."""
    server, client = await in_memory(), h2.connection.H2Connection()
    client.initiate_connection()
    for _ in range(5 * MOST_IDLE_FRAMES):
        client.ping(b"12345678")
        await server.handle(RawData(client.data_to_send()))
        await trio.sleep(1.0)
    assert server.connection.state_machine.state is not h2.connection.ConnectionState.CLOSED
    assert autojump_clock.current_time() == 5 * MOST_IDLE_FRAMES


async def test_a_packet_full_of_frames_holds_up_nobody() -> None:
    """All others have a turn after a few of them: 64 KiB of pings take a third of a second."""
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            await trio.lowlevel.checkpoint()
            turns += 1

    server, client = await in_memory(), h2.connection.H2Connection()
    client.initiate_connection()
    for _ in range(MOST_IDLE_FRAMES - 10):
        client.ping(b"12345678")
    packet = client.data_to_send()
    async with open_scoped_nursery("handled") as nursery:
        nursery.start_soon(others)
        await server.handle(RawData(packet))
    assert turns > len(packet) // STEP // 2


async def test_priorities_are_not_kept(start: Any, caplog: pytest.LogCaptureFixture) -> None:
    """A client may have them for any number of streams that do not exist yet."""
    running = await start()
    client = await Client.of(running)
    async with client.stream:
        flood = b"".join(
            b"\x00\x00\x05\x02\x00" + number.to_bytes(4) + bytes(4) + b"\x10"
            for number in range(3, 6000, 2)
        )
        await client.stream.send_all(client.wire.data_to_send() + flood)
        client.ask(1, b"/hello")
        await client.until(h2.events.StreamEnded)
    assert not [each for each in caplog.records if each.levelname == "ERROR"]


async def test_a_head_without_an_end_is_not_kept(
    start: Any, caplog: pytest.LogCaptureFixture
) -> None:
    running = await start()
    client = await Client.of(running)
    head = b"\x00\x00\x01\x01\x00\x00\x00\x00\x01\x82"
    more = b"\x00\x00\x00\x09\x00\x00\x00\x00\x01"
    async with client.stream:
        await client.until_closed(head + more * 10_000)
    assert not [each for each in caplog.records if each.levelname == "ERROR"]
    assert b"hello" in await running.ask(GET)
