"""A session while the gateway has too much to do: what it can do without stops, and comes back."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import attrs
import pytest
import trio
from support.processors import Add, Adder, processor_plugin
from support.providers import Ears, Mouth, Sentry, next_event, plugin
from trio.testing import MockClock, wait_all_tasks_blocked

from capabilities import (
    AudioFormat,
    Encoding,
    SpeechRequest,
    SpeechStarted,
    STTOptions,
    VADOptions,
)
from waav.observe.load import Load
from waav.observe.stages import Situation, Stage
from waav.plugins import Discovery, open_plugins
from waav.session.choices import Choices
from waav.session.commands import (
    Configure,
    ProcessorChoice,
    Speak,
    STTConfig,
    TTSConfig,
    VoiceDetection,
)
from waav.session.events import Failed, Ready, SpeechEnded, VoiceHeard
from waav.session.means import Means
from waav.session.session import Session, open_session
from waav.session.shedding import WORK_SHED, Sheddable, Shedding

FRAME = bytes(640)
"""20 ms."""
BUSY, AT_EASE = Situation(Stage.SHED), Situation()
WATCH = STTConfig("ears", vad=VoiceDetection(enabled=True))
CLEAN = STTConfig("ears", processors=(ProcessorChoice("adder"),))


@attrs.define(eq=False)
class Cast:
    """All who have a part."""

    adder: Adder = attrs.Factory(Adder)
    ears: Ears = attrs.Factory(Ears)
    sentry: Sentry = attrs.Factory(Sentry)
    load: Load = attrs.Factory(Load)
    sound: bytearray = attrs.Factory(bytearray)
    """What came of the voice."""

    @asynccontextmanager
    async def session(self, wish: STTConfig, **choices: Any) -> AsyncIterator[Session]:
        """A session that listens."""
        manifests = (
            plugin("ears", self.ears),
            plugin("mouth", mouth=Mouth()),
            plugin("sentry", sentry=self.sentry),
            attrs.evolve(processor_plugin("adder", self.adder), aliases=("cleaner",)),
        )
        chosen = Choices(**{"vad_provider": "sentry", "denoiser": "cleaner", **choices})
        async with (
            open_plugins(Discovery.of(*manifests)) as plugins,
            open_session(Means(plugins, choices=chosen, load=self.load)) as session,
            trio.open_nursery() as nursery,
        ):
            nursery.start_soon(self._listen, session)
            await session.submit(Configure(stt=wish))
            await next_event(session, Ready)
            yield session
            nursery.cancel_scope.cancel()

    async def _listen(self, session: Session) -> None:
        async for frame in session.audio_out:
            self.sound += frame.data

    async def hear(self, session: Session, frame: bytes = FRAME) -> None:
        """The user sends a frame, and everybody does with it what they do."""
        session.push_audio(frame)
        await wait_all_tasks_blocked()

    @property
    def heard(self) -> bytes:
        return b"".join(frame.data for frame in self.ears.frames)


class SlowToLeave(Sentry):
    """A detector that says goodbye for half a second."""

    @asynccontextmanager
    async def watch(self, options: VADOptions) -> AsyncIterator[Any]:
        async with super().watch(options) as stream:
            try:
                yield stream
            finally:
                with trio.move_on_after(0.5, shield=True):
                    await trio.sleep_forever()


async def test_voices_are_not_told_from_silence_for_a_while(autojump_clock: MockClock) -> None:
    cast = Cast()
    async with cast.session(WATCH) as session:
        await cast.hear(session)
        assert (cast.sentry.open_streams, len(cast.sentry.sound)) == (1, 640)
        cast.load.situation = BUSY
        await cast.hear(session)
        assert (cast.sentry.open_streams, len(cast.sentry.sound)) == (0, 640)
        assert await next_event(session) == WORK_SHED
        cast.load.situation = AT_EASE
        await cast.hear(session)
        await cast.hear(session)
        assert (cast.sentry.open_streams, len(cast.sentry.sound)) == (1, 3 * 640)
        cast.sentry.say(SpeechStarted(0.01))
        assert await next_event(session) == VoiceHeard(talking=True, at=pytest.approx(0.05))
    assert len(cast.heard) == 4 * 640, "whoever understands the words hears all of them"


async def test_a_voice_that_is_heard_then_has_ended(autojump_clock: MockClock) -> None:
    """The end of a turn waits for that, and the agent would hold on for ever."""
    cast = Cast()
    async with cast.session(WATCH) as session:
        await cast.hear(session)
        cast.sentry.say(SpeechStarted(0.0))
        assert await next_event(session) == VoiceHeard(talking=True, at=0.0)
        cast.load.situation = BUSY
        await cast.hear(session)
        told = [await next_event(session), await next_event(session)]
        assert VoiceHeard(talking=False, at=pytest.approx(0.02)) in told


async def test_the_client_is_told_once(autojump_clock: MockClock) -> None:
    cast = Cast()
    async with cast.session(attrs.evolve(WATCH, processors=CLEAN.processors)) as session:
        for situation in (BUSY, AT_EASE, BUSY, AT_EASE):
            cast.load.situation = situation
            await cast.hear(session)
            await cast.hear(session)
        told = []
        with trio.move_on_after(1):
            while True:
                told.append(await next_event(session, Failed))
        assert told == [WORK_SHED]
    assert cast.load.shed == 1


async def test_who_has_nothing_to_do_without_is_told_nothing(autojump_clock: MockClock) -> None:
    cast = Cast(load=Load(situation=BUSY))
    async with cast.session(STTConfig("ears")) as session:
        await cast.hear(session)
        with trio.move_on_after(1) as patience:
            await next_event(session)
        assert patience.cancelled_caught
    assert (cast.load.shed, cast.heard) == (0, FRAME)


async def test_a_session_that_begins_meanwhile_gets_it_later(autojump_clock: MockClock) -> None:
    cast = Cast(load=Load(situation=BUSY))
    async with cast.session(WATCH) as session:
        await cast.hear(session)
        assert cast.sentry.open_streams == 0
        cast.load.situation = AT_EASE
        await cast.hear(session)
        assert cast.sentry.open_streams == 1


async def test_a_detector_that_broke_does_not_come_back_with_the_others(
    autojump_clock: MockClock,
) -> None:
    cast = Cast()
    async with cast.session(WATCH) as session:
        await cast.hear(session)
        cast.sentry.hang_up()
        await wait_all_tasks_blocked()
        for situation in (BUSY, AT_EASE):
            cast.load.situation = situation
            await cast.hear(session)
        assert cast.sentry.open_streams == 0


async def test_a_detector_that_takes_its_time_to_leave_is_not_there_twice(
    autojump_clock: MockClock,
) -> None:
    """It has a limited number of places."""
    cast = Cast(sentry=SlowToLeave())
    async with cast.session(WATCH) as session:
        for situation in (AT_EASE, BUSY, AT_EASE):
            cast.load.situation = situation
            await cast.hear(session)
            assert cast.sentry.open_streams == 1
        assert len(cast.sentry.sound) == 640
        await trio.sleep(1)
        await cast.hear(session)
        assert (cast.sentry.open_streams, len(cast.sentry.sound)) == (1, 1280)


async def test_noise_is_not_lowered_for_a_while_and_no_sound_is_lost(
    autojump_clock: MockClock,
) -> None:
    """A denoiser holds some sound back; that comes before what passes it by."""
    cast = Cast(adder=Adder({"keep": 4}))
    async with cast.session(CLEAN) as session:
        await cast.hear(session)
        assert cast.heard == b"\1" * 636
        cast.load.situation = BUSY
        await cast.hear(session)
        await cast.hear(session)
        assert cast.heard == b"\1" * 640 + b"\0" * 1280
        cast.load.situation = AT_EASE
        await cast.hear(session)
        assert cast.heard == b"\1" * 640 + b"\0" * 1280 + b"\1" * 636
        assert await next_event(session) == WORK_SHED
    assert cast.heard == b"\1" * 640 + b"\0" * 1280 + b"\1" * 640


async def test_what_is_passed_by_costs_nothing(autojump_clock: MockClock) -> None:
    """A flush may be dear, too: a denoiser computes its last hop then."""
    stream = Add(keep=4)
    sheddable = Sheddable(stream, Shedding(Load(situation=BUSY)))
    await stream.feed(FRAME)
    assert len(await sheddable.feed(FRAME)) == 640 + 4
    stream.error = ZeroDivisionError()
    assert await sheddable.feed(FRAME) is FRAME


@pytest.mark.parametrize(
    ("optional", "worked"), [((), 1), (("adder",), 0), (("Cleaner",), 0), (("nobody",), 1)]
)
async def test_the_operator_says_what_can_be_done_without(
    autojump_clock: MockClock, optional: tuple[str, ...], worked: int
) -> None:
    cast = Cast(load=Load(situation=BUSY))
    async with cast.session(CLEAN, denoiser="another", optional=optional) as session:
        await cast.hear(session)
    assert cast.heard == bytes([worked]) * 640


async def test_a_processor_that_gives_another_format_works_on(autojump_clock: MockClock) -> None:
    """Without it the sound would not be what the recogniser takes."""
    stereo = AudioFormat(channels=2)
    cast = Cast(adder=Adder({"format": stereo}), load=Load(situation=BUSY))
    async with cast.session(CLEAN) as session:
        await cast.hear(session)
    assert cast.adder.streams[0].fed == [FRAME]


async def test_behind_the_voice_as_well(autojump_clock: MockClock) -> None:
    cast = Cast(load=Load(situation=BUSY))
    pattern = SpeechRequest("", format=AudioFormat(Encoding.LINEAR16, 16000))
    async with cast.session(STTConfig("ears", STTOptions())) as session:
        voice = TTSConfig("mouth", pattern, processors=CLEAN.processors)
        await session.submit(Configure(tts=voice))
        await session.submit(Speak("a"))
        await next_event(session, SpeechEnded)
        shed = bytes(cast.sound)
        cast.load.situation = AT_EASE
        await session.submit(Speak("a"))
        await next_event(session, SpeechEnded)
        assert bytes(cast.sound[len(shed) :]) == bytes((each + 1) % 256 for each in shed)
