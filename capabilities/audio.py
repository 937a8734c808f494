"""Sound as a value: how bytes are to be read, and a short stretch of them."""

from enum import StrEnum

import attrs


class Encoding(StrEnum):
    """What the bytes of a stretch of sound are."""

    LINEAR16 = "linear16"
    """Signed 16-bit little-endian PCM, channels interleaved."""
    MULAW = "mulaw"
    """ITU-T G.711 mu-law, one byte a sample."""
    ALAW = "alaw"
    """ITU-T G.711 A-law, one byte a sample."""
    WAV = "wav"
    """A RIFF file: a header in front of linear16."""
    MP3 = "mp3"
    OPUS = "opus"
    OGG = "ogg"
    FLAC = "flac"
    AAC = "aac"

    @property
    def sample_width(self) -> int:
        """Bytes of one sample of one channel; 0 where only a decoder can tell."""
        return _SAMPLE_WIDTH.get(self, 0)


_SAMPLE_WIDTH = {Encoding.LINEAR16: 2, Encoding.MULAW: 1, Encoding.ALAW: 1}

_NAMES = {
    **{encoding.value: encoding for encoding in Encoding},
    "pcm": Encoding.LINEAR16,
    "pcm16": Encoding.LINEAR16,
    "pcm_s16le": Encoding.LINEAR16,
    "raw": Encoding.LINEAR16,
    "ulaw": Encoding.MULAW,
    "mu-law": Encoding.MULAW,
    "pcm_mulaw": Encoding.MULAW,
    "g711_ulaw": Encoding.MULAW,
    "a-law": Encoding.ALAW,
    "pcm_alaw": Encoding.ALAW,
    "g711_alaw": Encoding.ALAW,
    "mpeg": Encoding.MP3,
}


def parse_encoding(name: str) -> Encoding:
    """Read a name as clients and vendors write it, in any case: ``ulaw``, ``pcm_s16le``, ``pcm_16000``.

    Raises:
        ValueError: no encoding goes by this name; the message lists those that exist.
    """
    key = name.strip().lower()
    # Vendors append the rate (`pcm_24000`, `mp3_44100_128`); the encoding stands in front of it.
    words = [key, *(key.rsplit("_", n)[0] for n in (1, 2))]
    for word in words:
        if word in _NAMES:
            return _NAMES[word]
    raise ValueError(f"unknown audio encoding {name!r}; known are {', '.join(sorted(Encoding))}")


@attrs.frozen
class AudioFormat:
    """How to read bytes as sound."""

    encoding: Encoding = Encoding.LINEAR16
    sample_rate: int = 16000
    """Hertz."""
    channels: int = 1
    # Computed once: they are asked for with each frame.
    sample_bytes: int = attrs.field(init=False, eq=False, repr=False)
    """Bytes of one sample of all channels: the unit that must not be torn. 0 if compressed."""
    byte_rate: int = attrs.field(init=False, eq=False, repr=False)
    """Bytes a second; 0 if compressed."""

    def __attrs_post_init__(self) -> None:
        unit = self.encoding.sample_width * self.channels
        object.__setattr__(self, "sample_bytes", unit)  # the class is frozen
        object.__setattr__(self, "byte_rate", unit * self.sample_rate)

    def duration(self, size: int) -> float:
        """Seconds that ``size`` bytes last; 0.0 for compressed sound, whose length only a decoder knows."""
        return size / self.byte_rate if self.byte_rate else 0.0

    def size(self, duration: float) -> int:
        """Bytes of ``duration`` seconds, in whole samples; 0 if compressed."""
        return int(duration * self.sample_rate) * self.sample_bytes


SPEECH = AudioFormat()
"""What recognisers like best: linear16, 16 kHz, mono."""


@attrs.frozen
class AudioFrame:
    """A short stretch of sound, in whole samples if the encoding is a raw one."""

    data: bytes = attrs.field(repr=lambda data: f"<{len(data)} bytes>")
    format: AudioFormat = SPEECH
    start: float = 0.0
    """Seconds since the stream began, by the sender's count of samples, not by a clock."""
    text: str | None = None
    """Of a voice that tells when it says what: the words that begin in this frame, and what stands
    behind them, often none. None if it does not tell."""

    @property
    def duration(self) -> float:
        """Seconds; 0.0 for compressed sound."""
        return self.format.duration(len(self.data))
