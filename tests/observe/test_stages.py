"""When the gateway does something about too much work, and when it is over."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waav.observe.stages import Marks, Rules, Situation, Stage

RULES = Rules()
STEP = 0.1
"""Seconds between two looks."""
LAGS = st.floats(0, 0.5)
SHARES = st.floats(0, 1)
AT_EASE = Situation()
STAGES = st.sampled_from(Stage)


def after(seconds: float, lag: float, memory: float = 0.0, since: Situation = AT_EASE) -> Situation:
    """What becomes of a situation in which nothing changes for so long."""
    situation, looks = since, round(seconds / STEP)
    begin = max(since.since, since.leaning_since, 0.0) + STEP
    for look in range(looks + 1):
        situation = RULES.next(situation, lag, memory, begin + look * STEP)
    return situation


@pytest.mark.parametrize(
    ("lag", "memory", "stage"),
    [
        pytest.param(0.019, 0.84, Stage.NORMAL, id="enough-of-both"),
        pytest.param(0.021, 0.0, Stage.REFUSE, id="late"),
        pytest.param(0.0, 0.86, Stage.REFUSE, id="full"),
        pytest.param(0.051, 0.86, Stage.SHED, id="the-worse-of-both-decides"),
        pytest.param(0.0, 0.91, Stage.SHED, id="fuller"),
        pytest.param(0.21, 0.0, Stage.EVICT, id="hopelessly-late"),
        pytest.param(0.0, 0.96, Stage.EVICT, id="hopelessly-full"),
    ],
)
def test_where_each_stage_begins(lag: float, memory: float, stage: Stage) -> None:
    assert after(60, lag, memory).stage is stage


def test_the_need_must_last_a_second() -> None:
    assert after(0.9, 0.03).stage is Stage.NORMAL
    assert after(1.1, 0.03).stage is Stage.REFUSE


def test_a_need_that_is_interrupted_begins_anew() -> None:
    situation = after(0.9, 0.03)
    situation = after(0.1, 0.0, since=situation)
    assert after(0.9, 0.03, since=situation).stage is Stage.NORMAL


def test_stages_come_one_after_the_other() -> None:
    """Refusing may be enough; only who sees that it was not sheds, and only then somebody must go."""
    worst = [after(seconds, 1.0).stage for seconds in (0.5, 1.5, 2.5, 3.5, 9.0)]
    assert worst == [Stage.NORMAL, Stage.REFUSE, Stage.SHED, Stage.EVICT, Stage.EVICT]


def test_a_stage_is_over_only_well_below_where_it_began() -> None:
    late = after(1.2, 0.03)
    assert late.stage is Stage.REFUSE
    assert after(60, 0.011, since=late).stage is Stage.REFUSE
    assert after(4.9, 0.009, since=late).stage is Stage.REFUSE
    assert after(5.2, 0.009, since=late).stage is Stage.NORMAL


def test_the_way_back_leads_through_all_stages() -> None:
    worst = after(10, 1.0)
    back = [after(seconds, 0.0, since=worst).stage for seconds in (4.0, 6.0, 11.0, 16.0)]
    assert back == [Stage.EVICT, Stage.SHED, Stage.REFUSE, Stage.NORMAL]


@given(st.lists(st.tuples(LAGS, SHARES), max_size=200))
def test_it_never_flaps(samples: list[tuple[float, float]]) -> None:
    """Up takes a second of need and down five of calm, each a single step, whatever is measured."""
    situation, changes = Situation(), [(0.0, Stage.NORMAL)]
    for look, (lag, memory) in enumerate(samples):
        now = look * STEP
        situation = RULES.next(situation, lag, memory, now)
        if situation.stage is not changes[-1][1]:
            changes.append((now, situation.stage))
    for (before, left), (now, entered) in pairwise(changes):
        assert abs(entered - left) == 1
        assert now - before >= (RULES.patience if entered > left else RULES.calm) - 1e-9


@given(STAGES, LAGS, LAGS, SHARES, SHARES)
def test_more_work_never_calls_for_less(
    stage: Stage, lag: float, more_lag: float, memory: float, more_memory: float
) -> None:
    less = RULES.called_for(stage, min(lag, more_lag), min(memory, more_memory))
    more = RULES.called_for(stage, max(lag, more_lag), max(memory, more_memory))
    assert less <= more


@given(STAGES, STAGES, LAGS, SHARES)
def test_a_higher_stage_is_not_left_earlier(
    one: Stage, other: Stage, lag: float, memory: float
) -> None:
    low, high = sorted((one, other))
    assert RULES.called_for(low, lag, memory) <= RULES.called_for(high, lag, memory)


@given(STAGES, LAGS, SHARES, st.floats(1, 100))
def test_what_stays_the_same_comes_to_rest(
    stage: Stage, lag: float, memory: float, seconds: float
) -> None:
    """In a steady state there is one end, and no way back and forth around it."""
    rest = after(60, lag, memory, Situation(stage, 0.0))
    assert after(seconds, lag, memory, rest).stage is rest.stage


@given(st.floats(0.001, 10), st.floats(0.01, 1))
def test_marks_end_below_where_they_begin(lag: float, memory: float) -> None:
    marks = Marks.at(lag, memory)
    for mark in (marks.lag, marks.memory):
        assert mark.off < mark.on
        assert mark.passed(mark.on, held=True)
        assert not mark.passed(mark.on, held=False)
