"""One stream that is watched: its sound on the way to the engine, and what was heard on the way back."""

from collections import deque
from typing import Self

import attrs
import numpy as np
import trio

from capabilities import AudioFrame, ProviderClosed, ProviderError, VoiceActivity
from providers.local.silero_engine import Engine
from providers.local.silero_model import EMPTY, ID, Heard, Memory
from providers.local.vad_activity import Activity
from providers.local.vad_chunks import PER_SECOND, Chunks

WAITING = 32
"""Chunks not yet heard, a second of sound, beyond which a sender waits."""
UNREAD = 16
"""Events that nobody has asked for, at which hearing stops, and so the sender."""
_PIECE = 0.5
"""Seconds cut into chunks in one go: what holds the loop."""
_QUIET = 10.0**2
"""Mean square of the samples of a chunk, -70 dBFS, below which no voice is heard: the network itself
finds nothing in speech of -70 dBFS, and half of it at -62."""
_FORGET = round(10.0 * PER_SECOND)
"""Chunks after which the network's memory is emptied at the next silence. It adds up without bounds:
after five minutes of noise a voice was noticed two chunks late."""


@attrs.define(eq=False)
class SileroStream:
    """Sends chunks to the engine one by one, as each needs what the network remembers of the last.

    Silence while nobody talks does not get there: it costs a sum of squares.
    """

    _engine: Engine
    _chunks: Chunks
    _activity: Activity
    _memory: Memory = attrs.field(default=EMPTY, init=False)
    _age: int = attrs.field(default=0, init=False)
    """Chunks since the memory was empty."""
    _waiting: deque[bytes] = attrs.field(factory=deque, init=False)
    _asked: bool = attrs.field(default=False, init=False)
    """The engine has the first of those that wait."""
    _events: deque[VoiceActivity] = attrs.field(factory=deque, init=False)
    _finished: bool = attrs.field(default=False, init=False)
    _ended: bool = attrs.field(default=False, init=False)
    _error: ProviderError | None = attrs.field(default=None, init=False)
    _room: trio.lowlevel.ParkingLot = attrs.field(factory=trio.lowlevel.ParkingLot, init=False)
    _news: trio.lowlevel.ParkingLot = attrs.field(factory=trio.lowlevel.ParkingLot, init=False)

    async def send(self, frame: AudioFrame) -> None:
        """Hand over sound; wait while more than a second of it is not yet heard."""
        size = 2 * round(self._chunks.source * _PIECE)
        for offset in range(0, len(frame.data), size):
            # No full checkpoint, which costs more than all the rest: 50 frames a second.
            await trio.lowlevel.checkpoint_if_cancelled()
            while len(self._waiting) > WAITING and self._error is None:
                await self._room.park()
            self._check()
            self._waiting.extend(self._chunks.feed(frame.data[offset : offset + size]))
            self._go_on()

    async def finish(self) -> None:
        """Say that no frame follows."""
        await trio.lowlevel.checkpoint()
        if not self._finished:
            self._finished = True
            self._waiting.extend(self._chunks.flush())
            self._go_on()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> VoiceActivity:
        await trio.lowlevel.checkpoint()
        while not self._events:
            self._check()
            if self._ended:
                raise StopAsyncIteration
            await self._news.park()
        event = self._events.popleft()
        self._go_on()
        return event

    def due(self) -> tuple[bytes, Memory]:
        """Return the chunk that waits longest, and what the network remembers of the one before."""
        return self._waiting[0], self._memory

    def heard(self, heard: Heard) -> None:
        """Take what the network made of that chunk."""
        if self._error is not None:  # left while the call was under way
            return
        self._asked = False
        self._take(*heard)
        self._go_on()

    def fail(self, error: ProviderError) -> None:
        """End the stream: whoever sends or iterates meets the error."""
        self._error = error
        self._room.unpark_all()
        self._news.unpark_all()

    def open(self) -> None:
        """Join the engine."""
        self._engine.join(self)

    def close(self) -> None:
        """Leave the engine; nothing more is heard."""
        self._engine.leave(self)
        self.fail(ProviderClosed(ID, "the stream was left"))

    def _check(self) -> None:
        if self._error is not None:
            raise self._error

    def _go_on(self) -> None:
        """Pass the silence, then ask for what follows it, or end."""
        while self._waiting and not self._asked and len(self._events) < UNREAD:
            if self._activity.idle and _is_quiet(self._waiting[0]):
                self._take(0.0, self._memory)
            else:
                self._asked = True
                self._engine.submit(self)
        if self._room and len(self._waiting) <= WAITING:
            self._room.unpark_all()
        if self._finished and not self._waiting and not self._ended:
            self._ended = True
            self._tell(self._activity.finish(self._chunks.duration))
            self._news.unpark_all()

    def _take(self, probability: float, memory: Memory) -> None:
        self._waiting.popleft()
        self._tell(self._activity.feed(probability))
        self._age += 1
        forget = self._age >= _FORGET and self._activity.idle
        self._age, self._memory = (0, EMPTY) if forget else (self._age, memory)

    def _tell(self, event: VoiceActivity | None) -> None:
        if event is not None:
            self._events.append(event)
            self._news.unpark()


def _is_quiet(chunk: bytes) -> bool:
    samples = np.frombuffer(chunk, "<i2").astype(np.float32)
    return bool(samples @ samples < _QUIET * samples.size)
