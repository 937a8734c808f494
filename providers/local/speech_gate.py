"""Where speech begins and ends, decided from one yes or no for each short frame. No I/O."""

from collections import deque

import attrs

_WINDOW = 5
"""Frames looked at for a beginning."""
_ENOUGH = 3
"""Voiced frames among them that make one: a click makes one or two."""


@attrs.define
class SpeechGate:
    """Lets sound through from shortly before speech begins until it has been quiet for a while.

    Unlike a gate that decides over a window for both ends, this one does not delay what is said
    while it is open, and a short "yes" opens it however long the silence that ends it is.
    """

    frame: float
    """Seconds of one frame."""
    silence: float
    """Seconds without voice that end speech."""
    before: float = 0.3
    """Seconds of sound kept from before the beginning: a soft consonant is not voiced yet."""
    is_open: bool = False
    count: int = 0
    """Frames seen."""
    _kept: deque[bytes] = attrs.field(init=False)
    _voiced: deque[bool] = attrs.field(factory=lambda: deque(maxlen=_WINDOW), init=False)
    _quiet: int = attrs.field(default=0, init=False)

    def __attrs_post_init__(self) -> None:
        self._kept = deque(maxlen=_WINDOW + round(self.before / self.frame))

    def feed(self, data: bytes, *, voiced: bool) -> bytes:
        """Take one frame; return the sound that is speech now: nothing, this frame, or more at a beginning."""
        self.count += 1
        if self.is_open:
            self._quiet = 0 if voiced else self._quiet + 1
            if self._quiet * self.frame >= self.silence:
                self.close()
            return data
        self._kept.append(data)
        self._voiced.append(voiced)
        if sum(self._voiced) < _ENOUGH:
            return b""
        self.is_open = True
        speech = b"".join(self._kept)
        self._kept.clear()
        return speech

    def close(self) -> None:
        """Wait for the next beginning."""
        self.is_open = False
        self._quiet = 0
        self._voiced.clear()
