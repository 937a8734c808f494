"""One thread for many: what comes meanwhile goes together, and nobody who leaves takes others along."""

import threading
from collections.abc import Sequence

import attrs
import pytest
import trio
import trio.testing

from capabilities import ProviderClosed
from providers._common.worker import Worker


@attrs.define
class Gate:
    """Work that begins when it is called, and ends when it is let go."""

    calls: list[list[int]] = attrs.field(factory=list)
    begun: threading.Semaphore = attrs.field(factory=lambda: threading.Semaphore(0))
    go: threading.Semaphore = attrs.field(factory=lambda: threading.Semaphore(0))

    def __call__(self, due: Sequence[int]) -> list[int]:
        self.calls.append(list(due))
        self.begun.release()
        assert self.go.acquire(timeout=10)
        if -1 in due:
            raise ValueError("minus one")
        return [each * 10 for each in due]

    async def has_begun(self) -> None:
        await trio.to_thread.run_sync(self.begun.acquire)


@pytest.fixture
def gate() -> Gate:
    return Gate()


async def test_alone_it_is_a_function_in_a_thread() -> None:
    main = threading.current_thread()

    def work(due: Sequence[str]) -> list[str]:
        assert threading.current_thread() is not main
        return [each.upper() for each in due]

    worker = Worker("fake", work)
    assert await worker.do("a") == "A"
    assert await worker.do("b") == "B"
    assert worker.sizes == {1: 2}


async def test_what_comes_meanwhile_goes_together(gate: Gate) -> None:
    worker, done = Worker("fake", gate), {}

    async def ask(number: int) -> None:
        done[number] = await worker.do(number)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(ask, 0)
        await gate.has_begun()
        for number in range(1, 6):
            nursery.start_soon(ask, number)
        await trio.testing.wait_all_tasks_blocked()
        gate.go.release(2)
    assert done == {number: number * 10 for number in range(6)}
    assert [sorted(call) for call in gate.calls] == [[0], [1, 2, 3, 4, 5]]


async def test_no_call_is_larger_than_the_largest(gate: Gate) -> None:
    gate.go.release(100)
    worker = Worker("fake", gate, 3)
    async with trio.open_nursery() as nursery:
        for number in range(20):
            nursery.start_soon(worker.do, number)
    assert sum(map(len, gate.calls)) == 20
    assert max(map(len, gate.calls)) <= 3


async def test_who_leaves_while_waiting_is_forgotten(gate: Gate) -> None:
    worker = Worker("fake", gate)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(worker.do, 0)
        await gate.has_begun()
        with trio.move_on_after(0.01) as scope:
            await worker.do(1)
        assert scope.cancelled_caught
        nursery.start_soon(worker.do, 2)
        await trio.testing.wait_all_tasks_blocked()
        gate.go.release(2)
    assert gate.calls == [[0], [2]]


async def test_who_leaves_while_it_works_for_others_leaves_them_their_results(gate: Gate) -> None:
    """The first one took all into the thread; being cancelled, it goes when they have theirs."""
    worker, done = Worker("fake", gate), []

    async def ask(number: int) -> None:
        done.append(await worker.do(number))

    async with trio.open_nursery() as nursery, trio.open_nursery() as leader:
        nursery.start_soon(ask, 0)
        await gate.has_begun()
        leader.start_soon(ask, 1)
        await trio.testing.wait_all_tasks_blocked()
        nursery.start_soon(ask, 2)
        await trio.testing.wait_all_tasks_blocked()
        gate.go.release()
        await gate.has_begun()  # 1 works for itself and for 2
        leader.cancel_scope.cancel()
        gate.go.release()
    assert gate.calls == [[0], [1, 2]]
    assert {0, 20} <= set(done)


async def test_who_is_cancelled_before_it_begins_leaves_the_work_to_the_next(gate: Gate) -> None:
    gate.go.release(2)
    worker = Worker("fake", gate)
    with trio.CancelScope() as scope:
        scope.cancel()
        await worker.do(1)
    with trio.fail_after(5):
        assert await worker.do(2) == 20
    assert gate.calls == [[2]]


async def test_who_was_called_and_came_too_late_sleeps_until_the_next_time(gate: Gate) -> None:
    """One that comes again at once takes the turn of one that is on its way to take it."""
    worker = Worker("fake", gate, 1)

    async def ask_twice() -> None:
        await worker.do(0)
        await worker.do(1)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(ask_twice)
        await gate.has_begun()
        nursery.start_soon(worker.do, 2)
        await trio.testing.wait_all_tasks_blocked()
        gate.go.release()
        await gate.has_begun()  # the second call of the first one
        with trio.fail_after(5):
            await trio.testing.wait_all_tasks_blocked()
        gate.go.release(2)
    assert gate.calls == [[0], [2], [1]]


async def test_an_error_is_told_to_all_whose_work_it_was_and_to_no_others(gate: Gate) -> None:
    gate.go.release(2)
    worker = Worker("fake", gate)
    with pytest.raises(ProviderClosed, match="its computation failed"):
        await worker.do(-1)
    assert await worker.do(1) == 10


async def test_one_result_too_few_is_an_error_and_not_a_wait_for_ever() -> None:
    worker: Worker[int, int] = Worker("fake", lambda _due: [])
    with trio.fail_after(5), pytest.raises(ProviderClosed):
        await worker.do(1)


async def test_among_many_a_call_waits_for_more_and_alone_for_nobody() -> None:
    worker: Worker[int, int] = Worker("fake", lambda due: due, tick=0.2)
    began = trio.current_time()
    for _ in range(10):
        await worker.do(1)
    assert trio.current_time() - began < 0.2
    async with trio.open_nursery() as nursery:
        for number in range(20):
            nursery.start_soon(worker.do, number)
    crowd = trio.current_time()
    await worker.do(1)
    assert trio.current_time() - crowd > 0.1
