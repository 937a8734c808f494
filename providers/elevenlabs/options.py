"""What a session may set for ElevenLabs: the vendor's own options, checked before anything is sent.

Names and bounds are those of the vendor (SDK 2.78.0, read 2026-11-20).
"""

from typing import Any, Literal, TypeAlias

import attrs
from attrs.validators import (
    and_,
    deep_iterable,
    ge,
    in_,
    le,
    matches_re,
    max_len,
    min_len,
    optional,
)

FORMATS = (
    *(f"mp3_44100_{rate}" for rate in (128, 32, 64, 96, 192)),
    "mp3_22050_32",
    "mp3_24000_48",
    *(f"pcm_{rate}" for rate in (8000, 16000, 22050, 24000, 32000, 44100, 48000)),
    "ulaw_8000",
    "alaw_8000",
    *(f"opus_48000_{rate}" for rate in (64, 32, 96, 128, 192)),
)
"""Every ``output_format``; of those with the same encoding and rate the first is the one we choose."""

Switch: TypeAlias = bool | None


def _between(low: float, high: float) -> Any:
    return optional(and_(ge(low), le(high)))


_SHARE = _between(0.0, 1.0)
_PAUSE = _between(50, 2000)
_ENTITIES = deep_iterable(matches_re(r"[a-z_]{2,64}"))
_KEYTERMS: Any = and_(max_len(50), deep_iterable(and_(min_len(1), max_len(20))))
_REQUESTS: Any = max_len(3)


@attrs.frozen(kw_only=True)
class ElevenLabsSTTOptions:
    """``stt_config.options`` for the realtime recogniser."""

    commit_strategy: Literal["vad", "manual"] = "vad"
    """Who decides where words become final: the vendor's voice detection, or this client, which
    then looks for pauses itself."""
    vad_silence_threshold_secs: float | None = attrs.field(
        default=None, validator=_between(0.3, 3.0)
    )
    """Seconds of silence that end a segment, 0.3 to 3.0, with either strategy. Not set: the
    session's ``endpointing``, else the vendor's 1.5 (``vad``) or 0.8 (``manual``)."""
    vad_threshold: float | None = attrs.field(default=None, validator=_between(0.1, 0.9))
    """How sure the vendor must be that it hears a voice, 0.1 to 0.9."""
    min_speech_duration_ms: int | None = attrs.field(default=None, validator=_PAUSE)
    """Milliseconds of voice that count as speech, 50 to 2000."""
    min_silence_duration_ms: int | None = attrs.field(default=None, validator=_PAUSE)
    """Milliseconds of quiet that count as silence, 50 to 2000."""
    secondary_languages: tuple[str, ...] = ()
    """Further languages that may be spoken."""
    include_timestamps: bool = True
    """Say when each word was spoken; also how lost sound is found again after a break. Left out
    with ``filter_background_audio``, ``entity_redaction`` and ``transcript_edit``."""
    include_language_detection: Switch = None
    """Say which language was heard."""
    keyterms: tuple[str, ...] = attrs.field(default=(), validator=_KEYTERMS)
    """Words to expect, besides the session's ``keywords``: 50 of at most 20 characters."""
    no_verbatim: Switch = None
    """Leave out fillers and false starts. Not set: as the session's ``filler_words`` says."""
    entity_detection: tuple[str, ...] = attrs.field(default=(), validator=_ENTITIES)
    """Kinds of entities to look for (``all``, ``pii``, ``phi``, ``pci``, ``other``,
    ``offensive_language`` or a type). What is found is not passed on."""
    entity_redaction: tuple[str, ...] = attrs.field(default=(), validator=_ENTITIES)
    """Kinds of entities to take out of the text. There are no interim results then, as the vendor
    does not redact those."""
    entity_redaction_mode: Literal["redacted", "entity_type", "enumerated_entity_type"] | None = (
        None
    )
    """What stands in the place of an entity."""
    transcript_edit: str | None = attrs.field(default=None, validator=optional(max_len(2000)))
    """An instruction by which the vendor edits each final text. Not with entities."""
    filter_background_audio: Switch = None
    """Do not listen to voices in the background. Not with timestamps."""
    enable_logging: Switch = None
    """False: the vendor keeps nothing (enterprise plans)."""
    token: str | None = attrs.field(default=None, repr=False)
    """A single-use token instead of a key. It opens one connection, so a break cannot be mended."""
    previous_text: str | None = None
    """What was said before, as context."""

    def __attrs_post_init__(self) -> None:
        if self.transcript_edit and (self.entity_detection or self.entity_redaction):
            raise ValueError("transcript_edit goes neither with entity_detection nor redaction")

    @property
    def timed(self) -> bool:
        """Whether finals come with the times of their words."""
        own_text = self.entity_redaction or self.transcript_edit
        return self.include_timestamps and not (self.filter_background_audio or own_text)


