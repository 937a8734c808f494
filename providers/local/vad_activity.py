"""From how sure a detector is of a voice, chunk by chunk, to where speech starts and stops. No I/O."""

from math import ceil
from typing import Self

import attrs

from capabilities import SpeechStarted, SpeechStopped, VoiceActivity

_MARGIN = 0.15
"""How far below the threshold a chunk must be to count as silence: Silero's own choice. What lies
between decides nothing, so that a voice that wavers around the threshold is one voice."""
_FLOOR = 0.01
_EPSILON = 1e-9


@attrs.frozen
class Rule:
    """When a voice is speech, and when it is over."""

    threshold: float
    """0 to 1: a chunk that is at least so sure is voiced."""
    release: float
    """A chunk that is less sure than this is silent."""
    min_speech: int
    """Chunks from the first voiced one to that which makes it speech."""
    min_silence: int
    """Chunks from the first silent one to that which ends it."""

    @classmethod
    def of(
        cls, threshold: float, min_speech: float, min_silence: float, *, per_second: float
    ) -> Self:
        """Return the rule in chunks, of which there are ``per_second``, for times in seconds."""
        return cls(
            threshold,
            min(threshold, max(threshold - _MARGIN, _FLOOR)),
            _whole(min_speech * per_second),
            _whole(min_silence * per_second),
        )


def _whole(chunks: float) -> int:
    return max(1, ceil(chunks - _EPSILON))


@attrs.define
class Activity:
    """Feed one probability a chunk, take starts and stops: in turn, a start first.

    A start says where the voice began and a stop where it ended, both of which lie before the chunk
    that decided it.
    """

    rule: Rule
    per_second: float
    """Chunks. Times are divided by it, and so as exact as a float is."""
    count: int = 0
    """Chunks seen."""
    speaking: bool = False
    _since: int | None = None
    """The first chunk of what would change ``speaking`` if it went on for long enough."""

    @property
    def idle(self) -> bool:
        """Nobody talks, nor has just begun to: another silent chunk would change nothing."""
        return not self.speaking and self._since is None

    def feed(self, probability: float) -> VoiceActivity | None:
        """Take the next chunk."""
        here = self.count
        self.count += 1
        voiced, silent = probability >= self.rule.threshold, probability < self.rule.release
        change, same = (silent, voiced) if self.speaking else (voiced, silent)
        if same:
            self._since = None
        if not change:
            return None
        self._since = here if self._since is None else self._since
        needed = self.rule.min_silence if self.speaking else self.rule.min_speech
        return self._turn(self._since) if self.count - self._since >= needed else None

    def finish(self, duration: float) -> SpeechStopped | None:
        """Return the stop that is still owed at the end of ``duration`` seconds of sound."""
        if not self.speaking:
            return None
        end = duration if self._since is None else min(duration, self._since / self.per_second)
        self.speaking, self._since = False, None
        return SpeechStopped(end)

    def _turn(self, since: int) -> VoiceActivity:
        self.speaking, self._since = not self.speaking, None
        at = since / self.per_second
        return SpeechStarted(at) if self.speaking else SpeechStopped(at)
