"""How late the event loop is, on a clock that the test moves."""

import time

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import MockClock, wait_all_tasks_blocked

from waav.observe.lag import INTERVAL, LATELY, WINDOW, LoopLag, percentile


async def hold(clock: MockClock, *seconds: float) -> None:
    """Let the loop come back only after so long, once for each."""
    for each in seconds:
        clock.jump(each)
        await wait_all_tasks_blocked()


async def test_a_loop_that_is_punctual_has_no_lag(mock_clock: MockClock) -> None:
    lag = LoopLag()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lag.run)
        await wait_all_tasks_blocked()
        await hold(mock_clock, *[INTERVAL] * 100)
        assert lag.wakes == 100
        assert (lag.p99, lag.worst) == (pytest.approx(0, abs=1e-9), pytest.approx(0, abs=1e-9))
        nursery.cancel_scope.cancel()


async def test_a_loop_that_was_held_was_late_for_all_who_would_have_woken(
    mock_clock: MockClock,
) -> None:
    """A task that is due each 20 ms would have been late 50 times in that second."""
    lag = LoopLag()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lag.run)
        await wait_all_tasks_blocked()
        await hold(mock_clock, INTERVAL + 1.0)
        assert lag.wakes == 1
        assert lag.worst == pytest.approx(1.0)
        assert lag.p99 == pytest.approx(1.0, abs=3 * INTERVAL)
        assert lag.lately == pytest.approx(0.8, abs=3 * INTERVAL), "a fifth of them more than that"
        await hold(mock_clock, *[INTERVAL] * LATELY)
        assert lag.lately == pytest.approx(0, abs=1e-9), "a second later it is as if nothing was"
        assert lag.worst == pytest.approx(1.0), "for ten seconds it can be seen"
        await hold(mock_clock, *[INTERVAL] * WINDOW)
        assert lag.worst == pytest.approx(0, abs=1e-9)
        nursery.cancel_scope.cancel()


async def test_a_second_is_a_second_also_when_every_wake_is_late(mock_clock: MockClock) -> None:
    """Otherwise the worse it is, the longer would it be remembered."""
    lag = LoopLag()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lag.run)
        await wait_all_tasks_blocked()
        await hold(mock_clock, INTERVAL + 1.0, *[0.035] * 30)
        assert lag.lately < 0.04, "a second later"
        assert lag.worst == pytest.approx(1.0)
        await hold(mock_clock, *[0.035] * 270)
        assert lag.worst < 0.04, "ten seconds later"
        nursery.cancel_scope.cancel()


async def test_another_thread_sees_the_beat(mock_clock: MockClock) -> None:
    lag = LoopLag()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lag.run)
        await wait_all_tasks_blocked()
        began = time.perf_counter()
        await hold(mock_clock, INTERVAL)
        assert began <= lag.beat <= time.perf_counter()
        nursery.cancel_scope.cancel()


def test_a_few_late_wakes_are_not_how_it_is_lately() -> None:
    """Ten in fifty are not one in five, and nobody new is sent away for a few slips."""
    lag = LoopLag()
    for late in (*[0.0] * 40, *[0.019] * 10):
        lag.note(late)
    assert lag.lately == 0.0
    lag.note(0.019)
    assert lag.lately == 0.019


@given(st.lists(st.floats(-1, 3600), max_size=20))
def test_whatever_happens_it_stays_small_and_counts_all_time(lates: list[float]) -> None:
    lag = LoopLag()
    for late in lates:
        passed = lag.note(late)
        assert late < passed * INTERVAL <= max(late, 0.0) + INTERVAL * 1.000001
    assert len(lag._late) <= WINDOW
    assert all(each >= 0.0 for each in lag._late)
    assert lag.p99 <= lag.worst


@given(st.lists(st.floats(0, 10), min_size=1))
def test_the_percentile_is_one_of_the_values(values: list[float]) -> None:
    assert percentile(values) in values
    assert sum(each > percentile(values) for each in values) <= 1 + len(values) // 100


def test_of_nothing_it_is_nothing() -> None:
    assert (LoopLag().p99, LoopLag().lately, LoopLag().worst) == (0.0, 0.0, 0.0)
