"""What a client gets to read."""

import json
from typing import Any, get_args

import pytest

from capabilities import ProviderBusy, ProviderRefused, ProviderUnavailable, Word
from waav.errors import InvalidRequest
from waav.observe.scope import hiding
from waav.server.errors import NotAvailable
from waav.server.ws.encode import authenticated, encode, farewell, handler_failed, pong, refusal
from waav.server.ws.schema import Topic, TransferRefused
from waav.session.events import (
    DeadAir,
    Event,
    Failed,
    Ready,
    SpeechBegan,
    SpeechEnded,
    Transcribed,
)
from waav.version import __version__

NOW = 1_700_000_000_000
ALL: frozenset[Topic] = frozenset(get_args(Topic))
NONE: frozenset[Topic] = frozenset()


def told(event: Event, *, speaking: bool = False) -> list[dict[str, Any]]:
    return [json.loads(text) for text in encode(event, now_ms=NOW, asked=ALL if speaking else NONE)]


@pytest.mark.pins("D203")
def test_ready_has_the_id_under_both_names() -> None:
    assert told(Ready("s", stt=True, tts=False)) == [
        {
            "type": "ready",
            "stream_id": "s",
            "session_id": "s",
            "livekit_url": "",
            "livekit_connected": False,
            "stt_ready": True,
            "tts_ready": False,
            "dag_enabled": False,
            "capabilities": ["stt"],
            "server_version": __version__,
        }
    ]


@pytest.mark.pins("D194")
def test_a_transcript_has_its_text_under_both_names_and_nothing_unknown() -> None:
    assert told(Transcribed("hi")) == [
        {
            "type": "stt_result",
            "transcript": "hi",
            "text": "hi",
            "is_final": False,
            "is_speech_final": False,
            "confidence": 0.0,
        }
    ]


def test_a_transcript_tells_all_that_is_known() -> None:
    words = (Word("good", 1.0, 1.5, 0.9, "A"), Word("day", 1.6, 2.0, None, "A"))
    event = Transcribed(
        "good day",
        final=True,
        speech_final=True,
        forced=True,
        turn="good day",
        confidence=0.5,
        language="en-US",
        words=words,
    )
    assert told(event) == [
        {
            "type": "stt_result",
            "transcript": "good day",
            "text": "good day",
            "is_final": True,
            "is_speech_final": True,
            "confidence": 0.5,
            "forced": True,
            "language": "en-US",
            "speaker_id": "A",
            "start_time": 1.0,
            "end_time": 2.0,
            "words": [
                {"word": "good", "start": 1.0, "end": 1.5, "confidence": 0.9, "speaker_id": "A"},
                {"word": "day", "start": 1.6, "end": 2.0, "speaker_id": "A"},
            ],
        }
    ]


def test_two_voices_have_no_common_speaker() -> None:
    words = (Word("good", 1.0, 1.5, None, "A"), Word("day", 1.6, 2.0, None, "B"))
    assert "speaker_id" not in told(Transcribed("good day", words=words))[0]


@pytest.mark.pins("D081", "D192")
@pytest.mark.parametrize(
    ("event", "speaking", "types"),
    [
        (SpeechBegan("u1"), False, []),
        (SpeechBegan("u1"), True, ["speaking_started"]),
        (SpeechEnded("u1", "spoken", 1.0), False, ["tts_playback_complete"]),
        (SpeechEnded("u1", "spoken", 1.0), True, ["speaking_finished", "tts_playback_complete"]),
        (SpeechEnded("u1", "failed"), True, ["speaking_finished", "tts_playback_complete"]),
        (SpeechEnded("u1", "failed"), False, ["tts_playback_complete"]),
        (SpeechEnded("u1", "cleared", 1.0), False, []),
        (SpeechEnded("u1", "cleared", 1.0), True, ["speaking_finished"]),
        (SpeechEnded("u1", "cleared"), True, ["speaking_finished"]),
    ],
)
def test_one_completion_for_each_speak_with_its_id(
    event: Event, types: list[str], *, speaking: bool
) -> None:
    messages = told(event, speaking=speaking)
    assert messages == [{"type": t, "utterance_id": "u1", "timestamp": NOW} for t in types]


@pytest.mark.pins("D202")
@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (
            encode(Failed("stt_error", "gone"), now_ms=NOW)[0],
            {"type": "error", "code": "stt_error", "message": "gone", "recoverable": True},
        ),
        (
            encode(Failed("x", "y", recoverable=False, details={"a": 1}), now_ms=NOW)[0],
            {
                "type": "error",
                "code": "x",
                "message": "y",
                "recoverable": False,
                "details": {"a": 1},
            },
        ),
        (
            refusal(InvalidRequest("no", code="odd")),
            {"type": "error", "code": "odd", "message": "no", "recoverable": True},
        ),
        (
            refusal(NotAvailable("livekit", "none")),
            {
                "type": "error",
                "code": "not_available",
                "message": "none",
                "recoverable": True,
                "details": {"feature": "livekit"},
            },
        ),
        (
            refusal(ProviderBusy("p", "full", retry_after=2.0)),
            {
                "type": "error",
                "code": "provider_busy",
                "message": "Provider busy: p: full",
                "recoverable": True,
                "details": {"retry_after": 2.0},
            },
        ),
        (
            refusal(ProviderUnavailable("p", "no route")),
            {
                "type": "error",
                "code": "provider_unavailable",
                "message": "Connection failed: p: no route",
                "recoverable": True,
            },
        ),
        (
            refusal(TransferRefused("no", code="odd")),
            {
                "type": "sip_transfer_error",
                "code": "odd",
                "message": "no",
                "recoverable": True,
            },
        ),
        (
            farewell("idle_timeout", "bye"),
            {"type": "error", "code": "idle_timeout", "message": "bye", "recoverable": False},
        ),
    ],
)
def test_every_error_has_a_code(text: str, wanted: dict[str, Any]) -> None:
    assert json.loads(text) == wanted


def test_long_texts_are_cut() -> None:
    (message,) = told(Failed("x", "y" * 1000))
    assert len(message["message"]) == 500


@pytest.mark.parametrize(("sent", "answered"), [(5, 5), (0, 0), (None, NOW)])
def test_a_pong_has_the_clients_time_or_ours(sent: int | None, answered: int) -> None:
    wanted = {"type": "pong", "timestamp": answered, "server_time": NOW}
    assert json.loads(pong(sent, now_ms=NOW)) == wanted


def test_authenticated_has_no_id_where_nobody_was_asked() -> None:
    assert json.loads(authenticated()) == {"type": "authenticated"}


def test_dead_air_is_told_to_who_asks_for_it() -> None:
    event = DeadAir("u1", 5.0)
    assert told(event) == []
    assert told(event, speaking=True) == [
        {"type": "dead_air", "utterance_id": "u1", "silent_ms": 5000, "timestamp": NOW}
    ]


def test_no_error_names_a_key_whoever_wrote_its_text() -> None:
    with hiding(["the-key-of-the-operator"]):
        texts = [
            handler_failed(ProviderRefused("acme", "no such key: the-key-of-the-operator")),
            json.dumps(told(Failed("x", "no such key: the-key-of-the-operator"))),
            farewell("x", "with token=something"),
        ]
    assert all("***" in each for each in texts)
    assert not [each for each in texts if "operator" in each or "something" in each]
