"""Makes sound louder or softer; what would be too loud is rounded off and never wraps."""

import attrs
import numpy as np

from capabilities import ProcessorOptions
from providers.local.processors.effects import Effect, EffectStream, Samples, light_manifest

_KNEE = 0.8 * 32767
"""Where rounding begins: 2 dB below the loudest."""
_ROOM = 32767 - _KNEE


@attrs.frozen
class GainOptions:
    """What a session may set."""

    gain: float = attrs.field(
        default=0.0, validator=[attrs.validators.ge(-60), attrs.validators.le(40)]
    )
    """Decibels."""


@attrs.frozen
class Gain(Effect):
    """A factor, and a soft limit above the knee."""

    factor: float

    def apply(self, samples: Samples) -> Samples:
        """Multiply; with a factor up to 1 nothing can become too loud."""
        louder = samples * self.factor
        if self.factor <= 1:
            return louder
        size = np.abs(louder)
        rounded = _KNEE + _ROOM * np.tanh((size - _KNEE) / _ROOM)
        return np.where(size <= _KNEE, louder, np.sign(louder) * rounded)


def make(options: ProcessorOptions) -> EffectStream:
    """Begin a stream."""
    own = options.options or GainOptions()
    return EffectStream(options.format, options.format, lambda: Gain(10 ** (own.gain / 20)))


MANIFEST = light_manifest(
    "gain",
    make,
    name="Gain",
    description="Makes sound louder or softer, without clipping",
    options=GainOptions,
)
