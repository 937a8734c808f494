"""The task ``session/vad``: the user's sound -> when a voice begins and ends."""

import attrs
import trio

from capabilities import (
    VAD,
    AudioFrame,
    ProviderError,
    SpeechStarted,
    SpeechStopped,
    VADOptions,
    VADStream,
    VoiceActivity,
)
from waav.audio.convert import Converter
from waav.audio.queue import FreshestFrames
from waav.audio.timeline import Timeline
from waav.errors import WaavError
from waav.plugins import Guarded
from waav.session.failures import failure
from waav.session.memory import Memory
from waav.session.outbox import Outbox
from waav.session.shedding import Shedding

PATIENCE = 1.0
"""Seconds that sound may be late for the detector before it goes."""


@attrs.define(eq=False)
class Watching:
    """The session's feeling for voices: one detector at most, and none to begin with."""

    heard: trio.MemorySendChannel[VoiceActivity]
    outbox: Outbox
    nursery: trio.Nursery
    """The session's own."""
    shedding: Shedding
    memory: Memory | None = None
    """Kept only for whoever needs it."""
    _wanted: tuple[Guarded[VAD], VADOptions] | None = None
    """Who is to listen, even if nobody does for now."""
    _frames: FreshestFrames | None = None
    _scope: trio.CancelScope = attrs.Factory(trio.CancelScope)
    _done: trio.Event | None = None
    _talking: bool = False
    _position: float = 0.0
    """Seconds of the user's sound until the end of what the detector got."""

    @property
    def active(self) -> bool:
        """Whether a detector listens now."""
        return self._frames is not None

    def put(self, frame: AudioFrame) -> None:
        """Take one frame of the user's sound. Never waits."""
        if self.memory is not None:
            self.memory.put(frame)
        if self._wanted is not None:
            self._consider(*self._wanted)
        if self._frames is not None:
            self._frames.put(frame, trio.current_time())

    def start(self, provider: Guarded[VAD], options: VADOptions) -> None:
        """Watch from now on; a detector that fails is told of, and the session goes on without.

        It also does while the gateway has too much to do.
        """
        self._wanted = provider, options
        self._consider(provider, options)

    def release(self) -> None:
        """Let go of the detector, and do not wait for it."""
        self._wanted = None
        self._let_go()

    async def stop(self) -> None:
        """Let go of the detector; return when it has closed."""
        self.release()
        if self._done is not None:
            await self._done.wait()

    def _consider(self, provider: Guarded[VAD], options: VADOptions) -> None:
        """Have the detector, or go without it, as the gateway has time for it."""
        if self.shedding.now():
            if self._frames is not None:
                self._let_go()
        elif self._frames is None and (self._done is None or self._done.is_set()):
            self._frames, self._done = FreshestFrames(PATIENCE), trio.Event()
            self._scope = trio.CancelScope()
            self.nursery.start_soon(
                self._watch, provider, options, self._frames, self._done, name="session/vad"
            )

    def _let_go(self) -> None:
        self._frames = None
        self._scope.cancel(reason="let go")

    async def _watch(
        self,
        provider: Guarded[VAD],
        options: VADOptions,
        frames: FreshestFrames,
        done: trio.Event,
    ) -> None:
        try:
            with self._scope:
                await provider.run(self._converse, options, frames)
        except (ProviderError, WaavError) as exc:
            await self.outbox.put(failure(exc, "Voice detection error: ", "vad_error"))
        finally:
            if self._frames is frames:
                self._frames = self._wanted = None
            done.set()
        if self._talking:
            # Nobody else would ever say that the voice has ended.
            await self._tell(SpeechStopped(self._position))

    async def _converse(self, vad: VAD, options: VADOptions, frames: FreshestFrames) -> None:
        """Runs in a task of the detector's plugin."""
        timeline = Timeline()
        async with vad.watch(options) as stream, trio.open_nursery() as nursery:
            way = frames, options, stream, timeline
            nursery.start_soon(self._hand_over, *way, name="session/vad/send")
            async for activity in stream:
                if not isinstance(activity, SpeechStarted | SpeechStopped):
                    raise TypeError(f"a detector gave a {type(activity).__name__}")
                await self._tell(attrs.evolve(activity, at=timeline.find(activity.at)))
            nursery.cancel_scope.cancel(reason="the detector has ended")

    async def _hand_over(
        self, frames: FreshestFrames, options: VADOptions, stream: VADStream, timeline: Timeline
    ) -> None:
        converter: Converter | None = None
        held = 0.0  # seconds that went in, and did not come out yet
        async for frame in frames:
            if converter is None:
                converter = Converter(frame.format, options.format)
            ready = AudioFrame(converter.feed(frame.data), options.format, timeline.received)
            if ready.data:
                timeline.hand(frame.start - held, ready.duration)
                await stream.send(ready)
            held += frame.duration - ready.duration
            self._position = frame.start + frame.duration

    async def _tell(self, activity: VoiceActivity) -> None:
        self._talking = isinstance(activity, SpeechStarted)
        await self.heard.send(activity)
