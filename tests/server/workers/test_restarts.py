"""When a worker is replaced."""

from waav.server.workers.restarts import LONGEST_PAUSE, MOST_ATTEMPTS, SHORT_LIFE, Restarts


def test_who_has_lived_is_replaced_at_once() -> None:
    restarts = Restarts()
    assert [restarts.pause(SHORT_LIFE + 1) for _ in range(5)] == [0.0] * 5


def test_short_lives_make_for_longer_and_longer_pauses() -> None:
    restarts = Restarts()
    pauses = [restarts.pause(0.1) for _ in range(2000)]
    assert pauses[:5] == [0.0, 0.5, 1.0, 2.0, 4.0]
    assert max(pauses) == pauses[-1] == LONGEST_PAUSE


def test_a_long_life_makes_up_for_all_short_ones() -> None:
    restarts = Restarts()
    for lived in (0.1, 0.1, 0.1, SHORT_LIFE + 1):
        last = restarts.pause(lived)
    assert last == 0.0
    assert restarts.pause(0.1) == 0.0


def test_a_first_start_that_fails_is_enough_to_give_up() -> None:
    """Otherwise a mistake in the configuration would be told again and again."""
    restarts = Restarts()
    restarts.pause(None)
    assert restarts.hopeless


def test_later_it_takes_many() -> None:
    restarts = Restarts()
    restarts.began()
    for _ in range(MOST_ATTEMPTS - 1):
        restarts.pause(None)
        assert not restarts.hopeless
    restarts.pause(None)
    assert restarts.hopeless
    restarts.began()
    assert not restarts.hopeless


def test_who_was_up_does_not_count_as_an_attempt() -> None:
    restarts = Restarts()
    restarts.began()
    for _ in range(2 * MOST_ATTEMPTS):
        restarts.pause(0.1)
    assert not restarts.hopeless
