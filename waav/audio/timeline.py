"""Where in a stream of sound somebody is who is handed only parts of it. No I/O, no clock."""

from collections import deque

import attrs

SLACK = 0.001
"""Seconds that positions may be apart before that is a jump: converters hold back some samples."""
MOST_JUMPS = 64
"""Jumps that are remembered; nobody speaks of sound that lies so far back."""


@attrs.define
class Timeline:
    """Positions of a receiver, who counts what it got, as positions of the stream; seconds."""

    received: float = 0.0
    """What it has got so far."""
    _jumps: deque[tuple[float, float]] = attrs.Factory(lambda: deque(maxlen=MOST_JUMPS))
    """Where, by the receiver's count, something is missing; and how far it is behind from there on."""

    def hand(self, start: float, duration: float) -> None:
        """The receiver gets so much of the stream, from ``start`` on."""
        behind = start - self.received
        if not self._jumps or abs(behind - self._jumps[-1][1]) > SLACK:
            self._jumps.append((self.received, behind))
        self.received += duration

    def find(self, at: float) -> float:
        """Return where in the stream it is what the receiver calls ``at``."""
        if not self._jumps:
            return at
        known = (behind for since, behind in reversed(self._jumps) if since <= at)
        return at + next(known, self._jumps[0][1])
