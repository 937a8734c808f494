"""Well-behaved fakes of every capability: they keep all promises, wait only on trio's clock, and
remember what they were asked."""

from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Any

import attrs
import trio

from capabilities import (
    SPEECH,
    STT,
    TTS,
    VAD,
    Ability,
    AudioFormat,
    AudioFrame,
    Capability,
    Encoding,
    Final,
    Interim,
    Limits,
    Manifest,
    Middleware,
    Plugin,
    PluginContext,
    ProviderClosed,
    ProviderError,
    ProviderRefused,
    Secret,
    SpeechRequest,
    SpeechStarted,
    SpeechStopped,
    STTOptions,
    Transcript,
    TurnDetector,
    TurnQuestion,
    TurnVerdict,
    VADOptions,
    Voice,
    VoiceActivity,
    VoiceCloning,
    WSHandler,
)
from capabilities.llm import LLM
from waav.testing.audio import QUESTION_TEXT, tone
from waav.testing.cloning import NAME, FakeCloning
from waav.testing.fake_streams import Cue, Places, ScriptedStream, as_cues
from waav.testing.llm import FakeLLM


def _transcripts(script: Iterable[Cue[Transcript] | Transcript]) -> list[Cue[Transcript]]:
    return as_cues(script)


def _activity(script: Iterable[Cue[VoiceActivity] | VoiceActivity]) -> list[Cue[VoiceActivity]]:
    return as_cues(script)


@attrs.define(eq=False)
class FakeSTT:
    """A recogniser that hears what its script says, whatever is sent.

    Each stream plays the script from its beginning. A bare transcript in it comes when the stream
    is finished, if there was any sound; ``Cue(1.5, Interim("he"))`` comes after 1.5 seconds of sound.
    """

    script: list[Cue[Transcript]] = attrs.field(
        default=(Final(QUESTION_TEXT, confidence=0.9, speech_final=True),), converter=_transcripts
    )
    limit: int | None = None
    """Streams at one time."""
    refusal: ProviderError | None = None
    """Raised by :meth:`connect`."""
    delay: float = 0.0
    """Seconds that connecting takes."""
    takes: AudioFormat | None = SPEECH
    """The one format that it does not refuse; None if it takes all."""
    streams: list[ScriptedStream[Transcript]] = attrs.field(factory=list, init=False)
    """All that were opened, the newest last."""
    requests: list[STTOptions] = attrs.field(factory=list, init=False)
    places: Places = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.places = Places(NAME, self.limit)

    @asynccontextmanager
    async def connect(self, options: STTOptions) -> AsyncIterator[ScriptedStream[Transcript]]:
        """Open a recognition that plays the script."""
        self.requests.append(options)
        if self.refusal is not None:
            raise self.refusal
        if self.takes not in (None, options.format):
            raise ProviderRefused(NAME, f"takes {self.takes}, not {options.format}")
        with self.places.take():
            await trio.sleep(self.delay)
            script = deque(
                cue for cue in self.script if options.interim_results or _lasts(cue.says)
            )
            self.streams.append(ScriptedStream(NAME, script))
            yield self.streams[-1]


def _lasts(says: Transcript | ProviderError) -> bool:
    return not isinstance(says, Interim)


@attrs.define(eq=False)
class FakeTTS:
    """A synthesiser that says each text as a tone, so long for each character."""

    format: AudioFormat = AudioFormat(Encoding.LINEAR16, 24000)
    """What it gives, whatever is asked for."""
    frame: float = 0.02
    """Seconds of one frame."""
    per_character: float = 0.05
    """Seconds of sound at speed 1.0."""
    delay: float = 0.0
    """Seconds before each frame."""
    fail_after: int | None = None
    """Frames after which ``error`` comes; None if never."""
    error: ProviderError = attrs.field(factory=lambda: ProviderClosed(NAME, "the far side hung up"))
    limit: int | None = None
    """Requests at one time."""
    speakers: tuple[Voice, ...] = (
        Voice("alice", "Alice", "en-US", gender="Female"),
        Voice("bob", "Bob", "en-GB", gender="Male"),
    )
    requests: list[SpeechRequest] = attrs.field(factory=list, init=False)
    """All that it was asked for, the newest last."""
    places: Places = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.places = Places(NAME, self.limit)

    @asynccontextmanager
    async def synthesize(self, request: SpeechRequest) -> AsyncIterator[AsyncIterator[AudioFrame]]:
        """Say one text."""
        self.requests.append(request)
        known = [voice.id for voice in self.speakers]
        if request.voice is not None and request.voice not in known:
            raise ProviderRefused(NAME, f"no voice {request.voice!r}; known are {known}")
        with self.places.take():
            async with aclosing(self._frames(request)) as frames:
                yield frames

    async def voices(self, _api_key: Secret | None = None) -> Sequence[Voice]:
        """List the voices."""
        await trio.lowlevel.checkpoint()
        return sorted(self.speakers, key=lambda voice: voice.id)

    def size_of(self, text: str, speed: float = 1.0) -> int:
        """Return the bytes that a text becomes; 0 for a blank one."""
        return self.format.size(len(text) * self.per_character / speed) if text.strip() else 0

    async def _frames(self, request: SpeechRequest) -> AsyncGenerator[AudioFrame, None]:
        size = self.size_of(request.text, request.speed)
        step = self.format.size(self.frame)
        sound = tone(self.frame, audio=self.format).data
        for count, offset in enumerate(range(0, size, step)):
            await trio.sleep(self.delay)
            if count == self.fail_after:
                raise self.error
            start = self.format.duration(offset)
            yield AudioFrame(sound[: size - offset], self.format, start)


