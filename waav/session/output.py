"""The task ``session/output``: frames and ends of utterances, in order, to whoever plays them."""

from typing import Self, TypeAlias

import attrs
import trio

from capabilities import AudioFrame
from waav.session.events import (
    DeadAir,
    How,
    Interrupted,
    Interrupter,
    Resumed,
    SpeechBegan,
    SpeechEnded,
)
from waav.session.outbox import Outbox
from waav.tasks import already_here
from waav.turns.dead_air import DeadAirMeter
from waav.turns.playout import Playout

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


Told: TypeAlias = Interrupted | Resumed | SpeechEnded
"""What there is to tell of an interruption."""
Sound: TypeAlias = tuple[int, Begin | AudioFrame | End]
"""With the generation in which its utterance began; see :attr:`AudioOut.generation`."""


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

    _send: trio.MemorySendChannel[tuple[int, AudioFrame]]
    _receive: trio.MemoryReceiveChannel[tuple[int, AudioFrame]]
    _idle: trio.Event = attrs.Factory(_set_event)
    generation: int = 0
    """Grows with each interruption: what began in an older one must not be heard."""
    _taken: int = 0
    """The generation of the frame that was given last."""

    @classmethod
    def open(cls) -> "AudioOut":
        """Make one. Nothing is buffered: what the client does not take stays with the voice."""
        return cls(*trio.open_memory_channel[tuple[int, AudioFrame]](0))

    async def put(self, frame: AudioFrame, generation: int) -> None:
        """Hand over one frame; wait until it is taken."""
        self._idle = trio.Event()
        try:
            await self._send.send((generation, frame))
        except trio.Cancelled:
            self._idle.set()
            raise

    def withdraw(self) -> None:
        """Nothing that was put until now may be heard any more."""
        self.generation += 1

    def is_withdrawn(self) -> bool:
        """Whether the frame that was given last was interrupted since. Whoever sends it asks once
        more in the moment of sending, so that nothing is heard behind the news of an interruption."""
        return self._taken != self.generation

    @property
    def is_idle(self) -> bool:
        """Whether the last frame is dealt with."""
        return self._idle.is_set()

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
        self._taken, frame = await self._receive.__anext__()
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
    playout: Playout
    sounds: trio.MemorySendChannel[Sound]
    _coming: trio.MemoryReceiveChannel[Sound]
    dead_air: DeadAirMeter
    _handing_over: trio.CancelScope = attrs.Factory(trio.CancelScope)
    _flowing: trio.Event = attrs.Factory(_set_event)
    """Not set while the user may be interrupting."""
    _silent: str | None = None
    """The current utterance, before its first sound."""
    _duration: float = 0.0
    """Seconds of it that left."""

    @classmethod
    def open(
        cls, outbox: Outbox, playout: Playout, dead_air: DeadAirMeter | None = None
    ) -> "Output":
        """Make one, with its channel."""
        sounds = trio.open_memory_channel[Sound](AHEAD)
        return cls(AudioOut.open(), outbox, playout, *sounds, dead_air or DeadAirMeter())

    async def run(self) -> None:
        """Pass on until cancelled."""
        async with trio.open_nursery() as nursery:
            async for generation, sound in self._coming:
                if generation == self.audio.generation:
                    await self._pass_on(sound)
                else:
                    await self._pass_by(sound)
                if self.dead_air.starts:
                    nursery.start_soon(self._listen_for_silence, name="session/dead-air")

    async def _listen_for_silence(self) -> None:
        """Tell of dead air, until nothing is to be said any more.

        It wakes every few seconds rather than with each frame, which would have to pay for it.
        """
        with self.dead_air.watched():
            while self.dead_air.asked:
                now = trio.current_time()
                await trio.sleep_until(self.dead_air.next_look(now))
                now = trio.current_time()
                # A client that does not take what there is has itself to blame.
                until = self.playout.until(now) if self.audio.is_idle else now
                if (silent := self.dead_air.expire(now, until)) is not None:
                    await self.outbox.put(DeadAir(self.dead_air.utterance, silent))

    @property
    def held(self) -> bool:
        """Whether nothing is let out now."""
        return not self._flowing.is_set()

    def hold(self) -> None:
        """Let nothing out for now."""
        self.playout.pause(trio.current_time())
        self._flowing = trio.Event()

    def go_on(self) -> None:
        """Let sound out again."""
        now = trio.current_time()
        self.playout.resume(now)
        self.dead_air.go_on(now)
        self._flowing.set()

    def forget(self, by: Interrupter) -> list[Told]:
        """Drop what has not left; return what there is to tell of it."""
        self._handing_over.cancel(reason="clear")
        self.dead_air.end()
        self.audio.withdraw()
        held = self.held
        self._flowing.set()
        cut = self.playout.stop(trio.current_time())
        told: list[Told] = [
            Interrupted(each.utterance, each.played, each.sent, by, each.text) for each in cut
        ]
        if held and not cut:
            # One of the two ends each pause: the client would hold on with what comes next.
            told.append(Resumed())
        told += [
            SpeechEnded(sound.utterance, "cleared", self._duration)
            for _, sound in already_here(self._coming)
            if isinstance(sound, End)
        ]
        return told

    async def _pass_by(self, sound: Begin | AudioFrame | End) -> None:
        """It was on its way in the moment of an interruption."""
        match sound:
            case Begin():
                self._duration = 0.0
            case End(utterance=utterance):
                await self.outbox.put(SpeechEnded(utterance, "cleared", self._duration))
            case AudioFrame():
                return

    async def _pass_on(self, sound: Begin | AudioFrame | End) -> None:
        match sound:
            case AudioFrame():
                with trio.CancelScope() as self._handing_over:
                    if not self._flowing.is_set():
                        await self._flowing.wait()
                    if self._silent is not None:
                        utterance, self._silent = self._silent, None
                        await self.outbox.put(SpeechBegan(utterance))
                        # Told before the sound goes, which travels another way.
                        await trio.lowlevel.checkpoint()
                    await self.audio.put(sound, self.audio.generation)
                    now = trio.current_time()
                    self._duration += sound.duration
                    self.playout.sent(sound.duration, now, sound.text)
                    self.dead_air.heard(now)
                    self.outbox.counters.frames_out += 1
            case Begin(utterance=utterance, allow_interruption=allow):
                now = trio.current_time()
                self._silent, self._duration = utterance, 0.0
                self.playout.begin(utterance, now, allow_interruption=allow)
                self.dead_air.begin(utterance, now)
            case End(utterance=utterance, how=how):
                self.dead_air.end()
                with trio.CancelScope() as self._handing_over:
                    await self.audio.drained()
                if self._handing_over.cancelled_caught:
                    how = "cleared"
                self.playout.finish()
                await self.outbox.put(SpeechEnded(utterance, how, self._duration))
