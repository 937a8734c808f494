"""What a session hears is counted: by provider, and for all sessions together."""

import pytest
import trio
from support.providers import Ears, next_event
from trio.testing import MockClock

from capabilities import AudioFormat, AudioFrame, Final, Interim, SpeechFinal
from waav.plugins import Plugins
from waav.plugins.hearing import Hearing, Latency
from waav.session.commands import Configure, STTConfig
from waav.session.events import Ready, Transcribed
from waav.session.means import Means
from waav.session.recognise import recognise
from waav.session.session import Session, open_session

HALF_A_SECOND = bytes(16000)
HEARING = Configure(stt=STTConfig("ears"))


async def hear(session: Session, ears: Ears) -> None:
    """One stream: half a second of sound, then words 0.2 and 0.5 seconds after its beginning."""
    await session.submit(HEARING)
    await next_event(session, Ready)
    session.push_audio(HALF_A_SECOND)
    await trio.sleep(0.2)
    ears.say(Interim("he"), Interim("hello"))
    await trio.sleep(0.3)
    ears.say(Final("hello"), Final("you"), SpeechFinal())
    for _ in range(5):
        await next_event(session, Transcribed)


@pytest.mark.pins("D004")
async def test_a_session_counts_what_it_hears(
    autojump_clock: MockClock, session: Session, ears: Ears
) -> None:
    assert session.statistics == {}
    await hear(session, ears)
    assert session.statistics == {
        "ears": Hearing(
            streams=1,
            audio=pytest.approx(0.5),
            interims=2,
            finals=2,
            first_interim=Latency(1, pytest.approx(0.2), pytest.approx(0.2)),
            first_final=Latency(1, pytest.approx(0.5), pytest.approx(0.5)),
        )
    }


async def test_another_configuration_is_another_stream_of_the_same_session(
    autojump_clock: MockClock, session: Session, ears: Ears
) -> None:
    await hear(session, ears)
    await hear(session, ears)
    told = session.statistics["ears"]
    assert (told.streams, told.finals, told.first_final.count) == (2, 4, 2)
    assert told.first_final.mean == pytest.approx(0.5)


async def test_all_sessions_count_together(
    autojump_clock: MockClock, means: Means, plugins: Plugins, ears: Ears
) -> None:
    for _ in range(3):
        async with open_session(means) as session:
            await hear(session, ears)
            assert session.statistics["ears"].streams == 1
    (total,) = [each.hearing for each in plugins.statuses() if each.id == "ears"]
    assert total is not None
    assert (total.streams, total.interims, total.audio) == (3, 6, pytest.approx(1.5))
    assert [each.hearing for each in plugins.statuses() if each.id == "mouth"] == [None]


async def test_a_recording_counts_too(plugins: Plugins, ears: Ears) -> None:
    """Words before the first sound are words, and say nothing of a latency."""

    async def frames() -> object:
        yield AudioFrame(HALF_A_SECOND, AudioFormat())

    guarded = plugins.stt("ears")
    async with recognise(guarded, STTConfig("ears"), frames()) as transcripts:  # type: ignore[arg-type]
        await trio.testing.wait_all_tasks_blocked()
        assert [each async for each in transcripts] == []
    assert (guarded.hearing.streams, guarded.hearing.audio) == (1, pytest.approx(0.5))


def test_nothing_has_no_mean() -> None:
    assert Latency().mean is None
