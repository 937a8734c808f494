"""A session whose client hears nothing although something is to be said."""

from collections.abc import AsyncIterator, Iterator

import attrs
import pytest
import trio
import trio.testing
from support.providers import Mouth, next_event
from trio.testing import MockClock

from capabilities import ProviderUnavailable
from waav.session.choices import Choices
from waav.session.commands import Clear, Configure, Speak, TTSConfig
from waav.session.events import DeadAir, Event, Failed, Ready, SpeechBegan, SpeechEnded
from waav.session.means import Means
from waav.session.session import Session, open_session

TALKING = Configure(tts=TTSConfig("mouth"))


@pytest.fixture
def means(means: Means) -> Means:
    return attrs.evolve(means, choices=Choices(stt="ears", dead_air=5.0))


@pytest.fixture
async def session(means: Means, nursery: trio.Nursery) -> AsyncIterator[Session]:
    """One that talks, with a client that takes all it gets."""

    async def listen(session: Session) -> None:
        async for _ in session.audio_out:
            pass

    async with open_session(means) as opened:
        nursery.start_soon(listen, opened)
        await opened.submit(TALKING)
        await next_event(opened, Ready)
        yield opened


def all_tasks() -> Iterator[trio.lowlevel.Task]:
    def below(task: trio.lowlevel.Task) -> Iterator[trio.lowlevel.Task]:
        yield task
        for nursery in task.child_nurseries:
            for child in nursery.child_tasks:
                yield from below(child)

    root = trio.lowlevel.current_root_task()
    assert root is not None
    return below(root)


async def told(session: Session) -> tuple[float, Event]:
    event = await next_event(session)
    return trio.current_time(), event


async def test_a_voice_that_does_not_begin(
    autojump_clock: MockClock, session: Session, mouth: Mouth, means: Means
) -> None:
    """It is told once, and the sound that comes at last is heard."""
    mouth.connect_delay = 20.0
    begun = trio.current_time()
    await session.submit(Speak("a"))
    assert await told(session) == (begun + 5.0, DeadAir("u1", 5.0))
    assert await told(session) == (begun + 20.0, SpeechBegan("u1"))
    assert await next_event(session) == SpeechEnded("u1", "spoken", pytest.approx(0.1))  # type: ignore[arg-type]
    assert means.counters.dead_air == 1


async def test_each_gap_within_an_utterance_counts(
    autojump_clock: MockClock, session: Session, mouth: Mouth
) -> None:
    """Three frames of 100 ms, each of which lets wait for six seconds."""
    mouth.pace = 6.0
    await session.submit(Speak("abc"))
    events = [await next_event(session) for _ in range(5)]
    gap = DeadAir("u1", pytest.approx(5.0))  # type: ignore[arg-type]
    assert events[:4] == [gap, SpeechBegan("u1"), gap, gap]
    assert isinstance(events[4], SpeechEnded)


async def test_sound_that_came_early_is_still_played(
    autojump_clock: MockClock, session: Session, mouth: Mouth
) -> None:
    """Ten seconds in one piece, and the next ten at the last moment."""
    mouth.whole = True
    await session.submit(Speak("a" * 100))
    await next_event(session, SpeechEnded)
    mouth.connect_delay = 14.0
    await session.submit(Speak("b" * 100))
    assert await next_event(session) == SpeechBegan("u2")


async def test_a_client_that_takes_nothing_is_no_dead_air(
    autojump_clock: MockClock, means: Means, mouth: Mouth
) -> None:
    """There is sound: it is the client who does not want it."""
    async with open_session(means) as session:
        await session.submit(TALKING)
        await next_event(session, Ready)
        await session.submit(Speak("abc"))
        assert await next_event(session) == SpeechBegan("u1")
        await trio.sleep(60)
        with pytest.raises(trio.WouldBlock):
            session.events.receive_nowait()


@pytest.mark.parametrize("end", ["clear", "failure"])
async def test_what_is_over_is_not_waited_for(
    autojump_clock: MockClock, session: Session, mouth: Mouth, end: str
) -> None:
    mouth.connect_delay = 3.0
    mouth.fail = ProviderUnavailable("mouth", "gone")
    await session.submit(Speak("ab"))
    await trio.testing.wait_all_tasks_blocked()
    if end == "clear":
        await session.submit(Clear())
        await next_event(session, SpeechEnded)
    else:
        assert isinstance(await next_event(session, Failed), Failed)
        await next_event(session, SpeechEnded)
    await trio.sleep(60)
    with pytest.raises(trio.WouldBlock):
        session.events.receive_nowait()


async def test_while_the_agent_holds_on_nobody_waits_for_it(
    autojump_clock: MockClock, session: Session, mouth: Mouth
) -> None:
    """The user may be interrupting; the time begins again when the agent goes on."""
    mouth.connect_delay = 30.0
    begun = trio.current_time()
    await session.submit(Speak("a"))
    await trio.sleep(1)
    output = session._speaking.output
    output.hold()
    await trio.sleep(11)
    output.go_on()
    when, event = await told(session)
    assert isinstance(event, DeadAir)
    assert when - begun == pytest.approx(17.0)


async def test_nobody_looks_while_nothing_is_to_be_said(
    autojump_clock: MockClock, session: Session, mouth: Mouth
) -> None:
    """One task, whatever waits to be said, and a moment later none."""

    def looking() -> int:
        return [task.name for task in all_tasks()].count("session/dead-air")

    assert looking() == 0
    mouth.connect_delay = 1.0
    await session.submit(Speak("a"))
    await session.submit(Speak("b"))
    await trio.sleep(1.5)
    assert looking() == 1
    await trio.sleep(6)
    assert looking() == 0


async def test_who_is_silent_on_purpose_is_no_dead_air(
    autojump_clock: MockClock, session: Session
) -> None:
    """Nothing was asked for: whoever thinks about an answer is outside of the gateway."""
    await trio.sleep(600)
    with pytest.raises(trio.WouldBlock):
        session.events.receive_nowait()
