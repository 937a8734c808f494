"""What Text-to-Speech v1 answers -> frames of sound. No I/O.

Sources: google-cloud-texttospeech 2.38.0, read on 2026-11-21; RFC 2361 for WAVE's format numbers.
"""

import base64
import binascii
import struct
from collections.abc import Iterator
from typing import Any

import attrs

from capabilities import AudioFormat, AudioFrame, Encoding, ProviderProtocolError
from providers.google.protobuf import Unreadable, decode
from providers.google.tts_messages import STREAMING_RESPONSE

_FRAME = 0.25
"""Seconds of sound in a frame that is cut out of a longer stretch."""
_WAVE = {1: Encoding.LINEAR16, 6: Encoding.ALAW, 7: Encoding.MULAW}


def streamed_audio(message: bytes) -> bytes:
    """Return the sound in one answer of a streamed synthesis.

    Raises:
        ProviderProtocolError: the answer cannot be read.
    """
    try:
        audio: bytes = decode(STREAMING_RESPONSE, message).get("audioContent", b"")
    except Unreadable as exc:
        raise ProviderProtocolError("google", f"said something unreadable: {exc}") from None
    return audio


def whole_audio(answer: Any, asked: AudioFormat) -> tuple[AudioFormat, bytes]:
    """Return the sound in the answer of a whole synthesis, and what it really is.

    Raises:
        ProviderProtocolError: the answer cannot be read.
    """
    try:
        data = base64.b64decode(answer["audioContent"], validate=True)
    except (TypeError, KeyError, ValueError, binascii.Error):
        raise ProviderProtocolError("google", "answered without sound") from None
    if asked.encoding is Encoding.LINEAR16 or data.startswith(b"RIFF"):
        return read_wave(data)
    return asked, data


def read_wave(data: bytes) -> tuple[AudioFormat, bytes]:
    """Return format and sound of a WAVE file.

    Raises:
        ProviderProtocolError: it is none, or of a kind that was not asked for.
    """
    audio, at = None, 12
    if data[:4] == b"RIFF" and data[8:12] == b"WAVE":
        while at + 8 <= len(data):
            name, size = struct.unpack_from("<4sI", data, at)
            at += 8
            if name == b"fmt " and size >= 16 and at + 16 <= len(data):
                kind, channels, rate = struct.unpack_from("<HHI", data, at)
                if kind in _WAVE and channels and rate:
                    audio = AudioFormat(_WAVE[kind], rate, channels)
            if name == b"data" and audio is not None:
                # A size that is not known beforehand is written as the largest there is.
                return audio, data[at : at + size]
            at += size + size % 2
    raise ProviderProtocolError("google", "answered sound whose header cannot be read")


@attrs.define
class Cutter:
    """Makes frames of stretches of sound: in whole samples, none long, one behind the other."""

    audio: AudioFormat
    _rest: bytes = b""
    _size: int = 0

    def feed(self, data: bytes) -> Iterator[AudioFrame]:
        """Yield the frames that are whole now."""
        sample, data = self.audio.sample_bytes or 1, self._rest + data
        end = len(data) - len(data) % sample
        self._rest = data[end:]
        step = self.audio.size(_FRAME) or 32 * 1024
        for at in range(0, end, step):
            piece = data[at : min(at + step, end)]
            yield AudioFrame(piece, self.audio, self.audio.duration(self._size))
            self._size += len(piece)
