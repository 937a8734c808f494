"""From what a client asks for to what a provider takes: options, formats, defaults."""

import logging
from collections.abc import Iterable, Mapping
from typing import Any

import attrs
import cattrs

from capabilities import (
    STT,
    TTS,
    Ability,
    AudioFormat,
    SpeechRequest,
    STTOptions,
)
from waav.audio.convert import convertible
from waav.errors import InvalidRequest
from waav.plugins import Guarded
from waav.session.commands import STTConfig, TTSConfig
from waav.speech.output import nearest_rate, resolve_output

log = logging.getLogger(__name__)

_FEATURE_OF_OPTION = {
    "profanity_filter": "profanity-filter",
    "smart_format": "smart-format",
    "diarize": "speaker-diarization",
    "filler_words": "filler-words",
    "word_timestamps": "word-timestamps",
    "keywords": "keywords",
    "endpointing": "endpointing",
    "utterance_end": "utterance-end",
}

_converter = cattrs.Converter(forbid_extra_keys=True)


def resolve_stt(provider: Guarded[STT], config: STTConfig) -> STTOptions:
    """Return what to connect with: a format that the provider takes, its options structured.

    Raises:
        InvalidRequest: no conversion leads from the client's format to one of the provider's, or
            an option is wrong.
    """
    ability = provider.ability
    wanted = config.options.format
    native = nearest_format(ability, wanted)
    if not convertible(wanted, native):
        raise InvalidRequest(
            f"{provider.id} does not take {wanted.encoding} audio", code="invalid_audio_format"
        )
    for option, feature in _FEATURE_OF_OPTION.items():
        if getattr(config.options, option) and feature not in ability.features:
            log.warning("%s does not know %s: ignored", provider.id, option)
    options = structure_options(provider, config.provider_options)
    return attrs.evolve(config.options, format=native, options=options)


def resolve_tts(provider: Guarded[TTS], config: TTSConfig) -> SpeechRequest:
    """Return the pattern of requests: a format that the provider gives, its options structured.

    Raises:
        InvalidRequest: the provider cannot give the wanted format, or an option is wrong.
    """
    asked = resolve_output(provider.id, provider.ability, config.request.format)
    options = structure_options(provider, config.provider_options)
    return attrs.evolve(config.request, format=asked, options=options)


def nearest_format(ability: Ability, wanted: AudioFormat) -> AudioFormat:
    """Return ``wanted`` if the provider takes it, else the format of its that loses least."""
    encoding = wanted.encoding if wanted.encoding in ability.encodings else ability.encodings[0]
    rate = nearest_rate(ability.sample_rates, wanted.sample_rate)
    return AudioFormat(encoding, rate, min(wanted.channels, ability.channels))


def structure_options(provider: Guarded[Any], given: Mapping[str, Any]) -> Any:
    """Structure a provider's own options: the operator's defaults, and the client's above them.

    Raises:
        InvalidRequest: an option is not known or has a wrong value; the message says which.
    """
    wanted = {**provider.defaults, **given}
    kind = provider.ability.options
    if kind is None:
        if wanted:
            log.warning("%s has no options of its own: %s ignored", provider.id, _some(wanted))
        return None
    known = {field.name for field in attrs.fields(kind)}
    if unknown := wanted.keys() - known:
        # Not an error: a client may talk to several gateways and versions.
        log.warning("%s does not know the options %s: ignored", provider.id, _some(unknown))
    try:
        return _converter.structure({key: wanted[key] for key in wanted.keys() & known}, kind)
    except cattrs.BaseValidationError as exc:
        told = "; ".join(cattrs.transform_error(exc, path="options"))
        raise InvalidRequest(f"{provider.id}: {told}", code="invalid_options") from None


def _some(names: Iterable[str]) -> str:
    """Names for a log line; a client may send any number of any length."""
    return ", ".join(name[:32] for name in sorted(names)[:8])
