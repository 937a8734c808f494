"""What the collector of garbage is spared, and what it still finds."""

import ctypes
import gc
from collections.abc import Iterator
from weakref import ref

import pytest
from support.servers.reach import reach
from support.servers.websocket import accept, echo, open_websocket_server
from trio.testing import MockClock, memory_stream_pair, wait_all_tasks_blocked

from providers._common.websocket import connect
from waav.observe.memory import resident
from waav.server.garbage import GROWTH, INTERVAL, search, short_searches
from waav.server.websocket import Limits, WebSocket


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


async def test_on_a_server_that_is_never_alone_garbage_does_not_grow_for_ever(
    mock_clock: MockClock,
) -> None:
    spared = 1_000_000
    async with short_searches(lambda: False, lambda: spared):
        knot = Knot()
        gc.collect(1)
        left = ref(knot)
        del knot
        for grown in (GROWTH, 1):
            await wait_all_tasks_blocked()
            assert left() is not None
            spared += grown
            mock_clock.jump(INTERVAL)
        await wait_all_tasks_blocked()
        assert left() is None


async def test_nothing_of_it_is_left_behind() -> None:
    before = len(gc.callbacks)
    async with short_searches(lambda: True):
        assert len(gc.callbacks) == before + 1
    assert len(gc.callbacks) == before
    assert gc.get_freeze_count() == 0


async def test_a_connection_leaves_nothing_that_only_a_search_would_find() -> None:
    """The protocol of either side and its parser hold each other, until the connection is over."""
    gc.collect()
    async with open_websocket_server((accept, echo)) as server:
        async with connect(await reach(), server.url) as socket:
            await socket.send("hé")
            assert await anext(socket) == "hé"
            vendor = ref(socket._wire._protocol)
        del socket
    ours, theirs = memory_stream_pair()
    served = WebSocket(ours, Limits())
    client = ref(served._wire._protocol)
    await theirs.aclose()
    await served.aclose()
    del served
    assert (vendor(), client()) == (None, None)


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="it is glibc's doing")
def test_memory_that_was_freed_goes_back_to_the_system() -> None:
    before = resident()
    assert before is not None
    many = [bytes(1000) for _ in range(100_000)]
    kept = many[::200]
    del many
    search()
    after = resident()
    assert after is not None
    assert after - before < 32 << 20, len(kept)
