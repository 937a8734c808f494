"""The blocks inside a ``config``: how to listen, how to speak, and what is to be switched on."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Self, TypeAlias, TypeVar

import attrs
from msgspec import Meta

from capabilities import (
    AudioFormat,
    Feeling,
    Secret,
    SpeechRequest,
    STTOptions,
    cut_description,
    parse_delivery,
    parse_emotion,
    parse_encoding,
    parse_level,
)
from waav.errors import InvalidRequest
from waav.observe.scope import hide
from waav.server.ws.fields import (
    Channels,
    Keys,
    Milliseconds,
    Rate,
    Seconds,
    Words,
    at_most,
    is_encoding,
    seconds,
)
from waav.session.commands import (
    ForcedFinalText,
    ProcessorChoice,
    Pronunciation,
    STTConfig,
    TTSConfig,
)

SLOWEST, FASTEST = 0.25, 4.0

UNSET = (None, "")
"""How clients leave a name to others."""

AnyFeeling = TypeVar("AnyFeeling", bound="FeelingBlock")


@attrs.frozen(kw_only=True)
class Switches:
    """What a recogniser can do more or less of; None leaves it to the provider."""

    interim_results: bool | None = None
    punctuation: bool | None = None
    profanity_filter: bool | None = None
    smart_format: bool | None = None
    word_timestamps: bool | None = None
    diarize: bool | None = None
    filler_words: bool | None = None


@attrs.frozen(kw_only=True)
class Features(Switches):
    """``features``: SDKs send it beside the blocks; it counts where ``stt_config`` is silent."""

    events: bool | None = None
    """Also tell when speech to the client begins and ends."""
    dead_air: bool | None = None
    """Also tell when there is none although there should be."""
    noise_cancellation: bool | None = None
    vad: bool | None = None


@attrs.frozen(kw_only=True)
class ProcessorBlock:
    """An audio processor, with options of its own."""

    name: str
    options: dict[str, Any] = attrs.field(factory=dict)


Processors: TypeAlias = Annotated[tuple[str | ProcessorBlock, ...], Meta(max_length=16)] | None
"""In this order; None leaves it to the operator."""


@attrs.frozen(kw_only=True)
class STTBlock(Switches):
    """``stt_config``."""

    provider: str = ""
    """Empty: the one that the operator has chosen."""
    language: str = "en-US"
    sample_rate: Rate = 16000
    channels: Channels = 1
    encoding: str = attrs.field(default="linear16", validator=is_encoding)
    model: str = ""
    api_key: str = attrs.field(default="", repr=False)
    auth: Keys = attrs.field(factory=dict, repr=False)
    keywords: Words = ()
    custom_vocabulary: Words = ()
    endpointing: Milliseconds | None = None
    utterance_end_ms: Milliseconds | None = None
    options: dict[str, Any] = attrs.field(factory=dict)
    forced_final_text: ForcedFinalText = "full"
    processors: Processors = None

    def value(self, features: Features) -> STTConfig:
        """Return the block as a session wants it."""
        options = STTOptions(
            format=AudioFormat(parse_encoding(self.encoding), self.sample_rate, self.channels),
            language=self.language or "en-US",
            model=self.model or None,
            api_key=_secret(self.api_key),
            auth=_secrets(self.auth),
            keywords=self.keywords + self.custom_vocabulary,
            endpointing=seconds(self.endpointing),
            utterance_end=seconds(self.utterance_end_ms),
            **(given(features, Switches) | given(self, Switches)),
        )
        return STTConfig(
            self.provider,
            options,
            self.options,
            self.forced_final_text,
            processors=chosen(self.processors),
        )


@attrs.frozen(kw_only=True)
class EmotionBlock:
    """A feeling as an object of its own."""

    type: str | None = None
    intensity: float | str | None = None
    delivery_style: str | None = None
    description: str | None = None


@attrs.frozen(kw_only=True)
class FeelingBlock:
    """How something is to be said, in either form; where both say something, ``emotion`` counts."""

    emotion: str | EmotionBlock | None = None
    emotion_intensity: float | str | None = None
    delivery_style: str | None = None
    emotion_description: str | None = None

    def feeling(self) -> dict[str, Any]:
        """Return those fields of a ``Feeling`` that the client has set.

        Raises:
            InvalidRequest: nobody knows a feeling of this name.
        """
        told = self.emotion
        nested = told if isinstance(told, EmotionBlock) else EmotionBlock(type=told)
        said = {
            "emotion": (nested.type,),
            "intensity": (nested.intensity, self.emotion_intensity),
            "delivery": (nested.delivery_style, self.delivery_style),
            "description": (nested.description, self.emotion_description),
        }
        first = {key: [each for each in both if each not in UNSET] for key, both in said.items()}
        try:
            return {key: _PARSE[key](values[0]) for key, values in first.items() if values}
        except ValueError as exc:
            raise InvalidRequest(str(exc), code="invalid_emotion") from None

    def neutral(self) -> Self:
        """Return the block without a word on feelings."""
        names = [field.name for field in attrs.fields(FeelingBlock)]
        return attrs.evolve(self, **dict.fromkeys(names))


@attrs.frozen(kw_only=True)
class Manner(FeelingBlock):
    """Knobs of single vendors' voices that SDKs always send: options to who has them."""

    stability: float | None = None
    similarity_boost: float | None = None
    style: float | None = None
    use_speaker_boost: bool | None = None
    acting_instructions: str | None = None
    voice_description: str | None = None
    trailing_silence: float | None = None
    instant_mode: bool | None = None


