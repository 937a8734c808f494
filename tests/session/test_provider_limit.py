"""A provider takes so many conversations and no more: who comes later is told at once."""

from collections.abc import AsyncIterator

import pytest
import trio
import trio.testing
from support.providers import Ears, Mouth, next_event, plugin
from trio.testing import MockClock

from capabilities import AudioFormat, ProviderUnavailable, Secret, SpeechRequest, STTOptions
from waav.errors import LimitReached
from waav.plugins import Discovery, Plugins, open_plugins
from waav.security.limits import Capacities, Counts, LocalLimiter, Use
from waav.session.commands import Configure, Speak, STTConfig, TTSConfig
from waav.session.events import Failed, Ready, SpeechEnded
from waav.session.means import Means
from waav.session.recognise import recognise
from waav.session.session import open_session

OURS = Configure(stt=STTConfig("ears", STTOptions()))
THEIRS = Configure(stt=STTConfig("ears", STTOptions(api_key=Secret("a key of their own"))))
VOICE = TTSConfig("mouth", SpeechRequest("", format=AudioFormat(sample_rate=24000)))


@pytest.fixture
def counts() -> Counts:
    return Counts(Capacities(credentials={"ears": 1, "mouth": 1}))


@pytest.fixture
async def plugins(ears: Ears, mouth: Mouth, counts: Counts) -> AsyncIterator[Plugins]:
    manifests = plugin("ears", ears), plugin("mouth", mouth=mouth)
    limits = {"ears": {"max_sessions": 1}, "mouth": {"max_sessions": 1}}
    found, limiter = Discovery.of(*manifests), LocalLimiter(counts)
    async with open_plugins(found, settings=limits, limiter=limiter) as opened:
        yield opened


@pytest.fixture
def means(plugins: Plugins) -> Means:
    return Means(plugins)


async def answer(means: Means, command: Configure) -> object:
    """What a session of its own is told."""
    async with open_session(means) as session:
        await session.submit(command)
        return await next_event(session)


async def test_a_second_session_is_refused_at_once(
    autojump_clock: MockClock, means: Means, ears: Ears
) -> None:
    ears.connect_delay = 3
    async with open_session(means) as session:
        await session.submit(OURS)
        await trio.testing.wait_all_tasks_blocked()
        refused = await answer(means, OURS)
        assert isinstance(refused, Failed)
        assert refused.code == "provider_limit"
        assert trio.current_time() < 1
        assert isinstance(await next_event(session), Ready)
    assert isinstance(await answer(means, OURS), Ready)


async def test_a_client_with_a_key_of_its_own_is_not_held_up(
    autojump_clock: MockClock, plugins: Plugins, counts: Counts
) -> None:
    means = Means(plugins)
    provider = means.stt("ears")
    async with provider.turnstile.slot(STTOptions()):
        assert isinstance(await answer(means, OURS), Failed)
        assert isinstance(await answer(means, THEIRS), Ready)
    assert counts.snapshot()["credential"].held == 0


async def test_whoever_configures_anew_changes_places_with_itself(
    autojump_clock: MockClock, means: Means
) -> None:
    async with open_session(means) as session:
        for _ in range(3):
            await session.submit(OURS)
            assert isinstance(await next_event(session), Ready)


async def test_a_provider_that_cannot_be_reached_keeps_no_place(
    autojump_clock: MockClock, means: Means, ears: Ears, counts: Counts
) -> None:
    ears.fail = ProviderUnavailable("ears", "not there")
    for _ in range(3):
        refused = await answer(means, OURS)
        assert isinstance(refused, Failed)
        assert refused.code == "provider_start_failed"
    assert counts.snapshot()["credential"] == Use(held=0, refused=0)


async def test_a_voice_that_is_taken_refuses_and_is_there_for_the_next(
    autojump_clock: MockClock, means: Means, mouth: Mouth
) -> None:
    mouth.pace = 1.0
    speaker = means.speaker(VOICE)
    async with speaker.provider.turnstile.slot(speaker.pattern), open_session(means) as session:
        await session.submit(Configure(tts=VOICE))
        await next_event(session, Ready)
        await session.submit(Speak("one"))
        failed = await next_event(session, Failed)
        assert isinstance(failed, Failed)
        assert failed.code == "provider_limit"
        assert mouth.requests == []
    async with open_session(means) as session:
        await session.submit(Configure(tts=VOICE))
        await session.submit(Speak("one"))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_listen, session.audio_out)
            await next_event(session, SpeechEnded)
            nursery.cancel_scope.cancel()


async def _listen(audio: AsyncIterator[object]) -> None:
    async for _ in audio:
        pass


async def test_a_recording_takes_a_place_too(means: Means, plugins: Plugins) -> None:
    provider = plugins.stt("ears")
    async with provider.turnstile.slot(STTOptions()):
        with pytest.raises(LimitReached):
            async with recognise(provider, STTConfig("ears", STTOptions()), nothing()):
                pytest.fail("there was no place")


async def nothing() -> AsyncIterator[object]:
    for each in ():
        yield each
