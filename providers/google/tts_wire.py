"""What Text-to-Speech v1 is asked for, streamed and whole, without any I/O.

Source: google-cloud-texttospeech 2.38.0, its messages and their documentation, read on 2026-11-21.
"""

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from capabilities import (
    Encoding,
    ProviderRefused,
    SpeechRequest,
)
from providers.google.options import GoogleTTSOptions
from providers.google.protobuf import encode
from providers.google.tts_messages import STREAMING_REQUEST

METHOD = "/google.cloud.texttospeech.v1.TextToSpeech/StreamingSynthesize"
MOST_TEXT = 5000
"""Bytes of UTF-8 in one request."""

WHOLE: Mapping[Encoding, str] = {
    Encoding.LINEAR16: "LINEAR16",
    Encoding.MULAW: "MULAW",
    Encoding.ALAW: "ALAW",
    Encoding.OGG: "OGG_OPUS",
    Encoding.OPUS: "OGG_OPUS",
    Encoding.MP3: "MP3",
}
"""Google's names for a whole synthesis. LINEAR16 has a header there, which says the real rate."""
STREAMED: Mapping[Encoding, str] = {
    Encoding.LINEAR16: "PCM",
    Encoding.MULAW: "MULAW",
    Encoding.ALAW: "ALAW",
    Encoding.OGG: "OGG_OPUS",
    Encoding.OPUS: "OGG_OPUS",
}

_LOCALE = re.compile(r"[a-z]{2,3}-[A-Z]{2}(?=-)")


def resolve(request: SpeechRequest, default_voice: str) -> SpeechRequest:
    """Return the request with a language, and with the default voice if that speaks it.

    The language is the request's own, else the voice's.
    """
    spoken = locale_of(default_voice)
    own = request.options or GoogleTTSOptions()
    chosen = request.voice or own.custom_voice or own.voice_cloning_key or own.speakers
    voice = request.voice
    if not chosen and not request.model and not own.gender and request.language in {None, spoken}:
        voice = default_voice
    language = request.language or locale_of(voice or "") or spoken or "en-US"
    return attrs.evolve(request, voice=voice, language=language)


def locale_of(voice: str) -> str | None:
    """Return the language that a voice's name begins with; None if it begins otherwise."""
    found = _LOCALE.match(voice)
    return found[0] if found else None


def can_stream(request: SpeechRequest) -> bool:
    """Whether sound may come while it is made: not from every voice, and not with every option."""
    own = request.options or GoogleTTSOptions()
    able = (
        "-Chirp3-HD-" in (request.voice or "")
        or (request.model or "").startswith("gemini")
        or own.voice_cloning_key
    )
    whole = request.ssml or own.effects or own.custom_voice or _pitch(request) or _volume(request)
    return bool(able) and not whole and request.format.encoding in STREAMED


def streaming_messages(request: SpeechRequest) -> tuple[bytes, bytes]:
    """Return the two messages of a streamed synthesis: how, and what.

    Raises:
        ProviderRefused: no such sound is made, or the text is too long.
    """
    own = request.options or GoogleTTSOptions()
    config = {
        "voice": _voice(request, own),
        "streamingAudioConfig": {
            "audioEncoding": _encoding(request, STREAMED),
            "sampleRateHertz": request.format.sample_rate,
            "speakingRate": _rate(request),
        },
        "customPronunciations": _pronunciations(own),
        "advancedVoiceOptions": _advanced(own),
    }
    return (
        encode(STREAMING_REQUEST, {"streamingConfig": config}),
        encode(STREAMING_REQUEST, {"input": _input(request, own)}),
    )


def whole_body(request: SpeechRequest) -> dict[str, Any]:
    """Return the JSON of ``text:synthesize``.

    Raises:
        ProviderRefused: no such sound is made, or the text is too long.
    """
    own = request.options or GoogleTTSOptions()
    said = _input(request, own) | {"customPronunciations": _pronunciations(own)}
    audio = {
        "audioEncoding": _encoding(request, WHOLE),
        "sampleRateHertz": request.format.sample_rate,
        "speakingRate": _rate(request),
        "pitch": _pitch(request) or None,
        "volumeGainDb": _volume(request) or None,
        "effectsProfileId": list(own.effects),
    }
    body = {
        "input": said,
        "voice": _voice(request, own),
        "audioConfig": audio,
        "advancedVoiceOptions": _advanced(own),
    }
    pruned: dict[str, Any] = _pruned(body)
    return pruned


