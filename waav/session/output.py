"""The task ``session/output``: frames and ends of utterances, in order, to whoever plays them."""

from typing import Self, TypeAlias

import attrs
import trio

from capabilities import AudioFrame
from waav.session.events import How, SpeechBegan, SpeechEnded
from waav.session.outbox import Outbox
from waav.turns.interruption import PlayoutLock

AHEAD = 2
"""Frames of at most 100 ms between a voice and the client: a barge-in has little to take back."""


@attrs.frozen
class Begin:
    """An utterance begins."""

    utterance: str
    allow_interruption: bool


@attrs.frozen
class End:
    """An utterance is over."""

    utterance: str
    how: How


Sound: TypeAlias = Begin | AudioFrame | End


def _set_event() -> trio.Event:
    event = trio.Event()
    event.set()
    return event


@attrs.define(eq=False)
class AudioOut:
    """Iterate to take the session's sound. Asking for the next frame says the last is dealt with.

    That is how the session knows when an utterance has really left, and why the completion of an
    utterance never overtakes its sound, although both travel on ways of their own.
    """

    _send: trio.MemorySendChannel[AudioFrame]
    _receive: trio.MemoryReceiveChannel[AudioFrame]
    _idle: trio.Event = attrs.Factory(_set_event)

    @classmethod
    def open(cls) -> "AudioOut":
        """Make one. Nothing is buffered: what the client does not take stays with the voice."""
        return cls(*trio.open_memory_channel[AudioFrame](0))

    async def put(self, frame: AudioFrame) -> None:
        """Hand over one frame; wait until it is taken."""
        self._idle = trio.Event()
        try:
            await self._send.send(frame)
        except trio.Cancelled:
            self._idle.set()
            raise

    async def drained(self) -> None:
        """Wait until the last frame is dealt with."""
        await self._idle.wait()

    def __enter__(self) -> Self:
        """Leaving the block ends the iteration: no frame follows."""
        return self

    def __exit__(self, *_: object) -> None:
        self._send.close()

    def __aiter__(self) -> "AudioOut":
        return self

    async def __anext__(self) -> AudioFrame:
        self._idle.set()
        frame = await self._receive.__anext__()
        # The frame may have waited here while its forerunner was being dealt with; the line above
        # then spoke of that one.
        if self._idle.is_set():
            self._idle = trio.Event()
        return frame


@attrs.define(eq=False)
class Output:
    """Passes on what voices give, keeps the playout lock, and can forget what has not left yet."""

    audio: AudioOut
    outbox: Outbox
    lock: PlayoutLock
    sounds: trio.MemorySendChannel[Sound]
    _coming: trio.MemoryReceiveChannel[Sound]
    _handing_over: trio.CancelScope = attrs.Factory(trio.CancelScope)
    _silent: str | None = None
    """The current utterance, before its first sound."""
    _duration: float = 0.0
    """Seconds of it that left."""

    @classmethod
    def open(cls, outbox: Outbox, lock: PlayoutLock) -> "Output":
        """Make one, with its channel."""
        return cls(AudioOut.open(), outbox, lock, *trio.open_memory_channel[Sound](AHEAD))

    async def run(self) -> None:
        """Pass on until cancelled."""
        async for sound in self._coming:
            await self._pass_on(sound)

    def forget(self) -> list[str]:
        """Drop what has not left; return the utterances whose end was among it."""
        self._handing_over.cancel(reason="clear")
        self.lock.reset()
        ended: list[str] = []
        while True:
            try:
                sound = self._coming.receive_nowait()
            except (trio.WouldBlock, trio.EndOfChannel):
                return ended
            if isinstance(sound, End):
                ended.append(sound.utterance)

    async def _pass_on(self, sound: Sound) -> None:
        match sound:
            case AudioFrame():
                with trio.CancelScope() as self._handing_over:
                    if self._silent is not None:
                        utterance, self._silent = self._silent, None
                        await self.outbox.put(SpeechBegan(utterance))
                    await self.audio.put(sound)
                    self._duration += sound.duration
                    self.lock.sent(sound.duration, trio.current_time())
            case Begin(utterance=utterance, allow_interruption=allow):
                self._silent, self._duration = utterance, 0.0
                self.lock.begin(trio.current_time(), allow_interruption=allow)
            case End(utterance=utterance, how=how):
                with trio.CancelScope() as self._handing_over:
                    await self.audio.drained()
                if self._handing_over.cancelled_caught:
                    how = "cleared"
                self.lock.end()
                await self.outbox.put(SpeechEnded(utterance, how, self._duration))
