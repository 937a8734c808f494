"""Takes out what lies below the voice: rumble, hum, and an offset.

A Butterworth filter of the second order. Python is too slow to go from sample to sample, so a whole
block is one product of matrices: what a filter does to a block is linear in the block and in the last
two samples before it, both of what went in and of what came out.
"""

from functools import lru_cache

import attrs
import numpy as np
from numpy.typing import NDArray

from capabilities import ProcessorOptions, ProviderRefused
from providers.local.processors.effects import Effect, EffectStream, Samples, light_manifest

ID = "high-pass"
_BLOCK = 128
"""Samples of a block: the fastest on 20 ms at 16 kHz."""


@attrs.frozen
class HighPassOptions:
    """What a session may set."""

    frequency: float = attrs.field(
        default=80.0, validator=[attrs.validators.ge(10), attrs.validators.le(1000)]
    )
    """Hertz; there the sound is 3 dB down, and an octave below 12."""


def coefficients(frequency: float, rate: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return ``b`` and ``a`` of the filter: Audio EQ Cookbook (R. Bristow-Johnson), Q = 1/sqrt(2)."""
    turn = 2 * np.pi * frequency / rate
    width = np.sin(turn) / np.sqrt(2)
    half = (1 + np.cos(turn)) / 2
    b, a = [half, -2 * half, half], [1 + width, -2 * np.cos(turn), 1 - width]
    return np.array(b) / a[0], np.array(a) / a[0]


@lru_cache(maxsize=32)
def _matrix(frequency: float, rate: int) -> NDArray[np.float64]:
    """What comes out of a block, one row a sample: of ``[x2, x1, y2, y1, block]``."""
    b, a = coefficients(frequency, rate)
    rows = np.zeros((2 + _BLOCK, 4 + _BLOCK))
    rows[0, 2] = rows[1, 3] = 1.0  # the two outputs before the block are what they are
    taken = np.zeros((2 + _BLOCK, 4 + _BLOCK))
    taken[0, 0] = taken[1, 1] = 1.0
    for sample in range(_BLOCK):
        taken[2 + sample, 4 + sample] = 1.0
        fed = b[0] * taken[2 + sample] + b[1] * taken[1 + sample] + b[2] * taken[sample]
        rows[2 + sample] = fed - a[1] * rows[1 + sample] - a[2] * rows[sample]
    matrix: NDArray[np.float64] = rows[2:]
    return matrix


@attrs.define(eq=False)
class HighPass(Effect):
    """The filter of one stream."""

    matrix: NDArray[np.float64]
    channels: int
    _before: Samples = attrs.field(init=False)
    """The last two samples of what went in, then those of what came out."""

    def __attrs_post_init__(self) -> None:
        self._before = np.zeros((4, self.channels))

    def apply(self, samples: Samples) -> Samples:
        """Filter it, block by block."""
        out = np.empty_like(samples)
        for start in range(0, len(samples), _BLOCK):
            block = samples[start : start + _BLOCK]
            known = np.concatenate([self._before, block])
            made = self.matrix[: len(block), : len(known)] @ known
            out[start : start + _BLOCK] = made
            before = self._before
            went, came = np.concatenate([before[:2], block]), np.concatenate([before[2:], made])
            self._before = np.concatenate([went[-2:], came[-2:]])
        return out


def make(options: ProcessorOptions) -> EffectStream:
    """Begin a stream."""
    own = options.options or HighPassOptions()
    audio = options.format
    if own.frequency >= audio.sample_rate / 2:
        raise ProviderRefused(ID, f"nothing of {audio.sample_rate} Hz is above {own.frequency} Hz")
    matrix = _matrix(own.frequency, audio.sample_rate)
    return EffectStream(audio, audio, lambda: HighPass(matrix, audio.channels))


MANIFEST = light_manifest(
    ID,
    make,
    name="High-pass filter",
    description="Takes out rumble and hum below the voice",
    options=HighPassOptions,
)
