"""Does with the vendor's own SDK what our client does: ``deepgram.py WEBSOCKET_URL HTTP_URL``.

A program of its own, as the SDK uses threads, logs as it likes, and is no part of what we test. It
prints, as lines of JSON, what the SDK made of the answers; each was checked against its models.
"""

import json
import sys
from typing import Any

from deepgram import DeepgramClient
from deepgram.environment import DeepgramClientEnvironment
from deepgram.speak.v1.types import SpeakV1Text
from deepgram.speak.v2.types import SpeakV2Speak

SOUND = bytes(3200)


def tell(what: str, message: Any) -> None:
    """Check a message strictly, which the SDK itself does not, and print its type."""
    if isinstance(message, bytes):
        sys.stdout.write(json.dumps([what, "sound", len(message)]) + "\n")
        return
    type(message).model_validate(message.model_dump(by_alias=True))
    sys.stdout.write(json.dumps([what, message.type, type(message).__name__]) + "\n")


def main(websocket_url: str, http_url: str) -> None:
    """Listen twice, speak twice by WebSocket and once by REST, list the voices."""
    environment = DeepgramClientEnvironment(
        base=http_url, production=websocket_url, agent=websocket_url, agent_rest=http_url
    )
    client = DeepgramClient(api_key="made-up-key", environment=environment)
    spoken = sys.stdin.buffer.read()
    with client.listen.v1.connect(
        model="nova-3",
        language="en-US",
        encoding="linear16",
        sample_rate="16000",
        channels="1",
        interim_results="true",
        punctuate="true",
        keyterm=["Müller & Co", "100%"],
        redact=["pci", "ssn"],
        diarize_model="latest",
        utterance_end_ms="1000",
        mip_opt_out="true",
    ) as nova:
        nova.send_media(spoken)
        nova.send_keep_alive()
        nova.send_finalize()
        nova.send_close_stream()
        for message in nova:
            tell("nova", message)
    with client.listen.v2.connect(
        model="flux-general-multi",
        encoding="linear16",
        sample_rate="16000",
        eot_threshold="0.8",
        eot_timeout_ms="2000",
        keyterm=["Müller & Co", "100%"],
        language_hint=["de"],
    ) as flux:
        flux.send_media(spoken)
        flux.send_close_stream()
        for message in flux:
            tell("flux", message)
    with client.speak.v1.connect(
        model="aura-asteria-en", encoding="linear16", sample_rate="24000", speed="1.2"
    ) as aura:
        aura.send_text(SpeakV1Text(text="Grüße, world."))
        aura.send_flush()
        hear(aura, "aura", "Flushed")
        aura.send_clear()
        aura.send_close()
    with client.speak.v2.connect(
        model="flux-alexis-en", encoding="linear16", sample_rate="24000"
    ) as voice:
        voice.send_speak(SpeakV2Speak(text="Grüße, world."))
        voice.send_flush()
        hear(voice, "flux-voice", "SpeechMetadata")
        voice.send_interrupt()
        voice.send_close()
    sound = client.speak.v1.audio.generate(
        text="Grüße, world.",
        model="aura-asteria-en",
        encoding="linear16",
        container="none",
        sample_rate=24000,
    )
    tell("rest", b"".join(sound))
    models = client.manage.v1.models.list()
    for voice_model in models.tts or ():
        type(voice_model).model_validate(voice_model.model_dump(by_alias=True))
        sys.stdout.write(json.dumps(["voices", voice_model.canonical_name]) + "\n")


def hear(socket: Any, what: str, last: str) -> None:
    """Print all up to the message that ends a text."""
    for message in socket:
        tell(what, message)
        if getattr(message, "type", "") == last:
            return


main(*sys.argv[1:])
