"""What the gateway does about too much work, on a clock that the test moves."""

import logging
from functools import partial

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import MockClock, wait_all_tasks_blocked

from waav.observe.load import SAMPLE, Guest, Load, longest_idle, open_load
from waav.observe.stages import Rules, Situation, Stage

QUIET = Rules(patience=0.0, calm=0.0, idle=30.0)
"""Each second look changes the stage."""


def at(stage: Stage) -> Load:
    """A gateway that has got so far."""
    return Load(situation=Situation(stage))


async def hold(clock: MockClock, seconds: float, *, late: float) -> None:
    """Let the loop run for so long, each round of it late."""
    for _ in range(round(seconds / late)):
        clock.jump(late)
        await wait_all_tasks_blocked()


@pytest.mark.parametrize("stage", Stage)
def test_who_is_new_comes_in_only_while_all_is_well(stage: Stage) -> None:
    load = at(stage)
    refusal = load.refusal()
    assert (refusal is None) == (stage is Stage.NORMAL)
    assert load.refused == (refusal is not None)
    assert load.sheds == (stage in {Stage.SHED, Stage.EVICT})


@pytest.mark.parametrize(
    ("stage", "seconds"), [(Stage.REFUSE, 5.0), (Stage.SHED, 10.0), (Stage.EVICT, 15.0)]
)
def test_who_is_refused_learns_when_it_can_be_over(stage: Stage, seconds: float) -> None:
    refusal = at(stage).refusal()
    assert refusal is not None
    assert refusal.retry_after == seconds


async def test_a_loop_that_is_late_for_long_lets_nobody_in_until_it_is_not(
    mock_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with open_load(Rules()) as load:
        await wait_all_tasks_blocked()
        await hold(mock_clock, 1.0, late=0.04)
        assert load.refusal() is None, "it may be over soon"
        await hold(mock_clock, 1.5, late=0.04)
        assert load.refusal() is not None
        await hold(mock_clock, 5.5, late=0.02)
        assert load.refusal() is not None, "it has been well for less than five seconds"
        await hold(mock_clock, 1.5, late=0.02)
        assert load.refusal() is None
    assert load.entered == {Stage.REFUSE: 1, Stage.NORMAL: 1}
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
    assert [message[:12] for message in caplog.messages] == ["load: refuse", "load: normal"]


async def test_a_loop_that_was_held_once_is_no_reason(mock_clock: MockClock) -> None:
    """A collection of garbage, or a plugin's slip: by the time anybody could be refused it is over."""
    async with open_load(Rules()) as load:
        await wait_all_tasks_blocked()
        for _ in range(5):
            await hold(mock_clock, 0.5, late=0.5)
            await hold(mock_clock, 3.0, late=0.02)
    assert load.lag.worst >= 0.4
    assert not load.entered


async def test_a_core_that_is_taken_away_now_and_then_is_no_reason(mock_clock: MockClock) -> None:
    """A virtual machine's neighbours: 40 ms, twice a second. In between it is as punctual as ever."""
    async with open_load(Rules()) as load:
        await wait_all_tasks_blocked()
        for _ in range(20):
            await hold(mock_clock, 0.06, late=0.06)
            await hold(mock_clock, 0.44, late=0.02)
    assert load.lag.p99 >= 0.039
    assert not load.entered


async def test_without_rules_it_is_measured_and_nothing_is_done(mock_clock: MockClock) -> None:
    async with open_load(None) as load:
        await wait_all_tasks_blocked()
        await hold(mock_clock, 10.0, late=0.4)
    assert load.lag.lately > 0.25
    assert load.stage is Stage.NORMAL


async def test_memory_that_is_used_up_counts_as_well(mock_clock: MockClock) -> None:
    """All that this test uses is more than one byte."""
    load = Load()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(load.run, 1)
        await wait_all_tasks_blocked()
        await hold(mock_clock, 4.0, late=SAMPLE)
        nursery.cancel_scope.cancel()
    assert load.stage is Stage.EVICT
    assert load.memory > 1


def test_memory_that_cannot_be_told_is_none_used() -> None:
    load = Load()
    for look in range(100):
        load.judge(0.0, 0.0, look * SAMPLE)
    assert load.stage is Stage.NORMAL


async def test_the_longest_idle_go_first_and_who_is_in_use_stays(mock_clock: MockClock) -> None:
    load = Load(rules=QUIET, situation=Situation(Stage.EVICT))
    with (
        load.guest(lambda: 50.0, trio.Event()) as second,
        load.guest(lambda: 10.0, trio.Event()) as first,
        load.guest(lambda: 75.0, trio.Event()) as busy,
    ):
        told = first, second, busy
        load.judge(1.0, 0.0, 100.0)
        assert [each.leave.is_set() for each in told] == [True, False, False]
        load.judge(1.0, 0.0, 100.1)
        assert [each.leave.is_set() for each in told] == [True, True, False]
        load.judge(1.0, 0.0, 100.2)
        assert [each.leave.is_set() for each in told] == [True, True, False]
        load.judge(1.0, 0.0, 105.1)
        assert busy.leave.is_set(), "by then nobody has used it for more than thirty seconds"
    assert load.evicted == 3
    assert all(each.evicted for each in told)


@pytest.mark.parametrize("stage", [Stage.NORMAL, Stage.REFUSE, Stage.SHED])
def test_nobody_has_to_go_before_it_comes_to_that(stage: Stage) -> None:
    load = at(stage)
    with load.guest(lambda: -1000.0, trio.Event()) as guest:
        load.judge(0.015, 0.0, 0.0)
        assert not guest.leave.is_set()


def test_who_has_left_is_forgotten() -> None:
    load = at(Stage.EVICT)
    with pytest.raises(ZeroDivisionError), load.guest(lambda: -1000.0, trio.Event()) as guest:
        raise ZeroDivisionError
    load.judge(1.0, 0.0, 0.0)
    assert not guest.leave.is_set()
    assert load.evicted == 0


@given(st.lists(st.floats(0, 100)), st.floats(0, 100))
def test_whoever_goes_was_used_before_all_others(used: list[float], before: float) -> None:
    guests = [Guest(partial(float, at), trio.Event()) for at in used]
    chosen = longest_idle(guests, before)
    idle = [at for at in used if at < before]
    assert (chosen is None) == (not idle)
    assert chosen is None or chosen.used_at() == min(idle)
