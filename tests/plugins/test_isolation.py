"""One plugin misbehaves in every way there is; its neighbour never notices."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext, suppress
from math import inf
from typing import Any

import attrs
import pytest
import trio
import trio.testing

from capabilities import HealthState, Manifest, Plugin, PluginContext
from waav.errors import PluginFailed, PluginNotRunning
from waav.plugins import Discovery, Plugins, PluginStatus, Policy, State, open_plugins

Say = Callable[[Any, str], Awaitable[str]]
Block = Callable[[], Awaitable[None]]

pytestmark = pytest.mark.pins("D282")

NO_RESTARTS = Policy(max_restarts=0)


@attrs.define
class Bad:
    """A plugin that does ``opening`` while it opens and ``closing`` while it closes."""

    opening: Block = trio.lowlevel.checkpoint
    closing: Block = trio.lowlevel.checkpoint

    @asynccontextmanager
    async def open(self, _: PluginContext) -> AsyncIterator[Plugin]:
        await self.opening()
        stt: Any = object()
        yield Plugin(stt=stt)
        await self.closing()


@attrs.define
class Held:
    """Blocks, shielded from every cancellation, until a test lets it go."""

    release: trio.Event = attrs.field(factory=trio.Event)

    async def block(self, *_: Any) -> None:
        with trio.CancelScope(shield=True):
            await self.release.wait()


def raising(error: BaseException) -> Block:
    async def raise_it() -> None:
        raise error

    return raise_it


async def swallow_once() -> None:
    with suppress(trio.Cancelled):
        await trio.sleep_forever()
    await trio.sleep_forever()


async def slowly() -> None:
    await trio.sleep(20)


def status(plugins: Plugins, id_: str = "bad") -> PluginStatus:
    return {status.id: status for status in plugins.statuses()}[id_]


@pytest.fixture
def beside(manifest: Callable[..., Manifest]) -> Callable[..., Discovery]:
    """The bad plugin, and its neighbour on either side."""

    def make(open_bad: Any) -> Discovery:
        return Discovery.of(
            manifest("a-neighbour"), manifest("bad", open=open_bad), manifest("neighbour")
        )

    return make


async def neighbours_work(plugins: Plugins, say: Say) -> None:
    for id_ in ("a-neighbour", "neighbour"):
        assert await plugins.stt(id_).run(say, "hello") == f"{id_} says hello"
        assert status(plugins, id_).state is State.RUNNING


def gives(value: Any) -> Callable[[PluginContext], AbstractAsyncContextManager[Any]]:
    return lambda _: nullcontext(value)


@pytest.mark.parametrize(
    ("open_bad", "reason"),
    [
        (Bad(raising(OSError("no model"))).open, "could not be opened: OSError: no model"),
        (Bad(raising(SystemExit(1))).open, "could not be opened: SystemExit: 1"),
        (Bad(raising(KeyboardInterrupt())).open, "could not be opened: KeyboardInterrupt"),
        (
            Bad(raising(ExceptionGroup("", [OSError("a"), OSError("b")]))).open,
            "could not be opened: OSError: a; OSError: b",
        ),
        (lambda: None, "could not be opened: TypeError: "),
        (lambda _: 7, "could not be opened: TypeError: 'int' object does not support"),
        (gives(7), "could not be opened: TypeError: open gave a int, not a Plugin"),
        (
            gives(Plugin()),
            "could not be opened: TypeError: the manifest names stt, but the plugin has None there",
        ),
    ],
)
async def test_a_plugin_that_does_not_open(
    beside: Callable[..., Discovery], say: Say, open_bad: Any, reason: str
) -> None:
    async with open_plugins(beside(open_bad), policy=NO_RESTARTS) as plugins:
        await neighbours_work(plugins, say)
        assert status(plugins).state is State.FAILED
        assert status(plugins).reason.startswith(reason)
        assert status(plugins).health.state is HealthState.UNHEALTHY
        with pytest.raises(PluginNotRunning, match="bad: failed: could not be opened"):
            plugins.stt("bad")


@pytest.mark.parametrize("block", [trio.sleep_forever, swallow_once])
async def test_a_plugin_that_never_finishes_opening(
    beside: Callable[..., Discovery],
    say: Say,
    block: Block,
    autojump_clock: trio.testing.MockClock,
) -> None:
    """It has 30 seconds; who waits for all plugins to start waits no longer."""
    async with open_plugins(beside(Bad(block).open), policy=NO_RESTARTS) as plugins:
        assert trio.current_time() == 30
        assert status(plugins).reason == "did not open within 30 s"
        await neighbours_work(plugins, say)
    assert trio.current_time() == 30


async def test_the_neighbours_of_a_plugin_that_opens_slowly_do_not_wait_for_it(
    beside: Callable[..., Discovery], say: Say, autojump_clock: trio.testing.MockClock
) -> None:
    async with open_plugins(beside(Bad(slowly).open)) as plugins:
        since = {each.id: each.since for each in plugins.statuses()}
        assert status(plugins).state is State.RUNNING
    assert since == {"a-neighbour": 0, "bad": 20, "neighbour": 0}


async def test_a_plugin_that_opens_behind_a_shield(
    beside: Callable[..., Discovery], say: Say, autojump_clock: trio.testing.MockClock
) -> None:
    """It keeps its own task and nothing else, and is not opened a second time meanwhile."""
    held = Held()
    async with open_plugins(beside(Bad(held.block).open)) as plugins:
        assert trio.current_time() == 30
        await neighbours_work(plugins, say)
        await trio.sleep(1000)
        assert status(plugins).reason == "did not open within 30 s"
        held.release.set()
        await trio.sleep(1.5)
        assert status(plugins).state is State.RUNNING


@pytest.mark.parametrize(
    "error", [ValueError("x"), SystemExit(1), KeyboardInterrupt(), TypeError()], ids=repr
)
async def test_a_plugin_that_raises_in_a_call(
    beside: Callable[..., Discovery], say: Say, error: BaseException
) -> None:
    async with open_plugins(beside(Bad().open)) as plugins:

        async def fail(_: Any) -> None:
            raise error

        with pytest.raises(PluginFailed):
            await plugins.stt("bad").run(fail)
        await neighbours_work(plugins, say)


async def test_a_plugin_that_does_not_let_go_of_a_call(
    beside: Callable[..., Discovery], say: Say, autojump_clock: trio.testing.MockClock
) -> None:
    """Its caller leaves after five seconds; the plugin fails, and returns when it has let go."""
    held = Held()
    async with open_plugins(beside(Bad().open)) as plugins:
        with trio.move_on_after(1) as scope:
            await plugins.stt("bad").run(held.block)
        assert scope.cancelled_caught
        assert trio.current_time() == 6
        assert status(plugins).state is State.FAILED
        assert status(plugins).reason == "did not let go 5 s after it was cancelled"
        await neighbours_work(plugins, say)
        await trio.sleep(1000)
        assert status(plugins).state is State.FAILED
        held.release.set()
        await trio.sleep(2)
        assert status(plugins).state is State.RUNNING


async def test_other_calls_of_a_plugin_that_does_not_let_go_end(
    beside: Callable[..., Discovery], autojump_clock: trio.testing.MockClock
) -> None:
    held = Held()
    ended: list[str] = []

    async def wait_for_ever(_: Any) -> None:
        await trio.sleep_forever()

    async with open_plugins(beside(Bad().open)) as plugins, trio.open_nursery() as nursery:
        guarded = plugins.stt("bad")

        async def other() -> None:
            with pytest.raises(PluginNotRunning) as told:
                await guarded.run(wait_for_ever)
            ended.append(str(told.value))

        nursery.start_soon(other)
        with trio.move_on_after(1):
            await guarded.run(held.block)
        await trio.testing.wait_all_tasks_blocked()
        assert ended == ["bad: failed: did not let go 5 s after it was cancelled"]
        held.release.set()


@pytest.mark.parametrize(
    ("closing", "told"),
    [
        (raising(OSError("disk full")), (0, "could not be closed: OSError: disk full")),
        (raising(SystemExit(1)), (0, "could not be closed: SystemExit: 1")),
        (trio.sleep_forever, (5, "did not close within 5 s")),
        (swallow_once, (5, "did not close within 5 s")),
    ],
)
async def test_a_plugin_that_does_not_close(
    beside: Callable[..., Discovery],
    say: Say,
    closing: Block,
    told: tuple[float, str],
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with open_plugins(beside(Bad(closing=closing).open)) as plugins:
        await neighbours_work(plugins, say)
    assert {each.id: (each.since, each.state, each.reason) for each in plugins.statuses()} == {
        "a-neighbour": (0, State.STOPPED, ""),
        "bad": (told[0], State.FAILED, told[1]),
        "neighbour": (0, State.STOPPED, ""),
    }
    assert trio.current_time() == told[0]


async def test_leaving_waits_for_a_task_that_is_never_let_go(
    beside: Callable[..., Discovery], autojump_clock: trio.testing.MockClock
) -> None:
    """Trio cannot kill a task. All others are closed at once, and the reason is there to be read."""
    held = Held()
    async with trio.open_nursery() as nursery:
        async with open_plugins(beside(Bad(closing=held.block).open)) as plugins:

            async def look() -> None:
                await trio.sleep(60)
                assert status(plugins).reason == "did not let go 5 s after it was cancelled"
                assert status(plugins, "neighbour").state is State.STOPPED
                assert status(plugins, "neighbour").since == 0
                held.release.set()

            nursery.start_soon(look)
        assert trio.current_time() == 60


async def test_a_caller_does_not_wait_for_a_call_that_outlives_its_plugin(
    beside: Callable[..., Discovery], autojump_clock: trio.testing.MockClock
) -> None:
    """The plugin has five seconds to close and five to let go; then the caller leaves."""
    held = Held()
    left: list[float] = []
    async with trio.open_nursery() as nursery:

        async def call(plugins: Plugins) -> None:
            with pytest.raises(PluginNotRunning, match="bad: failed: did not let go"):
                await plugins.stt("bad").run(held.block)
            left.append(trio.current_time())

        async with open_plugins(beside(Bad().open)) as plugins:
            nursery.start_soon(call, plugins)
            await trio.testing.wait_all_tasks_blocked()
            nursery.start_soon(_later, 40, held.release)
        assert left == [10]
        assert trio.current_time() == 40
        assert status(plugins).reason == "did not let go 5 s after it was cancelled"


async def _later(at: float, event: trio.Event) -> None:
    await trio.sleep_until(at)
    event.set()


async def test_nothing_is_left_behind(
    beside: Callable[..., Discovery], say: Say, autojump_clock: trio.testing.MockClock
) -> None:
    """No task, whatever went wrong."""
    before = trio.lowlevel.current_statistics().tasks_living
    for bad in (Bad(), Bad(raising(OSError())), Bad(trio.sleep_forever), Bad(closing=swallow_once)):
        async with open_plugins(beside(bad.open)) as plugins:
            await neighbours_work(plugins, say)
            with trio.move_on_after(1):
                await plugins.stt("neighbour").run(_sleep, inf)
        assert trio.lowlevel.current_statistics().tasks_living == before


async def _sleep(_: Any, seconds: float) -> None:
    await trio.sleep(seconds)
