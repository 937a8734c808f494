"""A thousand interruptions at random moments, and not one frame of what was interrupted after it."""

import json
import random
from collections.abc import AsyncGenerator
from typing import Any

import attrs
import pytest
import trio
from support.clients import TTS, Client
from support.providers import Mouth

from capabilities import AudioFrame

ROUNDS = 1000
SESSIONS = 4


@attrs.define(eq=False)
class Signed(Mouth):
    """Says each text in samples that spell its number, so that every byte tells whose it is."""

    async def _frames(self, text: str) -> AsyncGenerator[AudioFrame]:
        sample = int(text).to_bytes(2, "little")
        for number in range(40):
            if number > 8:
                await trio.sleep(0.001)
            yield AudioFrame(sample * (self.format.size(0.02) // 2), self.format)


@pytest.fixture
def mouth() -> Mouth:
    return Signed()


async def interrupt(client: Client, dice: random.Random, rounds: int) -> int:
    """Speak and clear; return how many utterances were heard at least in part."""
    await client.configure(tts_config=TTS, features={"events": True})
    heard: set[int] = set()
    over = 0
    for number in range(1, rounds + 1):
        await client.send(type="speak", text=str(number))
        frames = dice.choice([0, 1, 2, 3, 10, 12, 30])
        while over < number and frames:
            message = await client.socket.recv()
            frames -= isinstance(message, bytes)
            over = take(message, heard, over)
        await client.send(type="clear")
        while over < number:
            over = take(await client.socket.recv(), heard, over)
    return len(heard)


def take(message: str | bytes, heard: set[int], over: int) -> int:
    """Look at what came; return the last utterance that is over."""
    if isinstance(message, str):
        assert '"error"' not in message
        read = json.loads(message)
        ends = read["type"] in {"speaking_finished", "speaking_interrupted"}
        return max(over, int(read["utterance_id"][1:])) if ends else over
    whose = int.from_bytes(message[:2], "little")
    assert message == message[:2] * (len(message) // 2), "one frame, one utterance"
    assert whose > over, f"sound of {whose} after the end of {over}"
    heard.add(whose)
    return over


@pytest.mark.timeout(120)
async def test_nothing_of_an_interrupted_utterance_is_heard_after_it(server: Any) -> None:
    heard = 0

    async def one(seed: int) -> None:
        nonlocal heard
        async with server.client() as client:
            ours = await interrupt(client, random.Random(seed), ROUNDS // SESSIONS)
        heard += ours

    async with trio.open_nursery() as nursery:
        for seed in range(SESSIONS):
            nursery.start_soon(one, seed)
    assert heard > ROUNDS // 2, f"hardly anything was heard: {heard}"
