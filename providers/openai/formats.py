"""Which sound goes to OpenAI and comes from it, and how it is called there.

Source: the package ``openai`` 3.52.0, 2026-11-20; that ``pcm`` is 24 kHz, 16 bits, mono without a
header is the word of the API's guide.
"""

from collections.abc import Mapping

from capabilities import Encoding

FILES: Mapping[Encoding, tuple[str, str]] = {
    Encoding.WAV: ("audio.wav", "audio/wav"),
    Encoding.MP3: ("audio.mp3", "audio/mpeg"),
    Encoding.FLAC: ("audio.flac", "audio/flac"),
    Encoding.OGG: ("audio.ogg", "audio/ogg"),
}
"""Files that go as they are: name and type. OpenAI knows a format by the name's extension."""

HEARD = (Encoding.LINEAR16, Encoding.MULAW, Encoding.ALAW, *FILES)

SPOKEN: Mapping[Encoding, str] = {
    Encoding.LINEAR16: "pcm",
    Encoding.MP3: "mp3",
    Encoding.OPUS: "opus",
    Encoding.OGG: "opus",
    Encoding.AAC: "aac",
    Encoding.FLAC: "flac",
}
"""How each encoding is asked for. Their ``wav`` is ``pcm`` with a header; ``opus`` comes in Ogg."""

SPOKEN_RATE = 24000
"""Hertz: there is no other."""
