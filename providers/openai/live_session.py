"""What is asked of a realtime transcription session: the body of ``session.update``. No I/O.

Source: the package ``openai`` 3.52.0, read on 2026-11-20.
"""

from typing import Any

from capabilities import Encoding, ProviderRefused, STTOptions
from providers.openai.guidance import guidance, own_options, pause_of
from providers.openai.names import ID

RATE = 24000
"""Hertz: the only one of ``audio/pcm``."""
_G711 = {Encoding.MULAW: "audio/pcmu", Encoding.ALAW: "audio/pcma"}


def audio_format(options: STTOptions) -> dict[str, Any]:
    """Return the vendor's name of the sound that we send.

    Raises:
        ProviderRefused: it takes no such sound.
    """
    audio = options.format
    if audio.encoding is Encoding.LINEAR16:
        return {"type": "audio/pcm", "rate": RATE}
    if audio.encoding in _G711 and audio.sample_rate == 8000:
        return {"type": _G711[audio.encoding]}
    raise ProviderRefused(
        ID, f"takes no {audio.encoding} audio of {audio.sample_rate} Hz in a session"
    )


def detects_itself(model: str, options: STTOptions) -> bool:
    """Whether it is we who notice that the speaker has finished."""
    chosen = own_options(options).turn_detection
    return model == "gpt-realtime-whisper" if chosen is None else chosen == "silence"


def session_of(model: str, options: STTOptions) -> dict[str, Any]:
    """Return the session that is asked for."""
    own = own_options(options)
    transcription: dict[str, Any] = {"model": model, **guidance(model, options)}
    if own.delay is not None:
        transcription["delay"] = own.delay
    heard: dict[str, Any] = {
        "format": audio_format(options),
        "transcription": transcription,
        "turn_detection": None if detects_itself(model, options) else _vad(options),
    }
    if own.noise_reduction is not None:
        heard["noise_reduction"] = _given(
            type=own.noise_reduction, strength=own.noise_reduction_strength
        )
    session: dict[str, Any] = {"type": "transcription", "audio": {"input": heard}}
    if own.logprobs:
        session["include"] = ["item.input_audio_transcription.logprobs"]
    return session


def _vad(options: STTOptions) -> dict[str, Any]:
    own, pause = own_options(options), pause_of(options)
    if own.turn_detection == "semantic_vad":
        return _given(type="semantic_vad", eagerness=own.eagerness)
    return _given(
        type="server_vad",
        threshold=own.vad_threshold,
        prefix_padding_ms=own.vad_prefix_padding_ms,
        silence_duration_ms=None if pause is None else round(1000 * pause),
    )


def _given(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
