"""A worker's side of the line, with the supervisor's desk at the other end of it, in memory."""

import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import attrs
import pytest
import trio
from trio.testing import MockClock, memory_stream_pair, wait_all_tasks_blocked

from waav.errors import LimitReached
from waav.observe.fleet import News, Report
from waav.security.limits import EVERYBODY, Capacities, Counts
from waav.server.workers.desk import Desk
from waav.server.workers.line import Line, open_line
from waav.server.workers.link import Link, open_link
from waav.server.workers.messages import AskOthers, Begin, Ready, Release, Reported, Stop, Take

REPORT = Report(1, 2.0, ready=True)


@attrs.define
class Office:
    """A supervisor that can fall silent."""

    line: Line
    desk: Desk
    silent: bool = False
    heard: list[object] = attrs.Factory(list)

    @property
    def held(self) -> int:
        return self.desk.counts.snapshot()["global"].held

    async def run(self) -> None:
        async for message in self.line.messages():
            self.heard.append(message)
            match message:
                case Take() | Release() | AskOthers() | Reported() if not self.silent:
                    answer = self.desk.answer(0, message)
                    if answer is not None:
                        self.line.tell(answer)
                case _:
                    pass


OpenLink = Callable[..., AbstractAsyncContextManager[tuple[Link, Office]]]


@asynccontextmanager
async def _linked(most: int = 1) -> AsyncIterator[tuple[Link, Office]]:
    near, far = memory_stream_pair()
    desk = Desk(Counts(Capacities(everybody=most)))
    for worker in (0, 1):
        desk.open(worker)
        desk.begin(worker)
    async with open_line(far) as line, trio.open_nursery() as nursery:
        office = Office(line, desk)
        nursery.start_soon(office.run)
        async with open_link(near) as link:
            yield link, office
            await wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()


@pytest.fixture
def linked() -> OpenLink:
    return _linked


async def take(link: Link) -> None:
    async with link.slot([EVERYBODY]):
        pass


async def test_a_slot_is_held_for_as_long_as_the_block_lasts(
    linked: OpenLink, autojump_clock: MockClock
) -> None:
    async with linked() as (link, office):
        async with link.slot([EVERYBODY]):
            assert office.held == 1
            with pytest.raises(LimitReached):
                await take(link)
        await wait_all_tasks_blocked()
        assert office.held == 0
        await take(link)


@pytest.mark.pins("D259")
async def test_a_block_that_fails_gives_its_slot_back(
    linked: OpenLink, autojump_clock: MockClock
) -> None:
    async with linked() as (link, office):
        with pytest.raises(ZeroDivisionError):
            async with link.slot([EVERYBODY]):
                raise ZeroDivisionError
        await wait_all_tasks_blocked()
        assert office.held == 0


@pytest.mark.pins("D259")
async def test_who_is_cancelled_while_asking_holds_nothing(
    linked: OpenLink, autojump_clock: MockClock
) -> None:
    async with linked() as (link, office):
        with trio.move_on_after(0):
            await take(link)
        await wait_all_tasks_blocked()
        assert office.held == 0
        await take(link)


@pytest.mark.pins("D257")
async def test_of_many_at_once_exactly_so_many_get_in(
    linked: OpenLink, autojump_clock: MockClock
) -> None:
    got = list[bool]()

    async def hold(link: Link) -> None:
        try:
            async with link.slot([EVERYBODY]):
                got.append(True)
                await trio.sleep(60)
        except LimitReached:
            got.append(False)

    async with linked(10) as (link, office):
        async with trio.open_nursery() as nursery:
            for _ in range(30):
                nursery.start_soon(hold, link)
        await wait_all_tasks_blocked()
        assert (got.count(True), got.count(False), office.held) == (10, 20, 0)


async def test_a_silent_supervisor_lets_nobody_in(
    linked: OpenLink, autojump_clock: MockClock
) -> None:
    """And when it speaks again it has not kept what was asked for meanwhile."""
    async with linked() as (link, office):
        office.silent = True
        began = trio.current_time()
        with pytest.raises(LimitReached):
            await take(link)
        assert trio.current_time() - began == pytest.approx(1.0)
        assert await link.others() == News()
        office.silent = False
        await take(link)


async def test_news_of_the_others(linked: OpenLink, autojump_clock: MockClock) -> None:
    async with linked() as (link, office):
        office.desk.answer(1, Reported(REPORT))
        assert (await link.others()).reports == (REPORT,)


async def test_a_worker_reports_every_second(linked: OpenLink, autojump_clock: MockClock) -> None:
    async with linked() as (link, office), trio.open_nursery() as nursery:
        link.ready()
        nursery.start_soon(link.report, lambda: REPORT)
        await trio.sleep(2.5)
        assert office.heard == [Ready(), *[Reported(REPORT)] * 3]
        nursery.cancel_scope.cancel()


async def test_it_begins_when_it_may(linked: OpenLink, autojump_clock: MockClock) -> None:
    async with linked() as (link, office):
        await wait_all_tasks_blocked()
        assert not link.may_begin.is_set()
        office.line.tell(Begin())
        await link.may_begin.wait()


async def test_a_stop_is_a_signal(linked: OpenLink, autojump_clock: MockClock) -> None:
    with trio.open_signal_receiver(signal.SIGTERM) as signals:
        async with linked() as (_link, office):
            office.line.tell(Stop())
            assert await anext(aiter(signals)) == signal.SIGTERM


async def test_so_is_a_supervisor_that_is_gone(autojump_clock: MockClock) -> None:
    near, far = memory_stream_pair()
    with trio.open_signal_receiver(signal.SIGTERM) as signals:
        async with open_link(near):
            await far.aclose()
            assert await anext(aiter(signals)) == signal.SIGTERM


async def test_a_peer_that_takes_nothing_is_lost(autojump_clock: MockClock) -> None:
    """The line is closed, so that whoever reads it learns of it."""
    near, far = trio.testing.lockstep_stream_pair()
    async with far, open_line(near) as line:
        line.tell(Begin())
        async for _ in line.messages():
            pytest.fail("it says something")
