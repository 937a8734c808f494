"""How often a client may ask: a bucket of tokens for each, which time refills. No clock.

A bucket is one number: the moment at which it is full again. So a client that has been quiet for
long enough is like one that was never seen, and can be forgotten.
"""

from math import floor

import attrs

MOST_CLIENTS = 16_384
"""Buckets that are kept. Beyond, whoever was quiet for the longest time gets a full one."""
_FORGOTTEN_AT_ONCE = 2
"""Old buckets that each request clears away: more than it can add."""
_ROUNDING = 1e-6
"""Tokens; so that the last one of a second is there at the end of the second."""


@attrs.frozen
class Verdict:
    """Whether a request may pass."""

    wait: float
    """Seconds after which it may; 0 if it may now."""
    remaining: int
    """Requests that would be let through at once after it."""

    @property
    def passes(self) -> bool:
        """Whether it may now."""
        return self.wait <= 0


@attrs.define(eq=False)
class Rates:
    """The buckets of all clients."""

    rate: float
    """Tokens that each bucket gets in a second."""
    burst: int
    """Tokens that it holds; each request takes one."""
    most_clients: int = MOST_CLIENTS
    refused: int = attrs.field(default=0, init=False)
    """Requests that did not pass, since the start."""
    _full_at: dict[str, float] = attrs.field(factory=dict, init=False)
    """By client, whoever asked first comes first."""

    def __len__(self) -> int:
        """Return how many buckets are kept."""
        return len(self._full_at)

    def take(self, client: str, now: float) -> Verdict:
        """Take a token for a request; one that must wait takes none.

        Args:
            client: as :mod:`waav.security.addresses` groups them.
            now: on any clock that does not go back.
        """
        full_at = max(self._full_at.pop(client, now), now)
        tokens = self.burst - (full_at - now) * self.rate + _ROUNDING
        passes = tokens >= 1
        self._full_at[client] = full_at + 1 / self.rate if passes else full_at
        self._forget(now)
        if passes:
            return Verdict(0.0, floor(tokens - 1))
        self.refused += 1
        return Verdict((1 - tokens) / self.rate, 0)

    def _forget(self, now: float) -> None:
        for _ in range(_FORGOTTEN_AT_ONCE):
            oldest = next(iter(self._full_at))
            if self._full_at[oldest] > now and len(self._full_at) <= self.most_clients:
                return
            del self._full_at[oldest]
