"""When has the speaker finished? No I/O, no clock of its own.

Two answers so far: the provider says so, or nothing follows a final for a while. The caller feeds
transcripts in with the time, and comes back at ``deadline``.
"""

from math import inf
from typing import Literal, assert_never

import attrs

from capabilities import Final, Interim, SpeechFinal, Transcript
from waav.turns.transcript import join


@attrs.frozen
class Waits:
    """How long to wait before the gateway decides; seconds."""

    silence: float = 1.8
    """After a final that nothing follows."""


@attrs.frozen
class TurnEnded:
    """The speaker has finished."""

    text: str
    """Everything said in the turn."""
    last: str
    """The text of its last final."""
    by: Literal["provider", "silence"]


@attrs.define
class Endpointing:
    """Feed transcripts in, take turn ends out; ask ``deadline`` when to come back."""

    waits: Waits = Waits()
    deadline: float = inf
    _finals: list[str] = attrs.Factory(list)

    def feed(self, event: Transcript, now: float) -> TurnEnded | None:
        """Take in what was heard; return the end of the turn if this is it."""
        match event:
            case Interim():
                return None
            case Final(text=text, speech_final=speech_final):
                if text.strip():
                    self._finals.append(text.strip())
                    self.deadline = now + self.waits.silence
                return self._end("provider") if speech_final else None
            case SpeechFinal():
                return self._end("provider")
            case _:
                assert_never(event)

    def expire(self, now: float) -> TurnEnded | None:
        """Say what the passing of time decides; harmless to call early."""
        return self._end("silence") if now >= self.deadline else None

    def forget(self) -> None:
        """Drop what was said so far, as if the turn had not begun."""
        self._finals.clear()
        self.deadline = inf

    def _end(self, by: Literal["provider", "silence"]) -> TurnEnded | None:
        # A provider may mark the end of a stretch in which nobody said a word; that is no turn.
        ended = TurnEnded(join(self._finals), self._finals[-1], by) if self._finals else None
        self.forget()
        return ended
