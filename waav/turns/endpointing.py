"""When has the speaker finished? No I/O, no clock of its own.

Three tiers: the provider says so; a turn detector says so, asked when nothing has followed a final
for a while (without a detector that while is enough); the longest time that a turn may wait. The
caller feeds in what was heard, with the time, does what is asked of it, and comes back at
``deadline``.
"""

from math import inf
from typing import Literal, TypeAlias, assert_never

import attrs

from capabilities import (
    Final,
    Interim,
    SpeechBegun,
    SpeechFinal,
    SpeechStarted,
    Transcript,
    TurnVerdict,
    VoiceActivity,
)
from waav.turns.transcript import join


def _above_zero(_instance: object, attribute: "attrs.Attribute[float]", value: float) -> None:
    if not value > 0:
        raise ValueError(f"{attribute.name} must be above 0, not {value}")


@attrs.frozen
class Waits:
    """How long to wait before the gateway decides; seconds."""

    silence: float = attrs.field(default=1.8, validator=_above_zero)
    """After a final that nothing follows."""
    detector: float = attrs.field(default=0.5, validator=_above_zero)
    """For a turn detector's verdict."""
    limit: float = attrs.field(default=4.0, validator=_above_zero)
    """After the first final of a turn, whatever follows it."""
    repeat: float = 0.5
    """After a decision of ours: the provider's own, with the same words, is its echo."""


By: TypeAlias = Literal["provider", "detector", "silence", "limit"]
"""Who decided that the speaker has finished."""


@attrs.frozen
class TurnEnded:
    """The speaker has finished."""

    text: str
    """Everything said in the turn."""
    last: str
    """The text of its last final."""
    by: By


@attrs.frozen
class Echo:
    """The provider ends a turn that we have ended: nobody is to hear of it twice."""


@attrs.frozen
class Ask:
    """A turn detector shall judge; its verdict goes to :meth:`Endpointing.judged`."""

    number: int
    """Which question it is: a verdict on an older one counts for nothing."""
    text: str


@attrs.define
class Endpointing:
    """Feed in what was heard; take turn ends and questions out."""

    waits: Waits = Waits()
    has_detector: bool = False
    """Somebody answers an :class:`Ask`."""
    _finals: list[str] = attrs.Factory(list)
    _quiet_at: float = inf
    """When there will have been silence for long enough, if nothing is heard before."""
    _verdict_by: float = inf
    """How long the detector may think; it was asked if this is finite."""
    _limit_at: float = inf
    _talking: bool = False
    """A voice detector hears somebody."""
    _questions: int = 0
    _forced: TurnEnded | None = None
    """The last end of our own."""
    _forced_at: float = -inf

    @property
    def deadline(self) -> float:
        """When :meth:`expire` has something to decide."""
        return min(self._limit_at, self._verdict_by, inf if self._talking else self._quiet_at)

    def feed(self, event: Transcript, now: float) -> TurnEnded | Echo | None:
        """Take in what was recognised; say whether it ends the turn."""
        match event:
            case Final() if self.echoes(event, now):
                return Echo()
            case Final(text=text, speech_final=speech_final):
                return self._final(text.strip(), now, speech_final=speech_final)
            case SpeechFinal():
                return self._end("provider")
            case Interim() | SpeechBegun():
                return None
            case _:
                assert_never(event)

    def echoes(self, event: Transcript, now: float) -> bool:
        """Whether it only repeats what ended a turn a moment ago: nobody talks."""
        match event:
            case Final(text=text, speech_final=True) if self._forced and not self._finals:
                recent = now - self._forced_at <= self.waits.repeat
                return recent and text.strip() in {self._forced.text, self._forced.last}
            case _:
                return False

    def listen(self, activity: VoiceActivity, now: float) -> None:
        """Take in what a voice detector hears: while somebody talks there is no silence."""
        self._talking = isinstance(activity, SpeechStarted)
        self._verdict_by = inf
        if self._finals:
            self._quiet_at = now + self.waits.silence

    def judged(self, number: int, verdict: TurnVerdict | None, now: float) -> TurnEnded | None:
        """Take in a verdict; None for a detector that failed, and then the silence was enough."""
        if number != self._questions or self._verdict_by == inf:
            return None
        self._verdict_by = inf
        if verdict is None:
            return self._force("silence", now)
        return self._force("detector", now) if verdict.finished else None

    def expire(self, now: float) -> TurnEnded | Ask | None:
        """Say what the passing of time decides; harmless to call early."""
        if now < self.deadline:
            return None
        if now >= self._limit_at:
            return self._force("limit", now)
        if now >= self._verdict_by or not self.has_detector:
            return self._force("silence", now)
        self._quiet_at, self._verdict_by = inf, now + self.waits.detector
        self._questions += 1
        return Ask(self._questions, join(self._finals))

    def forget(self) -> None:
        """Drop what was said so far, as if the turn had not begun."""
        self._finals.clear()
        self._quiet_at = self._verdict_by = self._limit_at = inf

    def _final(self, text: str, now: float, *, speech_final: bool) -> TurnEnded | None:
        if text:
            self._finals.append(text)
            self._quiet_at, self._verdict_by = now + self.waits.silence, inf
            self._limit_at = min(self._limit_at, now + self.waits.limit)
        return self._end("provider") if speech_final else None

    def _force(self, by: By, now: float) -> TurnEnded | None:
        self._forced, self._forced_at = self._end(by), now
        return self._forced

    def _end(self, by: By) -> TurnEnded | None:
        # A provider may mark the end of a stretch in which nobody said a word; that is no turn.
        ended = TurnEnded(join(self._finals), self._finals[-1], by) if self._finals else None
        self.forget()
        return ended
