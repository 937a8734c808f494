"""May the user interrupt what is being said? A lock that belongs to the utterance being played."""

from collections import deque
from math import inf

import attrs


@attrs.define
class PlayoutLock:
    """Closed while the client plays an utterance that may not be interrupted.

    The client plays sound later than it gets it: an utterance begins to be heard when all that
    was sent before it has been heard, and ends as much later as it is long. So each utterance that
    may not be interrupted closes the lock for a stretch of time of its own.
    """

    _heard: float = -inf
    """When the client will have played all that was sent so far."""
    _stretches: deque[tuple[float, float]] = attrs.Factory(deque)
    """Closed from the first moment until before the second."""

    def begin(self, now: float, *, allow_interruption: bool) -> None:
        """An utterance begins to be sent."""
        self._heard = max(self._heard, now)
        if not allow_interruption:
            self._stretches.append((self._heard, inf))

    def sent(self, duration: float, now: float) -> None:
        """``duration`` seconds of it were sent."""
        self._heard = max(self._heard, now) + duration

    def end(self) -> None:
        """It has been sent to its end, or failed. Sound of an unknown length counts as heard."""
        if self._stretches and self._stretches[-1][1] == inf:
            start, _ = self._stretches.pop()
            self._stretches.append((start, self._heard))

    def reset(self) -> None:
        """Nothing is playing any more."""
        self._heard = -inf
        self._stretches.clear()

    def playing(self, now: float) -> bool:
        """Whether the client still plays something that was sent."""
        return now < self._heard

    def closed(self, now: float) -> bool:
        """Whether the user may not interrupt now."""
        while self._stretches and self._stretches[0][1] <= now:
            self._stretches.popleft()
        return any(start <= now for start, _ in self._stretches)
