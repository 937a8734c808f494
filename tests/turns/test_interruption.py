"""Who may interrupt whom, by the time at which the client plays it."""

import pytest

from waav.turns.interruption import PlayoutLock


def test_an_ordinary_utterance_may_be_interrupted() -> None:
    lock = PlayoutLock()
    lock.begin(0.0, allow_interruption=True)
    lock.sent(5.0, 0.0)
    assert not lock.closed(1.0)


def test_a_locked_one_may_not_until_it_has_been_heard() -> None:
    """The client plays longer than the synthesis takes."""
    lock = PlayoutLock()
    lock.begin(0.0, allow_interruption=False)
    assert lock.closed(0.0)
    lock.sent(5.0, 0.1)
    lock.end()
    assert lock.closed(5.0)
    assert not lock.closed(5.1)


@pytest.mark.pins("D143")
def test_a_later_ordinary_one_does_not_open_the_lock() -> None:
    lock = PlayoutLock()
    lock.begin(0.0, allow_interruption=False)
    lock.sent(5.0, 0.0)
    lock.end()
    lock.begin(0.5, allow_interruption=True)
    lock.sent(5.0, 0.5)
    lock.end()
    assert lock.closed(4.9)
    assert not lock.closed(5.1)


def test_a_locked_one_locks_only_when_it_is_heard() -> None:
    """It waits behind five seconds that may be interrupted."""
    lock = PlayoutLock()
    lock.begin(0.0, allow_interruption=True)
    lock.sent(5.0, 0.0)
    lock.end()
    lock.begin(0.2, allow_interruption=False)
    lock.sent(2.0, 0.2)
    lock.end()
    assert not lock.closed(4.9)
    assert lock.closed(5.1)
    assert not lock.closed(7.1)


def test_nothing_plays_after_a_reset() -> None:
    lock = PlayoutLock()
    lock.begin(0.0, allow_interruption=False)
    lock.sent(5.0, 0.0)
    lock.reset()
    assert not lock.closed(1.0)
    assert not lock.playing(1.0)
