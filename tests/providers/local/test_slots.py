"""A place is taken at once or refused at once, and given back on every path."""

import pytest

from capabilities import ProviderBusy
from providers.local.slots import Slots


def test_the_limit_is_exact_and_the_refusal_says_when_to_come_again() -> None:
    slots = Slots("engine", 2, retry_after=3.0)
    with slots.take(), slots.take():
        with pytest.raises(ProviderBusy, match=r"engine: all 2 places") as busy, slots.take():
            pass
        assert busy.value.retry_after == 3.0
    assert slots.taken == 0


def test_an_error_gives_the_place_back() -> None:
    slots = Slots("engine", 1)
    with pytest.raises(KeyError), slots.take():
        raise KeyError
    assert slots.taken == 0


def test_there_is_at_least_one_place() -> None:
    with pytest.raises(ValueError, match="limit"):
        Slots("engine", 0)
