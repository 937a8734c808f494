"""One channel out of two, and two out of one."""

import attrs
import numpy as np

from capabilities import ProcessorOptions
from providers.local.processors.effects import Effect, EffectStream, Make, Samples, light_manifest


@attrs.frozen
class Channels(Effect):
    """Gives each channel the mean of all that there are; leaves it alone if the number is right."""

    count: int

    def apply(self, samples: Samples) -> Samples:
        """Mix."""
        if samples.shape[1] == self.count:
            return samples
        return np.repeat(samples.mean(axis=1, keepdims=True), self.count, axis=1)


def _mixer(count: int) -> Make:
    def make(options: ProcessorOptions) -> EffectStream:
        audio = options.format
        return EffectStream(audio, attrs.evolve(audio, channels=count), lambda: Channels(count))

    return make


MONO = light_manifest(
    "mono", _mixer(1), name="Mono", description="Makes one channel of two: their mean"
)
STEREO = light_manifest(
    "stereo", _mixer(2), name="Stereo", description="Makes two equal channels of one"
)
