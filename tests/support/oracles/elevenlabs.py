"""Does with the vendor's own SDK what our client does: ``python -P elevenlabs.py TASK URL``.

A program of its own, as the SDK brings asyncio, threads and warnings, and is no part of what we
test. It prints what the SDK made of the answers, as one line of JSON. ``-P`` because this file has
the name of the SDK.
"""

import asyncio  # noqa: TID251 - the SDK has no other client
import importlib
import json
import sys
from base64 import b64encode
from collections.abc import Callable
from typing import Any

from elevenlabs import (
    AudioFormat,
    CommitStrategy,
    ElevenLabs,
    RealtimeEvents,
    VoiceSettings,
)

KEY = "made-up-key"
TEXT = "Hello world. How are you today?"
VOICE = "JBFqnCBsd6RMkjVDRZzb"
MODEL = "eleven_flash_v2_5"
FRAME = 640
"""Bytes in one chunk: 20 ms."""


def client(url: str) -> ElevenLabs:
    return ElevenLabs(api_key=KEY, base_url=url.replace("ws://", "http://"))


def listen(url: str) -> Any:
    """Recognise what is on standard input, and tell the texts of what was committed."""
    sound = sys.stdin.buffer.read()
    return asyncio.run(_listen(url, sound))


async def _listen(url: str, sound: bytes) -> list[str]:
    done, texts = asyncio.Event(), []

    def heard(data: dict[str, Any]) -> None:
        texts.append(data["text"])
        done.set()

    connection = await client(url).speech_to_text.realtime.connect(
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
    connection.on(RealtimeEvents.COMMITTED_TRANSCRIPT_WITH_TIMESTAMPS, heard)
    for start in range(0, len(sound), FRAME):
        chunk = b64encode(sound[start : start + FRAME]).decode()
        await connection.send({"audio_base_64": chunk})
    await connection.commit()
    await asyncio.wait_for(done.wait(), 10)
    await connection.close()
    return texts


def speak(url: str) -> Any:
    """Say a text over HTTP, and tell how many bytes of sound came."""
    sound = client(url).text_to_speech.stream(
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
    return sum(map(len, sound))


def speak_on_socket(url: str) -> Any:
    """Say a text over a WebSocket, and tell how many bytes of sound came."""
    vendor = client(url)
    vendor.text_to_speech._ws_base_url = url
    sound = vendor.text_to_speech.convert_realtime(
        VOICE,
        text=iter([TEXT]),
        model_id=MODEL,
        output_format="pcm_24000",
        voice_settings=VoiceSettings(stability=0.4, similarity_boost=0.7),
    )
    return sum(map(len, sound))


def voices(url: str) -> Any:
    """List the voices page by page, and tell their ids."""
    vendor, found, token = client(url), [], None
    while True:
        page = vendor.voices.search(page_size=100, include_total_count=False, next_page_token=token)
        found += [voice.voice_id for voice in page.voices]
        token = page.next_page_token
        if not page.has_more:
            return found


def check(_: str) -> Any:
    """Hold messages on standard input, each with a model's name, strictly against the models.

    The SDK itself takes almost anything: here a field that it does not know is told.
    """
    wrong = []
    types = importlib.import_module("elevenlabs.types")
    for line in sys.stdin:
        name, message = json.loads(line)
        model = getattr(types, name)
        model.model_validate(message)
        known = {field.alias or key for key, field in model.model_fields.items()}
        wrong += [f"{name}: {each}" for each in message.keys() - known]
    return sorted(wrong)


TASKS: dict[str, Callable[[str], Any]] = {
    "listen": listen,
    "speak": speak,
    "speak-on-socket": speak_on_socket,
    "voices": voices,
    "check": check,
}

if __name__ == "__main__":
    sys.stdout.write(json.dumps(TASKS[sys.argv[1]](sys.argv[2])) + "\n")
