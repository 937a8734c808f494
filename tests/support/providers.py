"""Scripted providers, as plugins, and how tests wait for events."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager

import attrs
import trio

from capabilities import (
    Ability,
    AudioFormat,
    AudioFrame,
    Capability,
    Encoding,
    Manifest,
    Plugin,
    PluginContext,
    ProviderError,
    Secret,
    SpeechRequest,
    STTOptions,
    Transcript,
    TurnQuestion,
    TurnVerdict,
    VADOptions,
    Voice,
    VoiceActivity,
)
from waav.session.events import Event
from waav.session.session import Session


@attrs.define(eq=False)
class Ears:
    """An STT that hears what a test says, and remembers what it was sent."""

    connect_delay: float = 0.0
    fail: ProviderError | None = None
    """Raised by each connect."""
    options: list[STTOptions] = attrs.Factory(list)
    frames: list[AudioFrame] = attrs.Factory(list)
    open_streams: int = 0
    stalled: bool = False
    """Takes no audio."""
    _said: list[trio.MemorySendChannel[Transcript | ProviderError]] = attrs.Factory(list)

    def say(self, *transcripts: Transcript | ProviderError) -> None:
        """Let the newest stream yield these, or break."""
        for transcript in transcripts:
            self._said[-1].send_nowait(transcript)

    def hang_up(self) -> None:
        """Let the newest stream end, as if there were nothing more to say."""
        self._said[-1].close()

    @property
    def seconds(self) -> float:
        """How much sound has arrived."""
        return sum(frame.duration for frame in self.frames)

    @asynccontextmanager
    async def connect(self, options: STTOptions) -> AsyncIterator["EarStream"]:
        await trio.sleep(self.connect_delay)
        if self.fail is not None:
            raise self.fail
        self.options.append(options)
        said, heard = trio.open_memory_channel[Transcript | ProviderError](100)
        self._said.append(said)
        self.open_streams += 1
        try:
            yield EarStream(self, said, heard)
        finally:
            self.open_streams -= 1


@attrs.define(eq=False)
class EarStream:
    ears: Ears
    said: trio.MemorySendChannel[Transcript | ProviderError]
    heard: trio.MemoryReceiveChannel[Transcript | ProviderError]

    async def send(self, frame: AudioFrame) -> None:
        if self.ears.stalled:
            await trio.sleep_forever()
        await trio.lowlevel.checkpoint()
        self.ears.frames.append(frame)

    async def finish(self) -> None:
        self.said.close()

    def __aiter__(self) -> "EarStream":
        return self

    async def __anext__(self) -> Transcript:
        transcript = await self.heard.__anext__()
        if isinstance(transcript, ProviderError):
            raise transcript
        return transcript


@attrs.define(eq=False)
class Mouth:
    """A TTS that gives 100 ms for each character, and remembers what it was asked for."""

    format: AudioFormat = AudioFormat(Encoding.LINEAR16, 24000)
    connect_delay: float = 0.0
    """Seconds before a request is open."""
    pace: float = 0.0
    """Seconds before each frame."""
    whole: bool = False
    """Give all sound in one frame."""
    tells: bool = False
    """Each frame has the character that it says."""
    fail: ProviderError | None = None
    """Raised after the first frame."""
    requests: list[SpeechRequest] = attrs.Factory(list)
    open_requests: int = 0

    def synthesize(
        self, request: SpeechRequest
    ) -> AbstractAsyncContextManager[AsyncIterator[AudioFrame]]:
        return self._synthesize(request)

    @asynccontextmanager
    async def _synthesize(self, request: SpeechRequest) -> AsyncIterator[AsyncIterator[AudioFrame]]:
        self.requests.append(request)
        self.open_requests += 1
        try:
            await trio.sleep(self.connect_delay)
            async with aclosing(self._frames(request.text)) as frames:
                yield frames
        finally:
            self.open_requests -= 1

    async def _frames(self, text: str) -> AsyncGenerator[AudioFrame]:
        size = self.format.size(0.1)
        sizes = [size * len(text)] if self.whole else [size] * len(text)
        for number, each in enumerate(sizes):
            await trio.sleep(self.pace)
            if self.fail is not None and number == 1:
                raise self.fail
            said = text[number] if self.tells else None
            yield AudioFrame(bytes([number % 256]) * each, self.format, text=said)

    async def voices(self, _api_key: Secret | None = None) -> Sequence[Voice]:
        return [Voice("v", "V", "en-US")]


@attrs.define(eq=False)
class Sentry:
    """A VAD that hears what a test says, and counts what it was sent."""

    seconds: float = 0.0
    sound: bytearray = attrs.Factory(bytearray)
    options: list[VADOptions] = attrs.Factory(list)
    open_streams: int = 0
    stalled: bool = False
    """Takes no audio until it is woken."""
    _woken: trio.Event = attrs.Factory(trio.Event)
    _said: list[trio.MemorySendChannel[VoiceActivity]] = attrs.Factory(list)

    def say(self, *activities: VoiceActivity) -> None:
        """Let the newest stream yield these."""
        for activity in activities:
            self._said[-1].send_nowait(activity)

    def wake(self) -> None:
        """Take audio again."""
        self.stalled = False
        self._woken.set()

    async def awake(self) -> None:
        """Wait until it takes audio."""
        if self.stalled:
            await self._woken.wait()

    def hang_up(self) -> None:
        """Let the newest stream end."""
        self._said[-1].close()

    @asynccontextmanager
    async def watch(self, options: VADOptions) -> AsyncIterator["SentryStream"]:
        self.options.append(options)
        said, heard = trio.open_memory_channel[VoiceActivity](100)
        self._said.append(said)
        self.open_streams += 1
        try:
            yield SentryStream(self, said, heard)
        finally:
            self.open_streams -= 1


@attrs.define(eq=False)
class SentryStream:
    sentry: Sentry
    said: trio.MemorySendChannel[VoiceActivity]
    heard: trio.MemoryReceiveChannel[VoiceActivity]

    async def send(self, frame: AudioFrame) -> None:
        await trio.lowlevel.checkpoint()
        await self.sentry.awake()
        self.sentry.seconds += frame.duration
        self.sentry.sound += frame.data

    async def finish(self) -> None:
        self.said.close()

    def __aiter__(self) -> trio.MemoryReceiveChannel[VoiceActivity]:
        return self.heard


@attrs.define(eq=False)
class Oracle:
    """A turn detector that says what a test wants, after a while."""

    probability: float = 1.0
    threshold: float = 0.7
    delay: float = 0.0
    fail: Exception | None = None
    questions: list[TurnQuestion] = attrs.Factory(list)

    async def judge(self, question: TurnQuestion) -> TurnVerdict:
        self.questions.append(question)
        await trio.sleep(self.delay)
        if self.fail is not None:
            raise self.fail
        told = question.threshold
        return TurnVerdict(self.probability, self.threshold if told is None else told)


def plugin(
    name: str,
    ears: Ears | None = None,
    mouth: Mouth | None = None,
    sentry: Sentry | None = None,
    oracle: Oracle | None = None,
    **ability: object,
) -> Manifest:
    """A manifest around scripted providers."""

    @asynccontextmanager
    async def open_(_context: PluginContext) -> AsyncIterator[Plugin]:
        yield Plugin(stt=ears, tts=mouth, vad=sentry, turn_detector=oracle)

    abilities = {}
    if ears is not None:
        abilities[Capability.STT] = Ability(**{"sample_rates": (16000,), **ability})  # type: ignore[arg-type]
    if mouth is not None:
        abilities[Capability.TTS] = Ability()
    if sentry is not None:
        abilities[Capability.VAD] = Ability(sample_rates=(16000,))
    if oracle is not None:
        abilities[Capability.TURN_DETECTOR] = Ability(**ability)  # type: ignore[arg-type]
    return Manifest(name, name, open_, abilities)


async def next_event(session: Session, kind: type[Event] | None = None) -> Event:
    """The next event, or the next of a kind."""
    with trio.fail_after(100):
        while True:
            event = await session.events.receive()
            if kind is None or isinstance(event, kind):
                return event
