"""Does with the vendor's own SDK what our client does: ``openai.py HTTP_URL WEBSOCKET_URL``.

A program of its own for an environment of its own: the SDK pins a release of ``websockets`` that we
do not use. It prints, as lines of JSON, what the SDK made of the answers; each was checked strictly
against the SDK's models, which the SDK itself does not do.
"""

import sys

# This file has the name of the package that it wants.
sys.path.pop(0)

import io
import json
from base64 import b64encode
from typing import Any

from openai import OpenAI
from openai.types.audio import Transcription, TranscriptionVerbose
from openai.types.chat import ChatCompletionChunk


def tell(what: str, value: Any) -> None:
    """Print what the SDK gave."""
    sys.stdout.write(json.dumps([what, value]) + "\n")


def check(model: Any, value: Any) -> Any:
    """Raise unless a value is what a model says, whole."""
    return model.model_validate(value.model_dump(exclude_unset=True, by_alias=True))


def main(http_url: str, websocket_url: str) -> None:
    """Listen by files and in a session, speak, and chat."""
    wav = sys.stdin.buffer.read()
    client = OpenAI(
        api_key="made-up-key",
        organization="org-1",
        project="proj-1",
        base_url=f"{http_url}/v1",
        websocket_base_url=f"{websocket_url}/v1",
        max_retries=0,
    )
    files(client, wav)
    speech(client)
    chat(client)
    live(client, wav[44:])


def files(client: OpenAI, wav: bytes) -> None:
    """Transcribe one file in three ways."""
    file = ("audio.wav", io.BytesIO(wav), "audio/wav")
    told = client.audio.transcriptions.create(
        model="gpt-transcribe",
        prompt="a report",
        response_format="json",
        temperature=0.25,
        keywords=["WaaV", "Ada"],
        languages=["en", "fr"],
        include=["logprobs"],
        chunking_strategy={"type": "server_vad", "threshold": 0.4},
        file=file,
    )
    tell("file", check(Transcription, told).text)
    words = client.audio.transcriptions.create(
        model="whisper-1",
        language="en",
        response_format="verbose_json",
        timestamp_granularities=["word"],
        file=("audio.wav", io.BytesIO(wav), "audio/wav"),
    )
    tell("words", [word.word for word in check(TranscriptionVerbose, words).words])
    events = client.audio.transcriptions.create(
        model="gpt-transcribe",
        response_format="json",
        language="en",
        stream=True,
        file=("audio.wav", io.BytesIO(wav), "audio/wav"),
    )
    tell("events", [check(type(event), event).type for event in events])


def speech(client: OpenAI) -> None:
    """Say a text."""
    with client.audio.speech.with_streaming_response.create(
        model="gpt-4o-mini-tts",
        input="Hello world.",
        voice="marin",
        response_format="pcm",
        instructions="Whisper.",
        speed=1.5,
    ) as answer:
        tell("speech", len(b"".join(answer.iter_bytes())))


def chat(client: OpenAI) -> None:
    """Ask for an answer."""
    chunks = client.chat.completions.create(
        model="gpt-6-luna",
        messages=[{"role": "user", "content": "Hello?"}],
        stream=True,
        stream_options={"include_usage": True},
        temperature=0.5,
        max_completion_tokens=100,
    )
    texts = [
        choice.delta.content or ""
        for chunk in chunks
        for choice in check(ChatCompletionChunk, chunk).choices
    ]
    tell("chat", "".join(texts))


def live(client: OpenAI, pcm: bytes) -> None:
    """Transcribe in a session."""
    with client.realtime.connect(extra_query={"intent": "transcription"}) as connection:
        connection.session.update(
            session={
                "type": "transcription",
                "audio": {
                    "input": {
                        "format": {"type": "audio/pcm", "rate": 24000},
                        "transcription": {"model": "gpt-realtime-whisper", "language": "en"},
                        "turn_detection": None,
                    }
                },
            }
        )
        connection.input_audio_buffer.append(audio=b64encode(pcm).decode())
        connection.input_audio_buffer.commit()
        for event in connection:
            check(type(event), event)
            tell("live", event.type)
            if event.type.endswith(".completed"):
                tell("live", event.transcript)
                return


if __name__ == "__main__":
    main(*sys.argv[1:])
