"""A circuit's story as a table: what happened when, and what it answers."""

import pytest

from waav.plugins.breaker import Breaker

FAILED, WORKED = "failed", "worked"

STORIES = {
    "fresh": ([], 0.0, 0.0),
    "one failure is none": ([(0, FAILED), (1, FAILED)], 2.0, 0.0),
    "opens at the threshold": ([(0, FAILED), (1, FAILED), (2, FAILED)], 2.0, 30.0),
    "a success between resets": ([(0, FAILED), (1, FAILED), (2, WORKED), (3, FAILED)], 3.0, 0.0),
    "cools down": ([(0, FAILED), (1, FAILED), (2, FAILED)], 31.0, 1.0),
    "half-open": ([(0, FAILED), (1, FAILED), (2, FAILED)], 32.0, 0.0),
    "a late failure prolongs": ([(0, FAILED), (1, FAILED), (2, FAILED), (20, FAILED)], 40.0, 10.0),
    "a success closes": ([(0, FAILED), (1, FAILED), (2, FAILED), (9, WORKED)], 9.0, 0.0),
}


@pytest.mark.parametrize(("story", "now", "wait"), STORIES.values(), ids=STORIES)
def test_stories(story: list[tuple[float, str]], now: float, wait: float) -> None:
    breaker = Breaker(threshold=3, cooldown=30)
    for at, what in story:
        if what is FAILED:
            breaker.failed(at)
        else:
            breaker.succeeded()
    assert breaker.wait(now) == wait
    assert breaker.admit(now) is (wait == 0)


@pytest.fixture
def opened() -> Breaker:
    """Open since 0 s; a trial may come at 30 s."""
    breaker = Breaker(threshold=1, cooldown=30)
    breaker.failed(0)
    return breaker


def test_one_trial_at_half_open(opened: Breaker) -> None:
    assert not opened.admit(29.9)
    assert opened.admit(30)
    assert not opened.admit(30)
    assert opened.wait(40) == 20


def test_a_trial_that_works_lets_everybody_in(opened: Breaker) -> None:
    assert opened.admit(30)
    opened.succeeded()
    assert not opened.open
    assert all(opened.admit(30) for _ in range(10))


def test_a_trial_that_fails_begins_the_pause_again(opened: Breaker) -> None:
    assert opened.admit(30)
    opened.failed(35)
    assert not opened.admit(64)
    assert opened.admit(65)


def test_a_trial_that_tells_nothing_blocks_for_one_pause_only(opened: Breaker) -> None:
    assert opened.admit(30)
    assert not opened.admit(59)
    assert opened.admit(60)


def test_asking_how_long_is_no_trial(opened: Breaker) -> None:
    assert opened.wait(30) == 0
    assert opened.wait(30) == 0
    assert opened.admit(30)
