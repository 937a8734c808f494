"""The protocol of ``/v1/listen`` (Nova and older), without I/O.

Source: the vendor's SDK 7.17.0 and its pages on KeepAlive, Finalize, CloseStream, UtteranceEnd and
endpointing, July 2026. ``is_final`` means that a stretch of sound will not be heard differently;
``speech_final`` that a pause was found. One utterance may span several of the former. An
``UtteranceEnd`` is found in the times of words, and may come beside ``speech_final`` or alone.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Annotated, TypeAlias

import attrs
import msgspec

from capabilities import AudioFrame, Final, Interim, SpeechBegun, SpeechFinal, Word
from providers._common.wire import Acknowledged, Done, Message, Signal
from providers.deepgram.messages import Error, Seconds, read, sure

KEEP_ALIVE = '{"type":"KeepAlive"}'
FINALIZE = '{"type":"Finalize"}'
CLOSE_STREAM = '{"type":"CloseStream"}'

_Count: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=20)]
"""Of channels: the vendor takes 20."""


@attrs.frozen
class _Word:
    word: str
    start: Seconds
    end: Seconds
    confidence: float | None = None
    punctuated_word: str | None = None
    speaker: int | None = None


@attrs.frozen
class _Alternative:
    transcript: str = ""
    confidence: float = 0.0
    words: tuple[_Word, ...] = ()
    languages: tuple[str, ...] | None = None


@attrs.frozen
class _Channel:
    alternatives: tuple[_Alternative, ...] = ()


@attrs.frozen
class _Results:
    channel: _Channel
    start: Seconds
    duration: Seconds
    is_final: bool | None = None
    speech_final: bool | None = None
    channel_index: tuple[_Count, _Count] = (0, 1)

    @property
    def best(self) -> _Alternative:
        return next(iter(self.channel.alternatives), _Alternative())


@attrs.frozen
class _UtteranceEnd:
    last_word_end: float = -1.0
    channel: tuple[_Count, ...] = (0,)


@attrs.frozen
class _SpeechStarted:
    """Comes if it was asked for (``vad_events``)."""

    timestamp: Seconds | None = None


@attrs.frozen
class _Metadata:
    """Comes once, behind the last results."""


_KINDS = {
    "Results": _Results,
    "UtteranceEnd": _UtteranceEnd,
    "SpeechStarted": _SpeechStarted,
    "Metadata": _Metadata,
    "Error": Error,
}


@attrs.define(eq=False)
class _Line:
    """What is known of one channel."""

    settled: float = 0.0
    """Seconds of sound about which nothing more will be said."""
    said_from: float | None = None
    """Where the first final words of an utterance began that has not ended yet."""
    unsettled_words: bool = False


@attrs.define(eq=False)
class NovaWire:
    """One connection."""

    interims: bool = True
    """The session wants them."""
    multichannel: bool = False
    _lines: dict[int, _Line] = attrs.field(factory=lambda: defaultdict(_Line), init=False)
    _finishing: bool = attrs.field(default=False, init=False)

    def start(self) -> Sequence[Message]:
        """Say nothing: all was said in the query."""
        return ()

    def encode(self, frame: AudioFrame) -> Sequence[Message]:
        """Return the bare bytes. An empty message would end the stream."""
        return (frame.data,) if frame.data else ()

    def keepalive(self) -> Sequence[Message]:
        """Return what keeps the connection open; and as nobody talks any more, ask for the rest."""
        if any(line.unsettled_words for line in self._lines.values()):
            return FINALIZE, KEEP_ALIVE
        return (KEEP_ALIVE,)

    def finish(self) -> Sequence[Message]:
        """Return what asks for the last words."""
        self._finishing = True
        return (CLOSE_STREAM,)

    def decode(self, message: Message) -> Sequence[Signal]:
        """Read one message."""
        match read(message, _KINDS):
            case _Results() as results if results.is_final:
                return self._final(results)
            case _Results() as results:
                return self._interim(results)
            case _UtteranceEnd() as ended:
                return self._utterance_end(ended)
            case _SpeechStarted(timestamp):
                return (SpeechBegun(timestamp),)
            case _Metadata() if self._finishing:
                return (Done(),)
            case Error() as error:
                raise error.failure()
            case _:
                return ()

    def ended(self) -> Sequence[Signal]:
        """Nothing: a vendor that has said all says its Metadata before it hangs up."""
        return ()

    def _interim(self, results: _Results) -> Sequence[Signal]:
        channel, best = results.channel_index[0], results.best
        self._lines[channel].unsettled_words = bool(best.transcript)
        if not best.transcript or not self.interims:
            return ()
        words = self._words(best, channel)
        return (Interim(best.transcript, sure(best.confidence), _language(best), words),)

    def _final(self, results: _Results) -> Sequence[Signal]:
        (channel, count), best = results.channel_index, results.best
        line, ended = self._lines[channel], bool(results.speech_final)
        line.unsettled_words = False
        until = results.start + results.duration
        line.settled = max(line.settled, until)
        # Its own end, not the furthest so far, so that a final that comes again looks the same.
        others = (self._lines[number].settled for number in range(count) if number != channel)
        settled = Acknowledged(min([until, *others]))
        if best.transcript:
            words = self._words(best, channel)
            if line.said_from is None:
                line.said_from = words[0].start if words else results.start
            final = Final(best.transcript, sure(best.confidence), _language(best), words, ended)
            signals: list[Signal] = [final, settled]
        elif ended and line.said_from is not None:
            signals = [SpeechFinal(), settled]
        else:
            signals = [settled]
        if ended:
            line.said_from = None
        return signals

    def _utterance_end(self, ended: _UtteranceEnd) -> Sequence[Signal]:
        line = self._lines[next(iter(ended.channel), 0)]
        if line.said_from is None or ended.last_word_end <= line.said_from:
            # Of an utterance that has ended already, or of nothing (-1).
            return ()
        line.said_from = None
        return (SpeechFinal(),)

    def _words(self, best: _Alternative, channel: int) -> tuple[Word, ...]:
        return tuple(
            Word(
                word.punctuated_word or word.word,
                word.start,
                word.end,
                None if word.confidence is None else sure(word.confidence),
                self._speaker(word, channel),
            )
            for word in best.words
        )

    def _speaker(self, word: _Word, channel: int) -> str | None:
        names = [f"channel-{channel}"] if self.multichannel else []
        if word.speaker is not None:
            names.append(str(word.speaker))
        return "-".join(names) or None


def _language(best: _Alternative) -> str | None:
    return best.languages[0] if best.languages else None
