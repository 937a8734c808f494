"""The tools of the suites notice what they are there for."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
import trio.testing

from capabilities import ProviderBusy, ProviderUnavailable
from waav.testing.contract import (
    PATIENCE,
    Belongings,
    cancel_everywhere,
    check_limit,
    check_refused,
    within,
)


async def test_a_scenario_is_cancelled_at_each_of_its_awaits_once() -> None:
    reached: list[int] = []

    async def scenario() -> None:
        for step in range(3):
            reached.append(step)
            await trio.lowlevel.checkpoint()

    await cancel_everywhere(scenario, "it", most=100)
    assert reached[:6] == [0, 0, 1, 0, 1, 2]
    assert reached[-3:] == [0, 1, 2], "the last run gets through"


async def test_awaits_of_children_count_too() -> None:
    cancelled: list[str] = []

    async def child() -> None:
        try:
            await trio.lowlevel.checkpoint()
            await trio.lowlevel.checkpoint()
        except trio.Cancelled:
            cancelled.append("child")
            raise

    async def scenario() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(child)

    await cancel_everywhere(scenario, "it", most=100)
    assert len(cancelled) >= 2


async def test_the_number_of_runs_is_bounded() -> None:
    runs = 0

    async def lengthy() -> None:
        nonlocal runs
        runs += 1
        for _ in range(1000):
            await trio.lowlevel.checkpoint()

    await cancel_everywhere(lengthy, "it", most=5)
    assert runs == 5


async def test_an_error_instead_of_the_cancellation_is_noticed() -> None:
    async def scenario() -> None:
        try:
            await trio.sleep_forever()
        except trio.Cancelled:
            raise ProviderUnavailable("fake", "oh") from None

    with pytest.raises(AssertionError, match=r"await number 1, and raises ProviderUnavailable"):
        await cancel_everywhere(scenario, "it", most=5)


async def test_who_does_not_let_go_is_noticed(autojump_clock: trio.testing.MockClock) -> None:
    del autojump_clock

    async def scenario() -> None:
        try:
            await trio.sleep_forever()
        finally:
            with trio.CancelScope(shield=True):
                await trio.sleep(2 * PATIENCE + 1)

    with pytest.raises(AssertionError, match="does not end within"):
        await cancel_everywhere(scenario, "it", most=5)


async def test_a_task_left_behind_is_noticed(
    autojump_clock: trio.testing.MockClock, nursery: trio.Nursery
) -> None:
    del autojump_clock

    async def scenario() -> None:
        nursery.start_soon(trio.sleep_forever)
        await trio.lowlevel.checkpoint()

    with pytest.raises(AssertionError, match="left behind after it is cancelled"):
        await cancel_everywhere(scenario, "it", most=5)


async def test_a_file_left_behind_is_noticed(autojump_clock: trio.testing.MockClock) -> None:
    del autojump_clock
    before = Belongings.now()
    ours, theirs = trio.socket.socketpair()
    with ours, theirs, pytest.raises(AssertionError, match="left behind after opening"):
        await before.check_no_more("opening")
    await before.check_no_more("closing")


async def test_slowness_is_noticed_also_when_it_cannot_be_cancelled(
    autojump_clock: trio.testing.MockClock,
) -> None:
    del autojump_clock
    with pytest.raises(AssertionError, match=r"a nap takes more than 1 s"):
        async with within(1, "a nap"):
            await trio.sleep(2)
    with pytest.raises(AssertionError, match=r"a nap takes more than 1 s"):
        async with within(1, "a nap"):
            with trio.CancelScope(shield=True):
                await trio.sleep(2)


@asynccontextmanager
async def everybody() -> AsyncIterator[None]:
    yield


@asynccontextmanager
async def broken() -> AsyncIterator[None]:
    raise KeyError("oops")
    yield


@asynccontextmanager
async def busy_for_nothing() -> AsyncIterator[None]:
    raise ProviderBusy("fake", "full", retry_after=0)
    yield


async def test_a_missing_refusal_is_noticed() -> None:
    with pytest.raises(AssertionError, match="nonsense must raise ProviderRefused, but is acc"):
        await check_refused(everybody, "nonsense")
    with pytest.raises(AssertionError, match="nonsense must raise ProviderRefused, not KeyErr"):
        await check_refused(broken, "nonsense")


async def test_a_missing_limit_is_noticed() -> None:
    with pytest.raises(AssertionError, match="limit of 2 must raise ProviderBusy, but is let in"):
        await check_limit(everybody, 2, "stream")
    with pytest.raises(AssertionError, match="must raise ProviderBusy, not KeyError"):
        await check_limit(broken, 0, "stream")
    with pytest.raises(AssertionError, match="when to come again"):
        await check_limit(busy_for_nothing, 0, "stream")
