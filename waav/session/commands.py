"""What a client may ask of a session, as values."""

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

import attrs

from capabilities import Delivery, Emotion, SpeechRequest, STTOptions

ForcedFinalText: TypeAlias = Literal["full", "last", "empty"]
"""What a speech-final that the gateway itself decides carries: all words of the turn, those of the
last final, or none."""


@attrs.frozen
class VoiceDetection:
    """How a session tells a voice from silence, beside its recogniser. None: as the operator has it."""

    enabled: bool | None = None
    threshold: float | None = None
    """0 to 1: how sure the detector must be."""
    min_speech: float | None = None
    """Seconds of voice that count as speech."""
    min_silence: float | None = None
    """Seconds of silence that end it."""


@attrs.frozen
class TurnDetection:
    """When a pause is the end of a turn. None: as the operator has it."""

    enabled: bool | None = None
    """Ask a turn detector before the end is declared."""
    threshold: float | None = None
    """0 to 1: how sure it must be."""
    silence: float | None = None
    """Seconds after the last final words."""


@attrs.frozen
class NoiseReduction:
    """Whether the user's sound is cleaned before anybody hears it. None: as the operator has it."""

    enabled: bool | None = None
    attenuation: float | None = None
    """Decibels by which noise is lowered at most."""


@attrs.frozen
class Interruption:
    """Whether, and when, the user's talking stops the agent's. None: as the operator has it."""

    enabled: bool | None = None
    min_words: int | None = None
    """Fewer are a nod. 0: a voice alone interrupts."""
    min_speech: float | None = None
    """Seconds; a shorter voice is a cough."""
    ignore_words: tuple[str, ...] | None = None
    """Who has said only such words nods."""
    resume_after: float | None = None
    """Seconds without words after which an agent that held on goes on. 0: it never holds on."""


@attrs.frozen
class ProcessorChoice:
    """One audio processor of a pipeline."""

    name: str
    """An id or alias of the registry."""
    options: Mapping[str, Any] = attrs.field(factory=dict)
    """Not yet structured: the plugin's manifest says what is allowed."""


@attrs.frozen
class STTConfig:
    """How a session listens."""

    provider: str
    """An id or alias of the registry."""
    options: STTOptions = STTOptions()
    """``format`` is that of the audio the client pushes, which may be one that the provider does
    not take: the session converts."""
    provider_options: Mapping[str, Any] = attrs.field(factory=dict)
    """Not yet structured: the plugin's manifest says what is allowed."""
    forced_final_text: ForcedFinalText = "full"
    vad: VoiceDetection = VoiceDetection()
    turn: TurnDetection = TurnDetection()
    noise: NoiseReduction = NoiseReduction()
    processors: tuple[ProcessorChoice, ...] | None = None
    """What the sound goes through before it is heard; None: what the operator has chosen."""


@attrs.frozen
class Pronunciation:
    """Say ``word`` as if ``spoken`` were written."""

    word: str
    spoken: str


@attrs.frozen
class TTSConfig:
    """How a session speaks."""

    provider: str
    """An id or alias of the registry."""
    request: SpeechRequest = SpeechRequest("")
    """The pattern of each request: everything but its text. ``format`` is what the client gets."""
    provider_options: Mapping[str, Any] = attrs.field(factory=dict)
    """Not yet structured: the plugin's manifest says what is allowed."""
    pronunciations: tuple[Pronunciation, ...] = ()
    """Whole words, case as written, applied in this order, once."""
    connection_timeout: float = 30.0
    """Seconds until the first sound of an utterance."""
    request_timeout: float = 60.0
    """Seconds between two frames of an utterance."""
    hints: Mapping[str, Any] = attrs.field(factory=dict)
    """Options for a provider that has them. ``provider_options`` count more, and must be known."""
    processors: tuple[ProcessorChoice, ...] | None = None
    """What the sound goes through before it is sent; None: what the operator has chosen."""


@attrs.frozen
class Configure:
    """Start, or change, what the session does: parts that are None stay as they are."""

    stt: STTConfig | None = None
    tts: TTSConfig | None = None
    audio: bool = True
    """False: no listening and no speaking."""
    stream_id: str | None = None
    """The name that the client wants for the session; the first one stays."""
    interruption: Interruption = Interruption()


@attrs.frozen
class Speak:
    """Say something, after all that was asked for before."""

    text: str
    flush: bool = True
    """Begin at once. False allows, but does not demand, to wait for more text."""
    allow_interruption: bool = True
    voice: str | None = None
    """For this utterance only, as ``model`` and ``speed``."""
    model: str | None = None
    speed: float | None = None
    emotion: Emotion | None = None
    """Likewise; a new emotion comes without the session's description, which would overrule it."""
    intensity: float | None = None
    delivery: Delivery | None = None
    description: str | None = None
    ssml: str | None = None
    """``text`` with markup, for a provider that has SSML."""


@attrs.frozen
class Clear:
    """Stop talking, and forget what was still to be said."""


Command: TypeAlias = Configure | Speak | Clear
