"""A realtime transcription session (``/v1/realtime?intent=transcription``) on one connection. No I/O.

Source: the package ``openai`` 3.52.0 (its models, and what it sends), 2026-11-20. Facts that shape
this file: sound is never acknowledged; a turn is transcribed when it is committed, by the server's
voice detection or by us; a commit of nothing is an error; most errors are not the end.
"""

import json
from base64 import b64encode
from collections.abc import Sequence
from typing import Any

import attrs

from capabilities import AudioFrame, Encoding, Final, Interim, SpeechBegun, STTOptions
from providers._common.buffered import Detector, Pause, Rules, Sound
from providers._common.silence import is_loud
from providers._common.wire import Done, Message, Ready, Signal
from providers.openai.errors import stream_error
from providers.openai.file_wire import confidence
from providers.openai.guidance import detected, own_options, pause_of
from providers.openai.live_session import RATE, audio_format, detects_itself, session_of
from providers.openai.live_turns import Turns
from providers.openai.names import ID
from providers.openai.resampler import Resampler
from providers.openai.sse import read_object

LONGEST_TURN = 30.0
"""Seconds after which we commit, pause or not, so that a long speech is answered while it lasts."""
_BUFFER = "input_audio_buffer."
_TRANSCRIPTION = "conversation.item.input_audio_transcription."
_EMPTY = "input_audio_buffer_commit_empty"
_OVER = {"session_expired", "invalid_api_key", "insufficient_quota", "rate_limit_exceeded"}
"""Codes of errors after which a session is of no use."""


@attrs.define
class LiveWire:
    """The wire of one connection.

    Raises:
        ProviderRefused: a session does not take the format.
    """

    model: str
    options: STTOptions
    _turns: Turns = attrs.field(factory=Turns, init=False)
    _resampler: Resampler = attrs.field(init=False)
    _detector: Detector | None = attrs.field(default=None, init=False)
    """If it is we who notice the pauses."""
    _ready: bool = attrs.field(default=False, init=False)
    _finishing: bool = attrs.field(default=False, init=False)
    _sent: float = attrs.field(default=0.0, init=False)
    """Seconds of sound so far, with the silence that was left out."""
    _turn_from: float = attrs.field(default=0.0, init=False)
    _loud_until: float = attrs.field(default=0.0, init=False)

    def __attrs_post_init__(self) -> None:
        audio, pause = self.options.format, pause_of(self.options)
        audio_format(self.options)
        self._resampler = Resampler(audio.sample_rate, RATE)
        if detects_itself(self.model, self.options):
            level = own_options(self.options).silence_level
            rules = Rules(most=0, level=level, silence=1.0 if pause is None else pause)
            self._detector = Detector(audio, rules)

    def start(self) -> Sequence[Message]:
        """Configure the session."""
        return [_event("session.update", session=session_of(self.model, self.options))]

    def encode(self, frame: AudioFrame) -> Sequence[Message]:
        """Append sound; where we look for the pauses ourselves, silence is left out."""
        self._sent += frame.duration
        if self._detector is None:
            if is_loud(frame):
                self._loud_until = self._sent
            return self._append(frame.data)
        messages: list[Message] = []
        for found in self._detector.put(frame.data):
            match found:
                case Sound(data):
                    messages += self._append(data)
                case Pause(at):
                    messages += self._commit(at, paused=True)
        if not self._detector.voiced:
            self._turn_from = self._sent
        elif self._sent - self._turn_from >= LONGEST_TURN:
            messages += self._commit(self._sent, paused=False)
        return messages

    def keepalive(self) -> Sequence[Message]:
        """Nothing: silence is sent instead, in which it is noticed that somebody has finished."""
        return []

    def finish(self) -> Sequence[Message]:
        """Commit what is left, or have it thrown away if there is no voice in it."""
        self._finishing = True
        messages: list[Message] = []
        if self._detector is None:
            voiced = self._turns.speaking or self._loud_until > self._turns.settled
        else:
            voiced = self._detector.voiced
            for found in self._detector.flush():
                messages += self._append(found.data) if isinstance(found, Sound) else []
        if voiced:
            return [*messages, *self._commit(self._sent, paused=False)]
        return [_event("input_audio_buffer.clear", event_id=self._turns.ask_clear())]

    def decode(self, message: Message) -> Sequence[Signal]:
        """Read one event of the server."""
        event = read_object(ID, message)
        match event.get("type"):
            case "session.updated":
                self._ready = True
                return [Ready()]
            case "error":
                return self._failed(event.get("error"))
            case str(kind) if kind.startswith(_BUFFER):
                return self._buffer(kind.removeprefix(_BUFFER), event)
            case str(kind) if kind.startswith(_TRANSCRIPTION):
                return self._transcription(kind.removeprefix(_TRANSCRIPTION), event)
            case _:
                return []

    def ended(self) -> Sequence[Signal]:
        """Nothing: the last turn's text is the end, and the server never hangs up first."""
        return []

    def _append(self, data: bytes) -> list[Message]:
        if self.options.format.encoding is Encoding.LINEAR16:
            data = self._resampler.feed(data)
        return [_appending(data)] if data else []

    def _commit(self, until: float, *, paused: bool) -> list[Message]:
        self._turn_from = until
        rest = self._resampler.finish()
        messages: list[Message] = [_appending(rest)] if rest else []
        name = self._turns.ask(until, paused=paused)
        return [*messages, _event("input_audio_buffer.commit", event_id=name)]

    def _buffer(self, kind: str, event: dict[str, Any]) -> Sequence[Signal]:
        match kind, event:
            case "speech_started", _:
                self._turns.speaking = True
                start = event.get("audio_start_ms")
                return [SpeechBegun(start / 1000 if isinstance(start, int | float) else None)]
            case "speech_stopped", {"item_id": str(item), "audio_end_ms": int() | float() as end}:
                self._turns.stopped(item, end / 1000)
            case "committed", {"item_id": str(item)}:
                self._turns.committed(item)
                return self._tell()
            case "cleared", _:
                self._turns.cleared()
                return self._tell()
            case _:
                pass
        return []

    def _transcription(self, kind: str, event: dict[str, Any]) -> Sequence[Signal]:
        match kind, event:
            case "delta", {"item_id": str(item), "delta": str(delta)}:
                text = self._turns.delta(item, delta)
                return [Interim(text)] if text and self.options.interim_results else []
            case "completed", {"item_id": str(item), "transcript": str(text)}:
                self._turns.completed(
                    item,
                    Final(
                        text.strip(),
                        confidence=confidence(event.get("logprobs")),
                        language=detected(event.get("languages"), self.options.language),
                    ),
                )
                return self._tell()
            case "failed", _:
                # Its sound is not acknowledged, so another connection will hear it again.
                raise stream_error(event.get("error"))
            case _:
                return []

    def _tell(self) -> Sequence[Signal]:
        signals = self._turns.tell()
        return [*signals, Done()] if self._finishing and self._turns.all_told else signals

    def _failed(self, error: Any) -> Sequence[Signal]:
        told = error if isinstance(error, dict) else {}
        is_ours = self._turns.failed(told.get("event_id"))
        if is_ours and told.get("code") == _EMPTY:
            # There was nothing left but what their voice detection had taken already.
            return self._tell()
        harmless = told.get("type") == "invalid_request_error" and told.get("code") not in _OVER
        if self._ready and harmless and not is_ours:
            return []
        raise stream_error(error)


def _appending(data: bytes) -> str:
    return _event("input_audio_buffer.append", audio=b64encode(data).decode())


def _event(kind: str, **fields: Any) -> str:
    return json.dumps({"type": kind, **fields})
