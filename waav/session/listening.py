"""The task ``session/listen``: pushed audio -> a provider -> transcripts."""

from collections.abc import AsyncIterable

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
    SpeechFinal,
    STTOptions,
    STTStream,
    Transcript,
)
from waav.audio.convert import Converter
from waav.audio.queue import FreshestFrames
from waav.audio.shape import cut
from waav.errors import WaavError
from waav.plugins import Guarded
from waav.session.commands import STTConfig
from waav.session.events import Failed
from waav.session.failures import failure
from waav.session.outbox import Outbox

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


@attrs.define(eq=False)
class Listening:
    """The session's hearing: at most one provider at a time, and none to begin with."""

    transcripts: trio.MemorySendChannel[Transcript]
    outbox: Outbox
    nursery: trio.Nursery
    """The session's own."""
    dropped: int = 0
    """Frames that came too late or too early."""
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

    def give_up(self, ear: Ear | None) -> None:
        """A configuration came to nothing: audio goes where it went before."""
        if self._expected is ear:
            self._expected = None

    async def connect(self, provider: Guarded[STT], options: STTOptions, ear: Ear) -> None:
        """Listen through ``provider`` from now on; return when it takes audio.

        Raises:
            ProviderError, WaavError: it could not be reached, or refused.
        """
        await self.nursery.start(self._listen, provider, options, ear, name="session/listen")

    async def stop(self) -> None:
        """Let go of the provider; return when it has closed."""
        self._scope.cancel(reason="reconfigured")
        if self._done is not None:
            await self._done.wait()

    async def finish(self) -> None:
        """No audio follows: ask the provider for its last words, and return when it has closed."""
        self._expected = None
        if self._current is not None:
            self._current.frames.close()
        if self._done is not None:
            await self._done.wait()

    async def _listen(
        self,
        provider: Guarded[STT],
        options: STTOptions,
        ear: Ear,
        *,
        task_status: trio.TaskStatus[None],
    ) -> None:
        self._done = done = trio.Event()
        try:
            with trio.CancelScope() as self._scope:
                await provider.run(self._converse, provider.id, options, ear, task_status)
        except (ProviderError, WaavError) as exc:
            if self._current is not ear:
                raise
            # First, so that whoever is told finds it so.
            self._current, self.refused = None, False
            await self.outbox.put(failure(exc, "STT streaming error: ", "stt_error"))
        finally:
            if self._current is ear:
                self._current = None
            done.set()

    async def _converse(
        self,
        stt: STT,
        name: str,
        options: STTOptions,
        ear: Ear,
        task_status: trio.TaskStatus[None],
    ) -> None:
        """Runs in a task of the provider's plugin."""
        async with stt.connect(options) as stream, trio.open_nursery() as nursery:
            self._current = ear
            self.give_up(ear)
            ear.frames.go_live(PATIENCE)
            task_status.started()
            converter = Converter(ear.format, options.format)
            nursery.start_soon(hand_over, ear.frames, converter, stream, name=SEND_TASK)
            async for transcript in stream:
                await self.transcripts.send(checked(transcript))
            if not ear.frames.closed:
                raise ProviderClosed(name, "the stream ended")


def checked(transcript: Transcript) -> Transcript:
    """Return it, if it is what the contract says; a stranger's plugin may give anything.

    Raises:
        TypeError: it is not; raised here, in the plugin's own task, it is the plugin's failure.
    """
    if isinstance(transcript, SpeechFinal):
        return transcript
    if isinstance(transcript, Interim | Final) and isinstance(transcript.text, str):
        return transcript
    raise TypeError(f"a stream gave a {type(transcript).__name__} where a transcript should be")


async def hand_over(
    frames: AsyncIterable[AudioFrame], converter: Converter, stream: STTStream
) -> None:
    """Send all frames in the format that the provider takes, then say that none follows."""
    async for frame in frames:
        # A client may send minutes in one piece; converting them at once would hold the loop.
        for piece in cut(frame):
            if data := converter.feed(piece.data):
                await stream.send(AudioFrame(data, converter.target, piece.start))
    if data := converter.flush():
        await stream.send(AudioFrame(data, converter.target))
    await stream.finish()
