"""What counts, and what does not."""

from waav.bench.tally import Tally


def test_only_frames_of_the_open_time_count() -> None:
    tally = Tally()
    tally.arrive(5, 6)
    tally.opened = 10
    tally.arrive(9, 11)
    tally.arrive(10, 12)
    tally.closed = 20
    tally.arrive(19, 25)
    tally.arrive(20, 21)
    assert (tally.arrived, tally.forward.count) == (2, 2)


def test_sound_that_was_changed_is_counted_without_a_time() -> None:
    """Where a time stamp was there is anything, mostly a time that has not come."""
    tally = Tally(opened=10)
    tally.arrive(1 << 62, 12)
    assert (tally.heard, tally.arrived) == (1, 0)
