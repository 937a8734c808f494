"""What a session asks for -> the query of the vendor's two recognition APIs. Pure.

Source: the vendor's own SDK 7.17.0 (``listen/v1``, ``listen/v2``) and its pages, July 2026.
"""

import logging
from collections.abc import Mapping

from capabilities import Encoding, ProviderRefused, STTOptions
from providers._common.urls import Query
from providers.deepgram.names import ID, STT_MODEL
from providers.deepgram.options import FLUX, FLUX_ONLY, DeepgramSTTOptions

log = logging.getLogger(__name__)

SHORTEST_UTTERANCE_END = 1.0
"""Seconds; the vendor refuses less."""
EOT_TIMEOUT = (0.5, 60.0)
"""Seconds that Flux may wait for the end of a turn."""

_RAW = {
    Encoding.LINEAR16: "linear16",
    Encoding.MULAW: "mulaw",
    Encoding.ALAW: "alaw",
    Encoding.OPUS: "opus",
}
# None: the sound says itself what it is, and must not be described.
NOVA_ENCODINGS: Mapping[Encoding, str | None] = {**_RAW, Encoding.OGG: None, Encoding.FLAC: None}
FLUX_ENCODINGS: Mapping[Encoding, str | None] = {**_RAW, Encoding.OGG: "ogg-opus"}

# What Flux has no word for, among what a session may ask of everybody.
_NOT_FLUX = ("diarize", "filler_words", "smart_format", "endpointing")


def nova_query(options: STTOptions) -> Query:
    """Return the query of ``/v1/listen``.

    Raises:
        ProviderRefused: the sound or an option is none of this API's.
    """
    own: DeepgramSTTOptions = options.options or DeepgramSTTOptions()
    model = options.model or STT_MODEL
    _refuse(model, own.given() & FLUX_ONLY)
    keyed = model.startswith("nova-3")
    return {
        "model": model,
        "version": own.version,
        "language": options.language,
        "language_hint": own.language_hint,
        **_sound(model, options, NOVA_ENCODINGS),
        "channels": options.format.channels,
        "multichannel": own.multichannel,
        # The end of an utterance is found in interims.
        "interim_results": options.interim_results or options.utterance_end is not None,
        "punctuate": options.punctuation,
        "smart_format": options.smart_format,
        "numerals": own.numerals,
        "dictation": own.dictation,
        "profanity_filter": options.profanity_filter,
        "filler_words": options.filler_words,
        "diarize_model": own.diarize_model or ("latest" if options.diarize else None),
        "endpointing": _milliseconds(options.endpointing) if own.endpointing else False,
        "utterance_end_ms": _milliseconds(options.utterance_end, SHORTEST_UTTERANCE_END),
        "vad_events": own.vad_events,
        "keyterm": (*own.keyterm, *(options.keywords if keyed else ())),
        "keywords": (*own.keywords, *(() if keyed else options.keywords)),
        "redact": own.redact,
        "detect_entities": own.detect_entities,
        "replace": own.replace,
        "search": own.search,
        "extra": own.extra,
        "tag": own.tag,
        "mip_opt_out": own.mip_opt_out,
    }


def flux_query(options: STTOptions) -> Query:
    """Return the query of ``/v2/listen``.

    Raises:
        ProviderRefused: the sound, the language or an option is none of this API's.
    """
    own: DeepgramSTTOptions = options.options or DeepgramSTTOptions()
    model = options.model or STT_MODEL
    _refuse(model, own.given() - FLUX)
    if ignored := [name for name in _NOT_FLUX if getattr(options, name)]:
        log.warning("%s: %s does not know %s: ignored", ID, model, ", ".join(ignored))
    timeout = _milliseconds(options.utterance_end, *EOT_TIMEOUT)
    return {
        "model": model,
        **_sound(model, options, FLUX_ENCODINGS),
        "eot_threshold": own.eot_threshold,
        "eager_eot_threshold": own.eager_eot_threshold,
        "eot_timeout_ms": timeout if own.eot_timeout_ms is None else own.eot_timeout_ms,
        "keyterm": (*own.keyterm, *options.keywords),
        "language_hint": own.language_hint or _hint(model, options.language),
        "numerals": own.numerals,
        "profanity_filter": options.profanity_filter,
        "redact": own.redact,
        "tag": own.tag,
        "mip_opt_out": own.mip_opt_out,
    }


def _hint(model: str, language: str) -> tuple[str, ...]:
    """Return the language for a model that detects it; check it for one that has only one."""
    base = language.lower().partition("-")[0]
    if model.endswith("-en"):
        if base not in ("en", "multi"):
            raise ProviderRefused(ID, f"{model} hears English only; flux-general-multi hears more")
        return ()
    return () if base == "multi" else (base,)


def _sound(model: str, options: STTOptions, encodings: Mapping[Encoding, str | None]) -> Query:
    audio = options.format
    if audio.encoding not in encodings:
        raise ProviderRefused(ID, f"{model} does not take {audio.encoding} audio")
    name = encodings[audio.encoding]
    return {"encoding": name, "sample_rate": audio.sample_rate} if name else {}


def _refuse(model: str, options: set[str]) -> None:
    if options:
        raise ProviderRefused(ID, f"{model} has no option {', '.join(sorted(options))}")


def _milliseconds(seconds: float | None, least: float = 0.0, most: float = 3600.0) -> int | None:
    return None if seconds is None else round(1000 * min(max(seconds, least), most))
