"""What an operator and a session may set for OpenAI.

Source: the package ``openai`` 3.52.0, read on 2026-11-20. What only the server can check, such as
which model knows which option, is left to the server: models come and go.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias

import attrs
from attrs.validators import and_, ge, le, max_len, optional

from providers._common.settings import VendorSettings

_Attribute: TypeAlias = "attrs.Attribute[Any]"
_SHARE = optional(and_(ge(0.0), le(1.0)))
_MILLISECONDS = optional(and_(ge(0), le(60_000)))

Via: TypeAlias = Literal["file", "live"]
TurnDetection: TypeAlias = Literal["server_vad", "semantic_vad", "silence"]


@attrs.frozen(kw_only=True)
class OpenAISettings(VendorSettings):
    """``[plugins.providers.openai]``."""

    organization: str = ""
    """``OpenAI-Organization``: which one pays, if the key belongs to several."""
    project: str = ""
    """``OpenAI-Project``: likewise."""
    voice: str = "marin"
    """The voice of a request that names none."""


@attrs.frozen(kw_only=True)
class OpenAISTTOptions:
    """What a session may set for recognition, besides the options that all providers share."""

    via: Via | None = None
    """``file``: each utterance is uploaded when it is over. ``live``: a realtime session that hears
    all the time. Not set: ``live`` for models with ``live`` or ``realtime`` in their names."""
    prompt: str | None = None
    """What the model should expect, in the language of the sound. Not for diarization, nor for
    ``gpt-realtime-whisper``."""
    languages: tuple[str, ...] = ()
    """ISO 639-1 codes of the languages that may come; only the ``gpt-*transcribe`` models without
    ``4o``. The session's own language is not sent then."""
    logprobs: bool = False
    """Ask how sure the model is of each token, which gives the transcripts a confidence; only the
    ``gpt-4o`` models, and live."""

    temperature: float | None = attrs.field(default=None, validator=_SHARE)
    """``file`` only. 0 to 1: how freely the model guesses."""
    stream: bool = False
    """``file`` only. Show the text while it is being made. A request that fails is not made again
    then. Not ``whisper-1``."""
    timestamp_granularities: tuple[Literal["word", "segment"], ...] = ()
    """``file``, ``whisper-1`` only. Not set: ``word`` if the session wants word times."""
    chunking_strategy: Literal["auto", "server_vad"] | None = None
    """``file`` only. How a long recording is cut; ``auto`` for the diarizing model if not set."""
    known_speaker_names: tuple[str, ...] = attrs.field(default=(), validator=max_len(4))
    """``file``, diarizing model only: up to 4 speakers who may be heard."""
    known_speaker_references: tuple[str, ...] = attrs.field(default=(), validator=max_len(4))
    """``file``, diarizing model only: 2 to 10 seconds of each of them, as ``data:`` URLs."""

    flush: Literal["silence", "threshold", "end"] = "silence"
    """``file`` only. When a recording is uploaded: at ``silence``, at a ``threshold``, at the
    ``end`` of the stream."""
    flush_bytes: int = attrs.field(default=1 << 20, validator=and_(ge(1 << 14), le(25_000_000)))
    """The threshold, in bytes of sound."""
    silence_level: float = attrs.field(default=0.01, validator=and_(ge(0.0), le(1.0)))
    """Root mean square below which sound is silence, 1.0 being full scale: 0.01 is -40 dBFS. For
    ``flush`` and for the turn detection ``silence``."""
    silence_duration_ms: int | None = attrs.field(default=None, validator=_MILLISECONDS)
    """Of silence that end an utterance. Not set: the session's ``endpointing``, else its
    ``utterance_end``, else 1000; live, OpenAI's own 500."""
    min_audio_ms: int = attrs.field(default=500, validator=and_(ge(0), le(10_000)))
    """Of sound that a recording has at least."""

    turn_detection: TurnDetection | None = None
    """``live`` only. Who notices that the speaker has finished: OpenAI by ``server_vad`` or
    ``semantic_vad``, or this gateway by ``silence``. Not set: ``silence`` for
    ``gpt-realtime-whisper``, which knows no other way, else ``server_vad``."""
    vad_threshold: float | None = attrs.field(default=None, validator=_SHARE)
    """For ``server_vad``: how sure it must be to hear a voice."""
    vad_prefix_padding_ms: int | None = attrs.field(default=None, validator=_MILLISECONDS)
    """For ``server_vad``: sound that is kept in front of the voice."""
    eagerness: Literal["low", "medium", "high", "auto"] | None = None
    """For ``semantic_vad``: how soon it takes a pause for the end."""
    noise_reduction: Literal["near_field", "far_field"] | None = None
    """``live`` only. For a headset, or for a microphone in the room."""
    noise_reduction_strength: float | None = attrs.field(default=None, validator=_SHARE)
    """``live`` only; with ``noise_reduction``."""
    delay: Literal["minimal", "low", "medium", "high", "xhigh"] | None = None
    """``live``, ``gpt-realtime-whisper`` only: how long it waits before it shows text."""

    def __attrs_post_init__(self) -> None:
        if len(self.known_speaker_names) != len(self.known_speaker_references):
            raise ValueError("known_speaker_names and known_speaker_references go in pairs")
        if self.noise_reduction_strength is not None and self.noise_reduction is None:
            raise ValueError("noise_reduction_strength needs noise_reduction")


@attrs.frozen(kw_only=True)
class OpenAITTSOptions:
    """What a session may set for speech."""

    instructions: str | None = None
    """How to speak, in free words; what the session's emotion and delivery say is put behind it.
    Not for ``tts-1`` and ``tts-1-hd``."""


def _check_effort(_: Any, __: _Attribute, value: str | None) -> None:
    if value is not None and not value.isalpha():
        raise ValueError("reasoning_effort is one word")


@attrs.frozen(kw_only=True)
class OpenAILLMOptions:
    """What a request may set for chat completions, besides what all providers share."""

    reasoning_effort: str | None = attrs.field(default=None, validator=_check_effort)
    """``none``, ``minimal``, ``low``, ``medium``, ``high`` ...: which, depends on the model."""
    response_format: Mapping[str, Any] | None = None
    """``{"type": "json_object"}``, or ``{"type": "json_schema", "json_schema": {...}}``."""
    parallel_tool_calls: bool | None = None
    """Whether it may call several tools at once."""
    top_p: float | None = attrs.field(default=None, validator=_SHARE)
    """The share of likely tokens to choose from; instead of the temperature."""
    frequency_penalty: float | None = attrs.field(
        default=None, validator=optional(and_(ge(-2.0), le(2.0)))
    )
    """Above 0: less repetition of words."""
    presence_penalty: float | None = attrs.field(
        default=None, validator=optional(and_(ge(-2.0), le(2.0)))
    )
    """Above 0: more new subjects."""
    seed: int | None = None
    """The same seed, as far as it can be done the same answer."""
    stop: Sequence[str] = attrs.field(default=(), converter=tuple, validator=max_len(4))
    """Up to 4 texts at which the answer ends."""
    service_tier: Literal["auto", "default", "flex", "priority", "scale", "fast"] | None = None
    """At which price and pace."""
    verbosity: Literal["low", "medium", "high"] | None = None
    """How much it says."""
    prompt_cache_key: str | None = None
    """What requests with the same beginning have in common."""
    safety_identifier: str | None = None
    """Stands for an end user; best a digest."""
    store: bool | None = None
    """Whether OpenAI keeps the conversation for later."""
    metadata: Mapping[str, str] | None = None
    """Kept with a stored conversation."""
