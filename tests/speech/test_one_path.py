"""A session, ``POST /speak`` and a program that embeds the gateway: one way to the voice, one cache."""

from collections.abc import AsyncIterator

import attrs
import pytest
import trio
from support.providers import Mouth, next_event
from support.rest import Client, voice_plugin
from trio.testing import MockClock

from capabilities import (
    AudioFormat,
    Capability,
    Emotion,
    Expression,
    Feeling,
    ProviderClosed,
    SpeechRequest,
)
from waav.config import Config
from waav.config.schema import Plugins
from waav.gateway import Gateway, open_gateway
from waav.server.app import create_app
from waav.session.commands import Configure, Pronunciation, Speak, TTSConfig
from waav.session.events import SpeechEnded

TEXT = "I say API."
BLOCK = {
    "provider": "mouth",
    "voice": "v",
    "speed": 1.2,
    "emotion": "joyful",
    "pronunciations": [{"word": "API", "pronunciation": "A P I"}],
}
CONFIG = TTSConfig(
    "mouth",
    SpeechRequest("", voice="v", speed=1.2, feeling=Feeling(Emotion.HAPPY)),
    pronunciations=(Pronunciation("API", "A P I"),),
)


@pytest.fixture
def mouth() -> Mouth:
    return Mouth()


@pytest.fixture
async def gateway(mouth: Mouth) -> AsyncIterator[Gateway]:
    happy = Expression(emotions=frozenset({Emotion.HAPPY}))
    manifests = []
    for name in ("mouth", "other"):
        manifest = voice_plugin(name, mouth)
        ability = attrs.evolve(manifest.abilities[Capability.TTS], expression=happy)
        manifests.append(attrs.evolve(manifest, abilities={Capability.TTS: ability}))
    config = Config(plugins=Plugins(enabled=False))
    async with open_gateway(config, manifests=manifests) as opened:
        yield opened


@pytest.fixture
def client(gateway: Gateway) -> Client:
    return create_app(gateway).test_client()


async def post(client: Client, **block: object) -> bytes:
    answer = await client.post("/speak", json={"text": TEXT, "tts_config": {**BLOCK, **block}})
    assert answer.status_code == 200
    return bytes(await answer.get_data(as_text=False))


async def say_in_session(gateway: Gateway, config: TTSConfig = CONFIG) -> bytes:
    sound = bytearray()

    async def listen() -> None:
        async for frame in session.audio_out:
            sound.extend(frame.data)

    async with gateway.open_session() as session, trio.open_nursery() as nursery:
        nursery.start_soon(listen)
        await session.submit(Configure(tts=config))
        await session.submit(Speak(TEXT))
        assert (await next_event(session, SpeechEnded)).how == "spoken"  # type: ignore[union-attr]
        nursery.cancel_scope.cancel()
    return bytes(sound)


@pytest.mark.pins("D075", "D144", "D074")
async def test_what_one_way_has_said_the_others_find(
    autojump_clock: MockClock, gateway: Gateway, client: Client, mouth: Mouth
) -> None:
    """Also another way of saying the same wish: a synonym, a default that is written out."""
    sounds = {
        await post(client),
        await post(client, emotion={"name": "happy", "intensity": "medium"}, sample_rate=24000),
        await say_in_session(gateway),
        await gateway.say(CONFIG, Speak(TEXT)),
    }
    assert len(sounds) == 1
    (request,) = mouth.requests
    assert request.text == "I say A P I."
    assert request.feeling == Feeling(Emotion.HAPPY)


@pytest.mark.pins("D073")
async def test_another_wish_is_another_request(
    autojump_clock: MockClock, gateway: Gateway, client: Client, mouth: Mouth
) -> None:
    for block in (
        {},
        {"emotion": "neutral"},
        {"speed": 1.0},
        {"voice": "w"},
        {"provider": "other"},
        {"api_key": "sk-mine"},
        {"pronunciations": []},
        {"auth": {"api_key": "sk-mine"}},
        {"stability": 0.5, "emotion": "happy"},
    ):
        await post(client, **block)
    # The last but one says the same in other words, the last nothing that this voice knows.
    assert len(mouth.requests) == 7


async def test_all_ways_at_the_same_time_make_one_request(
    autojump_clock: MockClock, gateway: Gateway, client: Client, mouth: Mouth
) -> None:
    mouth.pace = 0.1
    sounds: list[bytes] = []

    async def collect(way: object, *args: object) -> None:
        sounds.append(await way(*args))  # type: ignore[operator]

    async with trio.open_nursery() as nursery:
        for _ in range(5):
            nursery.start_soon(collect, post, client)
            nursery.start_soon(collect, say_in_session, gateway)
    assert len(sounds) == 10
    assert len(set(sounds)) == 1
    assert len(sounds[0]) == AudioFormat(sample_rate=24000).size(0.1) * len("I say A P I.")
    assert len(mouth.requests) == 1


async def test_a_way_that_fails_keeps_nothing(
    autojump_clock: MockClock, gateway: Gateway, client: Client, mouth: Mouth
) -> None:
    mouth.fail = ProviderClosed("mouth", "gone")
    answer = await client.post("/speak", json={"text": TEXT, "tts_config": BLOCK})
    assert answer.status_code == 502
    mouth.fail = None
    assert await say_in_session(gateway) == await post(client)
    assert len(mouth.requests) == 2


@pytest.mark.pins("D131")
async def test_speak_says_which_emotions_there_are(client: Client) -> None:
    """There is no second message to tell it in, as a session has."""
    body = {"text": TEXT, "provider": "mouth", "emotion": "flabbergasted"}
    answer = await client.post("/speak", json=body)
    error = await answer.get_json()
    assert (answer.status_code, error["code"]) == (400, "invalid_emotion")
    assert "known are angry, anxious, bored" in error["message"]


async def test_a_loss_is_in_the_log_of_who_runs_it(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    await post(client, emotion="sad")
    told = "mouth has nothing of its own for the emotion sad; it comes as near as it can"
    assert [record.getMessage() for record in caplog.records if record.levelname == "WARNING"] == [
        told
    ]
