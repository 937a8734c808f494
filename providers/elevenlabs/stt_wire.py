"""The realtime recogniser (Scribe) without I/O: JSON messages, and what they mean.

Source: SDK 2.78.0 (``realtime/scribe.py``, ``types/``), driven against a loopback server on
2026-11-20; the vendor's pages on commit strategies.
"""

import json
import logging
from base64 import b64encode
from collections import deque
from collections.abc import Mapping, Sequence
from math import exp
from typing import Any

import attrs

from capabilities import (
    AudioFrame,
    Final,
    Interim,
    ProviderBusy,
    ProviderClosed,
    ProviderError,
    ProviderProtocolError,
    ProviderRefused,
    STTOptions,
    Word,
)
from providers._common.failures import Failures
from providers._common.silence import is_loud
from providers._common.wire import Acknowledged, Done, Message, Ready, Signal
from providers.elevenlabs.languages import language_code
from providers.elevenlabs.options import ElevenLabsSTTOptions
from providers.elevenlabs.settings import ID
from providers.elevenlabs.stt_query import asked_pause

log = logging.getLogger(__name__)

VENDOR_PAUSE = 1.5
"""Seconds of silence after which the vendor commits, if nobody says otherwise."""
OUR_PAUSE = 0.8
"""Seconds of silence after which this client commits, if nobody says otherwise."""
LONGEST_SEGMENT = 30.0
"""Seconds of speech without a pause after which this client commits. The vendor wants 20 to 30."""
_GAP = 0.3
"""Seconds of silence below which the vendor's detection never ends a segment."""
_SLICE = 0.02
"""Seconds of sound that are told apart as loud or quiet."""

_PATIENCE = 1.0  # seconds before a busy vendor is asked again: it does not say
_FATAL: Mapping[str, type[ProviderError]] = {
    "auth_error": ProviderRefused,
    "quota_exceeded": ProviderRefused,
    "unaccepted_terms": ProviderRefused,
    "input_error": ProviderRefused,
    "invalid_request": ProviderRefused,
    "chunk_size_exceeded": ProviderRefused,
    "rate_limited": ProviderBusy,
    "queue_overflow": ProviderBusy,
    "resource_exhausted": ProviderBusy,
    "transcriber_error": ProviderClosed,
    "session_time_limit_exceeded": ProviderClosed,
    "error": ProviderClosed,
}
_NOTHING_TO_COMMIT = {"commit_throttled", "insufficient_audio_activity"}
"""Said when a commit finds no speech; the session may go on."""


@attrs.frozen
class _Commit:
    """A commit of ours that has no answer yet."""

    at: float
    """Seconds of sound on the connection before it."""
    speech_final: bool


