"""A client in memory, a session that does what the test says, and the connection between them."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import attrs
import msgspec
import pytest
import trio
from trio.testing import memory_stream_pair
from websockets.client import ClientProtocol
from websockets.frames import Opcode
from websockets.protocol import OPEN
from websockets.uri import parse_uri

from capabilities import AudioFrame
from waav.config.schema import WebSocket as Settings
from waav.errors import UnknownProvider
from waav.observe.counters import Counters
from waav.observe.load import Load
from waav.server.doorkeeper import Doorkeeper, Visitor
from waav.server.handshake import QUIET
from waav.server.head import RequestHead
from waav.server.websocket import Limits, WebSocket
from waav.server.ws.connection import serve_voice
from waav.session.choices import Choices
from waav.session.commands import Command
from waav.session.events import Event


class Client:
    """The other end of the WebSocket, one message at a time."""

    def __init__(self, stream: trio.abc.Stream) -> None:
        self.stream = stream
        self.protocol = ClientProtocol(
            parse_uri("ws://test"), state=OPEN, max_size=None, logger=QUIET
        )
        self._messages: list[bytes | dict[str, Any]] = []

    async def send(self, message: bytes | str | dict[str, Any]) -> None:
        """Send sound, a text as it is, or JSON."""
        if isinstance(message, bytes):
            self.protocol.send_binary(message)
        else:
            text = message if isinstance(message, str) else msgspec.json.encode(message).decode()
            self.protocol.send_text(text.encode())
        await self._flush()

    async def receive(self) -> bytes | dict[str, Any] | None:
        """Return the next message; None when the connection is over."""
        while not self._messages:
            data = await self.stream.receive_some(65536)
            if not data:
                return None
            self.protocol.receive_data(data)
            for frame in self.protocol.events_received():
                if frame.opcode is Opcode.TEXT:
                    self._messages.append(msgspec.json.decode(frame.data))
                if frame.opcode is Opcode.BINARY:
                    self._messages.append(bytes(frame.data))
            await self._flush()
        return self._messages.pop(0)

    async def everything(self) -> list[bytes | dict[str, Any]]:
        """Return all messages up to the end of the connection."""
        messages = []
        while (message := await self.receive()) is not None:
            messages.append(message)
        return messages

    @property
    def close_code(self) -> int | None:
        """The code that the server closed with."""
        return self.protocol.close_rcvd.code if self.protocol.close_rcvd else None

    async def leave(self) -> None:
        """Close politely."""
        self.protocol.send_close(1000)
        await self._flush()

    async def _flush(self) -> None:
        if data := b"".join(self.protocol.data_to_send()):
            await self.stream.send_all(data)


class StandInAudio:
    """The sound of a session; what was interrupted is for the test to say."""

    def __init__(self, frames: trio.MemoryReceiveChannel[AudioFrame]) -> None:
        self.frames = frames
        self.withdrawn = False

    def __aiter__(self) -> trio.MemoryReceiveChannel[AudioFrame]:
        return self.frames

    def is_withdrawn(self) -> bool:
        return self.withdrawn


class StandInSession:
    """A session without vendors: the test reads what comes in and says what goes out."""

    def __init__(self) -> None:
        self.commands: list[Command] = []
        self.audio: list[bytes] = []
        self.accident: Exception | None = None
        self.broken = trio.Event()
        self.to_events, self.events = trio.open_memory_channel[Event](64)
        self.to_audio, frames = trio.open_memory_channel[AudioFrame](0)
        self.audio_out = StandInAudio(frames)

    def push_audio(self, data: bytes) -> None:
        self.audio.append(data)

    async def submit(self, command: Command) -> None:
        await trio.lowlevel.checkpoint()
        self.commands.append(command)

    def fail(self, exc: Exception) -> None:
        """Let one of the session's tasks die."""
        self.accident = exc
        self.broken.set()

    async def run(self) -> None:
        await self.broken.wait()
        assert self.accident is not None
        raise self.accident


@attrs.frozen
class Guarded:
    id: str


class StandInMeans:
    """Two voices; one of them has an alias."""

    def __init__(self, choices: Choices = Choices()) -> None:  # noqa: B008 - frozen
        self.choices = choices

    def tts(self, name: str) -> Guarded:
        known = {"espeak": "espeak", "local": "espeak", "flite": "flite"}
        if name not in known:
            raise UnknownProvider("tts", name, known)
        return Guarded(known[name])


@attrs.define(eq=False)
class StandInGateway:
    """Hands out one session."""

    session: StandInSession = attrs.Factory(StandInSession)
    refuses: Exception | None = None
    open_now: int = 0
    means: StandInMeans = attrs.Factory(StandInMeans)
    load: Load = attrs.Factory(Load)
    counters: Counters = attrs.Factory(Counters)
    authenticator: Any = attrs.Factory(lambda: Doorkeeper().authenticator)
    tenants: list[str | None] = attrs.Factory(list)
    """Whose sessions were opened."""

    @property
    def config(self) -> Any:
        class Config:
            websocket = Settings()

        return Config

    @asynccontextmanager
    async def open_session(self, tenant: str | None = None) -> AsyncIterator[StandInSession]:
        self.tenants.append(tenant)
        if self.refuses is not None:
            raise self.refuses
        self.open_now += 1
        try:
            with self.session.to_events:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self.session.run)
                    yield self.session
                    nursery.cancel_scope.cancel()
        finally:
            self.open_now -= 1


@attrs.frozen
class Call:
    """A client in a conversation."""

    client: Client
    session: StandInSession
    gateway: StandInGateway
    stopping: trio.Event
    scope: trio.CancelScope
    """Of the server's side."""


VISITOR = Visitor(
    RequestHead(
        method="GET",
        path="/ws",
        query="",
        headers={"user-agent": "a test"},
        peer=("192.0.2.1", 1234),
        scheme="http",
        http_version="1.1",
        size=0,
    )
)


def no_jitter(_low: float, _high: float) -> float:
    return 0.0


@asynccontextmanager
async def _open_call(
    *,
    streams: Callable[[], tuple[trio.abc.Stream, trio.abc.Stream]] = memory_stream_pair,
    uniform: Callable[[float, float], float] = no_jitter,
    refuses: Exception | None = None,
    choices: Choices = Choices(),  # noqa: B008 - frozen
    visitor: Visitor = VISITOR,
    **parts: Any,
) -> AsyncIterator[Call]:
    near, far = streams()
    gateway = StandInGateway(refuses=refuses, means=StandInMeans(choices), **parts)
    stopping = trio.Event()
    socket = WebSocket(near, Limits())
    # An hour of the test's own clock: a story that hangs ends there, at once.
    with trio.fail_after(3600):
        async with trio.open_nursery() as nursery:

            async def serve() -> None:
                await serve_voice(socket, gateway, visitor, stopping, uniform=uniform)

            nursery.start_soon(serve)
            yield Call(Client(far), gateway.session, gateway, stopping, nursery.cancel_scope)
            with trio.move_on_after(1):
                await far.aclose()
    assert gateway.open_now == 0


OpenCall = Callable[..., AbstractAsyncContextManager[Call]]


@pytest.fixture
def open_call() -> OpenCall:
    return _open_call
