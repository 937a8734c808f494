"""The small task around a :class:`~providers._common.link.Link`: an STTStream over any connection."""

from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from math import inf
from random import random
from typing import Self

import attrs
import trio

from capabilities import (
    AudioFormat,
    AudioFrame,
    ProviderClosed,
    ProviderError,
    STTStream,
    Transcript,
)
from providers._common.carrier import Carrier, OpenConnection
from providers._common.link import Link
from providers._common.link_states import (
    Action,
    Drop,
    Finish,
    KeepAlive,
    Open,
    Play,
    Renew,
    Say,
    State,
    Switch,
)
from providers._common.policy import Policy
from providers._common.tasks import open_scoped_nursery
from providers._common.wire import Done, Message, Signal, Wire

UNREAD = 64
"""Transcripts that wait for the reader; then the vendor waits."""
HURRY = 8
"""Frames that are sent before other tasks have their turn, if the connection takes them at once."""


@asynccontextmanager
async def open_stt_link(
    wire: Callable[[], Wire],
    open_connection: OpenConnection,
    *,
    provider: str,
    audio: AudioFormat,
    policy: Policy = Policy(),  # noqa: B008 - frozen
    chance: Callable[[], float] = random,
) -> AsyncIterator[STTStream]:
    """Open a recognition for as long as the block lasts, however many connections that takes.

    Args:
        wire: makes what speaks on one connection.
        open_connection: makes the connection; leaving it closes it politely. Both are called again
            for each connection.
        provider: the plugin's id, for errors.
        audio: of all frames that will be sent.
        policy: the vendor's.
        chance: a random number from 0 to 1.

    Raises:
        ProviderUnavailable, ProviderBusy, ProviderRefused, ProviderProtocolError: no connection was
            made, or it was not ready in time. This is not tried again here.
    """
    link = Link(provider, audio, policy, chance)
    async with open_scoped_nursery("the stream is left") as nursery:
        stream = _Stream(link, wire, open_connection, nursery)
        nursery.start_soon(stream.run, name="stt/link")
        await stream.opened.wait()
        if link.error is not None:
            raise link.error
        yield stream


