"""What the collector of garbage is spared, and what it still finds."""

import gc
from collections.abc import Iterator
from weakref import ref

import pytest
from trio.testing import MockClock, wait_all_tasks_blocked

from waav.server.garbage import INTERVAL, short_searches


class Knot:
    """It holds itself, so that nothing but a search frees it."""

    def __init__(self) -> None:
        self.own = self


@pytest.fixture(autouse=True)
def by_hand() -> Iterator[None]:
    """No search comes by itself."""
    gc.disable()
    yield
    gc.enable()


async def test_what_outlives_a_young_search_is_not_looked_at_again(
    autojump_clock: MockClock,
) -> None:
    async with short_searches(lambda: False):
        knot = Knot()
        gc.collect(1)
        left = ref(knot)
        del knot
        gc.collect()
        assert left() is not None
        assert gc.get_freeze_count() > 0
    gc.collect()
    assert left() is None


async def test_what_dies_young_is_found(autojump_clock: MockClock) -> None:
    async with short_searches(lambda: False):
        left = ref(Knot())
        gc.collect(1)
        assert left() is None


async def test_when_nobody_is_there_everything_is_looked_through(mock_clock: MockClock) -> None:
    guests = 1
    async with short_searches(lambda: guests == 0):
        knot = Knot()
        gc.collect(1)
        left = ref(knot)
        del knot
        await wait_all_tasks_blocked()
        mock_clock.jump(INTERVAL)
        await wait_all_tasks_blocked()
        assert left() is not None
        guests = 0
        mock_clock.jump(INTERVAL)
        await wait_all_tasks_blocked()
        assert left() is None


async def test_nothing_of_it_is_left_behind() -> None:
    before = len(gc.callbacks)
    async with short_searches(lambda: True):
        assert len(gc.callbacks) == before + 1
    assert len(gc.callbacks) == before
    assert gc.get_freeze_count() == 0
