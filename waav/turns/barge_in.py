"""The user talks while the agent does: noise, a nod, or an interruption? No I/O, no clock of its own.

A voice that lasts makes the agent hold on; words make it stop; a voice without words lets it go on
where it was. The caller feeds in what is heard, with the time, does what is answered, and comes
back at ``deadline``.
"""

import unicodedata
from collections.abc import Iterable
from enum import Enum, auto
from math import inf

import attrs

from capabilities import Final, Interim, SpeechStarted, Transcript, VoiceActivity

LONGEST_PAUSE = 10.0
"""Seconds after which a voice that still has no words is noise."""
LOOK = 0.1
"""Seconds between two looks at whether there is something to interrupt by now."""

_REMEMBERED = 0x2000
"""Characters that are looked up once: all alphabets, and not all of Unicode."""


class _Letters(dict[int, str]):
    """A table for ``str.translate``: what is no part of a word becomes a space."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        # Marks are parts: without its vowel signs one word of Hindi is another.
        kept = character.isalnum() or unicodedata.category(character).startswith("M")
        plain = character if kept else " "
        if code < _REMEMBERED:
            self[code] = plain
        return plain


_LETTERS = _Letters()


def plain_words(texts: Iterable[str]) -> frozenset[str]:
    """Return the words of some texts as they are compared: lower case, and ``uh-huh`` is two."""
    plain = (unicodedata.normalize("NFC", text.casefold()) for text in texts)
    return frozenset(word for text in plain for word in text.translate(_LETTERS).split())


@attrs.frozen
class BargeInRules:
    """What counts as an interruption; seconds."""

    enabled: bool = False
    """Without it only the client itself interrupts."""
    min_speech: float = 0.5
    """A shorter voice is a cough."""
    min_words: int = 1
    """Fewer are a nod. 0: a voice alone interrupts."""
    nods: frozenset[str] = frozenset()
    """Who has said only such words nods, however many; as :func:`plain_words` makes them."""
    resume_after: float | None = 2.0
    """After a voice without words the agent goes on where it was; None: it never holds on, and
    talks until the words are there."""


class Act(Enum):
    """What the agent does now."""

    PAUSE = auto()
    RESUME = auto()
    STOP = auto()


@attrs.define
class BargeIn:
    """Feed in what is heard; it answers with what the agent does."""

    rules: BargeInRules = BargeInRules()
    paused: bool = False
    """The agent holds on."""
    _due: float = inf
    """When the voice that is heard will have lasted long enough, or the pause without one."""
    _until: float = inf
    """When a voice has been without words for so long that no further one prolongs the pause."""
    watched: bool = False
    """A voice detector listens: words without a voice are noise, or were said before."""
    _voice: bool = False
    _heard_at: float = -inf
    """When a voice was last heard."""
    _settled: int = 0
    """Words of the turn that will not change any more."""
    _meant: bool = False
    """Not all of them are nods."""

    @property
    def deadline(self) -> float:
        """When :meth:`expire` has something to decide."""
        return self._due

    def listen(self, activity: VoiceActivity, now: float) -> None:
        """Take in what a voice detector hears."""
        self._voice, self._heard_at = isinstance(activity, SpeechStarted), now
        if not self.paused:
            self._due = self._next(now)
        elif self._voice:
            self._due = self._until
        else:
            self._due = min(now, self._until) + (self.rules.resume_after or 0.0)

    def feed(self, event: Transcript, since: float | None) -> Act | None:
        """Take in what was recognised.

        Args:
            since: when the agent began to talk; None if it does not, or may not be interrupted.
        """
        if not isinstance(event, Interim | Final):
            return None
        words = self._settled + len(event.text.split())
        meant = self._meant or bool(plain_words([event.text]) - self.rules.nods)
        if isinstance(event, Final):
            self._settled, self._meant = words, meant
        enough = meant and words >= max(self.rules.min_words, 1)
        if not self.rules.enabled or since is None or not enough:
            return None
        voiced = not self.watched or self._voice or self._heard_at >= since
        return self._stop() if voiced else None

    def expire(self, now: float, *, playing: bool) -> Act | None:
        """Say what the passing of time decides; harmless to call early."""
        if now < self._due:
            return None
        self._due = inf
        if self.paused:
            self.paused = False
            return Act.RESUME
        if not playing:
            # The agent may begin while the voice goes on.
            self._due = max(self._next(now), now + LOOK)
            return None
        if self.rules.min_words == 0:
            return self._stop()
        if self.rules.resume_after is None:
            return None
        self.paused, self._due = True, now + LONGEST_PAUSE
        self._until = self._due
        return Act.PAUSE

    def turn_over(self) -> None:
        """The user has finished a turn: words count anew."""
        self._settled, self._meant = 0, False

    def reset(self) -> None:
        """The agent has stopped, whoever wanted it."""
        self.paused, self._due = False, inf
        self.turn_over()

    def _next(self, now: float) -> float:
        return now + self.rules.min_speech if self.rules.enabled and self._voice else inf

    def _stop(self) -> Act:
        self.reset()
        return Act.STOP
