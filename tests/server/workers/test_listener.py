"""Who of several workers takes the next connection."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from math import inf
from typing import Any

import attrs
import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from waav.server.workers.listener import MOST_COURTESY, SharedListener
from waav.server.workers.shares import Shares, open_shares


@pytest.fixture
def shares() -> Iterator[Shares]:
    with open_shares(3) as file:
        yield Shares.over(file.fileno())


def test_the_excess_is_over_the_one_with_the_fewest(shares: Shares) -> None:
    shares.note(0, 7)
    assert shares.excess(0) == 0
    shares.note(1, 4)
    assert (shares.excess(0), shares.excess(1)) == (3, 0)
    shares.vacate(1)
    assert shares.excess(0) == 0


def test_where_there_is_no_room_there_is_excess_while_there_is_some_elsewhere(
    shares: Shares,
) -> None:
    assert shares.excess(0) == 0
    shares.note(1, 9)
    assert (shares.excess(0), shares.excess(1)) == (inf, 0)


def test_two_processes_see_the_same() -> None:
    with open_shares(2) as file:
        one, other = Shares.over(file.fileno()), Shares.over(file.fileno())
        one.note(0, 5)
        other.note(1, 3)
        assert (one.excess(0), other.excess(0)) == (2, 2)


@attrs.define
class Worker:
    listener: SharedListener
    may_begin: trio.Event
    taken: list[trio.SocketStream]
    note: trio.MemorySendChannel[trio.SocketStream]
    before: int = 0
    is_full: bool = False

    async def run(self) -> None:
        while True:
            stream = await self.listener.accept()
            self.taken.append(stream)
            await self.note.send(stream)


@pytest.fixture
async def port() -> AsyncIterator[trio.SocketListener]:
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    async with listener:
        yield listener


@pytest.fixture
def arrivals() -> tuple[trio.MemorySendChannel[Any], trio.MemoryReceiveChannel[Any]]:
    return trio.open_memory_channel(100)


def employ(
    listener: trio.SocketListener, shares: Shares, note: Any, *places: int
) -> Iterator[Worker]:
    return (_employ(listener, shares, note, place) for place in places)


def _employ(listener: trio.SocketListener, shares: Shares, note: Any, place: int) -> Worker:
    own = trio.socket.fromfd(listener.socket.fileno(), trio.socket.AF_INET, trio.socket.SOCK_STREAM)
    may_begin = trio.Event()

    def sessions() -> int | None:
        return None if worker.is_full else worker.before + len(worker.taken)

    shared = SharedListener(trio.SocketListener(own), may_begin, shares, place, sessions)
    worker = Worker(shared, may_begin, [], note)
    return worker


async def test_connections_are_spread_evenly(
    port: trio.SocketListener, shares: Shares, arrivals: Any
) -> None:
    note, noted = arrivals
    workers = list(employ(port, shares, note, 0, 1, 2))
    async with AsyncExitStack() as stack, trio.open_nursery() as nursery:
        for worker in workers:
            worker.may_begin.set()
            await stack.enter_async_context(worker.listener)
            nursery.start_soon(worker.run)
        with trio.fail_after(30):
            for _ in range(30):
                client = await trio.open_tcp_stream(*port.socket.getsockname())
                await stack.enter_async_context(client)
                await stack.enter_async_context(await noted.receive())
        nursery.cancel_scope.cancel()
    counts = [len(worker.taken) for worker in workers]
    assert max(counts) - min(counts) <= 2


async def test_who_may_not_begin_takes_nobody_in(
    port: trio.SocketListener, shares: Shares, arrivals: Any
) -> None:
    """Whoever comes meanwhile waits, and is not lost."""
    note, noted = arrivals
    (worker,) = employ(port, shares, note, 0)
    async with trio.open_nursery() as nursery, worker.listener:
        nursery.start_soon(worker.run)
        async with await trio.open_tcp_stream(*port.socket.getsockname()) as client:
            await wait_all_tasks_blocked()
            assert worker.taken == []
            worker.may_begin.set()
            with trio.fail_after(10):
                async with await noted.receive() as stream:
                    await stream.send_all(b"hello")
                    assert await client.receive_some() == b"hello"
        nursery.cancel_scope.cancel()


async def test_who_has_most_takes_those_that_nobody_else_takes(
    port: trio.SocketListener, shares: Shares, arrivals: Any
) -> None:
    """The others may be held up; courtesy has an end."""
    note, noted = arrivals
    (worker,) = employ(port, shares, note, 0)
    worker.may_begin.set()
    shares.note(1, -1000)
    async with trio.open_nursery() as nursery, worker.listener:
        nursery.start_soon(worker.run)
        async with await trio.open_tcp_stream(*port.socket.getsockname()):
            with trio.fail_after(10):
                await (await noted.receive()).aclose()
        nursery.cancel_scope.cancel()


async def test_who_would_refuse_leaves_them_to_who_would_not(
    port: trio.SocketListener, shares: Shares, arrivals: Any
) -> None:
    """It has the fewest sessions, and would draw all that come."""
    note, noted = arrivals
    full, other = employ(port, shares, note, 0, 1)
    full.is_full, other.before = True, 5
    async with AsyncExitStack() as stack, trio.open_nursery() as nursery:
        for worker in (full, other):
            worker.may_begin.set()
            await stack.enter_async_context(worker.listener)
            nursery.start_soon(worker.run)
        with trio.fail_after(30):
            for _ in range(10):
                client = await trio.open_tcp_stream(*port.socket.getsockname())
                await stack.enter_async_context(client)
                await stack.enter_async_context(await noted.receive())
                # Its courtesy is over, and it has seen that nobody waits any more.
                await wait_all_tasks_blocked(2 * MOST_COURTESY)
        nursery.cancel_scope.cancel()
    assert (len(full.taken), len(other.taken)) == (0, 10)
