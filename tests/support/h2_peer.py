"""The server's end of an HTTP/2 connection, played by a test, on a transport in memory."""

from collections.abc import Sequence
from typing import TypeVar

import attrs
import h2.events
import trio
import trio.testing
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.settings import SettingCodes, Settings

from providers._common.grpc.messages import pack

OK = ((":status", "200"), ("content-type", "application/grpc"))
E = TypeVar("E", bound=h2.events.Event)


def server_connection(**settings: int) -> H2Connection:
    connection = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
    connection.local_settings = Settings(
        client=False,
        initial_values={SettingCodes[name.upper()]: value for name, value in settings.items()},
    )
    connection.initiate_connection()
    return connection


@attrs.define(eq=False)
class Peer:
    """Says what the test tells it to say; hears what the client says, in order."""

    transport: trio.abc.Stream
    h2: H2Connection
    _heard: list[h2.events.Event] = attrs.field(factory=list)

    async def flush(self) -> None:
        if data := self.h2.data_to_send():
            await self.transport.send_all(data)

    async def expect(self, kind: type[E]) -> E:
        """Wait for the next event of a kind; what comes before it is passed over."""
        with trio.fail_after(1000):
            while True:
                while self._heard:
                    event = self._heard.pop(0)
                    if isinstance(event, kind):
                        return event
                await self._hear()

    async def _hear(self) -> None:
        data = await self.transport.receive_some()
        assert data, "the client hung up"
        self._heard += self.h2.receive_data(bytes(data))
        await self.flush()

    async def request(self) -> int:
        """Wait for the next call, and return its stream."""
        return (await self.expect(h2.events.RequestReceived)).stream_id

    async def message(self) -> bytes:
        """Return the data of the next frame."""
        event = await self.expect(h2.events.DataReceived)
        self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        await self.flush()
        return event.data

    async def head(self, stream: int, headers: Sequence[tuple[str, str]] = OK) -> None:
        self.h2.send_headers(stream, headers)
        await self.flush()

    async def answer(self, stream: int, *messages: bytes) -> None:
        for message in messages:
            self.h2.send_data(stream, pack(message))
        await self.flush()

    async def trail(self, stream: int, *fields: tuple[str, str]) -> None:
        self.h2.send_headers(stream, fields or [("grpc-status", "0")], end_stream=True)
        await self.flush()

    async def only(self, stream: int, *fields: tuple[str, str]) -> None:
        """Answer with one header block and nothing else."""
        self.h2.send_headers(stream, [*OK, *fields], end_stream=True)
        await self.flush()

    async def reset(self, stream: int, code: ErrorCodes) -> None:
        self.h2.reset_stream(stream, code)
        await self.flush()

    async def go_away(self, last: int, why: bytes = b"") -> None:
        """Say it as servers do that end gracefully; ``h2``'s own way would end this side at once."""
        body = last.to_bytes(4, "big") + bytes(4) + why
        await self.transport.send_all(bytes([0, 0, len(body), 7, 0, 0, 0, 0, 0]) + body)


@attrs.define(eq=False)
class Vendor:
    """A server: takes connections, and gives the test the far end of each."""

    settings: dict[str, int] = attrs.field(factory=dict)
    connections: int = 0
    _ready: list[Peer] = attrs.field(factory=list)

    async def dial(self) -> trio.abc.Stream:
        near, far = trio.testing.memory_stream_pair()
        self.connections += 1
        peer = Peer(far, server_connection(**self.settings))
        await peer.flush()
        self._ready.append(peer)
        return near

    def peer(self) -> Peer:
        """The far end of the connection that was made last."""
        return self._ready[-1]
