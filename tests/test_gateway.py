"""What all sessions share."""

from collections.abc import AsyncIterator

import attrs
import pytest
import trio
from support.providers import Ears, Mouth, next_event, plugin
from trio.testing import MockClock, wait_all_tasks_blocked

from capabilities import AudioFormat, Encoding, Secret, SpeechRequest, Voice
from waav import Config, Gateway, Speak, TTSConfig, open_gateway
from waav.audio.wav import read_wav
from waav.config import Providers
from waav.config.overload import Overload
from waav.config.schema import Plugins
from waav.observe.scope import redact
from waav.observe.stages import Marks, Stage
from waav.session.commands import Clear, Configure
from waav.session.events import Ready
from waav.session.voices import LIFETIME


class CountingMouth(Mouth):
    """A voice that remembers how often it was asked for its list."""

    asked = 0

    async def voices(self, _api_key: Secret | None = None) -> list[Voice]:
        self.asked += 1
        return [Voice("v", "V", "en-US")]


@pytest.fixture
def mouth() -> CountingMouth:
    return CountingMouth()


@pytest.fixture
async def gateway(mouth: CountingMouth) -> AsyncIterator[Gateway]:
    alone = attrs.evolve(Config(), plugins=attrs.evolve(Config().plugins, enabled=False))
    manifests = plugin("ears", Ears()), plugin("mouth", mouth=mouth)
    async with open_gateway(alone, manifests=manifests) as opened:
        yield opened


@pytest.mark.pins("D226")
async def test_a_list_of_voices_is_believed_for_ten_minutes(
    autojump_clock: MockClock, gateway: Gateway, mouth: CountingMouth
) -> None:
    await gateway.voices("mouth")
    await trio.sleep(LIFETIME - 1)
    assert [voice.id for voice in await gateway.voices("MOUTH")] == ["v"]
    assert mouth.asked == 1
    await trio.sleep(2)
    await gateway.all_voices()
    assert mouth.asked == 2


async def test_a_voice_that_cannot_tell_is_left_out_and_counted(
    gateway: Gateway, mouth: CountingMouth, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken() -> list[Voice]:
        raise OSError

    monkeypatch.setattr(mouth, "voices", broken, raising=False)
    assert await gateway.all_voices() == ({}, 1)


async def test_sessions_are_counted_while_they_last(gateway: Gateway) -> None:
    async with gateway.open_session(), gateway.open_session():
        assert gateway.sessions == 2
    assert gateway.sessions == 0


async def test_the_marks_of_overload_are_the_operators(autojump_clock: MockClock) -> None:
    """Milliseconds and percents at the edge, seconds and shares inside."""
    plugins = attrs.evolve(Config().plugins, enabled=False)
    wish = Overload(refuse_lag_ms=40.0, evict_memory_percent=50.0, patience_seconds=2.0)
    async with open_gateway(Config(plugins=plugins, overload=wish)) as gateway:
        rules = gateway.load.rules
    assert rules.marks == {
        Stage.REFUSE: Marks.at(0.04, 0.85),
        Stage.SHED: Marks.at(0.05, 0.90),
        Stage.EVICT: Marks.at(0.2, 0.5),
    }
    assert (rules.patience, rules.calm, rules.idle) == (2.0, 5.0, 30.0)


async def test_clears_that_came_in_vain_are_counted(gateway: Gateway) -> None:
    """Those of a session that runs, and still when it is over."""
    sessions = gateway.means.counters.sessions
    for round_ in (1, 2):
        async with gateway.open_session() as session:
            await session.submit(Configure(tts=TTSConfig("mouth")))
            await session.submit(Speak("abc", allow_interruption=False))
            await next_event(session, Ready)
            await anext(aiter(session.audio_out))
            await session.submit(Clear())
            await wait_all_tasks_blocked()
            assert sessions.read()["ignored_clears"] == round_
    assert sessions.read()["ignored_clears"] == 2


async def test_a_whole_file_has_a_true_length(gateway: Gateway) -> None:
    wav = AudioFormat(Encoding.WAV, 24000)
    file = await gateway.say(TTSConfig("mouth", SpeechRequest("", format=wav)), Speak("abc"))
    format, sound = read_wav(file)
    assert (format, len(sound), len(file)) == (AudioFormat(sample_rate=24000), 14400, 14444)
    assert int.from_bytes(file[40:44], "little") == len(sound)


async def test_what_the_operator_keeps_secret_is_hidden_as_long_as_the_gateway_is_open() -> None:
    """Also for a program that embeds it and has never read a configuration file."""
    key = "the-key-of-the-operator"
    config = Config(plugins=Plugins(enabled=False), providers=Providers(openai_api_key=Secret(key)))
    async with open_gateway(config):
        assert redact(f"with {key}") == "with ***"
    assert redact(f"with {key}") == f"with {key}"