@attrs.frozen(kw_only=True)
class PronunciationItem:
    """One item of ``pronunciations``."""

    word: str = attrs.field(validator=at_most(256, "Pronunciation word"))
    pronunciation: str = attrs.field(validator=at_most(256, "Pronunciation"))


@attrs.frozen(kw_only=True)
class TTSBlock(Manner):
    """``tts_config``."""

    provider: str = ""
    """Empty: the one that the operator has chosen."""
    model: str = ""
    voice_id: str = ""
    speaking_rate: float = 1.0
    audio_format: str = attrs.field(default="linear16", validator=is_encoding)
    sample_rate: Rate = 24000
    connection_timeout: Seconds = 30.0
    request_timeout: Seconds = 60.0
    pronunciations: Annotated[tuple[PronunciationItem, ...], Meta(max_length=1000)] = ()
    api_key: str = attrs.field(default="", repr=False)
    auth: Keys = attrs.field(factory=dict, repr=False)
    language: str = ""
    pitch: float | None = None
    volume: float | None = None
    options: dict[str, Any] = attrs.field(factory=dict)
    processors: Processors = None

    def value(self) -> TTSConfig:
        """Return the block as a session wants it.

        Raises:
            InvalidRequest: nobody knows a feeling of this name.
        """
        request = SpeechRequest(
            "",
            voice=self.voice_id or None,
            model=self.model or None,
            format=AudioFormat(parse_encoding(self.audio_format), self.sample_rate),
            speed=pace(self.speaking_rate),
            language=self.language or None,
            pitch=self.pitch,
            volume=self.volume,
            feeling=Feeling(**self.feeling()),
            api_key=_secret(self.api_key),
            auth=_secrets(self.auth),
        )
        return TTSConfig(
            self.provider,
            request,
            self.options,
            tuple(Pronunciation(item.word, item.pronunciation) for item in self.pronunciations),
            self.connection_timeout,
            self.request_timeout,
            hints=given(self, Manner),
            processors=chosen(self.processors),
        )


def chosen(processors: Processors) -> tuple[ProcessorChoice, ...] | None:
    """Return what the sound goes through, as a session wants it."""
    if processors is None:
        return None
    return tuple(
        ProcessorChoice(each) if isinstance(each, str) else ProcessorChoice(each.name, each.options)
        for each in processors
    )


def given(block: Any, fields_of: type[Any]) -> dict[str, Any]:
    """Return those fields that ``block`` inherits from ``fields_of`` and the client has set."""
    names = [field.name for field in attrs.fields(fields_of) if not field.inherited]
    return {name: value for name in names if (value := getattr(block, name)) is not None}


def pace(speed: float) -> float:
    """Keep a speed within what the protocol promises; a provider may narrow it further."""
    return min(max(speed, SLOWEST), FASTEST)


def understood(block: AnyFeeling) -> tuple[AnyFeeling, tuple[InvalidRequest, ...]]:
    """Leave out what is said of a feeling that nobody knows; return what is to be told of it."""
    try:
        intensity = block.feeling().get("intensity", 0)
    except InvalidRequest as exc:
        return block.neutral(), (exc,)
    if 0 <= intensity <= 1:
        return block, ()
    text = f"emotion_intensity goes from 0 to 1; the nearest to {intensity:g} is used"
    return block, (InvalidRequest(text, code="intensity_clamped"),)


def _intensity(told: float | str) -> float:
    return parse_level(told).intensity if isinstance(told, str) else told


_PARSE: Mapping[str, Callable[[Any], Any]] = {
    "emotion": parse_emotion,
    "intensity": _intensity,
    "delivery": parse_delivery,
    "description": cut_description,
}


def _secret(key: str) -> Secret | None:
    return hide(Secret(key)) if key else None


def _secrets(keys: Keys) -> dict[str, Secret]:
    return {name: hide(Secret(key)) for name, key in keys.items() if key}
