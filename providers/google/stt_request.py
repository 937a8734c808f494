"""What Speech v2 is asked to listen for, without any I/O: the first message of a recognition.

Source: google-cloud-speech 2.41.0, its messages and their documentation, read on 2026-11-21.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from capabilities import AudioFormat, Encoding, ProviderRefused, STTOptions
from providers.google.options import GoogleSTTOptions
from providers.google.protobuf import encode
from providers.google.speech_messages import REQUEST

DEFAULT_MODEL = "latest_long"
SAMPLE_RATES = range(8000, 48001)

ENCODINGS: Mapping[Encoding, str | None] = {
    Encoding.LINEAR16: "LINEAR16",
    Encoding.MULAW: "MULAW",
    Encoding.ALAW: "ALAW",
    Encoding.FLAC: "FLAC",
    Encoding.MP3: "MP3",
    Encoding.OGG: "OGG_OPUS",
    # Opus reaches a gateway in Ogg; packets without a container have no name at Google.
    Encoding.OPUS: "OGG_OPUS",
    # Its header tells the rest.
    Encoding.WAV: None,
}
"""Google's names; None for "find it out". What is not here is refused."""

_SPEECH_END = 1.0
"""Seconds: ``speech_end_timeout`` of a single utterance."""


def start_message(recognizer: str, options: STTOptions) -> bytes:
    """Return the first message: what to listen for, and no sound.

    Raises:
        ProviderRefused: no such sound is taken.
    """
    own = options.options or GoogleSTTOptions()
    streaming = {"config": _config(options, own), "streamingFeatures": _streaming(options, own)}
    return encode(REQUEST, {"recognizer": recognizer, "streamingConfig": streaming})


def check_audio(audio: AudioFormat) -> None:
    """Check that Google recognises such sound at all.

    Raises:
        ProviderRefused: it does not; the message says why.
    """
    if audio.encoding not in ENCODINGS:
        known = ", ".join(sorted(ENCODINGS))
        raise ProviderRefused("google", f"does not take {audio.encoding}; it takes {known}")
    if audio.sample_rate not in SAMPLE_RATES:
        raise ProviderRefused("google", "takes sample rates from 8000 to 48000 Hz")
    if audio.channels != 1:
        raise ProviderRefused("google", "takes one channel")


def _config(options: STTOptions, own: GoogleSTTOptions) -> dict[str, Any]:
    prompt, target = own.custom_prompt, own.translate_to
    features = {
        "profanityFilter": options.profanity_filter,
        # Speakers belong to words, and words without times would say nothing of the order.
        "enableWordTimeOffsets": options.word_timestamps or options.diarize,
        "enableWordConfidence": own.word_confidence,
        "enableAutomaticPunctuation": options.punctuation,
        "enableSpokenPunctuation": own.spoken_punctuation,
        "enableSpokenEmojis": own.spoken_emojis,
        "diarizationConfig": _diarization(own) if options.diarize else None,
        "maxAlternatives": own.max_alternatives,
        "customPromptConfig": {"customPrompt": prompt} if prompt else None,
    }
    return {
        **_decoding(options.format, own),
        "model": options.model or DEFAULT_MODEL,
        "languageCodes": [options.language, *own.languages],
        "features": features,
        "adaptation": _adaptation(options.keywords, own),
        "transcriptNormalization": _normalization(own),
        "translationConfig": {"targetLanguage": target} if target else None,
        "denoiserConfig": (
            {"denoiseAudio": True, "snrThreshold": own.snr_threshold} if own.denoise else None
        ),
    }


def _decoding(audio: AudioFormat, own: GoogleSTTOptions) -> dict[str, Any]:
    check_audio(audio)
    compressed = audio.sample_bytes == 0
    name = own.encoding if compressed and own.encoding else ENCODINGS[audio.encoding]
    if name is None:
        return {"autoDecodingConfig": {}}
    return {
        "explicitDecodingConfig": {
            "encoding": name,
            "sampleRateHertz": audio.sample_rate,
            "audioChannelCount": audio.channels,
        }
    }


def _diarization(own: GoogleSTTOptions) -> dict[str, Any]:
    return {"minSpeakerCount": own.min_speakers, "maxSpeakerCount": own.max_speakers}


def _adaptation(keywords: Sequence[str], own: GoogleSTTOptions) -> dict[str, Any] | None:
    sets: list[dict[str, Any]] = [{"phraseSet": name} for name in own.phrase_sets]
    if keywords:
        phrases = [{"value": word, "boost": own.keyword_boost} for word in keywords]
        sets.append({"inlinePhraseSet": {"phrases": phrases}})
    classes = [
        {"name": name, "items": [{"value": word} for word in words]}
        for name, words in own.custom_classes.items()
    ]
    return {"phraseSets": sets, "customClasses": classes} if sets or classes else None


def _normalization(own: GoogleSTTOptions) -> dict[str, Any] | None:
    entries = [
        {"search": each.search, "replace": each.replace, "caseSensitive": each.case_sensitive}
        for each in own.replacements
    ]
    return {"entries": entries} if entries else None


def _streaming(options: STTOptions, own: GoogleSTTOptions) -> dict[str, Any]:
    end = own.speech_end_timeout
    if end is None and own.single_utterance:
        end = _SPEECH_END
    timeouts = {
        "speechStartTimeout": _duration(own.speech_start_timeout),
        "speechEndTimeout": _duration(end),
    }
    timed = any(timeouts.values())
    sensitivity = own.endpointing_sensitivity
    return {
        # The timeouts are those of the voice detector, which is off without its events.
        "enableVoiceActivityEvents": own.voice_activity_events or timed,
        "interimResults": options.interim_results,
        "voiceActivityTimeout": timeouts if timed else None,
        "endpointingSensitivity": (
            f"ENDPOINTING_SENSITIVITY_{sensitivity.upper()}" if sensitivity else None
        ),
    }


def _duration(seconds: float | None) -> dict[str, int] | None:
    if seconds is None:
        return None
    whole, nanos = divmod(round(seconds * 1e9), 10**9)
    return {"seconds": whole, "nanos": nanos}
