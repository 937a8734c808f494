"""Does with OpenAI's SDK what our client does: ``use_openai.py WEBSOCKET_URL HTTP_URL``.

It prints, as lines of JSON, what the SDK made of the answers.
"""

import io
import json
import sys
from base64 import b64encode
from typing import Any

from openai import OpenAI
from strict import check

FRAME = 960
"""Bytes of sound in one message: 20 ms."""
WORDS = {"prompt": "a report", "keywords": ["WaaV", "Ada"], "languages": ["en", "fr"]}
TOOL = {
    "type": "function",
    "function": {
        "name": "look_up",
        "description": "Find it.",
        "parameters": {"type": "object", "properties": {"what": {"type": "string"}}},
    },
}


def main(websocket_url: str, http_url: str) -> None:
    """Listen by files and in sessions, speak, and chat."""
    wav = sys.stdin.buffer.read()
    client = OpenAI(
        api_key="made-up-key",
        organization="org-1",
        project="proj-1",
        base_url=f"{http_url}/v1",
        websocket_base_url=f"{websocket_url}/v1",
        max_retries=0,
        timeout=10,
    )
    live(client, wav[44:])
    live_with_all(client)
    live_semantic(client)
    files(client, wav)
    diarize(client, wav)
    speech(client)
    chat(client)
    chat_with_all(client)


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
        for at in range(0, len(pcm), FRAME):
            connection.input_audio_buffer.append(audio=b64encode(pcm[at : at + FRAME]).decode())
        connection.input_audio_buffer.commit()
        for event in connection:
            tell("live", check(event).type)
            if event.type.endswith(".completed"):
                tell("live", event.transcript)
                return


def live_with_all(client: OpenAI) -> None:
    """Ask for everything that goes together, and say nothing."""
    ask(
        client,
        "live with all",
        {
            "type": "transcription",
            "include": ["item.input_audio_transcription.logprobs"],
            "audio": {
                "input": {
                    "format": {"type": "audio/pcmu"},
                    "noise_reduction": {"type": "far_field", "strength": 0.5},
                    "transcription": {"model": "gpt-live-transcribe", **WORDS, "delay": "low"},
                    "turn_detection": {
                        "type": "server_vad",
                        "threshold": 0.4,
                        "prefix_padding_ms": 200,
                        "silence_duration_ms": 300,
                    },
                }
            },
        },
    )


def live_semantic(client: OpenAI) -> None:
    """Leave the end of a turn to its sense."""
    ask(
        client,
        "live semantic",
        {
            "type": "transcription",
            "audio": {
                "input": {
                    "format": {"type": "audio/pcma"},
                    "transcription": {"model": "gpt-live-transcribe", "language": "en"},
                    "turn_detection": {"type": "semantic_vad", "eagerness": "high"},
                }
            },
        },
    )


def ask(client: OpenAI, what: str, session: Any) -> None:
    """Ask for a session, and leave it when the sound that was not sent is forgotten."""
    with client.realtime.connect(extra_query={"intent": "transcription"}) as connection:
        connection.session.update(session=session)
        connection.input_audio_buffer.clear()
        for event in connection:
            tell(what, check(event).type)
            if event.type == "input_audio_buffer.cleared":
                return


def files(client: OpenAI, wav: bytes) -> None:
    """Transcribe one file in three ways."""
    told = client.audio.transcriptions.create(
        model="gpt-transcribe",
        **WORDS,
        response_format="json",
        temperature=0.25,
        include=["logprobs"],
        chunking_strategy={
            "type": "server_vad",
            "threshold": 0.4,
            "prefix_padding_ms": 200,
            "silence_duration_ms": 300,
        },
        file=file(wav),
    )
    tell("file", check(told).text)
    words = client.audio.transcriptions.create(
        model="whisper-1",
        language="en",
        prompt="a report",
        response_format="verbose_json",
        timestamp_granularities=["word", "segment"],
        file=file(wav),
    )
    # The API's reference has a task in this answer, though the SDK's model has not.
    tell("words", *[word.word for word in check(words, besides="task").words])
    events = client.audio.transcriptions.create(
        model="gpt-transcribe",
        response_format="json",
        language="en",
        stream=True,
        file=file(wav),
    )
    for event in events:
        tell("events", check(event).type)


def diarize(client: OpenAI, wav: bytes) -> None:
    """Transcribe a file in which two people speak."""
    told = client.audio.transcriptions.create(
        model="gpt-4o-transcribe-diarize",
        language="en",
        response_format="diarized_json",
        chunking_strategy="auto",
        known_speaker_names=["Ada", "Bo"],
        known_speaker_references=["data:audio/wav;base64,AA==", "data:audio/wav;base64,AQ=="],
        file=file(wav),
    )
    tell("diarized", *[segment.speaker for segment in check(told).segments])


def file(wav: bytes) -> Any:
    return ("audio.wav", io.BytesIO(wav), "audio/wav")


def speech(client: OpenAI) -> None:
    """Say a text, with instructions and with a voice of one's own."""
    for voice in ("marin", {"id": "voice_1234"}):
        with client.audio.speech.with_streaming_response.create(
            model="gpt-4o-mini-tts",
            input="Hello world.",
            voice=voice,
            response_format="pcm",
            instructions="Whisper.",
            speed=1.5,
        ) as answer:
            tell("speech", f"{len(b''.join(answer.iter_bytes()))} bytes")


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
    tell("chat", text(chunks))


def chat_with_all(client: OpenAI) -> None:
    """Ask for an answer with everything."""
    call = {"name": "look_up", "arguments": '{"what": "WaaV"}'}
    chunks = client.chat.completions.create(
        model="gpt-6-luna",
        messages=[
            {"role": "system", "content": "Be short."},
            {"role": "user", "content": "What is it?"},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [{"id": "call_1", "type": "function", "function": call}],
            },
            {"role": "tool", "content": "a gateway", "tool_call_id": "call_1"},
        ],
        stream=True,
        stream_options={"include_usage": True},
        tools=[TOOL],
        tool_choice={"type": "function", "function": {"name": "look_up"}},
        reasoning_effort="low",
        response_format={"type": "json_object"},
        parallel_tool_calls=False,
        top_p=0.5,
        frequency_penalty=0.5,
        presence_penalty=-0.5,
        seed=7,
        stop=["a", "b"],
        service_tier="flex",
        verbosity="low",
        prompt_cache_key="key-of-a-cache",
        safety_identifier="somebody",
        store=True,
        metadata={"a": "b"},
    )
    tell("chat with all", text(chunks))


def text(chunks: Any) -> str:
    return "".join(
        choice.delta.content or "" for chunk in chunks for choice in check(chunk).choices
    )


def tell(*told: Any) -> None:
    sys.stdout.write(json.dumps(told) + "\n")


main(*sys.argv[1:])
