"""Linear16 of any rate, however it is cut -> chunks of one length at one of two rates. No I/O."""

from collections.abc import Iterator

import attrs
import numpy as np
import soxr

PER_SECOND = 31.25
"""Chunks: each is 32 ms further on than the one before."""
RATES = (16000, 8000)
"""Hertz of chunks."""
_BEFORE = 250
"""A chunk begins with the last 1/250 second of the one before: 64 samples at 16 kHz."""


@attrs.define
class Chunks:
    """Cuts one stream of mono sound.

    A chunk is bytes of linear16: 64 samples that were in the last one, too, and 512 new ones at
    16 kHz; half of that at 8 kHz. Other rates become 16 kHz. A resampler holds some sound back but
    moves none, so what is new in chunk n begins ``n / PER_SECOND`` seconds after the first sample.
    """

    source: int
    """Hertz of what comes in."""
    _size: int = attrs.field(default=0, init=False)
    """Bytes that came in."""
    _torn: bytes = attrs.field(default=b"", init=False)
    _step: int = attrs.field(init=False)
    """Bytes from one chunk to the next."""
    _length: int = attrs.field(init=False)
    """Bytes of a chunk."""
    _rest: bytes = attrs.field(init=False)
    _resampler: soxr.ResampleStream | None = attrs.field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        self._rest = bytes(2 * (self.rate // _BEFORE))
        self._step = 2 * round(self.rate / PER_SECOND)
        self._length = len(self._rest) + self._step
        if self.source != self.rate:
            self._resampler = soxr.ResampleStream(
                self.source, self.rate, 1, dtype="int16", quality="LQ"
            )

    @property
    def rate(self) -> int:
        """Hertz of the chunks."""
        return self.source if self.source in RATES else RATES[0]

    @property
    def duration(self) -> float:
        """Seconds that came in."""
        return self._size // 2 / self.source

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Take bytes, cut anywhere; yield the chunks that are whole."""
        self._size += len(data)
        if self._resampler is not None:
            data = self._torn + data
            even = len(data) & ~1
            self._torn = data[even:]
            data = self._resampled(data[:even], last=False)
        self._rest += data
        return self._cut()

    def flush(self) -> Iterator[bytes]:
        """Yield what was held back, filled up with silence. No sound follows."""
        if self._resampler is not None:
            self._rest += self._resampled(b"", last=True)
        self._rest = self._rest[: len(self._rest) & ~1]
        self._rest += bytes((self._length - len(self._rest)) % self._step)
        return self._cut()

    def _resampled(self, data: bytes, *, last: bool) -> bytes:
        assert self._resampler is not None  # noqa: S101 - for the type checker
        return bytes(self._resampler.resample_chunk(np.frombuffer(data, "<i2"), last=last))

    def _cut(self) -> Iterator[bytes]:
        sound, length = self._rest, self._length
        starts = range(0, len(sound) - length + 1, self._step)
        self._rest = sound[len(starts) * self._step :]
        return iter([sound[at : at + length] for at in starts])