@attrs.define(eq=False)
class FakeVAD:
    """A detector that notices what its script says, whatever is sent."""

    script: list[Cue[VoiceActivity]] = attrs.field(
        default=(Cue(0.1, SpeechStarted(0.1)), Cue(1.0, SpeechStopped(0.9))), converter=_activity
    )
    limit: int | None = None
    """Streams at one time."""
    takes: AudioFormat | None = SPEECH
    """The one format that it does not refuse; None if it takes all."""
    streams: list[ScriptedStream[VoiceActivity]] = attrs.field(factory=list, init=False)
    places: Places = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.places = Places(NAME, self.limit)

    @asynccontextmanager
    async def watch(self, options: VADOptions) -> AsyncIterator[ScriptedStream[VoiceActivity]]:
        """Watch a stream by the script."""
        await trio.lowlevel.checkpoint()
        if self.takes not in (None, options.format):
            raise ProviderRefused(NAME, f"takes {self.takes}, not {options.format}")
        with self.places.take():
            self.streams.append(ScriptedStream(NAME, deque(self.script)))
            yield self.streams[-1]


@attrs.define(eq=False)
class FakeTurnDetector:
    """A detector that takes a text for finished if it ends with a full stop, ``?`` or ``!``."""

    threshold: float = 0.7
    delay: float = 0.0
    """Seconds that a verdict takes."""
    limit: int | None = None
    """Questions at one time."""
    questions: list[TurnQuestion] = attrs.field(factory=list, init=False)
    """All that it was asked, the newest last."""
    places: Places = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.places = Places(NAME, self.limit)

    async def judge(self, question: TurnQuestion) -> TurnVerdict:
        """Give a verdict by the last character."""
        self.questions.append(question)
        with self.places.take():
            await trio.sleep(self.delay)
        ended = question.text.strip().endswith((".", "?", "!"))
        threshold = self.threshold if question.threshold is None else question.threshold
        return TurnVerdict(0.95 if ended else 0.05, threshold)


def manifest_of(
    id: str = NAME,  # noqa: A002 - it is what the manifest calls it
    *,
    stt: STT | None = None,
    tts: TTS | None = None,
    vad: VAD | None = None,
    turn_detector: TurnDetector | None = None,
    llm: LLM | None = None,
    cloning: VoiceCloning | None = None,
    middleware: Middleware | None = None,
    ws_handler: WSHandler | None = None,
    **fields: Any,
) -> Manifest:
    """Return the manifest of a plugin that brings what is given; ``fields`` are further ones of it."""
    brought: dict[Capability, Any] = {
        Capability.STT: stt,
        Capability.TTS: tts,
        Capability.VAD: vad,
        Capability.TURN_DETECTOR: turn_detector,
        Capability.LLM: llm,
        Capability.CLONING: cloning,
        Capability.MIDDLEWARE: middleware,
        Capability.WS_HANDLER: ws_handler,
    }

    @asynccontextmanager
    async def open_fake(context: PluginContext) -> AsyncIterator[Plugin]:
        context.log.debug("opening %s", context.id)
        yield Plugin(**{str(each): fake for each, fake in brought.items()})

    abilities = {each: _ability(fake) for each, fake in brought.items() if fake is not None}
    plain = Manifest(id, name=id.title(), open=open_fake, abilities=abilities)
    return attrs.evolve(plain, **fields)


def _ability(capability: object) -> Ability:
    """Say what is true of a fake; little is known of anything else."""
    match capability:
        case FakeTTS():
            audio: AudioFormat | None = capability.format
        case FakeSTT() | FakeVAD():
            audio = capability.takes
        case FakeTurnDetector():
            limits = Limits(concurrency=capability.limit)
            return Ability(features=("turn-text",), languages=("multi",), limits=limits)
        case FakeLLM():
            return Ability(limits=Limits(concurrency=capability.limit))
        case FakeCloning():
            return Ability(cloning=capability.limits)
        case _:
            types = getattr(capability, "types", ())  # of a handler of messages
            return Ability(languages=("multi",), message_types=types)
    limits = Limits(concurrency=capability.limit)
    if audio is None:
        return Ability(languages=("multi",), encodings=tuple(Encoding), channels=2, limits=limits)
    return Ability(
        languages=("multi",),
        encodings=(audio.encoding,),
        sample_rates=(audio.sample_rate,),
        channels=audio.channels,
        limits=limits,
    )
