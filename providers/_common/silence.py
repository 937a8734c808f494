"""Silence in the encoding that a stream really has: made, and told from speech. No I/O."""

from capabilities import AudioFormat, AudioFrame, Encoding

_ZERO = {Encoding.LINEAR16: b"\x00", Encoding.MULAW: b"\xff", Encoding.ALAW: b"\xd5"}
"""The byte of a sample of nothing. A zero byte would be the loudest sample of mu-law."""

# A sample counts as loud from about 3 % of full scale (-30 dBFS) on. In G.711 that is segment 3 of
# the 8 logarithmic ones and above, after the bits that the two laws turn over are turned back;
# in linear16 the high byte alone tells it: 1024 of 32768.
_QUIET = {
    Encoding.LINEAR16: bytes(code for code in range(256) if code < 4 or code >= 252),
    Encoding.MULAW: bytes(code for code in range(256) if (code ^ 0xFF) & 0x7F < 0x30),
    Encoding.ALAW: bytes(code for code in range(256) if (code ^ 0x55) & 0x7F < 0x30),
}


def silence(audio: AudioFormat, duration: float) -> AudioFrame:
    """Return ``duration`` seconds of nothing.

    Raises:
        ValueError: only an encoder can make silence of that encoding.
    """
    if audio.encoding not in _ZERO:
        raise ValueError(f"no silence can be made in {audio.encoding}")
    return AudioFrame(_ZERO[audio.encoding] * audio.size(duration), audio)


def is_loud(frame: AudioFrame) -> bool:
    """Return whether anything in the frame may be speech; never for compressed sound.

    Louder than the noise of a quiet line, no more: music is loud, too.
    """
    encoding = frame.format.encoding
    if encoding not in _QUIET:
        return False
    high = frame.data[1::2] if encoding is Encoding.LINEAR16 else frame.data
    return bool(high.translate(None, _QUIET[encoding]))
