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


@attrs.frozen
class Failed:
    """Something could not be done; the session goes on unless ``recoverable`` is False."""

    code: str
    """Stable; the list is in docs/protocol/websocket.md."""
    message: str
    recoverable: bool = True
    details: Mapping[str, Any] | None = None


Event: TypeAlias = Ready | Transcribed | SpeechBegan | SpeechEnded | Failed
