"""Measures how loud sound is, and leaves it as it is."""

from collections.abc import Mapping

import attrs
import numpy as np

from capabilities import ProcessorOptions
from providers.local.processors.effects import Effect, EffectStream, Samples, light_manifest

_QUIETEST = -120.0
"""dBFS that stand for silence."""


@attrs.define(eq=False)
class Level(Effect):
    """The loudness of one stream since it began, as decibels below a full-scale sample (dBFS)."""

    _squares: float = 0.0
    _count: int = 0
    _peak: float = 0.0
    _clipped: int = 0

    def apply(self, samples: Samples) -> Samples:
        """Look at it."""
        sizes = np.abs(samples)
        self._squares += float((samples * samples).sum())
        self._count += samples.size
        self._peak = max(self._peak, float(sizes.max(initial=0.0)))
        self._clipped += int((sizes >= 32767).sum())
        return samples

    def readings(self) -> Mapping[str, float]:
        """Return the mean and the highest level, and how many samples were as loud as can be."""
        mean = np.sqrt(self._squares / self._count) if self._count else 0.0
        return {
            "rms_dbfs": _decibels(mean),
            "peak_dbfs": _decibels(self._peak),
            "clipped_samples": float(self._clipped),
        }


def _decibels(size: float) -> float:
    return max(_QUIETEST, 20 * float(np.log10(size / 32768))) if size else _QUIETEST


def make(options: ProcessorOptions) -> EffectStream:
    """Begin a stream. One meter for all of it: what it says is not about the last stretch only."""
    meter = Level()
    return EffectStream(options.format, options.format, lambda: meter)


MANIFEST = light_manifest(
    "level",
    make,
    name="Level meter",
    description="Measures how loud sound is, for the statistics of a pipeline",
)
