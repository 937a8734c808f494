"""Who is due goes into one call; a call alone waits for nobody."""

import logging
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import attrs
import pytest
import trio
import trio.testing

from capabilities import ProviderClosed, ProviderError
from providers.local.silero_engine import Engine
from providers.local.silero_model import EMPTY, Heard, Memory


@attrs.define
class Fake:
    """A network that notes who called it with how many."""

    calls: list[int] = attrs.field(factory=list)
    threads: set[int] = attrs.field(factory=set)
    broken: bool = False

    def hear(self, chunks: Sequence[bytes], memories: Sequence[Memory]) -> list[Heard]:
        self.calls.append(len(chunks))
        self.threads.add(threading.get_ident())
        if self.broken:
            raise RuntimeError("out of memory")
        return [(chunk[0] / 100, memory + chunk) for chunk, memory in zip(chunks, memories)]  # noqa: B905


@attrs.define(eq=False)
class Listener:
    chunk: bytes = b"\x32"
    results: list[Heard] = attrs.field(factory=list)
    at: list[float] = attrs.field(factory=list)
    error: ProviderError | None = None
    told: trio.Event = attrs.field(factory=trio.Event)

    def due(self) -> tuple[bytes, Memory]:
        return self.chunk, EMPTY

    def heard(self, heard: Heard) -> None:
        self.results.append(heard)
        self.at.append(trio.current_time())
        self.told.set()

    def fail(self, error: ProviderError) -> None:
        self.error = error
        self.told.set()


@asynccontextmanager
async def running(network: Fake, tick: float = 1.0, largest: int = 8) -> AsyncIterator[Engine]:
    engine = Engine(network, trio.CapacityLimiter(1), tick, largest)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(engine.run)
        yield engine
        nursery.cancel_scope.cancel()


async def served(engine: Engine, *listeners: Listener) -> None:
    for listener in listeners:
        engine.join(listener)
        engine.submit(listener)
    for listener in listeners:
        await listener.told.wait()


async def test_the_first_waits_for_nobody_and_those_behind_it_go_together(
    autojump_clock: trio.testing.MockClock,
) -> None:
    network, first, others = Fake(), Listener(), [Listener() for _ in range(5)]
    async with running(network) as engine:
        engine.join(Listener())
        await served(engine, first)
        await served(engine, *others)
    assert network.calls == [1, 5]
    assert first.at == [0.0]
    assert [each.at for each in others] == [[1.0]] * 5
    assert engine.sizes == {1: 1, 5: 1}


async def test_nobody_waits_when_all_are_due(autojump_clock: trio.testing.MockClock) -> None:
    """Recordings that come faster than they were spoken are heard as fast as can be."""
    network, both = Fake(), [Listener(), Listener()]
    async with running(network) as engine:
        for _ in range(3):
            await served(engine, *both)
            for each in both:
                each.told = trio.Event()
    assert network.calls == [2, 2, 2]
    assert [each.at for each in both] == [[0.0] * 3] * 2


async def test_after_a_pause_nobody_waits_either(autojump_clock: trio.testing.MockClock) -> None:
    first, later = Listener(), Listener()
    async with running(Fake()) as engine:
        await served(engine, first)
        await trio.sleep(7.5)
        await served(engine, later)
    assert later.at == [7.5]


async def test_a_full_call_does_not_wait_and_the_rest_goes_next(
    autojump_clock: trio.testing.MockClock,
) -> None:
    network, many = Fake(), [Listener() for _ in range(20)]
    async with running(network) as engine:
        await served(engine, Listener())
        await served(engine, *many)
    assert network.calls == [1, 8, 8, 4]
    assert [each.at[0] for each in many] == [0.0] * 16 + [1.0] * 4, "in the order of arrival"


async def test_each_gets_its_own_result() -> None:
    listeners = [Listener(bytes([n])) for n in range(8)]
    async with running(Fake(), tick=0.0) as engine:
        await served(engine, *listeners)
    assert [each.results for each in listeners] == [
        [(n / 100, EMPTY + bytes([n]))] for n in range(8)
    ]


async def test_it_works_in_a_thread_that_is_not_the_loop() -> None:
    network = Fake()
    async with running(network, tick=0.0) as engine:
        await served(engine, Listener())
    assert network.threads
    assert threading.get_ident() not in network.threads


async def test_who_leaves_before_the_call_is_not_in_it(
    autojump_clock: trio.testing.MockClock,
) -> None:
    network, stays, leaves = Fake(), Listener(), Listener()
    async with running(network) as engine:
        await served(engine, Listener())
        engine.join(leaves)
        engine.submit(leaves)
        engine.leave(leaves)
        engine.leave(leaves)
        await trio.sleep(2.0)
        await served(engine, stays)
    assert network.calls == [1, 1]
    assert leaves.results == []


async def test_a_call_that_fails_ends_its_streams_and_no_others(
    caplog: pytest.LogCaptureFixture,
) -> None:
    network, unlucky, lucky = Fake(broken=True), Listener(), Listener()
    async with running(network, tick=0.0) as engine:
        await served(engine, unlucky)
        network.broken = False
        await served(engine, lucky)
    assert isinstance(unlucky.error, ProviderClosed)
    assert lucky.results
    assert [each.levelno for each in caplog.records] == [logging.ERROR]
