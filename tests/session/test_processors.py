"""Audio processors in a session: before anybody hears the user, and behind the voice."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import attrs
import pytest
import trio
from support.processors import Adder, processor_plugin
from support.providers import Ears, Mouth, Sentry, next_event, plugin
from trio.testing import MockClock, wait_all_tasks_blocked

from capabilities import AudioFormat, Encoding, ProviderUnavailable, SpeechRequest, STTOptions
from waav.plugins import Discovery, open_plugins
from waav.session.choices import Choices
from waav.session.commands import (
    Configure,
    NoiseReduction,
    ProcessorChoice,
    Speak,
    STTConfig,
    TTSConfig,
    VoiceDetection,
)
from waav.session.events import Failed, Ready, SpeechEnded
from waav.session.means import Means
from waav.session.session import Session, open_session

ADD = (ProcessorChoice("adder"),)
LOUD = bytes(3200)


@attrs.define(eq=False)
class Cast:
    """All who have a part, and what was heard of the voice."""

    adder: Adder = attrs.Factory(Adder)
    ears: Ears = attrs.Factory(Ears)
    sentry: Sentry = attrs.Factory(Sentry)
    mouth: Mouth = attrs.Factory(Mouth)
    sound: bytearray = attrs.Factory(bytearray)

    @asynccontextmanager
    async def session(self, **choices: Any) -> AsyncIterator[Session]:
        manifests = (
            plugin("ears", self.ears, encodings=(Encoding.LINEAR16, Encoding.OPUS)),
            plugin("mouth", mouth=self.mouth),
            plugin("sentry", sentry=self.sentry),
            attrs.evolve(processor_plugin("adder", self.adder), aliases=("plus",)),
        )
        chosen = Choices(**{"vad_provider": "sentry", "denoiser": "adder", **choices})
        async with (
            open_plugins(Discovery.of(*manifests)) as plugins,
            open_session(Means(plugins, choices=chosen)) as session,
            trio.open_nursery() as nursery,
        ):
            nursery.start_soon(self._listen, session)
            yield session
            nursery.cancel_scope.cancel()

    async def _listen(self, session: Session) -> None:
        async for frame in session.audio_out:
            self.sound += frame.data

    @property
    def heard(self) -> bytes:
        return b"".join(frame.data for frame in self.ears.frames)


@pytest.mark.pins("D179")
@pytest.mark.parametrize(
    ("operator", "wish", "worked"),
    [
        pytest.param((), STTConfig("ears"), 0, id="nobody"),
        pytest.param(ADD, STTConfig("ears"), 1, id="the-operator"),
        pytest.param(ADD, STTConfig("ears", processors=()), 0, id="not-for-this-session"),
        pytest.param((), STTConfig("ears", processors=ADD * 2), 2, id="the-session"),
        pytest.param((), STTConfig("ears", noise=NoiseReduction(enabled=True)), 1, id="noise-on"),
        pytest.param(
            ADD, STTConfig("ears", noise=NoiseReduction(enabled=False)), 0, id="noise-off"
        ),
        pytest.param(
            ADD, STTConfig("ears", noise=NoiseReduction(enabled=True)), 1, id="noise-on-once"
        ),
    ],
)
async def test_the_users_sound_is_worked_on_as_somebody_wishes(
    autojump_clock: MockClock,
    operator: tuple[ProcessorChoice, ...],
    wish: STTConfig,
    worked: int,
) -> None:
    cast = Cast()
    async with cast.session(pre_stt=operator) as session:
        await session.submit(Configure(stt=wish))
        await next_event(session, Ready)
        session.push_audio(LOUD)
        await wait_all_tasks_blocked()
        assert cast.heard == bytes([worked]) * len(LOUD)
        assert cast.adder.open_streams == worked
    assert cast.adder.open_streams == 0


@pytest.mark.parametrize("standing", ["Adder", "plus"], ids=["spelling", "alias"])
async def test_a_denoiser_that_goes_by_another_name_does_not_work_twice(
    autojump_clock: MockClock, standing: str
) -> None:
    cast = Cast()
    wish = STTConfig("ears", noise=NoiseReduction(enabled=True))
    async with cast.session(pre_stt=(ProcessorChoice(standing),)) as session:
        await session.submit(Configure(stt=wish))
        await next_event(session, Ready)
        assert cast.adder.open_streams == 1


async def test_how_strongly_counts_only_for_a_denoiser_that_can_be_told(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    """It is an operator's choice which one works; no client is refused for it."""
    cast = Cast()
    wish = STTConfig("ears", noise=NoiseReduction(enabled=True, attenuation=12.0))
    async with cast.session() as session:
        await session.submit(Configure(stt=wish))
        await next_event(session, Ready)
        assert cast.adder.open_streams == 1
    assert "adder does not know attenuation: ignored" in caplog.messages


