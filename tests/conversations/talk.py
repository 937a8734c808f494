"""Speaks a scene to a gateway as fast as it was spoken, and writes down what comes back, and when."""

import json
from typing import Any, TypeAlias

import attrs
import numpy as np
import soxr
import trio
from support.clients import Client, open_client
from support.noise import RATE, as_bytes

from conversations.script import Scene
from waav.audio.g711 import encode_mulaw

FRAME = 0.02
"""Seconds."""
Message: TypeAlias = dict[str, Any]

FEATURES: Message = {
    "vad": {"enabled": True},
    "interruption": {"enabled": True},
}
"""What a session of a voice agent asks for; times and thresholds are the defaults."""


@attrs.define(eq=False)
class Record:
    """What a client got; times are seconds of the sound that it had sent by then."""

    scene: Scene
    messages: list[tuple[float, Message]] = attrs.Factory(list)
    sound: list[tuple[float, int]] = attrs.Factory(list)
    """When, and how many bytes."""

    def of(self, *kinds: str) -> list[tuple[float, Message]]:
        """Return the messages of these types."""
        return [(at, message) for at, message in self.messages if message["type"] in kinds]

    @property
    def kinds(self) -> list[str]:
        """The types of messages about speaking and errors, in order."""
        return [
            message["type"]
            for _, message in self.messages
            if message["type"].startswith(("speaking", "error"))
        ]

    @property
    def turns(self) -> list[str]:
        """What the user has said, turn by turn, as the client was told."""
        return [
            message["text"] for _, message in self.of("stt_result") if message["is_speech_final"]
        ]


def encoded(scene: Scene) -> tuple[bytes, Message]:
    """Return the sound as it is sent, and how a session announces it."""
    if not scene.script.telephone:
        return as_bytes(scene.wave), {"sample_rate": RATE, "encoding": "linear16"}
    narrow = np.rint(soxr.resample(scene.wave, RATE, 8000).clip(-32768, 32767)).astype(np.int16)
    return encode_mulaw(narrow), {"sample_rate": 8000, "encoding": "mulaw"}


async def converse(url: str, scene: Scene, stt: Message, features: Message = FEATURES) -> Record:
    """Have one conversation, in real time."""
    sound, format = encoded(scene)
    if scene.script.denoise:
        features = features | {"noise_filtering": {"enabled": True}}
    record = Record(scene)
    async with open_client(url) as client, trio.open_nursery() as nursery:
        await client.configure(
            stt_config={**stt, **format},
            tts_config={"provider": "espeak", "sample_rate": 16000},
            features={"events": True},
            audio_features=features,
        )
        start = trio.current_time()
        nursery.start_soon(_write_down, client, record, start)
        await _speak(client, sound, scene, start)
        nursery.cancel_scope.cancel()
    return record


async def _speak(client: Client, sound: bytes, scene: Scene, start: float) -> None:
    size = round(len(sound) / len(scene.wave) * RATE * FRAME)
    cues = list(scene.cues)
    for number, at in enumerate(range(0, len(sound), size)):
        while cues and cues[0][0] <= number * FRAME:
            await client.send(type="speak", text=cues.pop(0)[1])
        # A microphone gives a frame when the last of it was spoken.
        await trio.sleep_until(start + (number + 1) * FRAME)
        await client.socket.send(sound[at : at + size])


async def _write_down(client: Client, record: Record, start: float) -> None:
    while True:
        message = await client.socket.recv()
        now = trio.current_time() - start
        if isinstance(message, str):
            record.messages.append((now, json.loads(message)))
        else:
            record.sound.append((now, len(message)))
