"""Malformed messages of a WebSocket client, whose frames are all right."""

import base64
from random import Random
from typing import Any

from fuzz.snippets import spoilt

STT = {"provider": "deepgram", "language": "en-US", "sample_rate": 16000, "channels": 1}
TTS = {"provider": "deepgram", "voice_id": "aura-2-thalia-en", "sample_rate": 24000}
CONFIG: dict[str, Any] = {"type": "config", "stt_config": STT, "tts_config": TTS}
"""Of the few messages that are meant to be right."""
FULL: dict[str, Any] = {
    "type": "config",
    "stream_id": "a-stream",
    "audio": True,
    "stt_config": STT
    | {"encoding": "linear16", "model": "nova-3", "interim_results": True, "endpointing": 300}
    | {"keywords": ["one", "two"], "options": {}, "auth": {}, "api_key": ""},
    "tts_config": TTS
    | {"speaking_rate": 1.0, "audio_format": "linear16", "emotion": {"type": "happy"}}
    | {"pronunciations": [{"word": "a", "pronunciation": "b"}], "options": {}, "volume": 1.0},
    "features": {"events": True, "dead_air": True, "punctuation": True},
    "audio_features": {"interruption": {"enabled": True}, "turn_detection": {"enabled": False}},
}
VALID: tuple[dict[str, Any], ...] = (
    CONFIG,
    FULL,
    FULL,
    {"type": "speak", "text": "good day", "flush": True, "allow_interruption": True},
    {"type": "speak", "text": "a", "speed": 1.0, "emotion": "happy", "emotion_intensity": 0.5},
    {
        "type": "speak",
        "ssml": "<speak>good <emphasis>day</emphasis></speak>",
        "provider": "deepgram",
    },
    {"type": "clear"},
    {"type": "flush"},
    {"type": "stop"},
    {"type": "audio", "audio": base64.b64encode(bytes(640)).decode()},
    {"type": "ping", "timestamp": 1},
    {"type": "auth", "token": "somebody-elses"},
    {"type": "send_message", "message": "hello", "role": "user", "topic": "chat"},
    {"type": "sip_transfer", "transfer_to": "+4930123456", "participant_identity": "a"},
    {"type": "custom", "message_type": "a.b", "payload": {"a": [1, 2, {"b": None}]}},
    {"type": "config", "livekit": {"room_name": "a"}, "dag_config": {}, "realtime_config": {}},
)
FIRST = {"type": "auth", "token": "somebody-elses"}
_TOO_MUCH = (5 << 20) + 1
_RARE = 0.0005


def text(dice: Random) -> bytes:
    """Return the UTF-8 of a text message."""
    return spoilt(dice, dice.choice(VALID)).encode(errors="replace")


def first(dice: Random) -> bytes:
    """Return what somebody says first who has to say who it is."""
    return spoilt(dice, dice.choice((FIRST, FIRST, CONFIG))).encode(errors="replace")


def sound(dice: Random) -> bytes:
    """Return a binary message: no whole samples, nothing at all, or too much."""
    if dice.random() < _RARE:
        return bytes(_TOO_MUCH)
    return dice.randbytes(dice.choice((0, 1, 2, 3, 5, 319, 639, 641, 1279, dice.randrange(4000))))