def _input(request: SpeechRequest, own: GoogleTTSOptions) -> dict[str, Any]:
    if len(request.text.encode()) > MOST_TEXT:
        raise ProviderRefused("google", f"takes at most {MOST_TEXT} bytes of text at a time")
    if request.ssml:
        return {"ssml": request.text}
    said: dict[str, Any] = {"markup" if own.markup else "text": request.text}
    if own.speakers and (turns := list(_turns(request.text, own.speakers))):
        said = {"multiSpeakerMarkup": {"turns": turns}}
    return said | {"prompt": own.prompt}


def _turns(text: str, speakers: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Read ``Name: words`` line by line; a line without a known name goes on with the last turn."""
    speaker, words = next(iter(speakers)), ""
    for line in text.splitlines():
        name, colon, rest = line.partition(":")
        if colon and name.strip() in speakers:
            if words.strip():
                yield {"speaker": speaker, "text": words.strip()}
            speaker, words = name.strip(), rest
        else:
            words += f"\n{line}"
    if words.strip():
        yield {"speaker": speaker, "text": words.strip()}


def _voice(request: SpeechRequest, own: GoogleTTSOptions) -> dict[str, Any]:
    key, custom, usage = own.voice_cloning_key, own.custom_voice, own.reported_usage
    speakers = [{"speakerAlias": name, "speakerId": id_} for name, id_ in own.speakers.items()]
    return {
        "languageCode": request.language,
        "name": request.voice,
        "ssmlGender": own.gender.upper() if own.gender else None,
        "customVoice": (
            {"model": custom, "reportedUsage": usage.upper() if usage else None} if custom else None
        ),
        "voiceClone": {"voiceCloningKey": key} if key else None,
        "modelName": request.model,
        "multiSpeakerVoiceConfig": {"speakerVoiceConfigs": speakers} if speakers else None,
    }


def _encoding(request: SpeechRequest, known: Mapping[Encoding, str]) -> str:
    audio = request.format
    if audio.encoding not in known or audio.channels != 1:
        names = ", ".join(sorted(known))
        raise ProviderRefused("google", f"gives one channel of {names}, not {audio.encoding}")
    return known[audio.encoding]


def _rate(request: SpeechRequest) -> float | None:
    return None if request.speed == 1.0 else min(max(request.speed, 0.25), 2.0)


def _pitch(request: SpeechRequest) -> float:
    """Semitones; a session's own ``pitch`` is a factor of the frequency."""
    own = request.options or GoogleTTSOptions()
    if own.pitch is not None or request.pitch is None:
        return own.pitch or 0.0
    return min(max(12 * math.log2(max(request.pitch, 0.01)), -20.0), 20.0)


def _volume(request: SpeechRequest) -> float:
    """Decibels; a session's own ``volume`` is a factor of the amplitude."""
    own = request.options or GoogleTTSOptions()
    if own.volume_gain is not None or request.volume is None:
        return own.volume_gain or 0.0
    return min(max(20 * math.log10(max(request.volume, 1e-5)), -96.0), 16.0)


def _pronunciations(own: GoogleTTSOptions) -> dict[str, Any] | None:
    all_ = [
        {
            "phrase": each.phrase,
            "phoneticEncoding": f"PHONETIC_ENCODING_{each.encoding}",
            "pronunciation": each.pronunciation,
        }
        for each in own.pronunciations
    ]
    return {"pronunciations": all_} if all_ else None


def _advanced(own: GoogleTTSOptions) -> dict[str, Any] | None:
    settings = [
        {
            "category": f"HARM_CATEGORY_{harm.upper()}",
            "threshold": "OFF" if limit == "off" else f"BLOCK_{limit.upper()}",
        }
        for harm, limit in own.safety.items()
    ]
    advanced = {
        "lowLatencyJourneySynthesis": own.low_latency_journey,
        "enableTextnorm": own.text_normalization,
        "relaxSafetyFilters": own.relax_safety_filters or None,
        "safetySettings": {"settings": settings} if settings else None,
    }
    return advanced if any(value is not None for value in advanced.values()) else None


def _pruned(value: Any) -> Any:
    """Leave out what is not set, as the encoder of messages does."""
    match value:
        case dict():
            return {k: _pruned(v) for k, v in value.items() if v is not None and v != []}
        case list():
            return [_pruned(each) for each in value]
        case _:
            return value
