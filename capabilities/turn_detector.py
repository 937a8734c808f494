"""Turn detection: has the speaker finished? The contract, and the values it speaks."""

from typing import Literal, Protocol, TypeAlias

import attrs

from capabilities.audio import SPEECH, AudioFormat, AudioFrame

Party: TypeAlias = Literal["user", "agent"]


@attrs.frozen
class Said:
    """What one party said before, in one turn."""

    by: Party
    text: str


@attrs.frozen
class TurnQuestion:
    """All that a detector may look at. What it does not understand it leaves aside."""

    text: str = ""
    """What the user has said in this turn so far."""
    before: tuple[Said, ...] = ()
    """The turns before it, the oldest first."""
    language: str | None = None
    """A BCP-47 tag."""
    sound: AudioFrame | None = None
    """The last seconds that were heard, for a detector with the feature ``turn-audio``: 16-bit, mono, 16 kHz."""
    threshold: float | None = None
    """0 to 1: the probability that counts as finished; the detector's own if None."""


TURN_SOUND: AudioFormat = SPEECH
"""The format of :attr:`TurnQuestion.sound`."""
TURN_SOUND_SECONDS = 8.0
"""The most of it that a detector looks at."""


@attrs.frozen
class TurnVerdict:
    """What a detector thinks."""

    probability: float
    """0 to 1: that the speaker has finished."""
    threshold: float
    """What it was compared with."""

    @property
    def finished(self) -> bool:
        """Whether the speaker has finished."""
        return self.probability >= self.threshold


class TurnDetector(Protocol):
    """A provider that can tell whether somebody has finished speaking, or only paused."""

    async def judge(self, question: TurnQuestion) -> TurnVerdict:
        """Give a verdict, as a rule within some 50 ms; nothing to look at is not finished.

        Raises:
            ProviderBusy: too many questions at one time.
            ProviderError: it cannot judge; the caller then goes by time alone.
        """
        ...
