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
from waav.errors import WaavError
from waav.plugins import Guarded
from waav.session.failures import failure
from waav.session.memory import Memory
from waav.session.outbox import Outbox

PATIENCE = 1.0
"""Seconds that sound may be late for the detector before it goes."""


@attrs.define(eq=False)
class Watching:
    """The session's feeling for voices: one detector at most, and none to begin with."""

    heard: trio.MemorySendChannel[VoiceActivity]
    outbox: Outbox
    nursery: trio.Nursery
    """The session's own."""
    memory: Memory | None = None
    """Kept only for whoever needs it."""
    _frames: FreshestFrames | None = None
    _scope: trio.CancelScope = attrs.Factory(trio.CancelScope)
    _done: trio.Event | None = None
    _talking: bool = False
    _position: float = 0.0
    """Seconds of the user's sound until the end of what the detector got."""
    _offset: float = 0.0
    """Where in the user's sound the detector began."""

    @property
    def active(self) -> bool:
        """Whether a detector listens now."""
        return self._frames is not None

    def put(self, frame: AudioFrame) -> None:
        """Take one frame of the user's sound. Never waits."""
        if self.memory is not None:
            self.memory.put(frame)
        if self._frames is not None:
            self._frames.put(frame, trio.current_time())

    def start(self, provider: Guarded[VAD], options: VADOptions) -> None:
        """Watch from now on; a detector that fails is told of, and the session goes on without."""
        self._frames, self._done = FreshestFrames(PATIENCE), trio.Event()
        self.nursery.start_soon(
            self._watch, provider, options, self._frames, self._done, name="session/vad"
        )

    async def stop(self) -> None:
        """Let go of the detector; return when it has closed."""
        self._frames = None
        self._scope.cancel(reason="reconfigured")
        if self._done is not None:
            await self._done.wait()

    async def _watch(
        self,
        provider: Guarded[VAD],
        options: VADOptions,
        frames: FreshestFrames,
        done: trio.Event,
    ) -> None:
        try:
            with trio.CancelScope() as self._scope:
                await provider.run(self._converse, options, frames)
        except (ProviderError, WaavError) as exc:
            await self.outbox.put(failure(exc, "Voice detection error: ", "vad_error"))
        finally:
            if self._frames is frames:
                self._frames = None
            done.set()
        if self._talking:
            # Nobody else would ever say that the voice has ended.
            await self._tell(SpeechStopped(self._position))

    async def _converse(self, vad: VAD, options: VADOptions, frames: FreshestFrames) -> None:
        """Runs in a task of the detector's plugin."""
        async with vad.watch(options) as stream, trio.open_nursery() as nursery:
            nursery.start_soon(self._hand_over, frames, options, stream, name="session/vad/send")
            async for activity in stream:
                if not isinstance(activity, SpeechStarted | SpeechStopped):
                    raise TypeError(f"a detector gave a {type(activity).__name__}")
                await self._tell(attrs.evolve(activity, at=activity.at + self._offset))
            nursery.cancel_scope.cancel(reason="the detector has ended")

    async def _hand_over(
        self, frames: FreshestFrames, options: VADOptions, stream: VADStream
    ) -> None:
        converter: Converter | None = None
        async for frame in frames:
            if converter is None:
                converter, self._offset = Converter(frame.format, options.format), frame.start
            if data := converter.feed(frame.data):
                await stream.send(AudioFrame(data, options.format, frame.start - self._offset))
            self._position = frame.start + frame.duration

    async def _tell(self, activity: VoiceActivity) -> None:
        self._talking = isinstance(activity, SpeechStarted)
        await self.heard.send(activity)
