"""Cut a text into pieces that an engine says in one go, and sound into frames. No I/O."""

import re
from collections.abc import Iterator

from capabilities import AudioFormat, AudioFrame

LONGEST = 300
"""Characters of the longest piece: some 20 seconds of speech, 1 MB of sound."""

_TITLES = r"(?<!\bMr\.)(?<!\bMs\.)(?<!\bDr\.)(?<!\bSt\.)(?<!\bMrs\.)"
# The blank is looked for first: that is the quick test, and a text may have 100 KiB.
_SENTENCE = re.compile(rf"(?=\s){_TITLES}(?:(?<=[.!?…])|(?<=[.!?…][\"')\]]))\s+|\n+|(?<=[。！？])")
_CLAUSE = re.compile(r"(?<=[,;:])\s+|(?<=[،、，；])|\s[-\u2013\u2014]\s")
_WORD = re.compile(r"\S")
_UNSAYABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")

_FRAME = 0.1
"""Seconds of one frame: short enough to be stopped at, long enough to cost little."""


def split_text(text: str, longest: int = LONGEST) -> Iterator[str]:
    """Yield the sentences of a text, cut at commas, then blanks, then anywhere if above ``longest``.

    Nothing but blanks at the cuts and control characters is lost; blank text yields nothing. The
    work is done piece by piece, so that a long text does not hold up who iterates.
    """
    start = 0
    while word := _WORD.search(text, start):
        start = word.start()
        end = _cut(text, start, longest)
        if piece := _UNSAYABLE.sub(" ", text[start:end]).strip():
            yield piece
        start = end


def _cut(text: str, start: int, longest: int) -> int:
    limit = start + longest
    if sentence := _SENTENCE.search(text, start + 1, limit):
        return sentence.end()
    if limit >= len(text):
        return len(text)
    *_, comma = (0, *(match.end() for match in _CLAUSE.finditer(text, start + 1, limit)))
    return comma or max(text.rfind(" ", start, limit), 0) or limit


def frames_of(pcm: bytes, audio: AudioFormat, start: float) -> Iterator[AudioFrame]:
    """Cut raw sound into frames of at most 0.1 seconds; ``start`` is that of the first."""
    step = audio.size(_FRAME)
    for offset in range(0, len(pcm), step):
        yield AudioFrame(pcm[offset : offset + step], audio, start + audio.duration(offset))
