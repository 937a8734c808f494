"""What a recognition asks for: the parameters of its WebSocket.

Source: SDK 2.78.0, ``realtime/scribe.py``, driven against a loopback server on 2026-11-20.
"""

import logging

from capabilities import Encoding, ProviderRefused, STTOptions
from providers._common.urls import Query
from providers.elevenlabs.languages import language_code
from providers.elevenlabs.options import ElevenLabsSTTOptions
from providers.elevenlabs.settings import ID

log = logging.getLogger(__name__)

MODEL = "scribe_v2_realtime"
RATES = (16000, 8000, 22050, 24000, 44100, 48000)
ENCODINGS = (Encoding.LINEAR16, Encoding.MULAW)

_FORMATS = {(Encoding.LINEAR16, rate): f"pcm_{rate}" for rate in RATES} | {
    (Encoding.MULAW, 8000): "ulaw_8000"
}

_MOST_KEYTERMS, _LONGEST_KEYTERM = 50, 20
_PAUSES = (0.3, 3.0)  # seconds that the vendor takes


def _audio_format(options: STTOptions) -> str:
    """Return the vendor's name of the sound that will be sent.

    Raises:
        ProviderRefused: it does not take such sound.
    """
    sound = options.format
    name = _FORMATS.get((sound.encoding, sound.sample_rate))
    if name is None or sound.channels != 1:
        told = f"{sound.encoding} at {sound.sample_rate} Hz with {sound.channels} channels"
        raise ProviderRefused(ID, f"does not take {told}")
    return name


def query(options: STTOptions, own: ElevenLabsSTTOptions) -> Query:
    """Return the parameters of a connection.

    Raises:
        ProviderRefused: it does not take such sound.
    """
    fillers = None if options.filler_words is None else not options.filler_words
    return {
        "model_id": options.model or MODEL,
        "audio_format": _audio_format(options),
        "commit_strategy": own.commit_strategy,
        "vad_silence_threshold_secs": asked_pause(options, own),
        "vad_threshold": own.vad_threshold,
        "min_speech_duration_ms": own.min_speech_duration_ms,
        "min_silence_duration_ms": own.min_silence_duration_ms,
        "language_code": language_code(options.language),
        "secondary_languages": [language_code(each) for each in own.secondary_languages],
        "include_timestamps": own.timed,
        "include_language_detection": own.include_language_detection,
        "keyterms": _keyterms(options, own),
        "no_verbatim": fillers if own.no_verbatim is None else own.no_verbatim,
        "entity_detection": own.entity_detection,
        "entity_redaction": own.entity_redaction,
        "entity_redaction_mode": own.entity_redaction_mode,
        "transcript_edit": own.transcript_edit,
        "filter_background_audio": own.filter_background_audio,
        "enable_logging": own.enable_logging,
        "token": own.token,
    }


def asked_pause(options: STTOptions, own: ElevenLabsSTTOptions) -> float | None:
    """Return the seconds of silence that shall end a segment; None if nobody has said."""
    asked = own.vad_silence_threshold_secs
    if asked is None and options.endpointing is not None:
        asked = min(max(options.endpointing, _PAUSES[0]), _PAUSES[1])
    return asked


def _keyterms(options: STTOptions, own: ElevenLabsSTTOptions) -> list[str]:
    wanted = list(dict.fromkeys([*own.keyterms, *options.keywords]))
    terms = [each for each in wanted if 0 < len(each) <= _LONGEST_KEYTERM][:_MOST_KEYTERMS]
    if len(terms) < len(wanted):
        log.warning("takes 50 keywords of 20 characters: %d are left out", len(wanted) - len(terms))
    return terms
