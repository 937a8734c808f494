"""Many leave a few at a time, and all of them in time."""

from collections import Counter

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from waav.server.departures import BATCH, SHARE, Departures

GRACE = 30.0
MANY = 2000


@pytest.fixture
def departures() -> Departures:
    return Departures()


def most_at_once(times: list[float]) -> int:
    return max(Counter(times).values())


async def test_two_thousand_are_asked_a_few_at_a_time(
    departures: Departures, autojump_clock: MockClock
) -> None:
    """Each leaves when it is asked; nobody is cancelled, and most of the grace is left to the last."""
    stopping, left = trio.Event(), list[float]()

    async def polite() -> None:
        with departures.join() as leave:
            await leave.wait()
            left.append(trio.current_time() - began)

    async with trio.open_nursery() as nursery:
        for _ in range(MANY):
            nursery.start_soon(polite)
        await wait_all_tasks_blocked()
        began = trio.current_time()
        stopping.set()
        await departures.see_off(stopping, GRACE)
    assert len(left) == MANY
    assert most_at_once(left) == BATCH
    assert max(left) <= GRACE * SHARE


async def test_who_stays_is_cancelled_a_few_at_a_time_before_the_grace_is_over(
    departures: Departures, autojump_clock: MockClock
) -> None:
    stopping, left = trio.Event(), list[float]()

    async def stubborn() -> None:
        try:
            with departures.join():
                await trio.sleep_forever()
        finally:
            left.append(trio.current_time() - began)

    async with trio.open_nursery() as nursery:
        for _ in range(MANY):
            nursery.start_soon(stubborn)
        await wait_all_tasks_blocked()
        began = trio.current_time()
        stopping.set()
        await departures.see_off(stopping, GRACE)
    assert most_at_once(left) == BATCH
    assert min(left) >= GRACE * (1 - SHARE)
    assert max(left) <= GRACE


async def test_one_alone_has_nearly_all_of_the_grace(
    departures: Departures, autojump_clock: MockClock
) -> None:
    stopping, began = trio.Event(), trio.current_time()
    stopping.set()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(departures.see_off, stopping, GRACE)
        with departures.join():
            await trio.sleep_forever()
    assert trio.current_time() - began > GRACE - 1


async def test_a_short_grace_is_kept_too(departures: Departures, autojump_clock: MockClock) -> None:
    stopping, began = trio.Event(), trio.current_time()
    stopping.set()

    async def stubborn() -> None:
        with departures.join():
            await trio.sleep_forever()

    async with trio.open_nursery() as nursery:
        for _ in range(10 * BATCH):
            nursery.start_soon(stubborn)
        await wait_all_tasks_blocked()
        await departures.see_off(stopping, 0.1)
    assert trio.current_time() - began <= 0.1 + 1e-9


async def test_no_grace_at_all(departures: Departures, autojump_clock: MockClock) -> None:
    stopping = trio.Event()
    stopping.set()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(departures.see_off, stopping, 0.0)
        with departures.join():
            await trio.sleep_forever()


async def test_who_comes_too_late_is_asked_at_once(
    departures: Departures, autojump_clock: MockClock
) -> None:
    stopping = trio.Event()
    stopping.set()
    await departures.see_off(stopping, GRACE)
    with departures.join() as leave:
        assert leave.is_set()


async def test_nobody_is_asked_before_the_stop(
    departures: Departures, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    nursery.start_soon(departures.see_off, trio.Event(), GRACE)
    with departures.join() as leave:
        await trio.sleep(3600)
        assert not leave.is_set()
    nursery.cancel_scope.cancel()
