"""The task ``session/listen``: pushed audio -> a provider -> transcripts."""

from collections.abc import AsyncIterable
from contextlib import AbstractAsyncContextManager

import attrs
import trio

from capabilities import (
    STT,
    AudioFormat,
    AudioFrame,
    Final,
    Interim,
    ProviderClosed,
    ProviderError,
    SpeechBegun,
    SpeechFinal,
    STTOptions,
    STTStream,
    Transcript,
)
from waav.audio.pipeline import Pipeline
from waav.audio.queue import FreshestFrames
from waav.audio.shape import cut
from waav.errors import WaavError
from waav.plugins import Guarded
from waav.plugins.hearing import Hearing, Meter
from waav.session.commands import STTConfig
from waav.session.events import Failed
from waav.session.failures import failure, shorten
from waav.session.outbox import Outbox
from waav.session.turn_taking import TurnTaking
from waav.session.watching import Watching

SEND_TASK = "session/listen/send"
PRE_ROLL = 5.0
"""Seconds of sound that are kept until the provider is ready."""
PATIENCE = 1.0
"""Seconds that sound may be late once it is: later sound is worse than lost sound."""

PRE_ROLL_FULL = Failed(
    "audio_overflow",
    f"More than {PRE_ROLL:g} s of audio came before the provider was ready; the oldest is lost.",
)


@attrs.define(eq=False)
class Ear:
    """Where one STT configuration takes its audio from; the next configuration gets a new one."""

    format: AudioFormat
    frames: FreshestFrames = attrs.Factory(lambda: FreshestFrames(PRE_ROLL))
    overflowed: bool = False
    """The client knows that it sent more than could be kept."""
    _torn: bytes = b""
    _position: float = 0.0
    """Seconds of sound that came."""

    def put(self, data: bytes, now: float) -> int:
        """Take sound, cut anywhere; return how many older frames had to go."""
        unit = self.format.sample_bytes
        if unit and (self._torn or len(data) % unit):
            data = self._torn + data
            whole = len(data) - len(data) % unit
            data, self._torn = data[:whole], data[whole:]
        if not data:
            return 0
        frame = AudioFrame(data, self.format, self._position)
        self._position += frame.duration
        return self.frames.put(frame, now)


@attrs.frozen(eq=False)
class Engagement:
    """A provider that shall listen, and all that goes with it."""

    provider: Guarded[STT]
    options: STTOptions
    ear: Ear
    preparing: AbstractAsyncContextManager[Pipeline]
    """What the sound goes through before anybody hears it; opened once."""


