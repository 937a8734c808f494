"""How what was heard travels to the client: whole, in order, and many words in one turn."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio
from support.providers import Ears, EarStream, next_event, plugin
from support.turns_of import counted_turns
from trio.testing import MockClock, wait_all_tasks_blocked

from capabilities import Interim, ProviderClosed, ProviderError, STTOptions, Transcript
from waav.plugins import Discovery, open_plugins
from waav.session.commands import Configure, STTConfig
from waav.session.events import Failed, Ready, Transcribed
from waav.session.means import Means
from waav.session.session import NEWS, Session, open_session

HEARING = Configure(stt=STTConfig("ears"))
WORDS = [str(number) for number in range(70)]
"""More than are kept for a client: some are still where they were heard."""
TOLD = [Transcribed(word) for word in WORDS]


async def hear_unread(session: Session, ears: Ears) -> None:
    """Hear many words while the client does not read."""
    await session.submit(HEARING)
    await next_event(session, Ready)
    ears.say(*map(Interim, WORDS))
    await wait_all_tasks_blocked()


async def test_last_words_that_wait_are_told_when_the_session_ends(
    autojump_clock: MockClock, means: Means, ears: Ears, nursery: trio.Nursery
) -> None:
    told: list[object] = []

    async def read_late(session: Session) -> None:
        await trio.sleep(0.3)
        told.extend([event async for event in session.events])

    async with open_session(means) as session:
        await hear_unread(session, ears)
        nursery.start_soon(read_late, session)
    await wait_all_tasks_blocked()
    assert told == TOLD


async def test_what_was_heard_before_a_failure_is_told_before_it(
    autojump_clock: MockClock, session: Session, ears: Ears
) -> None:
    await hear_unread(session, ears)
    ears.say(ProviderClosed("ears", "gone"))
    await wait_all_tasks_blocked()
    assert [await next_event(session) for _ in WORDS] == TOLD
    assert isinstance(await next_event(session), Failed)


async def test_what_was_heard_before_a_reconfiguration_is_told_before_ready(
    autojump_clock: MockClock, session: Session, ears: Ears
) -> None:
    await hear_unread(session, ears)
    await session.submit(HEARING)
    await wait_all_tasks_blocked()
    assert [await next_event(session) for _ in WORDS] == TOLD
    assert isinstance(await next_event(session), Ready)


class HastyStream(EarStream):
    """Yields all that it knows without giving anybody a turn, as one read of a socket may bring it."""

    async def __anext__(self) -> Transcript:
        try:
            said = self.heard.receive_nowait()
        except trio.WouldBlock:
            return await super().__anext__()
        assert not isinstance(said, ProviderError)
        return said


class HastyEars(Ears):
    @asynccontextmanager
    async def connect(self, options: STTOptions) -> AsyncIterator[EarStream]:
        async with super().connect(options) as stream:
            yield HastyStream(self, stream.said, stream.heard)


async def test_many_words_at_once_are_passed_on_in_few_turns(autojump_clock: MockClock) -> None:
    """On a core that is full a turn is what everything waits for."""
    ears = HastyEars()
    async with (
        open_plugins(Discovery.of(plugin("ears", ears))) as plugins,
        open_session(Means(plugins)) as session,
    ):
        await session.submit(HEARING)
        await next_event(session, Ready)
        await wait_all_tasks_blocked()
        with counted_turns() as turns:
            ears.say(*map(Interim, WORDS[:NEWS]))
            await wait_all_tasks_blocked()
        assert turns["session/turns"] <= 3
        assert [await next_event(session) for _ in range(NEWS)] == TOLD[:NEWS]


async def test_who_waits_until_all_is_told_waits_for_the_last_word_too(
    autojump_clock: MockClock, session: Session
) -> None:
    turns = session._control.turns
    await wait_all_tasks_blocked()
    turns.answers.send_nowait(Interim("last"))
    await turns.rest()
    assert session.events.receive_nowait() == Transcribed("last")
