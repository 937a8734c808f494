"""What a session tells its client, as values, in the order in which it happened."""

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

import attrs

from capabilities import Word


@attrs.frozen
class Ready:
    """A :class:`~waav.session.commands.Configure` has been carried out."""

    stream_id: str
    stt: bool
    """The session listens."""
    tts: bool
    """The session speaks."""


@attrs.frozen
class Transcribed:
    """Words were recognised, or the speaker has finished, or both."""

    text: str
    final: bool = False
    """The words will not change any more."""
    speech_final: bool = False
    """The speaker has finished."""
    forced: bool = False
    """The gateway decided so, not the provider; ``text`` was sent before."""
    turn: str = ""
    """With ``speech_final``: everything said in the turn."""
    confidence: float = 0.0
    """0 to 1."""
    language: str | None = None
    words: tuple[Word, ...] = ()


@attrs.frozen
class SpeechBegan:
    """The first sound of an utterance is on its way to the client."""

    utterance: str


How: TypeAlias = Literal["spoken", "failed", "cleared"]
"""How an utterance ended."""


@attrs.frozen
class SpeechEnded:
    """The one completion of an accepted speak; it follows the last frame of the utterance."""

    utterance: str
    how: How
    duration: float = 0.0
    """Seconds of sound that left the session."""


Interrupter: TypeAlias = Literal["client", "user"]
"""Who stopped the agent: the client with a ``clear``, or the user, by talking."""


@attrs.frozen
class Interrupted:
    """An utterance that was being heard was cut off; its SpeechEnded may have come before."""

    utterance: str
    played: float
    """Seconds that the user has heard of it, as far as that can be told from here."""
    sent: float
    """Seconds of sound that had left the session."""
    by: Interrupter
    text: str | None = None
    """The words of it that the user has heard; None if the voice does not tell where they are."""


@attrs.frozen
class DeadAir:
    """The client hears nothing although something is to be said; told once, until there is sound."""

    utterance: str
    """The one that is waited for."""
    seconds: float
    """Since the client has played all that it got."""


@attrs.frozen
class Paused:
    """The client is to hold on: the user may be interrupting."""


@attrs.frozen
class Resumed:
    """The client is to go on where it was: that was no interruption."""


@attrs.frozen
class VoiceHeard:
    """The user has begun to talk, or has stopped."""

    talking: bool
    at: float
    """Seconds since the first sample of the user's sound."""


@attrs.frozen
class Failed:
    """Something could not be done; the session goes on unless ``recoverable`` is False."""

    code: str
    """Stable; the list is in docs/protocol/websocket.md."""
    message: str
    recoverable: bool = True
    details: Mapping[str, Any] | None = None


Event: TypeAlias = (
    Ready
    | Transcribed
    | VoiceHeard
    | SpeechBegan
    | DeadAir
    | Paused
    | Resumed
    | Interrupted
    | SpeechEnded
    | Failed
)
