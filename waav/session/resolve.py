"""From what a client asks for to what a provider takes: options, formats, defaults."""

import logging
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import attrs

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
from waav.plugins.settings import options_of
from waav.plugins.strict import Mistakes, make
from waav.session.commands import STTConfig, TTSConfig
from waav.session.keys import own_keys
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


def resolve_stt(provider: Guarded[STT], config: STTConfig) -> STTOptions:
    """Return what to connect with: a format that the provider takes, its options structured.

    Raises:
        InvalidRequest: no conversion leads from the client's format to one of the provider's, or
            an option or a key is wrong.
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
    key, auth = own_keys(provider, config.options.api_key, config.options.auth)
    options = structure_options(provider, config.provider_options)
    return attrs.evolve(config.options, format=native, options=options, api_key=key, auth=auth)


def resolve_tts(provider: Guarded[TTS], config: TTSConfig) -> SpeechRequest:
    """Return the pattern of requests: a format that the provider gives, its options structured.

    Raises:
        InvalidRequest: the provider cannot give the wanted format, or an option or a key is wrong.
    """
    asked = resolve_output(provider.id, provider.ability, config.request.format)
    key, auth = own_keys(provider, config.request.api_key, config.request.auth)
    options = structure_options(provider, config.provider_options, config.hints)
    return attrs.evolve(config.request, format=asked, options=options, api_key=key, auth=auth)


def nearest_format(ability: Ability, wanted: AudioFormat) -> AudioFormat:
    """Return ``wanted`` if the provider takes it, else the format of its that loses least."""
    encoding = wanted.encoding if wanted.encoding in ability.encodings else ability.encodings[0]
    rate = nearest_rate(ability.sample_rates, wanted.sample_rate)
    return AudioFormat(encoding, rate, min(wanted.channels, ability.channels))


def structure_options(
    provider: Guarded[Any],
    given: Mapping[str, Any],
    hints: Mapping[str, Any] = MappingProxyType({}),
) -> Any:
    """Structure a provider's own options: the operator's defaults, and the client's above them.

    Args:
        given: the client's.
        hints: further ones, which count below those, and for a provider that has them.

    Raises:
        InvalidRequest: an option is not known or has a wrong value; the message says which.
    """
    kind = provider.ability.options
    known = {each.name for each in attrs.fields(kind)} if kind else set()
    apt = {name: value for name, value in hints.items() if name in known}
    try:
        asked = options_of(provider.ability, {**apt, **given}, "options")
        return make(kind, {**provider.defaults, **asked}, "options") if kind else None
    except Mistakes as exc:
        raise InvalidRequest(f"{provider.id}: {exc}", code="invalid_options") from None
