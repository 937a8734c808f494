"""Noise out of speech, without a model: the noise in each band is tracked, and a Wiener filter lowers it.

For hops of 10 ms, in windows of two. Pure functions on arrays, for any number of streams in one go.

Sources: T. Gerkmann and R. C. Hendriks, "Unbiased MMSE-based noise power estimation with low
complexity and low tracking delay" (2012), for the noise; Y. Ephraim and D. Malah, "Speech enhancement
using a minimum mean-square error short-time spectral amplitude estimator" (1984), for the
decision-directed estimate of what is not noise.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, TypeAlias

import attrs
import numpy as np
from numpy.typing import NDArray

from providers.local.processors.hops import Hops, Job, Result

Array: TypeAlias = NDArray[np.floating[Any]]
"""Single precision."""

_SPEECH = 10**1.5
"""How far speech stands above noise where there is any: 15 dB."""
_NOISE_PACE = 0.8
"""Of the noise in a band, so much is what it was a hop ago."""
_PRESENCE_PACE = 0.9
_SURE = 0.99
"""A band that has been speech for longer than speech lasts is noise that has grown."""
_TRUST = 0.98
"""Of what is not noise, so much goes by the hop before: less lets single tones through, more blurs."""
_LEAST = 1.0
"""Power that noise has in any case, so that silence is not divided by."""


@attrs.frozen(eq=False)
class Ear:
    """What is remembered of one stream."""

    floor: float
    """The smallest factor of any band: 0.1 lowers noise by 20 dB at most."""
    noise: Array
    """Power of each band; 0 before the first sound."""
    clean: Array
    """Power of what is not noise, a hop ago."""
    presence: Array
    """Of speech, 0 to 1, over the last hops."""
    before: Array
    """The last hop that went in."""
    tail: Array
    """What the last window adds to the next hop."""

    @classmethod
    def fresh(cls, hop: int, attenuation: float) -> "Ear":
        """Return the memory of a stream that has heard nothing; ``attenuation`` in decibels."""
        bands, samples = np.zeros(hop + 1, np.float32), np.zeros(hop, np.float32)
        return cls(10 ** (-attenuation / 20), bands, bands, bands, samples, samples)


def suppress(jobs: Sequence[Job[Ear]]) -> list[Result[Ear]]:
    """Work on all; what has the same shape goes together."""
    alike = defaultdict(list)
    for index, job in enumerate(jobs):
        alike[job.hops.shape].append(index)
    results = {
        index: result
        for indices in alike.values()
        for index, result in zip(indices, _together([jobs[each] for each in indices]), strict=True)
    }
    return [results[index] for index in range(len(jobs))]


def _together(jobs: Sequence[Job[Ear]]) -> Iterator[Result[Ear]]:
    """Work on streams with as many hops, of the same length, each."""
    ears = [job.memory for job in jobs]
    hops = np.stack([job.hops for job in jobs])  # [streams, hops, samples]
    size = hops.shape[2]
    window = _window(size)
    sound = np.concatenate([np.stack([ear.before for ear in ears])[:, None], hops], axis=1)
    spectra = np.fft.rfft(np.concatenate([sound[:, :-1], sound[:, 1:]], axis=2) * window, axis=2)
    powers = (spectra.real**2 + spectra.imag**2).astype(np.float32)
    bands = _Bands.of(ears)
    gains = np.stack([bands.hear(powers[:, index]) for index in range(hops.shape[1])], axis=1)
    made = np.fft.irfft(spectra * gains, axis=2).astype(np.float32) * window
    tails = np.concatenate(
        [np.stack([ear.tail for ear in ears])[:, None], made[..., size:]], axis=1
    )
    ready: Hops = made[..., :size] + tails[:, :-1]
    for index, ear in enumerate(ears):
        # Copies: a stream must not keep the sound of all others alive.
        rest = hops[index, -1].copy(), tails[index, -1].copy()
        memory = Ear(ear.floor, *bands.of_stream(index), *rest)
        yield Result(memory, ready[index])


@lru_cache(maxsize=16)
def _window(hop: int) -> Array:
    """Return the root of a Hann window over two hops: applied twice, overlapping halves add up to 1."""
    turn = np.pi * np.arange(2 * hop) / (2 * hop)
    window: Array = np.sin(turn).astype(np.float32)
    return window


@attrs.define(eq=False)
class _Bands:
    """The spectra that are remembered, of all streams: ``[streams, bands]``."""

    floor: Array
    noise: Array
    clean: Array
    presence: Array

    @classmethod
    def of(cls, ears: Sequence[Ear]) -> "_Bands":
        floor = np.array([[ear.floor] for ear in ears], np.float32)
        names = ("noise", "clean", "presence")
        return cls(floor, *(np.stack([getattr(ear, name) for ear in ears]) for name in names))

    def of_stream(self, index: int) -> tuple[Array, Array, Array]:
        """Return what one stream remembers."""
        return self.noise[index].copy(), self.clean[index].copy(), self.presence[index].copy()

    def hear(self, power: Array) -> Array:
        """Take the next hop; return the factor of each band."""
        # Whatever comes first after silence is taken for noise; many clients begin with silence.
        noise = np.maximum(np.where(self.noise > 0, self.noise, power), _LEAST)
        heard = (self.noise > 0) | (power >= _LEAST)
        unlikely = (1 + _SPEECH) * np.exp(
            -np.minimum(power / noise, 80) * np.float32(_SPEECH / (1 + _SPEECH))
        )
        speech = 1 / (1 + unlikely)
        self.presence = _PRESENCE_PACE * self.presence + (1 - _PRESENCE_PACE) * speech
        speech = np.where(self.presence > _SURE, np.minimum(speech, _SURE), speech)
        guess = speech * noise + (1 - speech) * power
        noise = np.maximum(_NOISE_PACE * noise + (1 - _NOISE_PACE) * guess, _LEAST)
        self.noise = noise * heard
        above = np.maximum(power / noise - 1, 0)
        ratio = _TRUST * self.clean / noise + (1 - _TRUST) * above
        gain: Array = np.maximum(ratio / (1 + ratio), self.floor)
        self.clean = gain * gain * power
        return gain
