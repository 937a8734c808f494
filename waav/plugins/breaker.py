"""A circuit breaker: stops asking a provider that has failed again and again. No clock of its own."""

from math import inf

import attrs


@attrs.define
class Breaker:
    """Closed at first; open after ``threshold`` failures in a row; then one trial at a time.

    A trial is one call that is let through after the cool-down. If it succeeds the circuit closes,
    if it fails the cool-down begins again. A trial that tells nothing (its caller went away) is
    not waited for: the next one may try one cool-down later.
    """

    threshold: int = 5
    """Failures in a row that open the circuit."""
    cooldown: float = 30.0
    """Seconds until one trial call is let through."""
    _failures: int = 0
    _next_try: float = -inf

    @property
    def open(self) -> bool:
        """Whether calls are held back, but for trials."""
        return self._failures >= self.threshold

    def wait(self, now: float) -> float:
        """Return the seconds until a call would be let through; 0 if it would be now."""
        return max(0.0, self._next_try - now) if self.open else 0.0

    def admit(self, now: float) -> bool:
        """Ask for one call; at half-open a yes makes it the trial, and the others wait."""
        if self.wait(now) > 0:
            return False
        if self.open:
            self._next_try = now + self.cooldown
        return True

    def succeeded(self) -> None:
        """The provider works."""
        self._failures = 0

    def failed(self, now: float) -> None:
        """The provider did not do what it should."""
        self._failures += 1
        self._next_try = now + self.cooldown