@attrs.define(eq=False)
class _Stream:
    """The stream, for its two users; the work is done by whichever task comes first."""

    _link: Link
    _new_wire: Callable[[], Wire]
    _open: OpenConnection
    _nursery: trio.Nursery
    opened: trio.Event = attrs.field(factory=trio.Event, init=False)
    """It takes audio, or it never will."""
    _current: Carrier | None = attrs.field(default=None, init=False)
    _second: Carrier | None = attrs.field(default=None, init=False)
    _heard: deque[Transcript] = attrs.field(factory=deque, init=False)
    _busy: bool = attrs.field(default=False, init=False)
    _told: bool = attrs.field(default=False, init=False)
    _hurried: int = attrs.field(default=0, init=False)
    _sleeps_until: float = attrs.field(default=inf, init=False)
    _sleeper: trio.lowlevel.ParkingLot = attrs.field(factory=trio.lowlevel.ParkingLot, init=False)
    _senders: trio.lowlevel.ParkingLot = attrs.field(factory=trio.lowlevel.ParkingLot, init=False)
    _readers: trio.lowlevel.ParkingLot = attrs.field(factory=trio.lowlevel.ParkingLot, init=False)

    # For the stream's users.

    async def send(self, frame: AudioFrame) -> None:
        """Hand over one frame; wait while much of the sound before it is not sent."""
        if self._over:
            # One failure is one error: while the reader has yet to hear why, this task keeps quiet,
            # and when it is cancelled because of it, it only is.
            await trio.lowlevel.checkpoint()
            if self._told:
                raise ProviderClosed(self._link.provider, "the stream has ended")
            return
        self._link.replay.put(frame.data)
        await self._work()
        # A round of the scheduler costs as much as all the rest of a frame, so it is not for each.
        self._hurried += 1
        if self._hurried >= HURRY:
            self._hurried = 0
            await trio.lowlevel.checkpoint()
        else:
            await trio.lowlevel.checkpoint_if_cancelled()
        while self._link.replay.full and not self._over:
            await self._senders.park()

    async def finish(self) -> None:
        """Say that no frame follows; iteration ends after the last transcript."""
        self._link.finish()
        await self._work()
        await trio.lowlevel.checkpoint()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Transcript:
        await trio.lowlevel.checkpoint_if_cancelled()
        while not self._heard:
            if self._over:
                self._told = True
                if self._link.error is not None:
                    raise self._link.error
                raise StopAsyncIteration
            await self._readers.park()
        if self._readers:
            self._readers.unpark_all()
        return self._heard.popleft()

    @property
    def _over(self) -> bool:
        return self._link.state is State.CLOSING

    # What the link wants done, and when.

    async def run(self) -> None:
        """Be the task that does what time decides."""
        while True:
            await self._work()
            if self._over:
                break
            now, due = trio.current_time(), self._link.deadline
            if self._busy and due <= now:
                # The task that is at work will do it.
                due = inf
            self._sleeps_until = due
            with trio.move_on_at(due):
                await self._sleeper.park()
        self._drop()
        self.opened.set()
        self._wake()

    async def _work(self) -> None:
        """Do all that is due, unless another task is at it.

        That way a frame goes out in the task that brings it, and still no two messages meet.
        """
        if self._busy:
            return
        self._busy, done, link = True, 0, self._link
        if len(self._heard) >= UNREAD:
            link.excuse()
        try:
            while (action := link.next(trio.current_time())) is not None:
                await self._do(action)
                done += 1
                if done % HURRY == 0:  # half a minute may be due, for a connection that is new
                    await trio.lowlevel.checkpoint()
        finally:
            self._busy = False
            if self._senders:
                self._senders.unpark_all()
            if self._over or link.deadline < self._sleeps_until:
                self._sleeper.unpark_all()

    async def _do(self, action: Action) -> None:
        match action:
            case Play() | KeepAlive() | Say() | Finish():
                if self._current is not None and self._current.broken is None:
                    await self._current.send(action)
            case Open():
                self._current = self._start_carrier()
                self._current.turn.set()
            case Renew():
                self._second = self._start_carrier()
            case Switch():
                self._switch()
            case Drop():
                self._drop()

    # The connections, each with a task of its own.

    def _start_carrier(self) -> Carrier:
        carrier = Carrier(self._link.provider, self._new_wire(), self._link.policy)
        self._nursery.start_soon(self._carry, carrier, name="stt/link/connection")
        return carrier

    def _switch(self) -> None:
        old, self._current, self._second = self._current, self._second, None
        if old is not None:
            old.leave()
        if self._current is not None:
            self._current.turn.set()

    def _drop(self) -> None:
        for carrier in (self._current, self._second):
            if carrier is not None:
                carrier.leave()
        self._current = self._second = None

    async def _carry(self, carrier: Carrier) -> None:
        """Be one connection, from its opening to its closing."""
        try:
            async with carrier.keep(self._open) as messages:
                # Told before the connection is closed, which takes a while, as the next one need
                # not wait for that.
                try:
                    await self._converse(carrier, messages)
                except ProviderError as error:
                    self._over_with(carrier, error)
                finally:
                    if carrier.broken is not None:
                        self._over_with(carrier, carrier.broken)
        except ProviderError as error:
            self._over_with(carrier, error)

    async def _converse(self, carrier: Carrier, messages: AsyncIterator[Message]) -> None:
        await carrier.configure()
        if carrier is self._current:
            self._link.connected()
        await carrier.get_ready()
        now = trio.current_time()
        if carrier is self._current:
            self._link.ready(now)
            self.opened.set()
        elif carrier is self._second:
            self._link.second_ready(now)
        self._wake()
        await carrier.turn.wait()
        await self._listen(carrier, messages)

    async def _listen(self, carrier: Carrier, messages: AsyncIterator[Message]) -> None:
        async for message in messages:
            # No wait between here and the last word kept, or a word could fall between.
            if carrier is not self._current:
                return
            if self._take(carrier.wire.decode(message)):
                break
            while len(self._heard) >= UNREAD:
                await self._readers.park()
        else:
            # A vendor that has not taken all that is being sent cannot have said all.
            while self._busy:
                await self._senders.park()
            if carrier is self._current and (
                carrier.broken is not None or not self._take(carrier.wire.ended())
            ):
                raise ProviderClosed(self._link.provider, "hung up before all was said")
        self._over_with(carrier, None)

    def _take(self, signals: Sequence[Signal]) -> bool:
        """Take in what the current connection says; return whether that was all."""
        self._heard += self._link.receive(signals)
        self._readers.unpark_all()
        # A reply is due at once; what else is new has made nothing more urgent, as a rule.
        if self._link.replies or self._link.deadline < self._sleeps_until:
            self._sleeper.unpark_all()
        if self._senders:
            self._senders.unpark_all()
        return any(isinstance(signal, Done) for signal in signals)

    def _over_with(self, carrier: Carrier, error: ProviderError | None) -> None:
        """A connection has ended, in good order if without an error, or was never made.

        Nobody waits any more for one that was left already.
        """
        now = trio.current_time()
        if carrier is self._current:
            self._current = None
            if error is None:
                self._link.ended(now)
            else:
                self._link.lost(error, now)
            self._drop()
        elif carrier is self._second:
            self._second = None
            self._link.second_lost(now)
        self._wake()

    def _wake(self) -> None:
        for lot in (self._sleeper, self._senders, self._readers):
            lot.unpark_all()