@attrs.define(eq=False)
class ScribeWire:
    """The protocol on one connection. Counts in samples, whose sums are exact."""

    options: STTOptions
    own: ElevenLabsSTTOptions
    session_id: str = attrs.field(default="", init=False)
    """The vendor's name of the session, for its support."""
    _pause: int = attrs.field(init=False)
    _final: str = attrs.field(init=False)
    """The one message that counts of those that come for a commit."""
    _sent: int = attrs.field(default=0, init=False)
    _loud_until: int = attrs.field(default=0, init=False)
    _loud_since: int = attrs.field(default=0, init=False)
    """Where the speech began that no pause has divided since."""
    _committed: int = attrs.field(default=0, init=False)
    _commits: deque[_Commit] = attrs.field(factory=deque, init=False)
    _finishing: bool = attrs.field(default=False, init=False)
    _language: str | None = attrs.field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        usual = VENDOR_PAUSE if self.own.commit_strategy == "vad" else OUR_PAUSE
        self._pause = self._samples(asked_pause(self.options, self.own) or usual)
        self._final = _final_message(self.own)

    def start(self) -> Sequence[Message]:
        """Return nothing: the query has said it all."""
        return ()

    def encode(self, frame: AudioFrame) -> Sequence[Message]:
        """Return the chunk of a frame, and a commit behind it where this client decides on those."""
        first = self._sent == 0
        self._notice_speech(frame)
        chunk = self._chunk(frame.data, previous_text=self.own.previous_text if first else None)
        return (chunk, *self._commit_at_pause())

    def keepalive(self) -> Sequence[Message]:
        """Return a chunk without sound."""
        return (self._chunk(b""),)

    def finish(self) -> Sequence[Message]:
        """Return a commit; there is no message for the end itself."""
        self._finishing = True
        return (self._commit(speech_final=True),)

    def decode(self, message: Message) -> Sequence[Signal]:
        """Read one message."""
        told = _read(message)
        kind, text = told.get("message_type"), told.get("text")
        if isinstance(language := told.get("language_code"), str) and language:
            self._language = language
        match kind:
            case "session_started":
                self.session_id = str(told.get("session_id") or "")
                log.info("session %s", self.session_id)
                return (Ready(),)
            case "partial_transcript" if text and self._shows_interims:
                return (Interim(str(text), language=self._spoken),)
            case self._final:
                return self._decode_final(told)
            case str() if kind in _NOTHING_TO_COMMIT:
                return self._nothing_to_commit()
            case str() if kind in _FATAL:
                raise self._failure(kind, str(told.get("error") or ""))
            case "warning":
                log.warning("session %s: %s", self.session_id, _tidy(told.get("warning")))
            case _:
                pass
        return ()

    def ended(self) -> Sequence[Signal]:
        """Nothing: the answers to all commits are the end, and the vendor never hangs up first."""
        return ()

    def _chunk(self, data: bytes, *, commit: bool = False, previous_text: str | None = None) -> str:
        told: dict[str, Any] = {
            "message_type": "input_audio_chunk",
            "audio_base_64": b64encode(data).decode(),
            "commit": commit,
            "sample_rate": self.options.format.sample_rate,
        }
        if previous_text:
            told["previous_text"] = previous_text
        return json.dumps(told)

    def _notice_speech(self, frame: AudioFrame) -> None:
        width, step = frame.format.sample_bytes, frame.format.size(_SLICE)
        for offset in range(0, len(frame.data), step):
            piece = attrs.evolve(frame, data=frame.data[offset : offset + step])
            begin, self._sent = self._sent, self._sent + len(piece.data) // width
            if is_loud(piece):
                if begin - self._loud_until >= self._samples(_GAP):
                    self._loud_since = begin
                self._loud_until = self._sent

    def _commit_at_pause(self) -> Sequence[Message]:
        if self.own.commit_strategy == "vad" or self._loud_until <= self._committed:
            return ()
        paused = self._sent - self._loud_until >= self._pause
        if paused or self._sent - self._committed >= self._samples(LONGEST_SEGMENT):
            return (self._commit(speech_final=paused),)
        return ()

    def _commit(self, *, speech_final: bool) -> str:
        self._committed = self._sent
        self._commits.append(_Commit(self._seconds(self._sent), speech_final))
        return self._chunk(b"", commit=True)

    def _decode_final(self, told: Mapping[str, Any]) -> Sequence[Signal]:
        words = _words(told.get("words"))
        text = _final_text(told).strip()
        ours = self._commits.popleft() if self._is_ours(words, text) else None
        if words:
            until = words[-1].end
        elif ours is not None:
            until = ours.at
        else:
            # The vendor committed in the middle of a silence, a moment ago.
            until = self._seconds(max(0, self._sent - self._pause // 2))
        signals: list[Signal] = [Acknowledged(until)]
        if text:
            sure = [each.confidence for each in words if each.confidence is not None]
            signals.append(
                Final(
                    text,
                    confidence=sum(sure) / len(sure) if sure else 0.0,
                    language=self._spoken,
                    words=words,
                    speech_final=ours is None or ours.speech_final,
                )
            )
        return (*signals, *self._done())

    def _is_ours(self, words: Sequence[Word], text: str) -> bool:
        """Whether this answers a commit of ours, and not one that the vendor made before it."""
        if not self._commits:
            return False
        if self.own.commit_strategy == "manual" or not text or not words:
            return True
        # Behind the last pause there is nothing that the vendor could commit once more.
        return words[-1].end > self._seconds(self._loud_since)

    def _nothing_to_commit(self) -> Sequence[Signal]:
        if self._commits:
            self._commits.popleft()
        return self._done()

    def _done(self) -> Sequence[Signal]:
        return (Done(),) if self._finishing and not self._commits else ()

    def _samples(self, seconds: float) -> int:
        return round(seconds * self.options.format.sample_rate)

    def _seconds(self, samples: int) -> float:
        return samples / self.options.format.sample_rate

    @property
    def _shows_interims(self) -> bool:
        return self.options.interim_results and not self.own.entity_redaction

    @property
    def _spoken(self) -> str | None:
        return self._language or (
            self.options.language if language_code(self.options.language) else None
        )

    def _failure(self, kind: str, told: str) -> ProviderError:
        where = f" (session {self.session_id})" if self.session_id else ""
        detail = _tidy(told)
        words = kind.replace("_", " ")
        message = f"{words}: {detail}{where}" if detail else f"{words}{where}"
        failure = _FATAL[kind]
        if failure is ProviderBusy:
            return ProviderBusy(ID, message, retry_after=_PATIENCE)
        return failure(ID, message)


def _final_message(own: ElevenLabsSTTOptions) -> str:
    if own.entity_redaction:
        return "redacted_transcript"
    if own.transcript_edit:
        return "edited_transcript"
    return "committed_transcript_with_timestamps" if own.timed else "committed_transcript"


def _final_text(told: Mapping[str, Any]) -> str:
    for name in ("redacted_text", "edited_text", "text"):
        if isinstance(text := told.get(name), str):
            return text
    raise ProviderProtocolError(ID, "sent a transcript without text")


def _words(listed: Any) -> tuple[Word, ...]:
    """Read the words, without the blanks and noises between them, in the order of their times."""
    if not isinstance(listed, list):
        return ()
    words = [word for each in listed if (word := _word(each)) is not None]
    return tuple(sorted(words, key=lambda word: word.start))


def _word(told: Any) -> Word | None:
    match told:
        case {"text": str(text), "start": int() | float() as start, "end": int() | float() as end}:
            if told.get("type", "word") != "word" or not 0 <= start < float("inf"):
                return None
            return Word(
                text.strip(),
                float(start),
                max(float(start), float(end)) if end < float("inf") else float(start),
                confidence=_confidence(told.get("logprob")),
                speaker=told.get("speaker_id") or None,
            )
        case _:
            return None


def _confidence(logprob: Any) -> float | None:
    return exp(min(logprob, 0.0)) if isinstance(logprob, int | float) else None


def _read(message: Message) -> Mapping[str, Any]:
    try:
        told = json.loads(message)
    except (ValueError, RecursionError):
        raise ProviderProtocolError(ID, "sent something that is not JSON") from None
    if not isinstance(told, dict):
        raise ProviderProtocolError(ID, "sent JSON that is no message")
    return told


def _tidy(text: Any) -> str:
    return Failures(ID).tidy(str(text or ""))
