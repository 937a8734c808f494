"""The protocol of ``/v2/listen`` (Flux, which hears turns), without I/O.

Source: the vendor's SDK 7.17.0 and its pages on the state machine of Flux and on CloseStream,
2026. Each message has the whole turn so far. There is no KeepAlive; an early guess at the end of a
turn, and its withdrawal, are interims for us. When the stream is closed the turn that is under way
gets no end: its last update counts, and the vendor hangs up without a code. A connection that was cut
looks almost like that, so the wire hears of it as of a message; and each message tells how far the vendor
has heard.
"""

from collections.abc import Sequence

import attrs

from capabilities import AudioFrame, Final, Interim, SpeechBegun, Word
from providers._common.wire import Acknowledged, Done, Message, Ready, Signal
from providers.deepgram.messages import Error, Seconds, read, sure
from providers.deepgram.stt_wire import CLOSE_STREAM


@attrs.frozen
class _Word:
    word: str
    confidence: float = 0.0
    start: Seconds | None = None
    end: Seconds | None = None


@attrs.frozen
class _Connected:
    """Comes first."""


@attrs.frozen
class _TurnInfo:
    event: str
    transcript: str
    audio_window_end: Seconds
    words: tuple[_Word, ...] = ()
    languages: tuple[str, ...] | None = None

    def final(self) -> Final:
        """The turn as something that will not change."""
        sureness = [sure(word.confidence) for word in self.words]
        return Final(
            self.transcript,
            sum(sureness) / len(sureness) if sureness else 0.0,
            self.languages[0] if self.languages else None,
            tuple(_placed(self.words)),
            speech_final=True,
        )


@attrs.frozen
class _Cut:
    """The connection ended without a goodbye."""


CUT = '{"type":"Cut"}'
"""What the connection itself says at its end, if the vendor said no goodbye."""
UNHEARD = 0.5
"""Seconds of sound at the end that the vendor need not have spoken of: it does so every quarter second."""
_KINDS = {"Connected": _Connected, "TurnInfo": _TurnInfo, "Error": Error, "Cut": _Cut}


@attrs.define(eq=False)
class FluxWire:
    """One connection."""

    interims: bool = True
    """The session wants them."""
    _turn: _TurnInfo | None = attrs.field(default=None, init=False)
    """How the turn looks that is under way, if anything was said in it."""
    _finishing: bool = attrs.field(default=False, init=False)
    _cut: bool = attrs.field(default=False, init=False)
    _sent: float = attrs.field(default=0.0, init=False)
    _heard: float | None = attrs.field(default=None, init=False)
    """How far it has heard; None while it has said nothing: silence may not be worth a word."""

    def start(self) -> Sequence[Message]:
        """Say nothing: all was said in the query."""
        return ()

    def encode(self, frame: AudioFrame) -> Sequence[Message]:
        """Return the bare bytes."""
        self._sent += frame.duration
        return (frame.data,) if frame.data else ()

    def keepalive(self) -> Sequence[Message]:
        """There is no such message; silence is sent instead."""
        return ()

    def finish(self) -> Sequence[Message]:
        """Return what asks for the last update."""
        self._finishing = True
        return (CLOSE_STREAM,)

    def decode(self, message: Message) -> Sequence[Signal]:
        """Read one message."""
        match read(message, _KINDS):
            case _Connected():
                return (Ready(),)
            case _TurnInfo() as turn:
                self._heard = max(self._heard or 0.0, turn.audio_window_end)
                return self._said(turn)
            case Error() as error:
                raise error.failure()
            case _Cut():
                self._cut = True
                return ()
            case _:
                return ()

    def ended(self) -> Sequence[Signal]:
        """The turn that is under way will change no more, if the end was asked for, and was one."""
        unheard = self._heard is not None and self._sent - self._heard > UNHEARD
        if not self._finishing or unheard or (self._cut and self._turn):
            return ()
        return (*(self._ended(self._turn) if self._turn else ()), Done())

    def _said(self, turn: _TurnInfo) -> Sequence[Signal]:
        match turn.event:
            case "EndOfTurn":
                return self._ended(turn)
            case "StartOfTurn":
                return (self._begun(turn), *self._goes_on(turn))
            case _:
                return self._goes_on(turn)

    def _begun(self, turn: _TurnInfo) -> SpeechBegun:
        # Where the window begins says little: there is silence before the first word.
        return SpeechBegun(next((word.start for word in _placed(turn.words)), None))

    def _goes_on(self, turn: _TurnInfo) -> Sequence[Signal]:
        if not turn.transcript:
            return ()
        self._turn = turn
        now = turn.final()
        interim = Interim(now.text, now.confidence, now.language, now.words)
        return (interim,) if self.interims else ()

    def _ended(self, turn: _TurnInfo) -> Sequence[Signal]:
        self._turn = None
        settled = Acknowledged(turn.audio_window_end)
        return (turn.final(), settled) if turn.transcript else (settled,)


def _placed(words: tuple[_Word, ...]) -> list[Word]:
    """Those whose times are known."""
    return [
        Word(word.word, word.start, word.end, sure(word.confidence))
        for word in words
        if word.start is not None and word.end is not None
    ]
