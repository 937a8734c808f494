"""A plugin is asked how it feels; whatever it answers, it runs on."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio
import trio.testing

from capabilities import Health, HealthState, Manifest, Plugin, PluginContext
from waav.plugins import Discovery, Plugins, State, open_plugins

HEALTHY, UNHEALTHY = HealthState.HEALTHY, HealthState.UNHEALTHY
Ask = Callable[[], Awaitable[Any]]


@pytest.fixture
def feeling(manifest: Callable[..., Manifest]) -> Callable[[Ask], Discovery]:
    """A plugin that answers in this way."""

    def make(health: Ask) -> Discovery:
        @asynccontextmanager
        async def open_it(_: PluginContext) -> AsyncIterator[Plugin]:
            stt: Any = object()
            yield Plugin(stt=stt, health=health)

        return Discovery.of(manifest("patient", open=open_it))

    return make


def health(plugins: Plugins) -> Health:
    (status,) = plugins.statuses()
    return status.health


async def degraded() -> Health:
    return Health(HealthState.DEGRADED, "half of the voices")


async def broken() -> Health:
    raise OSError("no answer")


async def silent() -> Health:
    await trio.sleep_forever()
    raise AssertionError


async def confused() -> Any:
    return "fine"


@pytest.mark.parametrize(
    ("ask", "expected"),
    [
        (degraded, Health(HealthState.DEGRADED, "half of the voices")),
        (broken, Health(UNHEALTHY, "OSError: no answer")),
        (silent, Health(UNHEALTHY, "did not answer within 5 s")),
        (confused, Health(UNHEALTHY, "answered with a str")),
        (lambda: 7, Health(UNHEALTHY, "TypeError: trio expected an async function")),
    ],
)
async def test_what_a_plugin_answers(
    feeling: Callable[[Ask], Discovery],
    ask: Ask,
    expected: Health,
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with open_plugins(feeling(ask)) as plugins:
        assert health(plugins) == Health()
        await trio.sleep(10)
        assert health(plugins).state is expected.state
        assert health(plugins).detail.startswith(expected.detail[:10])
        (status,) = plugins.statuses()
        assert status.state is State.RUNNING
        assert status.error_count == 0


async def test_it_is_asked_again_and_again(
    feeling: Callable[[Ask], Discovery], autojump_clock: trio.testing.MockClock
) -> None:
    asked: list[float] = []

    async def note() -> Health:
        asked.append(trio.current_time())
        return Health(HEALTHY)

    async with open_plugins(feeling(note)) as plugins:
        await trio.sleep(70)
        assert asked == [0, 30, 60]
        assert health(plugins) == Health(HEALTHY)


async def test_one_that_never_lets_go_of_the_question_fails(
    feeling: Callable[[Ask], Discovery], autojump_clock: trio.testing.MockClock
) -> None:
    release = trio.Event()

    async def stuck() -> Health:
        with trio.CancelScope(shield=True):
            await release.wait()
        return Health(HEALTHY)

    async with open_plugins(feeling(stuck)) as plugins:
        await trio.sleep(11)
        (status,) = plugins.statuses()
        assert status.state is State.FAILED
        assert status.reason == "did not let go 5 s after it was cancelled"
        release.set()
