"""How something is to be said, on its way through a session."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import attrs
import pytest
import trio
from support.providers import Mouth, next_event, plugin
from trio.testing import MockClock

from capabilities import (
    Ability,
    Capability,
    Delivery,
    Emotion,
    Expression,
    Feeling,
    SpeechRequest,
)
from waav.plugins import Discovery, open_plugins
from waav.session.commands import Configure, Speak, TTSConfig
from waav.session.events import Event, Failed, Ready, SpeechBegan, SpeechEnded
from waav.session.means import Means
from waav.session.session import Session, open_session

ALL = Expression(frozenset(Emotion), frozenset(Delivery), intensity=True, description=100)
SAD = Feeling(Emotion.SAD, 0.9, Delivery.SOFT)


@asynccontextmanager
async def open_talk(mouth: Mouth, **ability: Any) -> AsyncIterator[Session]:
    """A session with two names for one voice, whose sound is thrown away."""
    manifest = attrs.evolve(
        plugin("mouth", mouth=mouth),
        abilities={Capability.TTS: Ability(**ability)},
        aliases=("lips",),
    )
    async with (
        open_plugins(Discovery.of(manifest)) as plugins,
        open_session(Means(plugins)) as session,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(listen, session)
        yield session
        nursery.cancel_scope.cancel()


async def listen(session: Session) -> None:
    async for _ in session.audio_out:
        pass


async def talk(session: Session, feeling: Feeling, *speaks: Speak, voice: str) -> list[Event]:
    """Configure, say all, and return what was told between."""
    config = TTSConfig(voice, SpeechRequest("", feeling=feeling))
    await session.submit(Configure(tts=config))
    for speak in speaks:
        await session.submit(speak)
    told: list[Event] = []
    ended = 0
    while ended < len(speaks):
        event = await next_event(session)
        ended += isinstance(event, SpeechEnded)
        if not isinstance(event, SpeechBegan | SpeechEnded):
            told.append(event)
    return told


@pytest.mark.pins("D128", "D133")
@pytest.mark.parametrize("voice", ["mouth", "lips", "LIPS"])
async def test_a_voice_without_emotions_speaks_and_the_client_hears_of_it_once(
    autojump_clock: MockClock, mouth: Mouth, voice: str
) -> None:
    async with open_talk(mouth) as session:
        told = await talk(session, SAD, Speak("a"), Speak("b", emotion=Emotion.BORED), voice=voice)
        told += await talk(session, SAD, Speak("c"), voice=voice)
    assert told == [
        Ready(session.stream_id, stt=False, tts=True),
        Failed(
            "emotion_unsupported",
            "mouth has nothing of its own for the emotion sad, the delivery style soft; "
            "it comes as near as it can",
        ),
        Ready(session.stream_id, stt=False, tts=True),
    ]
    assert [request.feeling for request in mouth.requests] == [Feeling()] * 3


async def test_it_is_told_before_the_utterance_that_first_asks_for_it(
    autojump_clock: MockClock, mouth: Mouth
) -> None:
    async with open_talk(mouth, speeds=(1.0, 1.0)) as session:
        speak = Speak("a", emotion=Emotion.SAD, speed=1.5)
        told = await talk(session, Feeling(), Speak("a"), speak, speak, voice="mouth")
    codes = [event.code for event in told if isinstance(event, Failed)]
    assert codes == ["speed_clamped", "emotion_unsupported"]
    assert [request.speed for request in mouth.requests] == [1.0] * 3


@pytest.mark.pins("D127")
async def test_a_speed_that_cannot_be_had_is_told_with_the_configuration(
    autojump_clock: MockClock, mouth: Mouth
) -> None:
    async with open_talk(mouth, speeds=(0.8, 1.2)) as session:
        config = TTSConfig("mouth", SpeechRequest("", speed=2.0))
        await session.submit(Configure(tts=config))
        assert isinstance(await next_event(session), Ready)
        told = await next_event(session)
    assert told == Failed("speed_clamped", "mouth cannot speak at speed 2; it speaks at 1.2")


@pytest.mark.parametrize("voice", ["mouth", "lips"])
async def test_a_voice_with_emotions_gets_them_as_values(
    autojump_clock: MockClock, mouth: Mouth, voice: str
) -> None:
    """An utterance changes what it names, for itself."""
    described = attrs.evolve(SAD, description="as if it rained")
    async with open_talk(mouth, expression=ALL) as session:
        told = await talk(
            session,
            described,
            Speak("a"),
            Speak("b", delivery=Delivery.LOUD),
            Speak("c", emotion=Emotion.HAPPY),
            Speak("d", emotion=Emotion.HAPPY, intensity=0.3, description="as if it shone"),
            Speak("e"),
            voice=voice,
        )
    assert [type(event) for event in told] == [Ready]
    assert [request.feeling for request in mouth.requests] == [
        described,
        attrs.evolve(described, delivery=Delivery.LOUD),
        Feeling(Emotion.HAPPY, 0.9, Delivery.SOFT),
        Feeling(Emotion.HAPPY, 0.3, Delivery.SOFT, "as if it shone"),
        described,
    ]
