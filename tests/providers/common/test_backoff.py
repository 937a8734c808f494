"""Pauses between attempts, as arithmetic."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers._common.backoff import Backoff


def test_the_first_attempt_never_waits() -> None:
    assert Backoff().pause(1, 1.0) == 0.0


def test_pauses_double_up_to_the_longest() -> None:
    pauses = [Backoff().pause(attempt, 0.5) for attempt in range(2, 9)]
    assert pauses == [1, 2, 4, 8, 16, 30, 30]


@pytest.mark.parametrize(("chance", "pause"), [(0.0, 3.0), (0.5, 4.0), (1.0, 5.0)])
def test_chance_spreads_a_pause_by_a_quarter(chance: float, pause: float) -> None:
    assert Backoff().pause(4, chance) == pause


@given(st.integers(2, 10**9), st.floats(0, 1))
def test_however_many_attempts_a_pause_stays_finite(attempt: int, chance: float) -> None:
    backoff = Backoff()
    limit = backoff.longest * (1 + backoff.jitter)
    assert 0 < backoff.pause(attempt, chance) <= limit


def test_a_later_pause_is_never_shorter() -> None:
    backoff = Backoff(first=0.1, factor=5.0, longest=0.5)
    pauses = [backoff.pause(attempt, 0.3) for attempt in range(1, 20)]
    assert all(one <= other for one, other in pairwise(pauses))
