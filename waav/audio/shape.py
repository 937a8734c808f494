"""From the sound that a voice gives to the frames that a listener wants."""

from collections.abc import Iterator

import attrs

from capabilities import AudioFormat, AudioFrame, Encoding
from waav.audio.convert import Converter
from waav.audio.wav import wav_header

LONGEST_FRAME = 0.1
"""Seconds. Long enough to be cheap, short enough that stopping takes effect at once."""


def cut(frame: AudioFrame) -> Iterator[AudioFrame]:
    """Yield a frame in pieces of at most 100 ms; compressed sound in one."""
    size = frame.format.size(LONGEST_FRAME)
    if not size or len(frame.data) <= size:
        yield frame
        return
    text = frame.text
    for at in range(0, len(frame.data), size):
        start = frame.start + frame.format.duration(at)
        yield AudioFrame(frame.data[at : at + size], frame.format, start, text)
        # Its words begin where it begins.
        text = text and ""


@attrs.define
class Shaper:
    """Feed one utterance in as its voice gives it, take frames of ``target`` out.

    However the sound arrives (in drops, or a whole minute at once out of a cache), no frame that
    leaves is longer than 100 ms. A compressed target passes through as it comes.
    """

    target: AudioFormat
    samples: int = 0
    """Samples of one channel that left."""
    _converter: Converter | None = None
    _text: str | None = ""
    """Of sound that is still held back."""

    @property
    def duration(self) -> float:
        """Seconds of sound that left; 0.0 for compressed sound."""
        return self.samples / self.target.sample_rate

    def feed(self, frame: AudioFrame) -> Iterator[AudioFrame]:
        """Yield what is complete.

        Raises:
            NotConvertible: the voice gives a compressed format, and not the one that is wanted.
        """
        if self._converter is None:
            self._converter = Converter(frame.format, self._raw)
            if self.target.encoding is Encoding.WAV:
                yield AudioFrame(wav_header(self._raw), self.target)
        # Bit by bit, and only as far as somebody asks: resampling a minute at once would hold
        # the event loop for a third of a second.
        for piece in cut(frame):
            self._text = None if None in {self._text, piece.text} else f"{self._text}{piece.text}"
            yield from self._cut(self._converter.feed(piece.data))

    def flush(self) -> Iterator[AudioFrame]:
        """Yield what was held back. No sound follows."""
        if self._converter is not None:
            yield from self._cut(self._converter.flush())

    @property
    def _raw(self) -> AudioFormat:
        if self.target.encoding is Encoding.WAV:
            return attrs.evolve(self.target, encoding=Encoding.LINEAR16)
        return self.target

    def _cut(self, data: bytes) -> Iterator[AudioFrame]:
        if not data:
            return
        whole = AudioFrame(data, self._raw, self.duration, self._text)
        self._text = self._text and ""
        for piece in cut(whole):
            # Behind its header WAV is raw sound, whose length can be told.
            yield piece
            if self._raw.sample_bytes:
                self.samples += len(piece.data) // self._raw.sample_bytes
