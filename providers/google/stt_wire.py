"""Speech v2 ``StreamingRecognize`` on one connection, without any I/O.

Source: google-cloud-speech 2.41.0, its messages and their documentation, read on 2026-11-21.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import attrs

from capabilities import (
    AudioFrame,
    Final,
    Interim,
    ProviderProtocolError,
    SpeechBegun,
    SpeechFinal,
    Word,
)
from providers._common.wire import Acknowledged, Done, Message, Signal
from providers.google.protobuf import Unreadable, decode, length_delimited
from providers.google.speech_messages import AUDIO, RESPONSE

METHOD = "/google.cloud.speech.v2.Speech/StreamingRecognize"
MOST_AUDIO = 15 * 1024
"""Bytes of sound in one message."""


@attrs.define(eq=False)
class GoogleWire:
    """What is said and heard on one connection."""

    _start: bytes
    _interim: bool
    _words: bool
    _unsettled: bool = attrs.field(default=False, init=False)
    """Something is being said that no final has told."""
    _ending: bool = attrs.field(default=False, init=False)
    """It has ended, and its final is to come."""
    _finishing: bool = attrs.field(default=False, init=False)

    def start(self) -> Sequence[Message]:
        """Return the configuration."""
        return (self._start,)

    def encode(self, frame: AudioFrame) -> Sequence[Message]:
        """Return the frame in messages of at most 15 KB."""
        pieces = range(0, len(frame.data), MOST_AUDIO)
        return [length_delimited(AUDIO, frame.data[at : at + MOST_AUDIO]) for at in pieces]

    def keepalive(self) -> Sequence[Message]:
        """Return nothing: only sound keeps this line open."""
        return ()

    def finish(self) -> Sequence[Message]:
        """Return the mark that closes the sending side."""
        self._finishing = True
        return (b"",)

    def decode(self, message: Message) -> Sequence[Signal]:
        """Read one response."""
        if isinstance(message, str):
            raise ProviderProtocolError("google", "said text where messages are binary")
        try:
            response = decode(RESPONSE, message)
        except Unreadable as exc:
            raise ProviderProtocolError("google", f"said something unreadable: {exc}") from None
        signals = [*self._results(response.get("results", []))]
        return [*signals, *self._event(response)]

    def ended(self) -> Sequence[Signal]:
        """All is said, if our side was closed before; otherwise Google broke off."""
        return (Done(),) if self._finishing else ()

    def _results(self, results: Sequence[Mapping[str, Any]]) -> Iterator[Signal]:
        finals = [result for result in results if result.get("isFinal")]
        for final in finals:
            yield from self._final(final)
        ends = [
            _seconds(final["resultEndOffset"]) for final in finals if "resultEndOffset" in final
        ]
        if ends:
            yield Acknowledged(max(ends))
        # The first part of what may change is stable, the last is not; together they are it.
        unsettled = [result for result in results if not result.get("isFinal")]
        text = "".join(_best(result).get("transcript", "") for result in unsettled).strip()
        if text:
            self._unsettled = True
            if self._interim:
                yield Interim(text, language=unsettled[0].get("languageCode") or None)

    def _final(self, result: Mapping[str, Any]) -> Iterator[Signal]:
        best = _best(result)
        self._unsettled = False
        if text := best.get("transcript", "").strip():
            ending, self._ending = self._ending, False
            yield Final(
                text,
                confidence=_share(best.get("confidence", 0.0)) or 0.0,
                language=result.get("languageCode") or None,
                words=tuple(_word(word) for word in best.get("words", []) if "endOffset" in word)
                if self._words
                else (),
                speech_final=ending,
            )

    def _event(self, response: Mapping[str, Any]) -> Iterator[Signal]:
        match response.get("speechEventType"):
            case "SPEECH_ACTIVITY_BEGIN":
                self._unsettled, self._ending = True, False
                offset = response.get("speechEventOffset")
                yield SpeechBegun(None if offset is None else _seconds(offset))
            case "SPEECH_ACTIVITY_END" | "END_OF_SINGLE_UTTERANCE" if self._unsettled:
                self._ending = True
            case "SPEECH_ACTIVITY_END" | "END_OF_SINGLE_UTTERANCE":
                yield SpeechFinal()
            case _:
                pass


def _best(result: Mapping[str, Any]) -> Mapping[str, Any]:
    alternatives: list[Mapping[str, Any]] = result.get("alternatives", [])
    return alternatives[0] if alternatives else {}


def _word(word: Mapping[str, Any]) -> Word:
    # The very first word may begin at 0, and what is 0 is not sent.
    start = _seconds(word.get("startOffset", {}))
    return Word(
        word.get("word", ""),
        start,
        max(start, _seconds(word["endOffset"])),
        confidence=_share(word.get("confidence", 0.0)),
        speaker=word.get("speakerLabel") or None,
    )


def _share(confidence: float) -> float | None:
    """Return it within 0 to 1; None if it is 0, which is how "not set" looks, or no number."""
    return min(confidence, 1.0) if confidence > 0.0 else None


def _seconds(duration: Mapping[str, int]) -> float:
    return max(0.0, duration.get("seconds", 0) + duration.get("nanos", 0) / 1e9)
