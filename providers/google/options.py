"""What an operator and a session can choose: settings, and every option of Google's two services.

Source: the packages google-cloud-speech 2.41.0 and google-cloud-texttospeech 2.38.0, 2026-11-21.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, TypeAlias

import attrs
from attrs.validators import (
    and_,
    deep_iterable,
    deep_mapping,
    ge,
    le,
    matches_re,
    max_len,
    optional,
)

from providers._common.settings import VendorSettings

_Check: TypeAlias = "Callable[[Any, attrs.Attribute[Any], Any], None]"

DEFAULT_VOICE = "en-US-Chirp3-HD-Kore"

# Both become a part of a host name or of a resource's name, and come from clients.
_LOCATION = matches_re(r"[a-z][a-z0-9-]{0,39}")
_RECOGNIZER = matches_re(r"_|[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
_PROJECT = matches_re(r"|[a-z0-9.:-]{1,100}")
_LANGUAGE = matches_re(r"[A-Za-z0-9-]{2,35}")
_TEXT: _Check = max_len(8000)
_MANY: _Check = max_len(1000)
_TIMEOUT = optional(and_(ge(0.5), le(60.0)))


@attrs.frozen(kw_only=True)
class GoogleSettings(VendorSettings):
    """``[plugins.providers.google]``."""

    project: str = attrs.field(default="", validator=_PROJECT)
    """The project that recognises and pays; not set: the one that the credentials name."""
    location: str = attrs.field(default="global", validator=_LOCATION)
    """Where speech is recognised: ``global``, ``eu``, ``us-central1``... The address follows it."""
    recognizer: str = attrs.field(default="_", validator=_RECOGNIZER)
    """A recogniser of the project; ``_`` for none, so that the session's choices are all there is."""
    voice: str = attrs.field(default=DEFAULT_VOICE, validator=_TEXT)
    """The voice of a request that names none, if its language is the request's."""
    tts_base_url: str = ""
    """Where Text-to-Speech is. ``base_url`` is for Speech alone, which has another host."""
    rest_base_url: str = ""
    """Where its REST side is, if that is another place than ``tts_base_url``."""
    token_url: str = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address
    """Where tokens are made. An address inside of credentials is not used: clients may send them."""
    credentials_dir: Path | None = None
    """Below it a session may name a credentials file; not set: a session must bring the JSON."""


@attrs.frozen
class Replacement:
    """A word that shall be written in another way."""

    search: str
    replace: str
    case_sensitive: bool = False


@attrs.frozen(kw_only=True)
class GoogleSTTOptions:
    """A session's own options for recognition."""

    location: str | None = attrs.field(default=None, validator=optional(_LOCATION))
    """Instead of the operator's."""
    recognizer: str | None = attrs.field(default=None, validator=optional(_RECOGNIZER))
    """Instead of the operator's."""
    languages: tuple[str, ...] = attrs.field(
        default=(), validator=and_(max_len(10), deep_iterable(_LANGUAGE))
    )
    """Further languages that may be spoken; ``auto`` on Chirp. Which one was, finals say."""
    single_utterance: bool = False
    """A silence of ``speech_end_timeout`` ends the turn, whatever the model thinks of it."""
    voice_activity_events: bool = False
    """Google's own voice detector says when somebody begins to speak, and ends turns."""
    speech_start_timeout: float | None = attrs.field(default=None, validator=_TIMEOUT)
    """Seconds without speech after which Google starts afresh."""
    speech_end_timeout: float | None = attrs.field(default=None, validator=_TIMEOUT)
    """Seconds of silence behind speech after which it does; 1 with ``single_utterance``."""
    endpointing_sensitivity: Literal["standard", "short", "supershort"] | None = None
    """How soon words become final (``chirp_3`` only)."""
    encoding: Literal["AMR", "AMR_WB", "WEBM_OPUS", "MP4_AAC", "M4A_AAC", "MOV_AAC"] | None = None
    """What compressed sound really is, where the session's format has no name for it."""
    min_speakers: int | None = attrs.field(default=None, validator=optional(and_(ge(1), le(100))))
    """With ``diarize``."""
    max_speakers: int | None = attrs.field(default=None, validator=optional(and_(ge(1), le(100))))
    """With ``diarize``."""
    word_confidence: bool = False
    """How sure each word is; with ``word_timestamps``."""
    spoken_punctuation: bool = False
    """"Comma" is written as ``,``."""
    spoken_emojis: bool = False
    """"Smiley" is written as one."""
    max_alternatives: int | None = attrs.field(
        default=None, validator=optional(and_(ge(1), le(30)))
    )
    """Google thinks of so many; the session gets the first."""
    custom_prompt: str | None = attrs.field(default=None, validator=optional(_TEXT))
    """What the model should know beforehand (Gemini-like models)."""
    keyword_boost: float | None = attrs.field(default=None, validator=optional(and_(ge(0), le(20))))
    """How much likelier the session's ``keywords`` become."""
    phrase_sets: tuple[str, ...] = attrs.field(default=(), validator=_MANY)
    """Names of phrase sets of the project."""
    custom_classes: Mapping[str, tuple[str, ...]] = attrs.field(factory=dict, validator=_MANY)
    """Name of a class, and the words that it stands for in ``keywords`` as ``${name}``."""
    replacements: tuple[Replacement, ...] = attrs.field(default=(), validator=_MANY)
    """Words that are written in another way in what is recognised."""
    translate_to: str | None = attrs.field(default=None, validator=optional(_LANGUAGE))
    """A language to translate to."""
    denoise: bool = False
    """Google takes noise out first."""
    snr_threshold: float | None = attrs.field(
        default=None, validator=optional(and_(ge(0), le(1000)))
    )
    """Sound with a worse ratio of speech to noise is not recognised; with ``denoise``."""


