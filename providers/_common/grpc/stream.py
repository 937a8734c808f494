"""The streams of one connection: who sends, who waits, and how each of them ended."""

from typing import TypeAlias

import attrs
import trio

from providers._common.grpc.headers import Fields
from providers._common.grpc.wire import Answered, Ended, Reset, Sent, Trailed, Wire

HIGH_WATER = 64 * 1024
"""Bytes waiting to be written, above which nobody adds to them."""


@attrs.frozen
class Unprocessed:
    """The server says that it has done nothing about the stream: it may be tried again at once."""


@attrs.frozen
class Left:
    """We were not interested any more."""


@attrs.frozen
class Lost:
    """The connection is gone."""

    message: str


@attrs.frozen
class Broken:
    """The server said something that cannot be read, and the connection was given up."""

    message: str


End: TypeAlias = Ended | Reset | Unprocessed | Left | Lost | Broken


class StreamOver(Exception):
    """Nothing more can be sent, because the stream has ended; ``Stream.end`` says how."""


@attrs.define(eq=False)
class Pipe:
    """What the streams of a connection share. Only the connection's own task writes what is ``out``.

    Each waiting place is a ParkingLot, woken whole: whoever waits looks again whether its turn has
    come, so none is lost when another one is cancelled.
    """

    wire: Wire = attrs.field(factory=Wire)
    streams: dict[int, "Stream"] = attrs.field(factory=dict)
    """Those that have not ended."""
    draining: bool = False
    """No new streams; over with the last one."""
    over: trio.Event = attrs.field(factory=trio.Event)
    changed: trio.lowlevel.ParkingLot = attrs.field(factory=trio.lowlevel.ParkingLot)
    """Here wait those who need room to send, or a free place for a stream."""
    outgoing: trio.lowlevel.ParkingLot = attrs.field(factory=trio.lowlevel.ParkingLot)
    """Here waits the writer."""
    _out: bytearray = attrs.field(factory=bytearray, repr=False)

    @property
    def full(self) -> bool:
        """Whether enough data is waiting to be written."""
        return len(self._out) >= HIGH_WATER

    @property
    def flooded(self) -> bool:
        """Whether far more is waiting than data: answers that the server asks for and does not read."""
        return len(self._out) >= 4 * HIGH_WATER

    def flush(self) -> None:
        """Hand to the writer what the wire has."""
        self._out += self.wire.take()
        self.outgoing.unpark_all()

    def take(self) -> bytes:
        """Return what is to be written next; empty if there is nothing."""
        data = bytes(self._out)
        self._out.clear()
        return data

    def forget(self, stream: int) -> None:
        """Let go of a stream that has ended."""
        self.streams.pop(stream, None)
        self.changed.unpark_all()
        if self.draining and not self.streams:
            self.over.set()


@attrs.define(eq=False)
class Stream:
    """One stream: its answer as far as it has come, and the place where its reader waits."""

    id: int
    _pipe: Pipe = attrs.field(repr=False)
    head: Fields | None = attrs.field(default=None, repr=False)
    trailers: Fields | None = attrs.field(default=None, repr=False)
    end: End | None = None
    _finished: bool = False
    _data: bytearray = attrs.field(factory=bytearray, repr=False)
    _owed: int = 0
    """What the data has taken of the windows, and we have not given back."""
    _news: trio.lowlevel.ParkingLot = attrs.field(factory=trio.lowlevel.ParkingLot, repr=False)

    def put(self, event: Answered | Trailed | Sent | Ended | Reset) -> None:
        """Note what the server said."""
        match event:
            case Answered(fields=fields):
                self.head = fields
            case Trailed(fields=fields):
                self.trailers = fields
            case Sent(data=data, size=size):
                self._data += data
                self._owed += size
                self._news.unpark_all()
            case Ended():
                if not self._finished:
                    # Nothing that we could still say matters, and half a stream takes a whole place.
                    self._pipe.wire.reset(self.id)
                self.stop(event)
            case Reset(refused=refused):
                self.stop(event if self.head or not refused else Unprocessed())

    def stop(self, end: End) -> None:
        """End the stream, unless it has ended before; what has come of it can still be read."""
        if self.end is None:
            self.end = end
            self._news.unpark_all()
            self._pipe.forget(self.id)

    async def send(self, data: bytes) -> None:
        """Send a packed message as the windows open.

        Cancelled in the middle, it breaks the stream off: half a message cannot be taken back.

        Raises:
            StreamOver: the stream has ended.
        """
        await trio.lowlevel.checkpoint()
        rest = data
        try:
            while rest:
                room = await self._room()
                self._pipe.wire.send(self.id, rest[:room])
                self._pipe.flush()
                rest = rest[room:]
        finally:
            if rest and len(rest) < len(data):
                self.leave()

    async def _room(self) -> int:
        while self.end is None:
            room = 0 if self._pipe.full else self._pipe.wire.room(self.id)
            if room > 0:
                return room
            await self._pipe.changed.park()
        raise StreamOver

    def finish(self) -> None:
        """Say that nothing follows."""
        if self.end is None:
            self._finished = True
            self._pipe.wire.finish(self.id)
            self._pipe.flush()

    async def receive(self) -> bytes:
        """Return the data that has come, as soon as there is any; empty at the end."""
        await trio.lowlevel.checkpoint()
        while not self._data and self.end is None:
            await self._news.park()
        data = bytes(self._data)
        self._data.clear()
        self._give_back()
        return data

    def leave(self) -> None:
        """Break the stream off if it has not ended, and read no more of it."""
        if self.end is None:
            self._pipe.wire.reset(self.id)
            self.stop(Left())
        self._give_back()

    def _give_back(self) -> None:
        # Also for a stream that is gone: its data has narrowed the window that all of them share.
        self._pipe.wire.acknowledge(self.id, self._owed)
        self._owed = 0
        self._pipe.flush()
