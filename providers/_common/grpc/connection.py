"""One HTTP/2 connection: the task that reads, the task that writes, and the one that watches over both.

The streams share a connection, and none of their tasks touches the transport: whoever is cancelled
in the middle of a write would leave half a frame to the others.
"""

import math

import attrs
import trio

from providers._common.failures import Failures
from providers._common.grpc.messages import Unreadable
from providers._common.grpc.stream import Broken, Lost, Pipe, Stream, Unprocessed
from providers._common.grpc.wire import (
    Answered,
    Ended,
    Event,
    GoingAway,
    Greeted,
    Reset,
    Sent,
    Trailed,
    Widened,
)

_READ = 64 * 1024
_FAREWELL = 0.5


@attrs.frozen
class Keepalive:
    """When a silent server is asked whether it is there. All in seconds."""

    interval: float = 30.0
    """Silence that is fine while calls are open."""
    longest: float = 300.0
    """The interval grows to this while nothing but answers comes: a server that keeps gRPC's own
    limits hangs up at the third question that follows another within 300 s."""
    patience: float = 10.0
    """How long the answer may take before the connection counts as lost."""
    idle: float = 120.0
    """A connection without calls is closed after so much silence: routers forget it not much later."""


@attrs.define(eq=False)
class Connection:
    """Carries streams while ``run`` runs."""

    _failures: Failures
    _transport: trio.abc.Stream
    _keepalive: Keepalive = Keepalive()
    lost: Lost | Broken | None = None
    _pipe: Pipe = attrs.field(factory=Pipe, init=False)
    _greeted: trio.Event = attrs.field(factory=trio.Event, init=False)
    _heard: float = -math.inf
    _goodbye: str = "hung up without a goodbye"
    _leaving: bool = False
    _writing: trio.CancelScope = attrs.field(factory=lambda: trio.CancelScope(shield=True))

    @property
    def usable(self) -> bool:
        """Whether it takes calls: now, or when another one has ended."""
        return not (self._pipe.draining or self._pipe.over.is_set())

    async def open(self, headers: list[tuple[str, str]]) -> Stream | None:
        """Open a stream, when there is a free place; None if the connection takes no more."""
        await trio.lowlevel.checkpoint()
        while self.usable:
            if self._pipe.wire.free > 0:
                stream = Stream(self._pipe.wire.open(headers), self._pipe)
                self._pipe.streams[stream.id] = stream
                self._pipe.flush()
                return stream
            await self._pipe.changed.park()
        return None

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Carry streams until the connection is lost or not needed any more; started when greeted.

        However it ends, also cancelled, the streams that are open get their end, and the server is
        told, if it listens for half a second.
        """
        # A server may wait for our greeting before it says its own.
        self._pipe.flush()
        try:
            async with trio.open_nursery() as nursery:
                try:
                    nursery.start_soon(self._write, name="grpc/write")
                    nursery.start_soon(self._read, name="grpc/read")
                    await self._greeted.wait()
                    task_status.started()
                    nursery.start_soon(self._watch, name="grpc/watch")
                    await self._pipe.over.wait()
                finally:
                    self._take_leave()
                    nursery.cancel_scope.cancel(reason="the connection is over")
        finally:
            await trio.aclose_forcefully(self._transport)

    async def _read(self) -> None:
        try:
            while data := await self._transport.receive_some(_READ):
                self._heard = trio.current_time()
                for event in self._pipe.wire.receive(bytes(data)):
                    self._handle(event)
                self._pipe.flush()
                # A server that asks and does not take the answers is not read either. Messages
                # that wait are no reason: both sides would wait for each other.
                while self._pipe.flooded:
                    await self._pipe.changed.park()
            self._lose(Lost(self._goodbye))
        except trio.BrokenResourceError as exc:
            self._lose(Lost(self._failures.of_network(exc).message))
        except Unreadable as exc:
            self._lose(Broken(str(exc)))

    def _handle(self, event: Event) -> None:
        match event:
            case Answered() | Trailed() | Sent() | Ended() | Reset():
                if stream := self._pipe.streams.get(event.stream):
                    stream.put(event)
            case Greeted():
                self._greeted.set()
            case Widened():
                self._pipe.changed.unpark_all()
            case GoingAway(last=last, why=why):
                self._goodbye = self._failures.tidy(f"hung up: {why}") if why else "hung up"
                self._drain(last)

    def _drain(self, last: int) -> None:
        self._pipe.draining = True
        for stream in list(self._pipe.streams.values()):
            if stream.id > last:
                stream.stop(Lost(self._goodbye) if stream.head else Unprocessed())
        if not self._pipe.streams:
            self._pipe.over.set()
        self._pipe.changed.unpark_all()

    async def _write(self) -> None:
        # Shielded, because what is half written must become whole and the farewell goes last;
        # `_take_leave` sets the deadline, however the connection ends.
        try:
            with self._writing:
                while (data := self._pipe.take()) or not self._leaving:
                    if data:
                        await self._transport.send_all(data)
                        self._pipe.changed.unpark_all()
                    else:
                        await self._pipe.outgoing.park()
        except trio.BrokenResourceError as exc:
            self._lose(Lost(self._failures.of_network(exc).message))

    async def _watch(self) -> None:
        pause = self._keepalive.interval
        while True:
            before = self._heard
            await trio.sleep(pause)
            if self._heard > before:
                pause = self._keepalive.interval
            elif self._pipe.streams:
                await self._ask()
                pause = min(4 * pause, self._keepalive.longest)
            elif trio.current_time() - before >= self._keepalive.idle:
                self._pipe.over.set()

    async def _ask(self) -> None:
        asked = trio.current_time()
        self._pipe.wire.ping()
        self._pipe.flush()
        await trio.sleep(self._keepalive.patience)
        if self._heard < asked:
            self._lose(Lost(f"does not answer a ping in {self._keepalive.patience:g} s"))

    def _lose(self, end: Lost | Broken) -> None:
        self.lost = self.lost or end
        for stream in list(self._pipe.streams.values()):
            stream.stop(end)
        self._pipe.over.set()
        self._pipe.changed.unpark_all()
        self._greeted.set()

    def _take_leave(self) -> None:
        for stream in list(self._pipe.streams.values()):
            stream.leave()
        self._lose(Lost("the connection was closed on this side"))
        self._pipe.wire.close()
        self._leaving = True
        self._writing.deadline = trio.current_time() + _FAREWELL
        self._pipe.flush()
