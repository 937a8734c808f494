"""Does with ElevenLabs' SDK what our client does: ``use_elevenlabs.py WEBSOCKET_URL HTTP_URL``.

It prints, as lines of JSON, what the SDK made of the answers. With ``check`` for arguments it holds
messages on standard input, each with a model's name, strictly against the models.
"""

import asyncio  # noqa: TID251 - the SDK has no other client for recognition
import importlib
import json
import sys
from base64 import b64encode
from collections.abc import Iterable
from typing import Any

from elevenlabs import AudioFormat, CommitStrategy, ElevenLabs, RealtimeEvents, VoiceSettings
from elevenlabs.types import (
    EffectsSpecInput,
    PronunciationDictionaryVersionLocator,
)
from strict import check, unknown

TEXT = "Hello world. How are you today?"
VOICE = "JBFqnCBsd6RMkjVDRZzb"
MODEL = "eleven_flash_v2_5"
FRAME = 640
"""Bytes in one chunk: 20 ms."""


def main(websocket_url: str, http_url: str) -> None:
    """Listen, speak over HTTP and by WebSocket, list the voices, clone."""
    sound = sys.stdin.buffer.read()
    client = ElevenLabs(
        api_key="made-up-key", base_url=websocket_url.replace("ws://", "http://"), timeout=10
    )
    asyncio.run(listen(client, sound))
    asyncio.run(listen_with_all(client))
    speak_by_socket(client, websocket_url)
    client = ElevenLabs(api_key="made-up-key", base_url=http_url, timeout=10)
    speak(client)
    voices(client)
    clone(client, sound)


async def listen(client: ElevenLabs, sound: bytes) -> None:
    """Recognise, and tell what was committed."""
    heard = asyncio.Queue[str]()
    connection = await client.speech_to_text.realtime.connect(
        {
            "model_id": "scribe_v2_realtime",
            "audio_format": AudioFormat.PCM_16000,
            "sample_rate": 16000,
            "commit_strategy": CommitStrategy.MANUAL,
            "language_code": "en",
            "include_timestamps": True,
            "include_language_detection": True,
            "keyterms": ["R&D", "Müller"],
            "vad_silence_threshold_secs": 0.5,
            "no_verbatim": True,
        }
    )
    connection.on(
        RealtimeEvents.COMMITTED_TRANSCRIPT_WITH_TIMESTAMPS,
        lambda data: heard.put_nowait(data["text"]),
    )
    for start in range(0, len(sound), FRAME):
        chunk = b64encode(sound[start : start + FRAME]).decode()
        await connection.send({"audio_base_64": chunk})
    await connection.commit()
    tell("listen", await asyncio.wait_for(heard.get(), 10))
    await connection.close()


async def listen_with_all(client: ElevenLabs) -> None:
    """Ask for everything that goes together, and say nothing."""
    connection = await client.speech_to_text.realtime.connect(
        {
            "model_id": "scribe_v2_realtime",
            "audio_format": AudioFormat.ULAW_8000,
            "sample_rate": 8000,
            "commit_strategy": CommitStrategy.VAD,
            "language_code": "de",
            "secondary_languages": ["en", "fr"],
            "vad_silence_threshold_secs": 0.75,
            "vad_threshold": 0.4,
            "min_speech_duration_ms": 100,
            "min_silence_duration_ms": 200,
            "no_verbatim": False,
            "entity_detection": ["pii", "phi"],
            "entity_redaction": ["pci"],
            "entity_redaction_mode": "entity_type",
            "filter_background_audio": True,
            "enable_logging": False,
        }
    )
    refused = asyncio.Queue[str]()
    connection.on(
        RealtimeEvents.COMMIT_THROTTLED, lambda data: refused.put_nowait(data["message_type"])
    )
    await connection.commit()
    tell("listen with all", await asyncio.wait_for(refused.get(), 10))
    await connection.close()


def speak(client: ElevenLabs) -> None:
    """Say a text over HTTP, plainly and with everything."""
    sound = client.text_to_speech.stream(
        VOICE,
        text=TEXT,
        model_id=MODEL,
        output_format="pcm_24000",
        language_code="en",
        seed=7,
        enable_logging=False,
        voice_settings=VoiceSettings(
            stability=0.4, similarity_boost=0.7, style=0.1, use_speaker_boost=True, speed=1.1
        ),
    )
    tell("speak", size(sound))
    sound = client.text_to_speech.stream(
        VOICE,
        text=TEXT,
        model_id="eleven_multilingual_v2",
        output_format="mp3_44100_192",
        optimize_streaming_latency=2,
        pronunciation_dictionary_locators=[
            PronunciationDictionaryVersionLocator(
                pronunciation_dictionary_id="words", version_id="one"
            )
        ],
        previous_text="So it was.",
        next_text="So it will be.",
        previous_request_ids=["a", "b"],
        next_request_ids=["c"],
        use_pvc_as_ivc=True,
        apply_text_normalization="on",
        apply_language_text_normalization=True,
        audio_effects=EffectsSpecInput(filter_preset_id="radio", distance=0.5, pan=-1.0),
    )
    tell("speak with all", size(sound))


def speak_by_socket(client: ElevenLabs, url: str) -> None:
    """Say a text over a WebSocket."""
    client.text_to_speech._ws_base_url = url
    sound = client.text_to_speech.convert_realtime(
        VOICE,
        text=iter([TEXT]),
        model_id=MODEL,
        output_format="pcm_24000",
        voice_settings=VoiceSettings(stability=0.4, similarity_boost=0.7),
    )
    tell("speak by socket", size(sound))


def voices(client: ElevenLabs) -> None:
    """List the voices page by page."""
    token, more = None, True
    while more:
        page = client.voices.search(page_size=100, include_total_count=False, next_page_token=token)
        for voice in check(page).voices:
            tell("voices", voice.voice_id)
        token, more = page.next_page_token, page.has_more


def clone(client: ElevenLabs, sound: bytes) -> None:
    """Make a voice, look after it, and remove it."""
    made = client.voices.ivc.create(
        name="Grüße",
        description="A voice.",
        labels={"accent": "none"},
        remove_background_noise=True,
        files=[("sample-1.wav", sound, "audio/wav"), ("sample-2.mp3", sound, "audio/mpeg")],
    )
    tell("clone", check(made).voice_id)
    tell("cloned voice", check(client.voices.get(made.voice_id)).category)
    tell("removal of the voice", check(client.voices.delete(made.voice_id)).status)


def size(sound: Iterable[bytes]) -> str:
    return f"{sum(map(len, sound))} bytes"


def tell(*told: Any) -> None:
    sys.stdout.write(json.dumps(told) + "\n")


def check_lines() -> None:
    """Tell the fields that the models do not know."""
    types = importlib.import_module("elevenlabs.types")
    for line in sys.stdin:
        name, message = json.loads(line)
        for each in unknown(getattr(types, name).model_validate(message)):
            tell(name, each)


if sys.argv[1:] == ["check"]:
    check_lines()
else:
    main(*sys.argv[1:])
