"""Events and answers to a client's text: every form that some client reads, in one message."""

from collections.abc import Mapping
from typing import Any

import msgspec

from capabilities import ProviderError, Word
from waav.errors import WaavError
from waav.observe.scope import redact
from waav.server.errors import describe, details
from waav.server.ws.schema import Topic, TransferRefused
from waav.session.events import (
    DeadAir,
    Event,
    Failed,
    Interrupted,
    Paused,
    Ready,
    Resumed,
    SpeechBegan,
    SpeechEnded,
    Transcribed,
    VoiceHeard,
)
from waav.session.failures import TEXT_LIMIT, shorten
from waav.version import __version__

TOPICS: Mapping[type[Event], frozenset[Topic]] = {
    SpeechBegan: frozenset({"speaking"}),
    Interrupted: frozenset({"speaking", "interruption"}),
    Paused: frozenset({"interruption"}),
    Resumed: frozenset({"interruption"}),
    VoiceHeard: frozenset({"voice"}),
    DeadAir: frozenset({"dead_air"}),
}
"""Events that only those hear of who asked for one of these."""


def encode(event: Event, *, now_ms: int, asked: frozenset[Topic] = frozenset()) -> list[str]:
    """Write what a session says: mostly one message; none if the client is not to hear of it.

    Args:
        now_ms: the wall clock, in milliseconds since 1970.
        asked: what the client has asked for.
    """
    if (topics := TOPICS.get(type(event))) is not None and topics.isdisjoint(asked):
        return []
    if isinstance(event, SpeechEnded):
        return _speech_ended(event, now_ms, speaking="speaking" in asked)
    return [_write(event, now_ms)]


def _write(event: Event, now_ms: int) -> str:
    match event:
        case Ready():
            text = _ready(event)
        case Transcribed():
            text = _stt_result(event)
        case SpeechBegan(utterance=utterance):
            text = _text("speaking_started", utterance_id=utterance, timestamp=now_ms)
        case DeadAir(utterance=utterance, seconds=seconds):
            stamps = {"silent_ms": round(seconds * 1000), "timestamp": now_ms}
            text = _text("dead_air", utterance_id=utterance, **stamps)
        case Interrupted():
            text = _interrupted(event, now_ms)
        case Paused() | Resumed():
            name = "speaking_paused" if isinstance(event, Paused) else "speaking_resumed"
            text = _text(name, timestamp=now_ms)
        case VoiceHeard(talking=talking, at=at):
            name = "speech_started" if talking else "speech_stopped"
            text = _text("vad_event", event=name, at_ms=round(at * 1000), timestamp=now_ms)
        case SpeechEnded(utterance=utterance):
            text = _text("tts_playback_complete", utterance_id=utterance, timestamp=now_ms)
        case Failed(code=code, message=message, recoverable=recoverable, details=more):
            text = _error("error", code, message, recoverable=recoverable, more=more)
    return text


def refusal(exc: BaseException) -> str:
    """Write why a request of the client was not carried out; the connection goes on."""
    kind = "sip_transfer_error" if isinstance(exc, TransferRefused) else "error"
    return _error(kind, *describe(exc), more=details(exc))


def plugin_response(message_type: str, payload: msgspec.Raw) -> str:
    """Write a plugin's answer to a ``custom`` message; here null is an answer too."""
    fields = {"type": "plugin_response", "message_type": message_type, "payload": payload}
    return msgspec.json.encode(fields).decode()


def handler_failed(exc: ProviderError | WaavError) -> str:
    """Write that a plugin's handler could not do what a ``custom`` message asks for."""
    said = exc.message if isinstance(exc, WaavError) else str(exc)
    return _error("error", describe(exc)[0], f"Plugin handler error: {said}", more=details(exc))


def farewell(code: str, message: str) -> str:
    """Write why the connection is about to end."""
    return _error("error", code, message, recoverable=False)


def pong(timestamp: int | None, *, now_ms: int) -> str:
    """Answer a ping with its own time stamp, or ours if it had none."""
    return _text("pong", timestamp=now_ms if timestamp is None else timestamp, server_time=now_ms)


def auth_required() -> str:
    """Ask the client who it is."""
    return _text("auth_required")


def authenticated(tenant: str | None = None) -> str:
    """Say that the client may go on, and as whom."""
    return _text("authenticated", id=tenant)


def _ready(event: Ready) -> str:
    able = {"stt": event.stt, "tts": event.tts}
    return _text(
        "ready",
        stream_id=event.stream_id,
        session_id=event.stream_id,
        livekit_url="",  # clients expect the key even where there are no rooms
        livekit_connected=False,
        stt_ready=event.stt,
        tts_ready=event.tts,
        dag_enabled=False,
        capabilities=[name for name, there in able.items() if there],
        server_version=__version__,
    )


def _stt_result(event: Transcribed) -> str:
    words = event.words
    speakers = {word.speaker for word in words}
    return _text(
        "stt_result",
        transcript=event.text,
        text=event.text,
        is_final=event.final,
        is_speech_final=event.speech_final,
        confidence=event.confidence,
        forced=True if event.forced else None,
        language=event.language,
        speaker_id=speakers.pop() if len(speakers) == 1 else None,
        start_time=words[0].start if words else None,
        end_time=words[-1].end if words else None,
        words=[_word(word) for word in words] or None,
    )


def _word(word: Word) -> dict[str, Any]:
    fields = {
        "word": word.text,
        "start": word.start,
        "end": word.end,
        "confidence": word.confidence,
        "speaker_id": word.speaker,
    }
    return {key: value for key, value in fields.items() if value is not None}


def _speech_ended(event: SpeechEnded, now_ms: int, *, speaking: bool) -> list[str]:
    texts = []
    # Also for one that was cleared before it began: a client must not wait for an end in vain.
    if speaking:
        stamps = {"utterance_id": event.utterance, "timestamp": now_ms}
        texts.append(_text("speaking_finished", **stamps))
    if event.how != "cleared":
        texts.append(_write(event, now_ms))
    return texts


def _interrupted(event: Interrupted, now_ms: int) -> str:
    return _text(
        "speaking_interrupted",
        utterance_id=event.utterance,
        by=event.by,
        played_ms=round(event.played * 1000),
        sent_ms=round(event.sent * 1000),
        text=event.text,
        timestamp=now_ms,
    )


def _error(
    kind: str,
    code: str,
    message: str,
    *,
    recoverable: bool = True,
    more: Mapping[str, Any] | None = None,
) -> str:
    return _text(
        kind,
        code=code,
        message=shorten(redact(message, TEXT_LIMIT)),
        recoverable=recoverable,
        details=dict(more) if more else None,
    )


def _text(kind: str, **fields: Any) -> str:
    """Leave out what is not known: a client takes null for a value."""
    known = {key: value for key, value in fields.items() if value is not None}
    return msgspec.json.encode({"type": kind, **known}).decode()
