"""From the sound that a voice gives to the frames that a listener wants."""

from collections.abc import Iterator

import attrs

from capabilities import AudioFormat, AudioFrame, Encoding
from waav.audio.convert import Converter
from waav.audio.wav import wav_header

LONGEST_FRAME = 0.1
"""Seconds. Long enough to be cheap, short enough that stopping takes effect at once."""


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
        yield from self._cut(self._converter.feed(frame.data))

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
        size = self._raw.size(LONGEST_FRAME) or len(data)
        for at in range(0, len(data), size or 1):
            piece = data[at : at + size]
            yield AudioFrame(piece, self.target, self.duration)
            if self._raw.sample_bytes:
                self.samples += len(piece) // self._raw.sample_bytes
