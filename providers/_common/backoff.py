"""How long to wait before the next attempt: arithmetic, without a clock and without chance."""

import attrs

# 2.0 ** 1024 does not fit into a float; by then every pause has long been the longest.
_MOST_DOUBLINGS = 60


@attrs.frozen
class Backoff:
    """Pauses that grow, up to a limit, and that no two clients make alike."""

    first: float = 1.0
    """Seconds before the second attempt."""
    factor: float = 2.0
    """By which each pause is longer than the one before."""
    longest: float = 30.0
    """Seconds."""
    jitter: float = 0.25
    """The share by which a pause may be shorter or longer. A vendor that comes back should not
    meet everybody whom it lost in the same moment."""

    def pause(self, attempt: int, chance: float) -> float:
        """Return the seconds to wait before an attempt.

        Args:
            attempt: 1 is the first one, which never waits.
            chance: a random number from 0 to 1; the caller throws the dice.
        """
        if attempt <= 1:
            return 0.0
        pause = min(self.longest, self.first * self.factor ** min(attempt - 2, _MOST_DOUBLINGS))
        return pause * (1 + self.jitter * (2 * chance - 1))
