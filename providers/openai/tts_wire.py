"""``POST /v1/audio/speech`` without I/O: a request -> its body, chunks of an answer -> frames.

Source: the package ``openai`` 3.52.0, 2026-11-20.
"""

from typing import Any

import attrs

from capabilities import AudioFormat, AudioFrame, ProviderRefused, SpeechRequest
from providers.openai.emotion import instructions
from providers.openai.formats import SPOKEN, SPOKEN_RATE
from providers.openai.names import ID, TTS_MODELS, takes_instructions
from providers.openai.options import OpenAITTSOptions
from providers.openai.voices import voice_field

MOST_TEXT = 4096
"""Characters."""
SPEEDS = (0.25, 4.0)


def given_format(request: SpeechRequest) -> AudioFormat:
    """Return what will really come.

    Raises:
        ProviderRefused: it cannot be had.
    """
    if request.format.encoding not in SPOKEN:
        raise ProviderRefused(ID, f"gives no {request.format.encoding} audio")
    return AudioFormat(request.format.encoding, SPOKEN_RATE)


def speech_body(request: SpeechRequest, default_voice: str) -> dict[str, Any]:
    """Return the body of a request.

    Raises:
        ProviderRefused: the format cannot be had, or the text is too long.
    """
    if len(request.text) > MOST_TEXT:
        raise ProviderRefused(ID, f"says at most {MOST_TEXT} characters in one request")
    own: OpenAITTSOptions = request.options or OpenAITTSOptions()
    model = request.model or TTS_MODELS[0]
    body: dict[str, Any] = {
        "model": model,
        "input": request.text,
        "voice": voice_field(request.voice or default_voice),
        "response_format": SPOKEN[given_format(request).encoding],
    }
    told = instructions(request.feeling, own.instructions)
    if told is not None and takes_instructions(model):
        body["instructions"] = told
    if request.speed != 1.0:
        body["speed"] = min(max(request.speed, SPEEDS[0]), SPEEDS[1])
    return body


@attrs.define
class Frames:
    """Makes frames of whole samples out of chunks that are cut anywhere."""

    format: AudioFormat
    _torn: bytes = attrs.field(default=b"", init=False)
    _size: int = attrs.field(default=0, init=False)

    def take(self, chunk: bytes) -> AudioFrame | None:
        """Return the next frame, if there is a whole sample."""
        data, unit = self._torn + chunk, self.format.sample_bytes or 1
        whole = len(data) - len(data) % unit
        data, self._torn = data[:whole], data[whole:]
        if not data:
            return None
        start = self.format.duration(self._size)
        self._size += len(data)
        return AudioFrame(data, self.format, start)
