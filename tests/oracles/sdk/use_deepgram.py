"""Does with Deepgram's SDK what our client does: ``use_deepgram.py WEBSOCKET_URL HTTP_URL``.

It prints, as lines of JSON, what the SDK made of the answers.
"""

import json
import sys
from collections.abc import Iterable
from typing import Any

from deepgram import DeepgramClient
from deepgram.environment import DeepgramClientEnvironment
from deepgram.speak.v1.types import SpeakV1Text
from deepgram.speak.v2.types import SpeakV2Speak
from strict import check

TERMS = ["Müller & Co", "100%"]
TEXT = "Grüße, world."
FRAME, FLUX_FRAME = 640, 2560
"""Bytes of sound in one message: 20 ms; and 80 ms, which is the vendor's advice for Flux."""


def main(websocket_url: str, http_url: str) -> None:
    """Listen, speak by WebSocket and by REST, list the voices."""
    environment = DeepgramClientEnvironment(
        base=http_url, production=websocket_url, agent=websocket_url, agent_rest=http_url
    )
    client = DeepgramClient(api_key="made-up-key", environment=environment)
    spoken = sys.stdin.buffer.read()
    nova(client, cut(spoken, FRAME))
    nova_with_all(client)
    flux(client, cut(spoken, FLUX_FRAME))
    flux_with_all(client)
    aura(client)
    flux_voice(client)
    rest(client)
    for voice in client.manage.v1.models.list().tts or ():
        tell("voices", check(voice).canonical_name)


def nova(client: DeepgramClient, frames: Iterable[bytes]) -> None:
    """Recognise."""
    with client.listen.v1.connect(
        model="nova-3",
        language="en-US",
        encoding="linear16",
        sample_rate="16000",
        channels="1",
        interim_results="true",
        punctuate="true",
        keyterm=TERMS,
        redact=["pci", "ssn"],
        diarize_model="latest",
        utterance_end_ms="1000",
        mip_opt_out="true",
    ) as socket:
        for frame in frames:
            socket.send_media(frame)
        socket.send_keep_alive()
        socket.send_finalize()
        socket.send_close_stream()
        hear("nova", socket)


def nova_with_all(client: DeepgramClient) -> None:
    """Ask for everything, and say nothing."""
    with client.listen.v1.connect(
        model="nova-3",
        version="2026-01-01.0",
        language="multi",
        language_hint=["de", "en"],
        encoding="mulaw",
        sample_rate="8000",
        channels="2",
        multichannel="true",
        interim_results="true",
        punctuate="false",
        smart_format="true",
        numerals="true",
        dictation="true",
        profanity_filter="true",
        diarize_model="v1",
        endpointing="300",
        vad_events="true",
        keyterm=TERMS,
        keywords=["WaaV:2"],
        redact=["numbers"],
        detect_entities="true",
        replace=["one:1"],
        search=["two"],
        extra=["a:b"],
        tag=["x", "y"],
        mip_opt_out="false",
    ) as socket:
        socket.send_close_stream()
        hear("nova with all", socket)


def flux(client: DeepgramClient, frames: Iterable[bytes]) -> None:
    """Recognise turns."""
    with client.listen.v2.connect(
        model="flux-general-multi",
        encoding="linear16",
        sample_rate="16000",
        eot_threshold="0.8",
        eot_timeout_ms="2000",
        keyterm=TERMS,
        language_hint=["de"],
    ) as socket:
        for frame in frames:
            socket.send_media(frame)
        socket.send_close_stream()
        hear("flux", socket)


def flux_with_all(client: DeepgramClient) -> None:
    """Ask for everything, and say nothing."""
    with client.listen.v2.connect(
        model="flux-general-multi",
        encoding="alaw",
        sample_rate="8000",
        eot_threshold="0.9",
        eager_eot_threshold="0.4",
        eot_timeout_ms="700",
        keyterm=TERMS,
        language_hint=["de", "en"],
        numerals="true",
        profanity_filter="true",
        redact=["numbers"],
        tag=["x", "y"],
        mip_opt_out="true",
    ) as socket:
        socket.send_close_stream()
        hear("flux with all", socket)


def aura(client: DeepgramClient) -> None:
    """Speak; at the end also say what we say when we are interrupted."""
    with client.speak.v1.connect(
        model="aura-asteria-en", encoding="linear16", sample_rate="24000", speed="1.2"
    ) as socket:
        socket.send_text(SpeakV1Text(text=TEXT))
        socket.send_flush()
        hear("aura", socket, "Flushed")
        socket.send_clear()
        hear("aura", socket, "Cleared")
        socket.send_close()


def flux_voice(client: DeepgramClient) -> None:
    """Speak with the newer voices."""
    with client.speak.v2.connect(
        model="flux-alexis-en",
        encoding="linear16",
        sample_rate="24000",
        speed="1.1",
        expressivity="0.5",
        tag=["x"],
        mip_opt_out="true",
    ) as socket:
        socket.send_speak(SpeakV2Speak(text=TEXT))
        socket.send_flush()
        hear("flux voice", socket, "SpeechMetadata")
        socket.send_interrupt()
        socket.send_close()


def rest(client: DeepgramClient) -> None:
    """Speak by REST, plainly and with everything."""
    sound = client.speak.v1.audio.generate(
        text=TEXT,
        model="aura-asteria-en",
        encoding="linear16",
        container="none",
        sample_rate=24000,
    )
    tell("rest", size(sound))
    sound = client.speak.v1.audio.generate(
        text=TEXT,
        model="aura-asteria-en",
        encoding="mp3",
        bit_rate=32000,
        speed=1.2,
        tag=["x", "y"],
        mip_opt_out=True,
    )
    tell("rest with all", size(sound))


def cut(sound: bytes, size: int) -> list[bytes]:
    return [sound[at : at + size] for at in range(0, len(sound), size)]


def hear(what: str, socket: Any, last: str = "") -> None:
    """Tell all up to the message that is the last, or to the end."""
    sound = 0
    for message in socket:
        if isinstance(message, bytes):
            sound += len(message)
            continue
        tell(what, message.type, type(check(message)).__name__)
        if message.type == last:
            break
    if sound:
        tell(what, f"{sound} bytes")


def size(sound: Iterable[bytes]) -> str:
    return f"{sum(map(len, sound))} bytes"


def tell(*told: str) -> None:
    sys.stdout.write(json.dumps(told) + "\n")


main(*sys.argv[1:])