@attrs.frozen
class Pronunciation:
    """How a phrase is said."""

    phrase: str
    pronunciation: str
    encoding: Literal["IPA", "X_SAMPA", "JAPANESE_YOMIGANA", "PINYIN"] = "IPA"


@attrs.frozen(kw_only=True)
class GoogleTTSOptions:
    """A session's own options for synthesis.

    Those marked (whole) are known to whole synthesis only: with one of them the sound comes when
    all of it is made, from a voice that could stream, too.
    """

    pitch: float | None = attrs.field(default=None, validator=optional(and_(ge(-20), le(20))))
    """Semitones (whole)."""
    volume_gain: float | None = attrs.field(default=None, validator=optional(and_(ge(-96), le(16))))
    """Decibels (whole)."""
    effects: tuple[str, ...] = attrs.field(default=(), validator=max_len(10))
    """Audio profiles, such as ``telephony-class-application``, one after the other (whole)."""
    gender: Literal["male", "female", "neutral"] | None = None
    """Of a voice that is chosen by language."""
    custom_voice: str | None = attrs.field(default=None, validator=optional(_TEXT))
    """The resource name of a custom voice."""
    reported_usage: Literal["realtime", "offline"] | None = None
    """With ``custom_voice``."""
    voice_cloning_key: str | None = attrs.field(
        default=None, validator=optional(max_len(1 << 20)), repr=False
    )
    """Speaks with an instant custom voice."""
    prompt: str | None = attrs.field(default=None, validator=optional(_TEXT))
    """How it shall be said, in free words (Gemini voices)."""
    markup: bool = False
    """The text has marks such as ``[pause]`` (Chirp 3 HD)."""
    speakers: Mapping[str, str] = attrs.field(
        factory=dict, validator=and_(max_len(10), deep_mapping(_TEXT, _TEXT))
    )
    """Speakers of a dialogue: the name that begins a line of the text, and the voice (Gemini)."""
    pronunciations: tuple[Pronunciation, ...] = attrs.field(default=(), validator=_MANY)
    """How certain phrases are said."""
    low_latency_journey: bool | None = None
    """Journey voices begin earlier."""
    text_normalization: bool | None = None
    """Numbers and dates are read out as people do; not set: as the voice does."""
    relax_safety_filters: bool = False
    """For accounts that Google allows this (Gemini)."""
    safety: Mapping[
        Literal["hate_speech", "dangerous_content", "harassment", "sexually_explicit"],
        Literal["low_and_above", "medium_and_above", "only_high", "none", "off"],
    ] = attrs.field(factory=dict)
    """From where on a text is refused, for each kind of harm (Gemini)."""
