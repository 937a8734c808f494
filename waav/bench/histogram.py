"""Times of any size in a fixed number of buckets, none of them off by more than 1.6 %."""

from collections.abc import Sequence

_BITS = 6
"""Each doubling has so many bits of resolution: 64 buckets."""
_BUCKETS = 40 << _BITS
"""Up to 2**45 ns, nearly ten hours."""


class Histogram:
    """Counts of times in nanoseconds. Its cost does not depend on how many there are."""

    def __init__(self, counts: Sequence[int] = ()) -> None:
        self._counts = list(counts) + [0] * (_BUCKETS - len(counts))

    def record(self, time: int) -> None:
        """Count one."""
        shift = time.bit_length() - _BITS - 1
        index = time if shift <= 0 else (shift << _BITS) + (time >> shift)
        self._counts[min(index, _BUCKETS - 1)] += 1

    def __add__(self, other: "Histogram") -> "Histogram":
        """Return both together."""
        return Histogram([a + b for a, b in zip(self._counts, other._counts, strict=True)])

    @property
    def count(self) -> int:
        """How many there are."""
        return sum(self._counts)

    def percentile(self, percent: float) -> float:
        """Return seconds that so many percent did not exceed; 0 of nothing."""
        counts = self._counts
        wanted = max(1, -(-sum(counts) * percent // 100))
        for index, count in enumerate(counts):
            wanted -= count
            if wanted <= 0:
                return _highest(index) / 1e9
        return 0.0

    @property
    def greatest(self) -> float:
        """Seconds; the upper end of the last bucket that has any."""
        used = [index for index, count in enumerate(self._counts) if count]
        return _highest(used[-1]) / 1e9 if used else 0.0

    def export(self) -> list[int]:
        """Return the counts, without the empty ones behind the last: what the constructor takes."""
        counts = self._counts
        used = max((index + 1 for index, count in enumerate(counts) if count), default=0)
        return counts[:used]


def _highest(index: int) -> int:
    """Return the greatest time that the bucket stands for."""
    shift = (index >> _BITS) - 1
    if shift <= 0:
        return index
    return (((index & ((1 << _BITS) - 1)) + (1 << _BITS) + 1) << shift) - 1