@attrs.frozen(kw_only=True)
class Pronunciations:
    """A pronunciation dictionary that lies at the vendor."""

    pronunciation_dictionary_id: str
    version_id: str | None = None
    """The latest one if not set."""


@attrs.frozen(kw_only=True)
class AudioEffects:
    """What the vendor does to the sound. A catalogue of the ids is at ``/v1/audio-effects/catalog``."""

    filter_preset_id: str | None = None
    distance: float | None = attrs.field(default=None, validator=_SHARE)
    environment_id: str | None = None
    background_noise_id: str | None = None
    send_level: float | None = attrs.field(default=None, validator=_SHARE)
    pan: float | None = attrs.field(default=None, validator=_between(-1.0, 1.0))


@attrs.frozen(kw_only=True)
class ElevenLabsTTSOptions:
    """``tts_config.options``."""

    transport: Literal["http", "websocket"] = "http"
    """How text goes there and sound comes back. A whole text is soonest heard over HTTP, whose
    connections are kept."""
    output_format: str | None = attrs.field(default=None, validator=optional(in_(FORMATS)))
    """The vendor's name of a format, for a bit rate of one's own. Not set: what fits the listener."""
    stability: float | None = attrs.field(default=None, validator=_SHARE)
    """0 (lively) to 1 (even). This and the next two: not set, as the emotion asks, else the
    voice's own."""
    similarity_boost: float | None = attrs.field(default=None, validator=_SHARE)
    """0 to 1: how near to the original voice."""
    style: float | None = attrs.field(default=None, validator=_SHARE)
    """0 to 1: exaggeration."""
    use_speaker_boost: Switch = None
    """Nearer to the original voice, a little later."""
    enable_logging: Switch = None
    """False: the vendor keeps nothing (enterprise plans)."""
    seed: int | None = attrs.field(default=None, validator=_between(0, 4294967295))
    """The same seed gives nearly the same sound."""
    apply_text_normalization: Literal["auto", "on", "off"] | None = None
    """Whether numbers and the like are written out."""
    apply_language_text_normalization: Switch = None
    """The same by rules of the language (Japanese); slow."""
    pronunciation_dictionary_locators: tuple[Pronunciations, ...] = attrs.field(
        default=(), validator=max_len(3)
    )
    """At most 3, applied in order."""

    optimize_streaming_latency: int | None = attrs.field(default=None, validator=_between(0, 4))
    """0 to 4: sooner and worse. This and the following up to ``audio_effects``: HTTP only."""
    previous_text: str | None = None
    """What is said before this text."""
    next_text: str | None = None
    """What is said behind it."""
    previous_request_ids: tuple[str, ...] = attrs.field(default=(), validator=_REQUESTS)
    """Requests whose sound comes before, at most 3."""
    next_request_ids: tuple[str, ...] = attrs.field(default=(), validator=_REQUESTS)
    """Requests whose sound comes behind, at most 3."""
    use_pvc_as_ivc: Switch = None
    """Use the quick form of a professional voice."""
    audio_effects: AudioEffects | None = None
    """Filter, room, noise."""

    enable_ssml_parsing: Switch = None
    """Read ``<break>`` and ``<phoneme>`` in the text. This and the following: WebSocket only."""
    inactivity_timeout: int | None = attrs.field(default=None, validator=_between(1, 180))
    """Seconds without text after which the vendor hangs up."""
    sync_alignment: Switch = None
    """Send times with each piece of sound; they are not passed on."""
    auto_mode: Switch = None
    """Do not wait for more text before speaking."""
    chunk_length_schedule: tuple[int, ...] = attrs.field(
        default=(), validator=deep_iterable(and_(ge(50), le(500)))
    )
    """Characters to wait for before each piece of sound, 50 to 500."""
    single_use_token: str | None = attrs.field(default=None, repr=False)
    """Instead of a key, for one request."""

    def __attrs_post_init__(self) -> None:
        strangers = _SOCKET_ONLY if self.transport == "http" else _HTTP_ONLY
        misplaced = [name for name in strangers if getattr(self, name) not in (None, ())]
        if misplaced:
            raise ValueError(f"not with transport={self.transport}: {', '.join(misplaced)}")


_HTTP_ONLY = (
    "optimize_streaming_latency",
    "previous_text",
    "next_text",
    "previous_request_ids",
    "next_request_ids",
    "use_pvc_as_ivc",
    "audio_effects",
)
_SOCKET_ONLY = (
    "enable_ssml_parsing",
    "inactivity_timeout",
    "sync_alignment",
    "auto_mode",
    "chunk_length_schedule",
    "single_use_token",
)
