"""Sound to test with: silence, a tone, a spoken question, and WAV files."""

import wave
from collections.abc import Iterator
from os import PathLike
from pathlib import Path

import numpy as np

from capabilities import SPEECH, AudioFormat, AudioFrame, Encoding

QUESTION_TEXT = "what is the weather like today"
"""The words of :func:`question`."""

_QUESTION = Path(__file__).with_name("question.wav")


def question() -> AudioFrame:
    """Return two seconds of speech, linear16, 16 kHz, mono: the voice ``slt`` of the program flite.

    The local recogniser understands every word of it.
    """
    return read_wav(_QUESTION)


def silence(duration: float, audio: AudioFormat = SPEECH) -> AudioFrame:
    """Return ``duration`` seconds of nothing, in linear16."""
    return AudioFrame(bytes(_linear16(audio).size(duration)), audio)


def tone(
    duration: float, frequency: float = 440.0, level: float = 0.5, audio: AudioFormat = SPEECH
) -> AudioFrame:
    """Return ``duration`` seconds of a sine of ``frequency`` hertz, in linear16.

    ``level`` is 0 to 1, where 1 is as loud as the format can.
    """
    step = 2 * np.pi * frequency / _linear16(audio).sample_rate
    wave_form = np.sin(step * np.arange(audio.size(duration) // audio.sample_bytes))
    samples = np.round(level * 32767 * wave_form).astype("<i2")
    return AudioFrame(np.repeat(samples, audio.channels).tobytes(), audio)


def cut(frame: AudioFrame, size: int) -> Iterator[AudioFrame]:
    """Cut a stretch of sound into frames of ``size`` bytes; the last one may be shorter."""
    for offset in range(0, len(frame.data), size):
        start = frame.start + frame.format.duration(offset)
        yield AudioFrame(frame.data[offset : offset + size], frame.format, start)


def read_wav(path: str | PathLike[str]) -> AudioFrame:
    """Read a WAV file of 16-bit samples.

    Raises:
        ValueError: its samples are of another size.
        wave.Error: it is no WAV file.
    """
    with wave.open(str(path), "rb") as file:
        if file.getsampwidth() != Encoding.LINEAR16.sample_width:
            raise ValueError(f"{path} has samples of {8 * file.getsampwidth()} bits, not of 16")
        audio = AudioFormat(Encoding.LINEAR16, file.getframerate(), file.getnchannels())
        return AudioFrame(file.readframes(file.getnframes()), audio)


def write_wav(path: str | PathLike[str], frame: AudioFrame) -> None:
    """Write linear16 sound as a WAV file."""
    audio = _linear16(frame.format)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(audio.channels)
        file.setsampwidth(audio.encoding.sample_width)
        file.setframerate(audio.sample_rate)
        file.writeframes(frame.data)


def _linear16(audio: AudioFormat) -> AudioFormat:
    if audio.encoding is not Encoding.LINEAR16:
        raise ValueError(f"this helper makes and reads linear16, not {audio.encoding}")
    return audio
