"""Times in buckets: never too little, never more than 1.6 % too much."""

from hypothesis import given
from hypothesis import strategies as st

from waav.bench.histogram import Histogram

times = st.lists(st.integers(0, 1 << 40), min_size=1, max_size=200)


@given(times, st.floats(1, 100))
def test_a_percentile_is_what_that_many_did_not_exceed(taken: list[int], percent: float) -> None:
    histogram = Histogram()
    for each in taken:
        histogram.record(each)
    exact = sorted(taken)[max(0, -int(-len(taken) * percent // 100) - 1)]
    assert exact / 1e9 <= histogram.percentile(percent) <= (exact * (1 + 1 / 64) + 1) / 1e9


@given(times, times)
def test_two_together_are_as_one(one: list[int], other: list[int]) -> None:
    both, first, second = Histogram(), Histogram(), Histogram()
    for each in one:
        first.record(each)
        both.record(each)
    for each in other:
        second.record(each)
        both.record(each)
    assert (first + second).export() == both.export()
    assert Histogram(both.export()).export() == both.export()
    assert both.count == len(one) + len(other)
    assert both.greatest == both.percentile(100)


def test_nothing_has_no_times() -> None:
    assert Histogram().percentile(99) == 0.0
    assert Histogram().greatest == 0.0


def test_what_takes_longer_than_all_buckets_is_in_the_last() -> None:
    histogram = Histogram()
    histogram.record(1 << 60)
    assert histogram.count == 1
    assert histogram.greatest > 9 * 3600
