"""RIFF/WAVE files: a header for linear16, and the sound of a file.

Source: "Multimedia Programming Interface and Data Specifications 1.0" (IBM and Microsoft, 1991),
and RFC 2361 for the codec numbers.
"""

import struct

from capabilities import AudioFormat, Encoding

_CODECS = {1: Encoding.LINEAR16, 6: Encoding.ALAW, 7: Encoding.MULAW}
_EXTENSIBLE = 0xFFFE
_UNKNOWN_SIZE = 0xFFFFFFFF
"""What a writer puts who does not know the length yet: a reader takes all there is."""


def wav_header(format: AudioFormat, size: int | None = None) -> bytes:
    """Return the 44 bytes in front of ``size`` bytes of linear16; of an unknown length if None."""
    data_size = _UNKNOWN_SIZE if size is None else size
    riff_size = _UNKNOWN_SIZE if size is None else size + 36
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        b"RIFF", riff_size, b"WAVE",
        b"fmt ", 16, 1, format.channels, format.sample_rate,
        format.sample_rate * format.channels * 2, format.channels * 2, 16,
        b"data", data_size,
    )  # fmt: skip


def read_wav(data: bytes) -> tuple[AudioFormat, bytes]:
    """Return the format and the sound of a whole file.

    Raises:
        ValueError: not a WAVE file, or one whose codec is none of linear16, mu-law and A-law.
    """
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise ValueError("not a WAV file")
    format: AudioFormat | None = None
    at = 12
    while at + 8 <= len(data):
        name, size = struct.unpack_from("<4sI", data, at)
        at += 8
        if name == b"fmt ":
            format = _read_format(data[at : at + size])
        elif name == b"data":
            if format is None:
                raise ValueError("a WAV file without a format in front of its sound")
            sound = data[at : at + size]
            return format, sound[: len(sound) - len(sound) % format.sample_bytes]
        at += size + size % 2
    raise ValueError("a WAV file without sound")


def _read_format(chunk: bytes) -> AudioFormat:
    if len(chunk) < 16:
        raise ValueError("a WAV file whose format is cut off")
    codec, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", chunk)
    if codec == _EXTENSIBLE and len(chunk) >= 26:
        # The real codec is the head of the sub-format's GUID.
        (codec,) = struct.unpack_from("<H", chunk, 24)
    encoding = _CODECS.get(codec)
    if encoding is None or bits != 8 * encoding.sample_width or not channels or not rate:
        raise ValueError(f"a WAV file of codec {codec} with {bits} bits is not understood")
    return AudioFormat(encoding, rate, channels)
