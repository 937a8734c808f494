"""Another sample rate, band-limited: what the lower rate cannot hold is taken out, not folded back."""

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

import attrs
import numpy as np
import soxr

from capabilities import AudioFormat, ProcessorOptions
from providers.local.processors.effects import as_bytes, light_manifest

_QUALITY = "LQ"
"""Aliases lie below -80 dB as with its betters, and it holds back half as much sound."""
_PIECES = (0.01, 0.05)
"""Seconds of the pieces with which the delay is measured."""


@attrs.frozen
class ResampleOptions:
    """What a session may set."""

    sample_rate: int = attrs.field(
        default=16000, validator=[attrs.validators.ge(8000), attrs.validators.le(48000)]
    )
    """Hertz, of what comes out."""


def _resampler(source: int, target: int, channels: int) -> soxr.ResampleStream:
    # In integers the library would dither, by chance: the same sound would never come out the same.
    return soxr.ResampleStream(source, target, channels, dtype="float32", quality=_QUALITY)


@lru_cache(maxsize=64)
def held_back(source: int, target: int) -> float:
    """Return the seconds that the library holds back at most. It does not tell, so they are measured."""
    if source == target:
        return 0.0
    most = 0.0
    for seconds in _PIECES:
        resampler, piece = (
            _resampler(source, target, 1),
            np.zeros(int(source * seconds), np.float32),
        )
        given = 0
        for count in range(1, int(0.3 / seconds)):
            given += len(resampler.resample_chunk(piece))
            most = max(most, count * len(piece) / source - given / target)
    return most


@attrs.define(eq=False)
class ResampleStream:
    """A stream at another rate."""

    source: AudioFormat
    format: AudioFormat
    delay: float
    readings: Mapping[str, float] = MappingProxyType({})
    _resampler: soxr.ResampleStream = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.reset()

    async def feed(self, data: bytes) -> bytes:
        """Return what is ready; some 20 us for 20 ms."""
        return self._convert(data, last=False)

    async def flush(self) -> bytes:
        """Return what the library held back."""
        held = self._convert(b"", last=True)
        self.reset()
        return held

    def reset(self) -> None:
        """Begin anew."""
        rates = self.source.sample_rate, self.format.sample_rate
        self._resampler = _resampler(*rates, self.format.channels)

    def _convert(self, data: bytes, *, last: bool) -> bytes:
        if self.source == self.format:
            return data
        samples = np.frombuffer(data, "<i2").reshape(-1, self.source.channels)
        return as_bytes(self._resampler.resample_chunk(samples.astype(np.float32), last=last))


def make(options: ProcessorOptions) -> ResampleStream:
    """Begin a stream."""
    own, audio = options.options or ResampleOptions(), options.format
    delay = held_back(audio.sample_rate, own.sample_rate)
    return ResampleStream(audio, attrs.evolve(audio, sample_rate=own.sample_rate), delay)


MANIFEST = light_manifest(
    "resample",
    make,
    name="Resampler",
    description="Gives sound another sample rate",
    options=ResampleOptions,
)
