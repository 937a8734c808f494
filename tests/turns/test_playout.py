"""Who may interrupt whom, and what was heard, by the time at which the client plays it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waav.turns.playout import Heard, Playout


def playing(*utterances: tuple[float, bool]) -> Playout:
    """All sent at once, at the beginning; each with its length and whether it may be interrupted."""
    playout = Playout()
    for number, (duration, allow) in enumerate(utterances, 1):
        playout.begin(f"u{number}", 0.0, allow_interruption=allow)
        playout.sent(duration, 0.0)
        playout.finish()
    return playout


def test_an_ordinary_utterance_may_be_interrupted() -> None:
    assert not playing((5.0, True)).locked(1.0)


def test_a_locked_one_may_not_until_it_has_been_heard() -> None:
    """The client plays longer than the synthesis takes."""
    playout = Playout()
    playout.begin("u1", 0.0, allow_interruption=False)
    assert playout.locked(0.0)
    playout.sent(5.0, 0.1)
    playout.finish()
    assert playout.locked(5.0)
    assert not playout.locked(5.1)


@pytest.mark.pins("D138")
def test_sound_of_unknown_length_opens_the_lock_when_it_is_complete() -> None:
    playout = Playout()
    playout.begin("u1", 0.0, allow_interruption=False)
    playout.sent(0.0, 0.1)
    assert playout.locked(60.0)
    playout.finish()
    assert not playout.locked(60.1)


@pytest.mark.pins("D143")
def test_a_later_ordinary_one_does_not_open_the_lock() -> None:
    playout = playing((5.0, False), (5.0, True))
    assert playout.locked(4.9)
    assert not playout.locked(5.1)


def test_a_locked_one_locks_only_when_it_is_heard() -> None:
    """It waits behind five seconds that may be interrupted."""
    playout = playing((5.0, True), (2.0, False))
    assert not playout.locked(4.9)
    assert playout.locked(5.1)
    assert not playout.locked(7.1)


def test_nothing_plays_after_a_stop() -> None:
    playout = playing((5.0, False))
    playout.stop(1.0)
    assert not playout.locked(1.0)
    assert not playout.playing(1.0)


def test_a_stop_tells_how_much_of_each_was_heard() -> None:
    playout = playing((2.0, True), (3.0, True), (4.0, True))
    assert playout.stop(2.5) == [Heard("u2", 0.5, 3.0), Heard("u3", 0.0, 4.0)]


def test_a_stop_tells_which_words_had_begun() -> None:
    playout = Playout()
    playout.begin("u1", 0.0, allow_interruption=True)
    for text in ("Good ", "day, ", "", "I "):
        playout.sent(0.5, 0.0, text)
    assert playout.stop(1.2) == [Heard("u1", 1.2, 2.0, "Good day, ")]


def test_words_are_not_known_where_a_part_of_them_is_not() -> None:
    playout = Playout()
    playout.begin("u1", 0.0, allow_interruption=True)
    playout.sent(0.0, 0.0)  # the header of a file
    playout.sent(0.5, 0.0, "Good ")
    playout.sent(0.5, 0.0)
    assert playout.stop(0.7) == [Heard("u1", 0.7, 1.0, None)]


def test_a_gap_in_the_sound_does_not_count_as_heard() -> None:
    """A second is sent, two seconds nothing comes, then another second."""
    playout = Playout()
    playout.begin("u1", 0.0, allow_interruption=True)
    playout.sent(1.0, 0.0)
    playout.sent(1.0, 3.0)
    assert playout.stop(3.5) == [Heard("u1", 1.5, 2.0)]


def test_a_pause_puts_off_all_that_was_not_heard() -> None:
    playout = playing((2.0, True), (1.0, False))
    playout.pause(1.5)
    assert playout.playing(100.0)
    playout.resume(11.5)
    assert not playout.locked(11.9)
    assert playout.locked(12.1)
    assert playout.stop(12.5) == [Heard("u2", 0.5, 1.0)]


def test_a_stop_while_it_holds_on_tells_what_was_heard_before() -> None:
    playout = playing((2.0, True))
    playout.pause(0.5)
    assert playout.stop(60.0) == [Heard("u1", 0.5, 2.0)]


STEPS = st.lists(
    st.tuples(st.floats(0, 2), st.sampled_from(["begin", "sent", "finish", "pause", "resume"]))
)


@given(STEPS, st.floats(0, 100))
def test_nobody_hears_more_than_was_sent_or_than_time_has_passed(
    steps: list[tuple[float, str]], later: float
) -> None:
    playout, now, sent = Playout(), 0.0, 0.0
    for pause, step in steps:
        now += pause
        match step:
            case "begin":
                playout.finish()
                playout.begin("u", now, allow_interruption=True)
            case "sent":
                playout.sent(0.5, now)
                sent += 0.5
            case "finish":
                playout.finish()
            case "pause":
                playout.pause(now)
            case _:
                playout.resume(now)
    cut = playout.stop(now + later)
    assert all(0 <= each.played <= each.sent for each in cut)
    assert sum(each.played for each in cut) <= now + later + 1e-6
    assert sum(each.sent for each in cut) <= sent
    assert not playout.playing(now + later)


def test_what_begins_while_the_client_holds_on_is_heard_when_it_goes_on() -> None:
    """One second of the first is left; it is paused at 1.0 and goes on at 10.0."""
    playout = playing((2.0, True))
    playout.pause(1.0)
    playout.begin("u2", 5.0, allow_interruption=False)
    playout.resume(10.0)
    playout.sent(3.0, 10.0)
    playout.finish()
    assert not playout.locked(10.9)
    assert playout.locked(11.1)
    assert playout.locked(13.9)
    assert not playout.locked(14.1)


def test_what_begins_in_a_pause_after_all_was_heard_is_not_as_late_as_the_pause_is_long() -> None:
    playout = Playout()
    playout.begin("u1", 0.0, allow_interruption=True)
    playout.pause(1.0)
    playout.finish()
    playout.begin("u2", 5.0, allow_interruption=True)
    playout.resume(10.0)
    playout.sent(3.0, 10.0)
    assert playout.began(11.0) == 10.0
    assert playout.stop(11.0) == [Heard("u2", 1.0, 3.0)]


def test_a_lock_that_has_come_and_gone_is_known() -> None:
    playout = playing((1.0, True), (2.0, False), (1.0, True))
    assert playout.last_closed(0.5) is None
    assert playout.last_closed(1.5) == 1.0
    assert playout.last_closed(9.0) == 1.0


def test_a_lock_is_known_also_when_everything_was_stopped_behind_it() -> None:
    playout = playing((1.0, False), (2.0, False))
    playout.stop(0.5)
    assert playout.last_closed(9.0) == 0.0
