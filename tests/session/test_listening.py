"""Sound on its way to a provider: where it belongs in the user's time."""

import pytest
from support.providers import Ears, Sentry, next_event, plugin
from trio.testing import MockClock, wait_all_tasks_blocked

from capabilities import AudioFormat, Encoding, SpeechStarted, STTOptions
from waav.plugins import Discovery, open_plugins
from waav.session.commands import Configure, STTConfig, VoiceDetection
from waav.session.events import Ready, VoiceHeard
from waav.session.means import Choices, Means
from waav.session.session import open_session

TELEPHONE = AudioFormat(Encoding.MULAW, 8000, 1)


async def test_sound_that_a_resampler_held_back_keeps_its_time(autojump_clock: MockClock) -> None:
    """The first that comes out of it is the beginning, although later sound went in by then."""
    ears, sentry = Ears(), Sentry()
    manifests = plugin("ears", ears), plugin("sentry", sentry=sentry)
    config = STTConfig("ears", STTOptions(format=TELEPHONE), vad=VoiceDetection(enabled=True))
    async with open_plugins(Discovery.of(*manifests)) as plugins:
        means = Means(plugins, choices=Choices(vad_provider="sentry"))
        async with open_session(means) as session:
            await session.submit(Configure(stt=config))
            await next_event(session, Ready)
            for _ in range(50):
                session.push_audio(bytes(TELEPHONE.size(0.02)))
                await wait_all_tasks_blocked()
            sentry.say(SpeechStarted(0.25))
            assert await next_event(session) == VoiceHeard(talking=True, at=pytest.approx(0.25))
    position = 0.0
    for frame in ears.frames:
        assert frame.start == pytest.approx(position)
        position += frame.duration
    assert position > 0.9
