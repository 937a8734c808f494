"""What the collector of garbage is spared, and what it still finds."""

import ctypes
import gc
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from weakref import ref

import pytest
import trio
from support.gateways import open_serving
from support.servers.reach import reach
from support.servers.websocket import accept, echo, open_websocket_server
from trio.testing import MockClock, memory_stream_pair, wait_all_tasks_blocked

from providers._common.websocket import connect
from waav.observe.memory import resident
from waav.server.garbage import GROWTH, INTERVAL, search, short_searches
from waav.server.websocket import Limits, WebSocket

pytestmark = pytest.mark.usefixtures("searches_by_hand")


class Knot:
    """It holds itself, so that nothing but a search frees it."""

    def __init__(self) -> None:
        self.own = self


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


_UPGRADE = b"GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
_POST = b"POST /speak HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"


@pytest.mark.parametrize(
    ("sent", "begins"),
    [
        pytest.param(b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n", b"HTTP/1.1 200", id="served"),
        pytest.param(b"GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n", b"HTTP/1.1 404", id="not-there"),
        pytest.param(b"DELETE /speak HTTP/1.1\r\nHost: a\r\n\r\n", b"HTTP/1.1 405", id="not-so"),
        pytest.param(
            _POST + b"Content-Length: 99999999999\r\n\r\n", b"HTTP/1.1 413", id="too-large"
        ),
        pytest.param(_POST + b"Content-Length: 99\r\n\r\n{}", b"", id="broken-off"),
        pytest.param(
            _POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", b"HTTP/1.1 400", id="no-chunk"
        ),
        pytest.param(b"GET / HTTP/1.1 and more\r\n\r\n", b"HTTP/1.1 400", id="no-request"),
        pytest.param(
            b"GET /health HTTP/1.1\r\nHost: a\r\n\r\nno more\r\n\r\n",
            b"HTTP/1.1 200",
            id="no-request-behind-one",
        ),
        pytest.param(_UPGRADE + b"\r\n", b"HTTP/1.1 400", id="no-handshake"),
        pytest.param(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0", b"\0\0*\4", id="http2"),
    ],
)
async def test_a_request_leaves_nothing_old_that_only_a_search_would_find(
    sent: bytes, begins: bytes
) -> None:
    """Of what is made for it some things are in circles for a moment; none of them is the connection."""
    async with open_serving() as serving:

        async def ask() -> bytes:
            answer = b""
            async with await trio.open_tcp_stream("127.0.0.1", serving.port) as stream:
                await stream.send_all(sent)
                if begins:
                    answer = await stream.receive_some()
                await stream.send_eof()
                with suppress(trio.BrokenResourceError):
                    async for more in stream:
                        answer += more
            await wait_all_tasks_blocked()
            return answer

        await ask()  # what is made once
        with _found() as found:
            assert (await ask()).startswith(begins)
    assert {kind for kind in found if kind.partition(".")[0] in _OLD} == set()


_OLD = {"waav", "hypercorn", "h11", "h2", "websockets", "quart", "quart_trio"}
"""Whose objects live as long as a connection, or a request."""


@contextmanager
def _found() -> Iterator[set[str]]:
    """Give the kinds of all that a search finds after the block."""
    found: set[str] = set()
    # What other tests have left; some of it goes only when what held it is gone.
    while gc.collect():
        pass
    yield found
    gc.set_debug(gc.DEBUG_SAVEALL)
    gc.collect()
    gc.set_debug(0)
    found |= {f"{type(each).__module__}.{type(each).__qualname__}" for each in gc.garbage}
    gc.garbage.clear()


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
