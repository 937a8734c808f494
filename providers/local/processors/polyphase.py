"""Whole multiples of a rate and back, with a delay of a millisecond or two.

A general resampler holds back 20 ms on the way up and as much on the way down, more than the model
between them. For whole multiples a short filter does: flat to four fifths of what the lower rate can
hold, and with images and aliases of that 70 dB below it.
"""

from functools import lru_cache

import attrs
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

REACH = 16
"""Samples of the lower rate that the filter looks back, and ahead."""

Wave = NDArray[np.float32]


@lru_cache(maxsize=8)
def _filter(times: int) -> Wave:
    """Return the low-pass at the higher rate: a sinc in a Kaiser window, of gain 1."""
    length = 2 * REACH * times + 1
    at = (np.arange(length) - REACH * times) / times
    taps = np.sinc(at) * np.kaiser(length, 6.0)
    low: Wave = (taps / taps.sum()).astype(np.float32)
    return low


@lru_cache(maxsize=8)
def _phases(times: int) -> Wave:
    """Return one column for each of the samples that one becomes."""
    padded = np.append(_filter(times), np.zeros(times - 1, np.float32)) * times
    phases: Wave = padded.reshape(-1, times)[::-1].copy()
    return phases


@attrs.frozen(eq=False)
class Before:
    """What the two filters remember of one stream."""

    times: int
    low: Wave
    high: Wave

    @classmethod
    def nothing(cls, times: int) -> "Before":
        """Return the memory of a stream that has heard nothing."""
        return cls(times, np.zeros(2 * REACH, np.float32), np.zeros(2 * REACH * times, np.float32))


def up(before: Before, wave: Wave) -> tuple[Wave, Wave]:
    """Return ``times`` as many samples, ``REACH`` late, and the next ``low``."""
    if before.times == 1:
        return wave, before.low
    known = np.concatenate([before.low, wave])
    made: Wave = (sliding_window_view(known, 2 * REACH + 1) @ _phases(before.times)).reshape(-1)
    return made, known[-2 * REACH :].copy()


def down(before: Before, wave: Wave) -> tuple[Wave, Wave]:
    """Return every ``times``-th sample of what is below the lower rate's half, and the next ``high``."""
    if before.times == 1:
        return wave, before.high
    known = np.concatenate([before.high, wave])
    made: Wave = np.convolve(known, _filter(before.times), "valid")[:: before.times]
    return made, known[-2 * REACH * before.times :].copy()


def late(times: int) -> int:
    """Return by how many samples of the lower rate both ways together stand behind."""
    return 0 if times == 1 else 2 * REACH
