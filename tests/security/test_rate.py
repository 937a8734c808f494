"""A bucket of tokens for each client, refilled by time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waav.security.rate import Rates


@pytest.mark.pins("D260")
def test_the_rate_is_tokens_in_a_second() -> None:
    rates = Rates(rate=60, burst=10)
    assert sum(rates.take("a", 0.0).passes for _ in range(100)) == 10
    assert sum(rates.take("a", 1 + step / 1000).passes for step in range(1000)) in range(69, 71)


def test_who_must_wait_is_told_for_how_long_and_passes_then() -> None:
    rates = Rates(rate=0.5, burst=2)
    assert [rates.take("a", 0.0).remaining for _ in range(2)] == [1, 0]
    refused = rates.take("a", 0.5)
    assert (refused.passes, refused.remaining) == (False, 0)
    assert refused.wait == pytest.approx(1.5, abs=1e-4)
    assert rates.take("a", 0.5 + refused.wait).passes
    assert rates.refused == 1


def test_one_clients_haste_is_no_others_trouble() -> None:
    rates = Rates(rate=1, burst=1)
    assert rates.take("a", 0.0).passes
    assert not rates.take("a", 0.0).passes
    assert rates.take("b", 0.0).passes


@given(
    rate=st.floats(0.1, 1000),
    burst=st.integers(1, 50),
    pauses=st.lists(st.floats(0, 5), max_size=100),
)
def test_no_stretch_of_time_has_more_than_the_burst_and_its_own(
    rate: float, burst: int, pauses: list[float]
) -> None:
    rates, now, passed = Rates(rate, burst), 1000.0, list[float]()
    for pause in pauses:
        now += pause
        if rates.take("a", now).passes:
            passed.append(now)
    for first, begin in enumerate(passed):
        for last in range(first, len(passed)):
            assert last - first + 1 <= burst + (passed[last] - begin) * rate + 0.01


def test_a_flood_of_addresses_takes_no_more_memory_than_there_is_for_it() -> None:
    rates = Rates(rate=0.001, burst=1, most_clients=100)
    for number in range(10_000):
        assert rates.take(str(number), 0.0).passes
        assert len(rates) <= 100
    assert not rates.take("9999", 0.0).passes


def test_who_was_quiet_for_long_enough_is_forgotten() -> None:
    rates = Rates(rate=1, burst=1)
    for number in range(50):
        rates.take(str(number), 0.0)
    for _ in range(50):
        rates.take("somebody", 10.0)
    assert len(rates) == 1
