"""What kind of recording some bytes are: told by how they begin, whatever anybody calls them.

Sources: RIFF/WAVE, RFC 3533 (Ogg), RFC 9639 (FLAC), RFC 8794 (EBML), ISO/IEC 14496-12 (MP4),
ISO/IEC 11172-3 (MPEG audio frames), ISO/IEC 13818-7 (ADTS), id3.org (ID3v2).
"""

import re

HEAD = 64
"""How many bytes are enough to tell."""

KNOWN = "WAV, MP3, OGG, FLAC, WebM, M4A or AAC"
"""For people."""

# Bare frames of MP3 and of AAC begin with the same bits; the layer tells them apart: 3, or none.
# Its other values, and forbidden bit rates, are left out: text in UTF-16 begins like layer 1.
_SIGNATURES: tuple[tuple[str, re.Pattern[bytes]], ...] = tuple(
    (media_type, re.compile(pattern, re.DOTALL))
    for media_type, pattern in (
        ("audio/wav", rb"(RIFF|RF64).{4}WAVE"),
        ("audio/ogg", rb"OggS\0"),
        ("audio/flac", rb"fLaC"),
        ("audio/webm", rb"\x1A\x45\xDF\xA3"),
        ("audio/mp4", rb".{4}ftyp"),
        ("audio/mpeg", rb"ID3[\x02-\x04]"),
        ("audio/mpeg", rb"\xFF[\xE2\xE3\xF2\xF3\xFA\xFB][\x10-\xEF]"),
        ("audio/aac", rb"\xFF[\xF0\xF1\xF8\xF9]"),
    )
)


def media_type_of(head: bytes) -> str | None:
    """Return the media type of a file that begins like this; None if it is nothing we know."""
    return next((name for name, pattern in _SIGNATURES if pattern.match(head)), None)