async def test_a_denoiser_that_is_not_there_stops_nobody_who_does_not_want_it(
    autojump_clock: MockClock,
) -> None:
    cast = Cast()
    async with cast.session(denoiser="nobody") as session:
        quiet = NoiseReduction(enabled=True, attenuation=12.0)
        await session.submit(Configure(stt=STTConfig("ears", noise=quiet)))
        told = await next_event(session)
        assert isinstance(told, Failed)
        assert told.code == "unsupported_provider"
        await session.submit(Configure(stt=STTConfig("ears", noise=NoiseReduction(enabled=False))))
        assert await next_event(session) == Ready(session.stream_id, stt=True, tts=False)


async def test_a_voice_detector_hears_the_cleaned_sound(autojump_clock: MockClock) -> None:
    cast = Cast()
    wish = STTConfig("ears", vad=VoiceDetection(enabled=True), processors=ADD)
    async with cast.session() as session:
        await session.submit(Configure(stt=wish))
        await next_event(session, Ready)
        session.push_audio(LOUD)
        await wait_all_tasks_blocked()
    assert bytes(cast.sentry.sound) == b"\x01" * len(LOUD)


async def test_a_processor_that_cannot_be_had_is_told_and_left_out(
    autojump_clock: MockClock,
) -> None:
    cast = Cast(adder=Adder(refusal=ProviderUnavailable("adder", "ill")))
    async with cast.session(pre_stt=ADD) as session:
        await session.submit(Configure(stt=STTConfig("ears")))
        told = await next_event(session)
        assert isinstance(told, Failed)
        assert told.code == "processor_missing"
        await next_event(session, Ready)
        session.push_audio(LOUD)
        await wait_all_tasks_blocked()
    assert cast.heard == LOUD


async def test_what_the_operator_chose_does_not_refuse_compressed_sound(
    autojump_clock: MockClock,
) -> None:
    """It goes on as it came, as that of a voice does; who asks for the work by name is told."""
    cast = Cast()
    opus = STTOptions(format=AudioFormat(Encoding.OPUS))
    async with cast.session(pre_stt=ADD) as session:
        await session.submit(Configure(stt=STTConfig("ears", opus)))
        assert await next_event(session) == Ready(session.stream_id, stt=True, tts=False)
        session.push_audio(LOUD)
        await wait_all_tasks_blocked()
        assert cast.heard == LOUD
        await session.submit(Configure(stt=STTConfig("ears", opus, processors=ADD)))
        told = await next_event(session)
    assert isinstance(told, Failed)
    assert told.code == "invalid_audio_format"


async def test_an_unknown_processor_is_refused(autojump_clock: MockClock) -> None:
    cast = Cast()
    async with cast.session() as session:
        wish = STTConfig("ears", processors=(ProcessorChoice("nobody"),))
        await session.submit(Configure(stt=wish))
        told = await next_event(session)
    assert isinstance(told, Failed)
    assert told.code == "unsupported_provider"
    assert "known for processor: adder" in told.message


@pytest.mark.parametrize("encoding", [Encoding.LINEAR16, Encoding.WAV])
async def test_the_voice_is_worked_on_and_a_header_is_not(
    autojump_clock: MockClock, encoding: Encoding
) -> None:
    format = attrs.evolve(SpeechRequest("").format, encoding=encoding)
    plain, worked = Cast(), Cast()
    for cast, processors in (plain, ()), (worked, ADD):
        wish = TTSConfig("mouth", SpeechRequest("", format=format), processors=processors)
        async with cast.session() as session:
            await session.submit(Configure(tts=wish))
            await session.submit(Speak("abc"))
            ended = await next_event(session, SpeechEnded)
            assert ended == SpeechEnded("u1", "spoken", pytest.approx(0.3))
    head = 44 if encoding is Encoding.WAV else 0
    assert worked.sound[:head] == plain.sound[:head]
    assert worked.sound[head:] == bytes((each + 1) % 256 for each in plain.sound[head:])
    assert worked.adder.open_streams == 0