@attrs.define(eq=False)
class Listening:
    """The session's hearing: at most one provider at a time, and none to begin with."""

    transcripts: trio.MemorySendChannel[Transcript]
    outbox: Outbox
    nursery: trio.Nursery
    """The session's own."""
    watching: Watching
    turns: TurnTaking
    dropped: int = 0
    """Frames that came too late or too early."""
    statistics: dict[str, Hearing] = attrs.Factory(dict)
    """What the session heard, by the id of the provider."""
    refused: bool = False
    """The client knows that its audio goes nowhere; it need not hear it fifty times a second."""
    _current: Ear | None = None
    """The one that the provider hears through."""
    _expected: Ear | None = None
    """The one of a configuration that is on its way; what comes meanwhile is kept for it."""
    _scope: trio.CancelScope = attrs.Factory(trio.CancelScope)
    _done: trio.Event | None = None

    @property
    def active(self) -> bool:
        """Whether a provider takes audio now."""
        return self._current is not None

    def push(self, data: bytes) -> bool:
        """Take sound from the client; return False if nobody listens. Never waits."""
        ear = self._expected or self._current
        if ear is None:
            return False
        gone = ear.put(data, trio.current_time())
        self.dropped += gone
        if gone and ear is not self._current and not ear.overflowed:
            ear.overflowed = True
            self.outbox.put_now(PRE_ROLL_FULL)
        return True

    def expect(self, config: STTConfig) -> Ear:
        """A configuration is on its way: from now on audio is kept for it."""
        self._expected = ear = Ear(config.options.format)
        self.refused = False
        return ear

    def settle(self, ear: Ear | None) -> None:
        """A configuration is through, or came to nothing: audio goes where somebody hears it."""
        if self._expected is ear:
            self._expected = None

    async def connect(self, engagement: Engagement) -> None:
        """Listen through a provider from now on; return when it takes audio.

        Raises:
            ProviderError, WaavError: it could not be reached, or refused.
        """
        await self.nursery.start(self._listen, engagement, name="session/listen")

    async def stop(self) -> None:
        """Let go of the provider; return when it has closed, and what it said is passed on."""
        self._scope.cancel(reason="reconfigured")
        if self._done is not None:
            await self._done.wait()

    async def finish(self) -> None:
        """No audio follows: ask the provider for its last words, and return as :meth:`stop`."""
        self._expected = None
        if self._current is not None:
            self._current.frames.close()
        if self._done is not None:
            await self._done.wait()

    async def _listen(self, engagement: Engagement, *, task_status: trio.TaskStatus[None]) -> None:
        ear, self._done = engagement.ear, (done := trio.Event())
        try:
            with trio.CancelScope() as self._scope:
                place = engagement.provider.turnstile.slot(engagement.options)
                async with place, engagement.preparing as pipeline:
                    await self._tell_missing(pipeline)
                    way = engagement, pipeline, task_status
                    await engagement.provider.run(self._converse, *way)
            await self.turns.rest()
        except (ProviderError, WaavError) as exc:
            if self._current is not ear:
                raise
            # First, so that whoever is told finds it so; and that is told once, not for each frame.
            self._current, self.refused = None, True
            self.watching.release()
            await self.turns.rest()
            await self.outbox.put(failure(exc, "STT streaming error: ", "stt_error"))
        finally:
            if self._current is ear:
                self._current = None
            done.set()

    async def _converse(
        self,
        stt: STT,
        engagement: Engagement,
        pipeline: Pipeline,
        task_status: trio.TaskStatus[None],
    ) -> None:
        """Runs in a task of the provider's plugin."""
        provider, ear = engagement.provider, engagement.ear
        async with stt.connect(engagement.options) as stream, trio.open_nursery() as nursery:
            self._current = ear
            self.settle(ear)
            ear.frames.go_live(PATIENCE)
            task_status.started()
            own = self.statistics.setdefault(provider.id, Hearing())
            meter = Meter.start(own, provider.hearing)
            way = ear.frames, pipeline, stream, meter, self.watching
            nursery.start_soon(hand_over, *way, name=SEND_TASK)
            async for transcript in stream:
                meter.heard(checked(transcript), trio.current_time())
                # Where somebody waits for it already, this one need not wait for its turn.
                try:
                    self.transcripts.send_nowait(transcript)
                except trio.WouldBlock:
                    await self.transcripts.send(transcript)
            if not ear.frames.closed:
                raise ProviderClosed(provider.id, "the stream ended")

    async def _tell_missing(self, pipeline: Pipeline) -> None:
        for name, reason in pipeline.missing.items():
            text = f"The audio processor {name} is left out: {reason}"
            await self.outbox.put(Failed("processor_missing", shorten(text)))


def checked(transcript: Transcript) -> Transcript:
    """Return it, if it is what the contract says; a stranger's plugin may give anything.

    Raises:
        TypeError: it is not; raised here, in the plugin's own task, it is the plugin's failure.
    """
    if isinstance(transcript, SpeechFinal | SpeechBegun):
        return transcript
    if isinstance(transcript, Interim | Final) and isinstance(transcript.text, str):
        return transcript
    raise TypeError(f"a stream gave a {type(transcript).__name__} where a transcript should be")


async def hand_over(
    frames: AsyncIterable[AudioFrame],
    pipeline: Pipeline,
    stream: STTStream,
    meter: Meter,
    watching: Watching | None = None,
) -> None:
    """Send all frames in the format that the provider takes, then say that none follows."""

    async def send(frame: AudioFrame) -> None:
        if watching is not None:
            watching.put(frame)
        await stream.send(frame)
        meter.sent(frame.duration, trio.current_time())

    idle = pipeline.idle
    end, held = 0.0, 0.0  # seconds: of the sound that went in; that did not come out yet
    async for frame in frames:
        # A client may send minutes in one piece; converting them at once would hold the loop.
        for piece in cut(frame):
            if idle:
                await send(piece)
                continue
            ready = AudioFrame(await pipeline.feed(piece.data), pipeline.target, piece.start - held)
            end, held = piece.start + piece.duration, held + piece.duration - ready.duration
            if ready.data:
                await send(ready)
    if data := await pipeline.flush():
        await send(AudioFrame(data, pipeline.target, end - held))
    await stream.finish()
